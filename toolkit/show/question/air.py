"""The air: which live the show is of, and whether what its viewers write reaches us."""

from __future__ import annotations

from datetime import datetime

from toolkit.bus.notice import Notice
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
        self.recording = run.recording
        return run

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
