"""
What has to hold under load, and whether it did.

The limits are settings: a TOML file (``--objectives FILE``) sets any of the
names of :class:`Limits`; what it leaves out stays as it is here.

    painted_p99_ms = 250
    lost_max = 0
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import SettingsError

__all__ = ["Limits", "Verdict", "judge", "load_limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The limits. Latencies count from when a comment was due; all are upper bounds.

    Attributes:
        painted_p99_ms: Shown on every page.
        delivered_p99_ms: Out of the witness' socket.
        fan_out_p99_ms: From published to delivered, over all sockets that read.
        sent_p99_ms: Sent by the simulator. Beyond it the load was not the one asked
            for, and nothing else is worth much.
        lost_max: Messages acknowledged and not in the recording.
        unacked_max: Messages sent and never acknowledged.
        unpublished_max: Comments recorded and not published.
        unpainted_max: Comments published and not passed by every page.
        missed_max: Notices that sockets which read were told they missed.
        lost_readers_max: Sockets that read and were cut off.
        server_rss_mb: Memory of the server at any time, in MB.
    """

    painted_p99_ms: float = 250.0
    delivered_p99_ms: float = 250.0
    fan_out_p99_ms: float = 150.0
    sent_p99_ms: float = 50.0
    lost_max: float = 0
    unacked_max: float = 0
    unpublished_max: float = 0
    unpainted_max: float = 0
    missed_max: float = 0
    lost_readers_max: float = 0
    server_rss_mb: float = 1_000.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    One objective, judged.

    Attributes:
        name: As in :class:`Limits`.
        limit: What it may be at most.
        value: What it was; None if it was not measured.
        ok: Whether it holds. What was to be measured and was not does not hold.
    """

    name: str
    limit: float
    value: float | None
    ok: bool

    def line(self) -> str:
        """Return it as a line for a terminal."""
        shown = "not measured" if self.value is None else f"{self.value:,.6g}"
        return f"{'ok  ' if self.ok else 'FAIL'}  {self.name:20} {shown:>14}  (at most {self.limit:g})"


def load_limits(path: Path | None) -> Limits:
    """
    Read limits from a TOML file; None for the ones we ship.

    Raises:
        SettingsError: It cannot be read, or sets what is no limit; it lists all problems.
    """
    if path is None:
        return Limits()
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError([f"--objectives {path}: {error.strerror or error}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"--objectives {path}: this is not TOML: {error}"]) from error
    names = [field.name for field in dataclasses.fields(Limits)]
    problems = [
        f"{path}: {name} is no objective; there are {', '.join(names)}" for name in given if name not in names
    ]
    problems += [
        f"{path}: {name} is {value!r} and must be a number, 0 or more"
        for name, value in given.items()
        if name in names and not _is_limit(value)
    ]
    if problems:
        raise SettingsError(problems)
    return Limits(**given)


def _is_limit(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def judge(measured: Mapping[str, float | None], limits: Limits) -> list[Verdict]:
    """
    Compare what was measured with the limits.

    Args:
        measured: By the names of :class:`Limits`; a name that is missing was not
            asked for, None is what should have been measured and was not.
        limits: What has to hold.
    """
    verdicts = []
    for field in dataclasses.fields(Limits):
        if field.name in measured:
            limit, value = float(getattr(limits, field.name)), measured[field.name]
            verdicts.append(Verdict(field.name, limit, value, value is not None and value <= limit))
    return verdicts
