"""Two results of ``toolkit bench --out`` side by side: what became better, what worse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit.bench.machine import shown
from toolkit.errors import SettingsError

__all__ = ["Change", "compare", "run"]

WORSE_BY = 1.25
"""Two runs of the same code on a shared machine differ by less, most of the time."""


@dataclass(frozen=True, slots=True)
class Change:
    """
    One figure in both results.

    Attributes:
        name: What was measured.
        unit: Its unit.
        before: In the first result.
        after: In the second.
        ratio: After over before; None where before is 0.
        is_worse: It became worse by more than :data:`WORSE_BY`, or misses a target it met.
    """

    name: str
    unit: str
    before: float
    after: float
    ratio: float | None
    is_worse: bool

    def line(self) -> str:
        """Return it as one line for a terminal."""
        ratio = "" if self.ratio is None else f"{self.ratio:8.2f}x"
        mark = "  WORSE" if self.is_worse else ""
        values = f"{shown(self.before):>12} {shown(self.after):>12} {self.unit:11}"
        return f"{self.name:60} {values} {ratio}{mark}".rstrip()


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return every figure that both results have, in the order of the first."""
    later = {figure["name"]: figure for figure in after["figures"]}
    return [_change(f, later[f["name"]]) for f in before["figures"] if f["name"] in later]


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    ratio = after["value"] / before["value"] if before["value"] else None
    worse_by = None
    if ratio is not None and ratio > 0:
        worse_by = 1 / ratio if after["more_is_better"] else ratio
    is_worse = (worse_by is not None and worse_by > WORSE_BY) or (before["met"] and not after["met"])
    return Change(after["name"], after["unit"], before["value"], after["value"], ratio, is_worse)


def run(before: Path, after: Path, *, as_json: bool) -> int:
    """
    Print the comparison. Returns 1 when something became worse.

    Raises:
        SettingsError: A file is no result of a bench.
    """
    first, second = _read(before), _read(after)
    changes = compare(first, second)
    if as_json:
        print(json.dumps({"changes": [asdict(change) for change in changes]}, indent=2))
    else:
        print("\n".join([*_differences(first["machine"], second["machine"]), *_lines(changes)]))
    return 1 if any(change.is_worse for change in changes) else 0


def _lines(changes: Iterable[Change]) -> list[str]:
    return [change.line() for change in changes] or ["the two results have no figure in common"]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what else changed: a figure of another machine is another figure."""
    one, other = _flat(before), _flat(after)
    names = sorted({*one, *other} - {"load"})
    return [
        f"{name} differs: {one.get(name)} and {other.get(name)}"
        for name in names
        if one.get(name) != other.get(name)
    ]


def _flat(machine: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in machine.items() if name != "packages"}
    return {**own, **machine["packages"]}


def _read(path: Path) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads(path.read_text("utf-8"))
        wanted = {"name", "unit", "value", "met", "more_is_better"}
        if all(wanted <= figure.keys() for figure in result["figures"]) and result["machine"]["packages"]:
            return result
        problem = "its figures are not those of a bench"
    except OSError as error:
        problem = error.strerror or str(error)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        problem = "this is no result of `toolkit bench --out`"
    raise SettingsError([f"--compare {path}: {problem}"])
