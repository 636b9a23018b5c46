"""
Faults in time: a plan that a person can write, read, and draw from a seed.

    [[fault]]
    at_s = 5.0            # seconds after the start of the simulator
    kind = "half-open"

    [[fault]]
    frame = 12            # or: with the 12th frame that carries messages
    kind = "bad-gzip"
    count = 3
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from toolkit.errors import SettingsError
from toolkit.simulator.faults import KINDS, Fault, parse_fault

__all__ = ["FaultPlan", "Planned", "load_plan", "parse_plan", "random_plan"]

FAULTS_MAX = 10_000
FILE_BYTES_MAX = 1024 * 1024
_AT_S_MAX = 30 * 86_400
_FRAME_MAX = 1 << 40

_DRAWN: tuple[tuple[str, float, tuple[dict[str, Any], ...]], ...] = (
    ("drop", 3, ({},)),
    ("reset", 3, ({},)),
    ("half-open", 1, ({},)),
    ("close", 3, tuple({"code": code} for code in (1000, 1001, 1008, 1009, 1011, 4000))),
    ("slow-drip", 1, ({"byte_ms": 0.1},)),
    ("half-frame", 1, ({},)),
    ("bad-gzip", 2, ({}, {"count": 3})),
    ("gzip-bomb", 1, ({"mib": 1}, {"mib": 16})),
    ("field-bomb", 1, ({},)),
    ("truncated", 2, ({}, {"count": 3})),
    ("mutated", 3, ({"flips": 1}, {"flips": 30}, {"flips": 3, "count": 5})),
    ("text", 1, ({},)),
    ("bad-utf8", 2, ({},)),
    ("oversize", 1, ({"kib": 1100}, {"kib": 4200})),
    ("duplicate", 2, ({}, {"copies": 5})),
    ("repeat", 2, ({}, {"count": 4})),
    ("reorder", 2, ({}, {"count": 4})),
    ("late-end", 1, ({"count": 5},)),
    ("no-end", 1, ({"count": 5},)),
    ("clock-skew", 1, ({}, {"skew_ms": -86_400_000, "count": 3})),
    ("mute", 1, ({"seconds": 0.5},)),
    ("joins-only", 1, ({"seconds": 0.5},)),
    ("unknown-types", 2, ({},)),
    ("handshake-refused", 1, ({"status": 503}, {"status": 200})),
    ("ping-interval", 1, ({"interval_s": 0}, {"interval_s": 86_400})),
    ("sign-status", 1, ({"status": 500}, {"status": 503})),
    ("sign-empty", 1, ({},)),
    ("sign-garbage", 1, ({},)),
    ("page-captcha", 1, ({},)),
    ("page-status", 1, ({"status": 500},)),
    ("server-down", 1, ({"seconds": 0.5},)),
)
"""(kind, weight, variants): what a recorder has to come back from without a person."""


@dataclass(frozen=True, slots=True)
class Planned:
    """
    A fault and its moment: one of the two is set.

    Attributes:
        fault: What happens.
        at_s: Seconds after the simulator's start.
        frame: With which frame that carries messages, counted from 1 over all connections.
    """

    fault: Fault
    at_s: float | None = None
    frame: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as :func:`parse_plan` reads it."""
        when = {"at_s": self.at_s} if self.at_s is not None else {"frame": self.frame}
        return {**when, **self.fault.as_json()}


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """
    What goes wrong, and when.

    Attributes:
        planned: In any order.
        seed: Decides what a fault leaves open, such as which bits are flipped.
    """

    planned: tuple[Planned, ...] = ()
    seed: int = 1

    @classmethod
    def at_once(cls, *faults: Fault, seed: int = 1) -> FaultPlan:
        """Return a plan in which these happen at the start."""
        return cls(tuple(Planned(fault, at_s=0.0) for fault in faults), seed)

    def timed(self) -> list[tuple[float, Fault]]:
        """Return the faults with a time, earliest first."""
        timed = [(p.at_s, p.fault) for p in self.planned if p.at_s is not None]
        return sorted(timed, key=lambda item: item[0])

    def counted(self) -> dict[int, list[Fault]]:
        """Return the faults that wait for a frame, by its number."""
        counted: dict[int, list[Fault]] = {}
        for planned in self.planned:
            if planned.frame is not None:
                counted.setdefault(planned.frame, []).append(planned.fault)
        return counted

    def as_json(self) -> dict[str, Any]:
        """Return it as :func:`parse_plan` reads it."""
        return {"seed": self.seed, "fault": [planned.as_json() for planned in self.planned]}

    def as_toml(self) -> str:
        """Return it as a file that :func:`load_plan` reads."""
        lines = [f"seed = {self.seed}"]
        for planned in self.planned:
            lines += ["", "[[fault]]"]
            # A JSON number or string is a TOML one too.
            lines += [f"{key} = {json.dumps(value)}" for key, value in planned.as_json().items()]
        return "\n".join(lines) + "\n"


def load_plan(path: Path) -> FaultPlan:
    """
    Read a plan from a TOML or JSON file.

    Raises:
        SettingsError: It cannot be read, or says what it cannot mean; one sentence per problem.
    """
    try:
        data = _read(path)
        value = json.loads(data) if path.suffix == ".json" else tomllib.loads(data.decode())
    except OSError as error:
        raise SettingsError([f"{path}: {error.strerror}"]) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError([f"{path} is no fault plan: {str(error)[:200]}"]) from error
    return parse_plan(value)


def parse_plan(value: Any) -> FaultPlan:
    """
    Read ``{"seed": 1, "fault": [{"at_s": 5, "kind": ...}, ...]}``.

    Raises:
        SettingsError: One sentence per problem.
    """
    if not isinstance(value, dict) or not isinstance(value.get("fault", []), list):
        raise SettingsError(["a fault plan is a list of [[fault]] tables"])
    faults, seed = value.get("fault", []), value.get("seed", 1)
    problems = [f"a fault plan has no {key[:40]!r}" for key in value if key not in ("seed", "fault")]
    if isinstance(seed, bool) or not isinstance(seed, int):
        problems.append("seed: choose a whole number")
    if len(faults) > FAULTS_MAX:
        raise SettingsError([f"{len(faults)} faults: at most {FAULTS_MAX}"])
    planned = []
    for number, item in enumerate(faults, 1):
        try:
            planned.append(_parse_planned(item))
        except SettingsError as error:
            problems += [f"fault {number}: {problem}" for problem in error.problems]
    if problems:
        raise SettingsError(problems)
    return FaultPlan(tuple(planned), seed)


def random_plan(
    seed: int, *, seconds: float, every_s: float = 10.0, kinds: Iterable[str] | None = None
) -> FaultPlan:
    """
    Draw a plan: faults at random moments, from which a recorder comes back by itself.

    Args:
        seed: The same seed draws the same plan.
        seconds: How long; faults fall within it.
        every_s: Mean time between two faults.
        kinds: Draw among these only; None for all that can be drawn.
    """
    rng = Random(f"faults:{seed}")
    wanted = set(KINDS if kinds is None else kinds)
    drawn = [entry for entry in _DRAWN if entry[0] in wanted]
    assert drawn, f"none of {sorted(wanted)} can be drawn"
    planned = []
    for at_s in _moments(rng, seconds, every_s):
        kind, _, variants = rng.choices(drawn, weights=[weight for _, weight, _ in drawn])[0]
        planned.append(Planned(Fault.of(kind, **rng.choice(variants)), at_s=round(at_s, 3)))
    return FaultPlan(tuple(planned[:FAULTS_MAX]), seed)


def _moments(rng: Random, seconds: float, every_s: float) -> Iterator[float]:
    at_s = rng.expovariate(1 / every_s)
    while at_s < seconds:
        yield at_s
        at_s += rng.expovariate(1 / every_s)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise ValueError(f"it is larger than {FILE_BYTES_MAX} bytes")
    return data


def _parse_planned(item: Any) -> Planned:
    if not isinstance(item, dict):
        raise SettingsError(["it is not a table"])
    when = {key: item[key] for key in ("at_s", "frame") if key in item}
    fault = parse_fault({key: value for key, value in item.items() if key not in when})
    if len(when) != 1:
        raise SettingsError(["say either at_s or frame"])
    at_s, frame = when.get("at_s"), when.get("frame")
    if at_s is not None and (not _is_number(at_s) or not 0 <= at_s <= _AT_S_MAX):
        raise SettingsError([f"at_s {str(at_s)[:40]}: choose 0 to {_AT_S_MAX}"])
    if frame is not None and (not _is_number(frame) or frame != int(frame) or not 1 <= frame <= _FRAME_MAX):
        raise SettingsError([f"frame {str(frame)[:40]}: choose a whole number from 1"])
    return Planned(fault, None if at_s is None else float(at_s), None if frame is None else int(frame))


def _is_number(value: Any) -> bool:
    # NaN and the infinities are numbers to JSON and TOML, and times to nobody.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
