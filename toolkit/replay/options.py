"""
What a replay is asked for, from outside: options and controls as JSON data or arguments.

Everything here comes from a request or a command line, so everything is checked, and
a sentence says what was wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import ReplayError, SettingsError
from toolkit.model.plan import Plan
from toolkit.replay.clip import clipped
from toolkit.replay.clock import UNLIMITED
from toolkit.replay.faulty import check, with_faults
from toolkit.replay.player import RATE_MAX, RATE_MIN, Player
from toolkit.replay.progress import Progress
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.simulator.fault_plan import FaultPlan, parse_plan

__all__ = ["ACTIONS", "ReplayOptions", "carry_out", "read_flag", "read_rate"]

SECONDS_MAX = 1e9
"""Beyond any recording; what fits here fits a float."""
_KIND_CHARS_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """
    How a recording is to be played.

    Attributes:
        rate: Speed; 1 is as it was, ``UNLIMITED`` as fast as possible.
        from_s: Where to begin, seconds of the recording; what is before does not count.
        until_s: Where to end; None for its end.
        loops: Begin again at the end.
        is_paused: Wait before the first frame.
        heals_gaps: Cut gaps to nothing.
        idle_max_s: Longest silence that is played as it was; None for all.
        faults: What goes wrong with its frames; their times count from ``from_s``.
    """

    rate: float = 1.0
    from_s: float = 0.0
    until_s: float | None = None
    loops: bool = False
    is_paused: bool = False
    heals_gaps: bool = False
    idle_max_s: float | None = None
    faults: FaultPlan | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ReplayOptions:
        """
        Read options.

        ``rate``, ``from``, ``until``, ``loop``, ``paused``, ``heal_gaps``, ``idle_max``, and
        ``faults``: a fault plan as :func:`~toolkit.simulator.fault_plan.parse_plan` reads it.

        Raises:
            ReplayError: One of them means nothing.
        """
        until, idle = values.get("until"), values.get("idle_max")
        return cls(
            rate=read_rate(values.get("rate", 1.0)),
            from_s=_seconds("from", values.get("from", 0.0)),
            until_s=None if until is None else _seconds("until", until),
            loops=read_flag("loop", values.get("loop", False)),
            is_paused=read_flag("paused", values.get("paused", False)),
            heals_gaps=read_flag("heal_gaps", values.get("heal_gaps", False)),
            idle_max_s=None if idle is None else _seconds("idle_max", idle),
            faults=_faults(values.get("faults")),
        )

    def plan(self, path: Path) -> Plan:
        """
        Return what is to be played of a sealed recording; blocks while it is read.

        Raises:
            RecordingError: It cannot be read.
            ReplayError: Nothing of it lies between ``from_s`` and ``until_s``.
        """
        recording = RecordingPlan(path, heals_gaps=self.heals_gaps, idle_max_s=self.idle_max_s)
        plan = clipped(recording, self.from_s, self.until_s)
        return plan if self.faults is None else with_faults(plan, self.faults)


def read_rate(value: Any) -> float:
    """
    Return a speed: a number, or ``max``.

    Raises:
        ReplayError: It is neither, or out of range.
    """
    if value == "max":
        return UNLIMITED
    if isinstance(value, (int, float)) and not isinstance(value, bool) and RATE_MIN <= value <= RATE_MAX:
        return float(value)
    raise ReplayError(
        f'The rate must be a number from {RATE_MIN:g} to {RATE_MAX:g}, or "max".',
        hint="1 is the speed of the live.",
    )


def carry_out(player: Player, values: Mapping[str, Any]) -> Progress:
    """
    Do what a request asks of a player: ``{"action": "seek", "to_s": 12.5}``.

    ==========  ===============================================
    ``pause``   stand still
    ``resume``  go on
    ``seek``    ``to_s``, or ``by_s`` to go forward or back
    ``rate``    ``rate``: a number, or ``max``
    ``next``    while paused: one frame, or up to the next ``kind``
    ``burst``   ``frames`` or ``seconds``, at once
    ``loop``    ``loop``: whether to begin again at the end
    ==========  ===============================================

    Raises:
        ReplayError: It means nothing, or not now.
    """
    action = values.get("action")
    control = _CONTROLS.get(action) if isinstance(action, str) else None
    if control is None:
        raise ReplayError("No such action.", hint=f"There are: {', '.join(ACTIONS)}.")
    return control(player, values)


def _seek(player: Player, values: Mapping[str, Any]) -> Progress:
    if ("to_s" in values) == ("by_s" in values):
        raise ReplayError("Where to?", hint='Send {"action": "seek", "to_s": 60}, or "by_s": -10.')
    if "to_s" in values:
        return player.seek(_seconds("to_s", values["to_s"]))
    return player.skip(_number("by_s", values["by_s"]))


def _next(player: Player, values: Mapping[str, Any]) -> Progress:
    kind = values.get("kind", "")
    if not isinstance(kind, str) or len(kind) > _KIND_CHARS_MAX:
        raise ReplayError("kind must be a kind of event.", hint="Such as comment, gift or question.")
    return player.play_next(kind)


def _burst(player: Player, values: Mapping[str, Any]) -> Progress:
    frames, seconds = values.get("frames", 0), values.get("seconds", 0)
    if not isinstance(frames, int) or isinstance(frames, bool):
        raise ReplayError("frames must be a whole number.", hint='Send {"action": "burst", "frames": 10}.')
    return player.burst(frames=frames, seconds=_seconds("seconds", seconds))


_CONTROLS: Mapping[str, Callable[[Player, Mapping[str, Any]], Progress]] = {
    "pause": lambda player, _: player.pause(),
    "resume": lambda player, _: player.resume(),
    "seek": _seek,
    "rate": lambda player, values: player.set_rate(read_rate(values.get("rate"))),
    "next": _next,
    "burst": _burst,
    "loop": lambda player, values: player.set_loop(read_flag("loop", values.get("loop"))),
}
ACTIONS = (*_CONTROLS, "gaps", "stop", "reset")
"""What a rehearsal can be asked for."""


def _faults(value: Any) -> FaultPlan | None:
    if value is None:
        return None
    try:
        faults = parse_plan(value)
        check(faults)
    except SettingsError as error:
        raise ReplayError(f"faults: {error}", hint="See docs/faults.toml.") from error
    return faults


def _number(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < SECONDS_MAX:
        raise ReplayError(f"{name} must be a number of seconds.", hint="Such as 12.5.")
    return float(value)


def _seconds(name: str, value: Any) -> float:
    number = _number(name, value)
    if number < 0:
        raise ReplayError(f"{name} must be 0 or more; it is {number:g}.")
    return number


def read_flag(name: str, value: Any) -> bool:
    """
    Return what is true or false.

    Raises:
        ReplayError: It is neither.
    """
    if not isinstance(value, bool):
        raise ReplayError(f"{name} must be true or false.")
    return value
