"""A measured figure, and the machine it was measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Figure", "machine"]


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One measured figure.

    Attributes:
        name: What was measured.
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

    def line(self) -> str:
        """Return it as one line for a terminal."""
        bound = ""
        if self.target is not None:
            verdict = "met" if self.is_met else "MISSED"
            bound = f"  target {'<=' if self.at_most else '>='} {self.target:g} {verdict}"
        return f"{self.name:52} {self.value:12,.1f} {self.unit:11}{bound}  {self.note}".rstrip()

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self) | {"met": self.is_met}


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, load, versions."""
    packages = ("tiktok-live-toolkit", "TikTokLive", "protobuf", "duckdb", "polars", "panel", "tornado")
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
    }
