"""What the supervisor is told, and what it has the recorder do."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.model.recording import Cause

__all__ = [
    "Command",
    "Conclude",
    "Dial",
    "Down",
    "Finish",
    "Hangup",
    "Live",
    "Probe",
    "ProbeFailed",
    "ProbeOk",
    "Resolve",
    "Retry",
    "Start",
    "Stimulus",
    "Stop",
    "Timer",
    "Up",
    "Wait",
]


@dataclass(frozen=True, slots=True)
class Start:
    """Begin."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End, from whatever state."""


@dataclass(frozen=True, slots=True)
class Live:
    """The look-up found the live: it can be dialled."""


@dataclass(frozen=True, slots=True)
class Up:
    """The connection stands."""


@dataclass(frozen=True, slots=True)
class Down:
    """
    The connection ended, or did not come up, or there is no live to connect to.

    Attributes:
        cause: Why.
        detail: One sentence for the operator.
        retry_after_s: The other side named a time to wait; it wins over the backoff.
        is_unusable: What the other side gave is of no use, and the same is likely to
            come again: an answer of the signing service that names no server of
            TikTok's, a frame without an end.
        hopeless: Trying again cannot help whatever the cause (a refused key).
    """

    cause: Cause
    detail: str = ""
    retry_after_s: float | None = None
    is_unusable: bool = False
    hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Timer:
    """The wait is over."""


@dataclass(frozen=True, slots=True)
class ProbeOk:
    """TikTok's live server could be reached."""


@dataclass(frozen=True, slots=True)
class ProbeFailed:
    """TikTok's live server could not be reached."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The operator does not want to wait."""


Stimulus = Start | Stop | Live | Up | Down | Timer | ProbeOk | ProbeFailed | Retry
"""What the supervisor is told."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """
    Look up whether the user is live and in which room; answer Live or Down.

    Must cost no signature. ``attempt`` is 0 for the first time, then 1, 2, 3 ...
    """

    attempt: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Ask for one signature and connect; answer Up and later Down, or Down."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Send :class:`Timer` after ``seconds``, unless a look-up begins first. Replaces an older Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Probe:
    """
    After ``seconds``, find out whether TikTok's live server can be reached at all.

    Answer ProbeOk or ProbeFailed, unless a look-up begins first. Replaces an older
    Probe. Must cost no signature.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Conclude:
    """
    The live is over, says TikTok: its recording has ended. Watching for the next live goes on.

    Complete it after ``within_s`` seconds, unless the same broadcast is connected to
    before: then it goes on, and the time in between is a gap. Another broadcast, or
    Finish, completes it at once.
    """

    within_s: float


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection, or give up dialling."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing more will be tried. ``cause`` says why."""

    cause: Cause


Command = Resolve | Dial | Wait | Probe | Conclude | Hangup | Finish
"""What the supervisor has the recorder do, in the order given."""
