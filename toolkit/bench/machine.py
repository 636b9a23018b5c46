"""A measured figure; what it was measured on is told by :mod:`toolkit.observe.machine`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from toolkit.observe.machine import machine

__all__ = ["Figure", "machine", "shown"]

_MORE_IS_BETTER = ("x", "/s")
"""Units, or their ends, of figures that should grow; all others should shrink."""


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One measured figure.

    Attributes:
        name: What was measured; the same in every run, so that two can be compared.
        value: The figure.
        unit: Its unit.
        target: What it should reach; None where there is no target.
        at_most: Whether the target is an upper bound.
        note: How it was measured, in a few words.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the target is reached; True where there is none."""
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def more_is_better(self) -> bool:
        """Whether a larger value is the better one."""
        return not self.at_most if self.target is not None else self.unit.endswith(_MORE_IS_BETTER)

    def line(self) -> str:
        """Return it as one line for a terminal."""
        bound = ""
        if self.target is not None:
            verdict = "met" if self.is_met else "MISSED"
            bound = f"  target {'<=' if self.at_most else '>='} {self.target:g} {verdict}"
        return f"{self.name:52} {shown(self.value):>12} {self.unit:11}{bound}  {self.note}".rstrip()

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self) | {"met": self.is_met, "more_is_better": self.more_is_better}


def shown(value: float) -> str:
    """Return a figure with the digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
