"""
The exception tree. One class per thing the person at the keyboard does next.

    ToolkitError                    anything we raise on purpose
    ├── SettingsError               a setting is out of range: change it
    ├── RecordingError              a recording cannot be used as asked
    │   ├── RecordingNotFound       wrong id or folder: list what is there
    │   ├── NotARecording           the file is something else, or damaged
    │   ├── RecordingBusy           another process writes it
    │   ├── FolderNotWritable       the recordings folder refuses writes
    │   └── JournalNotWritten       the disk fails, or the file is gone: look, or stop
    │       └── DiskFull            nothing else is wrong: free space
    ├── CaptureError                TikTok cannot be recorded now
    │   ├── UserNotFound            no such user, or never live
    │   ├── UserOffline             exists, not live
    │   ├── SignerRefused           the signing service said no (key, quota)
    │   ├── Blocked                 TikTok refuses this address or asks for a captcha
    │   └── NetworkDown             nothing answered
    ├── ReplayError                 a replay cannot do what was asked: ask for something else
    ├── FrameError                  bytes that are not what TikTok sends: quarantine them
    └── ServerError                 the server cannot run as asked

Every error carries a ``hint``: the next step, a command where there is one.
"""

from __future__ import annotations

__all__ = [
    "INTERRUPTED",
    "Blocked",
    "CaptureError",
    "DiskFull",
    "FolderNotWritable",
    "FrameError",
    "JournalNotWritten",
    "NetworkDown",
    "NotARecording",
    "RecordingBusy",
    "RecordingError",
    "RecordingNotFound",
    "ReplayError",
    "ServerError",
    "SettingsError",
    "SignerRefused",
    "ToolkitError",
    "UserNotFound",
    "UserOffline",
]

INTERRUPTED = 130
"""Exit code of a process that Ctrl-C ended, as shells have it."""


class ToolkitError(Exception):
    """
    Root of everything raised on purpose.

    Attributes:
        hint: What to do next, one sentence; empty when there is nothing to add.
        exit_code: What the command line exits with.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SettingsError(ToolkitError):
    """
    One or more settings are out of range.

    Attributes:
        problems: One sentence per setting: its name, the value given, the range.
    """

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), hint="Correct them and run `toolkit check-config`.")
        self.problems = problems


class RecordingError(ToolkitError):
    """A recording cannot be used as asked."""

    exit_code = 3


class RecordingNotFound(RecordingError):
    """No recording under that id or path."""


class NotARecording(RecordingError):
    """The file is not a recording, or is damaged beyond reading."""


class RecordingBusy(RecordingError):
    """Another process is writing this recording, or owns this folder."""


class FolderNotWritable(RecordingError):
    """The recordings folder cannot be written."""


class JournalNotWritten(RecordingError):
    """
    A record did not reach the journal, which is as it was before: still whole.

    The frame must not be acknowledged. Writing may be tried again; free space is
    usually what it takes.
    """


class DiskFull(JournalNotWritten):
    """There is no room for a record. As soon as there is, the same record can be written."""


class CaptureError(ToolkitError):
    """TikTok cannot be recorded now."""

    exit_code = 4


class UserNotFound(CaptureError):
    """There is no such user, or the user has never been live."""


class UserOffline(CaptureError):
    """The user exists and is not live."""


class SignerRefused(CaptureError):
    """
    The signing service answered with a refusal.

    Attributes:
        retry_after_s: Seconds to wait before asking again; None when it did not say.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Blocked(CaptureError):
    """TikTok refuses this address, or asks for a captcha."""


class NetworkDown(CaptureError):
    """TikTok could not be reached at all."""


class ReplayError(ToolkitError):
    """A replay cannot do what was asked of it."""

    exit_code = 2


class FrameError(ToolkitError):
    """
    Bytes that are not what TikTok sends.

    Attributes:
        reason: A short fixed word for counting, such as ``"gzip"`` or ``"oversize"``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ServerError(ToolkitError):
    """The server cannot run as asked."""

    exit_code = 5
