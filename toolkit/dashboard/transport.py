"""
What the transport bar shows of a rehearsal, as plain data, and when a page has to be told.

While it plays the position changes all the time. A page is told once where it is and
how fast it goes, and moves the playhead by itself until that is no longer true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.background import Worker
from toolkit.bus.live_state import Snapshot
from toolkit.dashboard.plain import plain
from toolkit.errors import ToolkitError
from toolkit.replay.progress import PlayerState

if TYPE_CHECKING:
    from toolkit.app import App

__all__ = ["BUCKETS", "RATES", "Playhead", "Strip", "bar"]

BUCKETS = 240
"""Stretches of the strip: five pixels each on a wide screen."""
RATES = (0.5, 1.0, 2.0, 4.0, 10.0, "max")
"""Speeds offered. The command line takes any."""
TOLERANCE_S = 0.3
"""How far a page's playhead may be off at 1x before the page is told; nobody sees less while it moves."""
OVER = (PlayerState.FINISHED, PlayerState.STOPPED)
"""What a player says for the moment that its thread still takes to end."""


@dataclass(frozen=True, slots=True)
class Playhead:
    """
    Where a rehearsal is, and where it will be if nobody touches it.

    Attributes:
        position_s: Place in the recording, seconds.
        at_s: When it was there, our monotonic clock.
        speed: Seconds of the recording per second; 0 while it stands.
    """

    position_s: float
    at_s: float
    speed: float

    @classmethod
    def of(cls, progress: Mapping[str, Any] | None, at_s: float) -> Playhead | None:
        """Return where a rehearsal was at ``at_s``; None without one."""
        if progress is None:
            return None
        is_moving = progress["state"] == "playing" and progress["rate"] != "max"
        return cls(progress["position_s"], at_s, progress["rate"] if is_moving else 0.0)

    def position(self, now_s: float) -> float:
        """Return where it is at ``now_s``."""
        return self.position_s + self.speed * (now_s - self.at_s)

    def foresaw(self, other: Playhead) -> bool:
        """Return whether somebody who knew this one is near enough to the other."""
        is_near = abs(self.position(other.at_s) - other.position_s) <= TOLERANCE_S * self.speed
        return self.speed == other.speed and is_near


class Strip:
    """The timeline of what is rehearsed: read once, in a thread. Use it in the server's loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._key: tuple[object, ...] | None = None
        self._is_reading = False
        self.drawn: dict[str, Any] | None = None
        """What a page draws; None until it is read. Of what was played last, until it is cleared."""

    def follow(self, progress: Mapping[str, Any] | None, *, is_left: bool) -> None:
        """
        Have it read when something else plays.

        Args:
            progress: Of the rehearsal; None while nothing plays.
            is_left: What has been played is still on screen.
        """
        if progress is None:
            if not is_left:
                self._key = self.drawn = None
            return
        key = (progress["recording"], progress["heal_gaps"], progress["duration_s"])
        if key != self._key and not self._is_reading:
            if self._key is None or self._key[0] != key[0]:
                self.drawn = None
            self._key, self._is_reading = key, True
            Worker("toolkit-timeline", self._read)

    def _read(self) -> None:
        try:
            timeline = self._app.replay(BUCKETS)["timeline"]
            self.drawn = timeline and _shown(timeline)
            if timeline is None:
                # Over before it was read: what plays next is looked at again.
                self._key = None
        except ToolkitError:
            # The bar works without it, and the player says what is wrong with the file.
            self.drawn = None
        finally:
            self._is_reading = False


def _shown(timeline: Mapping[str, Any]) -> dict[str, Any]:
    markers = [
        {
            "at_s": marker["at_s"],
            "kind": marker["kind"],
            "text": plain(marker["text"], 120),
            "diamonds": marker["diamonds"],
        }
        for marker in timeline["markers"]
    ]
    kept = {key: timeline[key] for key in ("duration_s", "bucket_s", "comments", "gaps")}
    return kept | {"markers": markers}


def bar(
    figures: Snapshot, progress: Mapping[str, Any] | None, drawn: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return the transport bar without the position; None while there is nothing to control or clear."""
    if progress is None or progress["state"] in OVER:
        if not (figures.is_rehearsed and figures.recording):
            return None
        # Over, and its figures are still on screen.
        return {"state": "ended", "recording": plain(figures.recording, 80), "rate": None}
    return {
        "state": progress["state"],
        "recording": plain(progress["recording"], 80),
        "rate": progress["rate"],
        "duration_s": progress["duration_s"],
        "loop": progress["loop"],
        "connected": progress["connected"],
        "heal_gaps": progress["heal_gaps"],
        "has_gaps": progress["heal_gaps"] or bool(drawn and drawn["gaps"]),
    }
