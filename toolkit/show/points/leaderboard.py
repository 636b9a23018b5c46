"""
Leaderboards: this live, this week, all time.

Fed by ``show:result``; a result that is judged again replaces what it had given. The live
begins anew with each recording, the week on a set weekday by the clocks of a place, and
nothing ends with a restart: earlier rounds come from the book of points.

A rehearsal has a board of its own under "live", which is gone with it. Week and all time
stand still meanwhile, and nothing of a rehearsal is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.model.event import Event
from toolkit.show.points.tally import Tally, round_of
from toolkit.show.points.weeks import Weeks
from toolkit.show.request import read_choice
from toolkit.show.rounds import RESULT
from toolkit.show.run import run_of
from toolkit.store.scores import KeptRound

__all__ = ["ROWS_MAX", "Leaderboard", "boards_of"]

log = logging.getLogger("toolkit.show")

ROWS_MAX = 10
"""More than anybody reads off a stream."""
_LOOK_AGAIN_US = 250_000
"""While the book of points is being opened."""


class Leaderboard:
    """A :class:`~toolkit.show.part.Part`."""

    name = "leaderboard"
    actions = frozenset({"leaderboard.reset"})

    def __init__(self, weeks: Weeks, history: Callable[[], Sequence[KeptRound] | None] = lambda: ()) -> None:
        """
        Begin.

        Args:
            weeks: When a week begins.
            history: Earlier rounds; None as long as they are being read. Not asked again after.
        """
        self.version = 0
        self._weeks = weeks
        self._history: Callable[[], Sequence[KeptRound] | None] | None = history
        self._all = Tally()
        self._week = Tally()
        self._live = Tally()
        self._recording: str | None = None
        self._is_rehearsal = False
        self._reset_at: dict[str, int] = {}
        self._week_begins = ""
        self._week_ends_at = 0

    # -- what happens ------------------------------------------------------

    def take(self, notice: Notice, now: int) -> None:
        """Take in a result; begin anew with a run."""
        run = run_of(notice)
        if run is not None and run.begins_anew:
            self._is_rehearsal = run.kind == "rehearsal"
            self._recording = run.recording if run.is_live else None
            self._live = Tally(self._rounds_of_live())
            self.version += 1
        elif notice.type == RESULT and isinstance(notice.data, dict):
            try:
                one = round_of(notice.data)
            except ValueError as error:
                log.warning("a result does not count: %s", error)
                return
            self._put(one, now)

    def _put(self, one: KeptRound, now: int) -> None:
        if self._is_rehearsal:
            self._live.put(one)
        else:
            self._turn_week(now)
            self._all.put(one)
            if self._is_of_week(one):
                self._week.put(one)
            if self._is_of_live(one):
                self._live.put(one)
        self.version += 1

    def tick(self, now: int) -> int | None:
        """Take in what was kept; begin a new week."""
        self._turn_week(now)
        if self._history is not None:
            rounds = self._history()
            if rounds is None:
                return now + _LOOK_AGAIN_US
            self._history = None
            self._load(rounds)
        return self._week_ends_at

    def _load(self, rounds: Iterable[KeptRound]) -> None:
        for one in rounds:
            # What was judged since the start is newer than what was kept.
            if one.key not in self._all:
                self._all.put(one)
        self._week = Tally(filter(self._is_of_week, self._all.rounds))
        if not self._is_rehearsal:
            self._live = Tally(self._rounds_of_live())
        self.version += 1

    def _turn_week(self, now: int) -> None:
        # Also where the clock is put back, by more than a week: then it was wrong before.
        begins = self._weeks.first_day(now).isoformat()
        if begins != self._week_begins:
            self._week_begins, self._week_ends_at = begins, self._weeks.next_at(now)
            self._week = Tally(filter(self._is_of_week, self._all.rounds))
            self.version += 1

    def _is_of_week(self, one: KeptRound) -> bool:
        return self._weeks.first_day(one.opened_at).isoformat() == self._week_begins

    def _is_of_live(self, one: KeptRound) -> bool:
        is_ours = self._recording is not None and one.recording == self._recording
        return is_ours and one.opened_at >= self._reset_at.get(one.recording, 0)

    def _rounds_of_live(self) -> list[KeptRound]:
        return [one for one in self._all.rounds if self._is_of_live(one)]

    # -- what the operator asks ----------------------------------------------

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """Empty the board of this live. The points stay in the week and in all time."""
        read_choice(values, "scope", ("live",), default="live")
        if self._recording is not None:
            self._reset_at = {self._recording: now}
        self._live = Tally(self._rounds_of_live())
        self.version += 1

    # -- what others see -----------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the boards."""
        return boards_of(self._live, self._week, self._all, self._week_begins)

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Nothing else is announced."""
        return ()

    def saved(self) -> dict[str, Any] | None:
        """Return when the board of the live was emptied; points are in the book."""
        return {"reset_at": self._reset_at}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take that up."""
        reset_at = saved.get("reset_at")
        if isinstance(reset_at, dict):
            self._reset_at = {str(key): at for key, at in reset_at.items() if isinstance(at, int)}


def boards_of(live: Tally, week: Tally, everything: Tally, week_begins: str) -> dict[str, Any]:
    """Return the boards as screens and the command line show them."""
    return {
        "live": live.top(ROWS_MAX, by_live=False),
        "week": week.top(ROWS_MAX, by_live=True),
        "all": everything.top(ROWS_MAX, by_live=True),
        "week_begins": week_begins,
        "players": everything.players,
    }
