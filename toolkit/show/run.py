"""What the notice ``run`` says: a live, a rehearsal, or that nothing runs any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.bus.notice import Notice

__all__ = ["Run", "Runs", "run_of"]


@dataclass(frozen=True, slots=True)
class Run:
    """
    What begins, or has ended.

    Attributes:
        kind: ``live``, ``rehearsal`` or ``none``.
        recording: Id of what is recorded or played; empty when nothing is.
        is_cleared: What a rehearsal has left on the screens is to go.
    """

    kind: str
    recording: str
    is_cleared: bool

    @property
    def is_live(self) -> bool:
        """Whether what follows is kept."""
        return self.kind == "live"

    @property
    def begins_anew(self) -> bool:
        """Whether the show is empty with it. The end of a run leaves everything as it is."""
        return self.kind in ("live", "rehearsal") or self.is_cleared


def run_of(notice: Notice) -> Run | None:
    """Return what a notice begins or ends; None if it is about something else."""
    if notice.type != "run" or not isinstance(notice.data, Mapping):
        return None
    kind, recording = notice.data.get("kind"), notice.data.get("recording")
    if not isinstance(kind, str) or not isinstance(recording, str):
        return None
    return Run(kind, recording, bool(notice.data.get("clear")))


class Runs:
    """
    Which run a part of the show is in, and when it begins anew.

    Attributes:
        kind: ``live``, ``rehearsal`` or ``none``: what runs.
        recording: What is kept belongs to it; also when it has ended, or from before a restart.
    """

    def __init__(self, recording: str = "") -> None:
        self.kind = "none"
        self.recording = recording
        self._is_rehearsed = False

    def take(self, notice: Notice) -> bool:
        """
        Take in a notice; return whether the show is empty with it.

        Not when a live ends, and not when it goes on after a restart: the same recording.
        """
        run = run_of(notice)
        if run is None:
            return False
        self.kind = run.kind
        if run.is_live:
            goes_on = run.recording == self.recording and not self._is_rehearsed
            self.recording, self._is_rehearsed = run.recording, False
            return not goes_on
        if run.kind == "rehearsal":
            self.recording, self._is_rehearsed = "", True
            return True
        if run.is_cleared and self._is_rehearsed:
            self._is_rehearsed = False
            return True
        return False
