"""The air: which live the show is of, and whether and when what its viewers write reaches us."""

from __future__ import annotations

from datetime import datetime

from toolkit.bus.notice import Notice
from toolkit.model.event import Comment, User
from toolkit.show.question.quiz import Answer
from toolkit.show.question.travel import Travel
from toolkit.show.run import Run, run_of

__all__ = ["Air"]

_EVER = 2**62


class Air:
    """
    What the notices ``run``, ``status`` and ``gap`` add up to.

    Attributes:
        kind: ``live``, ``rehearsal`` or ``none``.
        recording: Id of what is recorded or played; it stays when that has ended.
        is_connected: Whether there is a connection.
    """

    def __init__(self) -> None:
        self.kind, self.recording, self.is_connected = "none", "", False
        self._travel = Travel()

    @property
    def is_running(self) -> bool:
        """Whether there is a live or a rehearsal."""
        return self.kind != "none"

    @property
    def is_away(self) -> bool:
        """Whether there is a live that we do not hear."""
        return self.is_running and not self.is_connected

    def take_run(self, notice: Notice) -> Run | None:
        """Take in ``run``; return it if the show begins anew with it, as it does when a rehearsal ends."""
        run = run_of(notice)
        if run is None:
            return None
        was, self.kind = self.kind, run.kind
        if not run.begins_anew and was != "rehearsal":
            return None
        self.recording, self._travel = run.recording, Travel()
        return run

    def answer_of(self, notice: Notice, comment: Comment, user: User, now: int) -> Answer:
        """Return a comment as the quiz sees it. Called for all of them: each tells how long others take."""
        lag_us = self._travel.lag_us(comment.occurred_at, comment.received_at)
        # In a rehearsal the recording's clocks go together, and ours only tells when it
        # arrived: a comment without TikTok's time has the recorder's.
        occurred_at = comment.occurred_at or (comment.received_at if notice.rehearsal else 0)
        name = user.nickname or user.handle
        return Answer(notice.seq, user.user_id, occurred_at, now, comment.text, name, comment.msg_id, lag_us)

    def take_status(self, notice: Notice) -> bool:
        """Take in ``status``; return whether the connection has come or gone."""
        is_connected = isinstance(notice.data, dict) and bool(notice.data.get("connected"))
        was, self.is_connected = self.is_connected, is_connected
        return is_connected != was

    def gap_of(self, notice: Notice) -> tuple[int, int] | None:
        """Return from when to when ``gap`` tells that nobody listened; None if in another recording."""
        gap = notice.data
        if not isinstance(gap, dict) or gap.get("recording") != self.recording:
            return None
        return _moment(gap.get("started_at"), 0), _moment(gap.get("ended_at"), _EVER)


def _moment(text: object, default: int) -> int:
    if not isinstance(text, str):
        return default
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1e6)
    except (ValueError, OverflowError):
        return default
