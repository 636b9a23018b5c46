"""What the notice ``run`` says: a live, a rehearsal, or that nothing runs any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.bus.notice import Notice

__all__ = ["Run", "run_of"]


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
