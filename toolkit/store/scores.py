"""
The file of the points: who won which question, in every live.

Points are not kept, rounds are: what a viewer has is the sum over the rounds that they
won, so a judgement that changes corrects it exactly, and one that is written twice
counts once. The file is opened for each transaction and closed behind it: whoever wants
to read it beside a running server can, and a process that is killed leaves all of a
transaction or nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from toolkit.errors import NotARecording, RecordingBusy, RecordingError
from toolkit.store.database import Database, DatabaseError

__all__ = ["SCORES_FILE", "KeptRound", "Scores"]

SCORES_FILE = "scores.duckdb"
"""Its name in the folder of the show."""
_EPOCH = datetime(1970, 1, 1)
_BUSY_TRIES = 20
_BUSY_WAIT_S = 0.05
"""Another process that reads or writes it does so for milliseconds."""

_ALONE = threading.Lock()

_SCHEMA = """
CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
INSERT INTO meta VALUES ('format_version', '1');

-- One row per question that was asked in a live. Times are UTC.
CREATE TABLE rounds (
  recording VARCHAR NOT NULL,
  opened_at TIMESTAMP NOT NULL,
  decided_at TIMESTAMP NOT NULL,
  question_id VARCHAR NOT NULL,
  question VARCHAR NOT NULL,
  user_id BIGINT NOT NULL,      -- who won, TikTok's number; 0 for nobody
  nickname VARCHAR NOT NULL,    -- as they were called then
  handle VARCHAR NOT NULL,
  has_avatar BOOLEAN NOT NULL,
  points BIGINT NOT NULL,
  is_disputed BOOLEAN NOT NULL, -- a gap lay in the time on air
  is_void BOOLEAN NOT NULL,     -- the operator does not let it count
  is_judged BOOLEAN NOT NULL    -- the operator decided, not the clock
);

-- Points of all time.
CREATE VIEW standings AS
SELECT user_id, arg_max(nickname, decided_at) AS nickname, sum(points) AS points, count(*) AS wins
FROM rounds WHERE user_id <> 0 AND NOT is_void GROUP BY user_id
"""
_FORGET = "DELETE FROM rounds WHERE recording = ? AND opened_at = make_timestamp(?::BIGINT)"
_PUT = (
    "INSERT INTO rounds VALUES "
    "(?, make_timestamp(?::BIGINT), make_timestamp(?::BIGINT), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ALL = (
    "SELECT recording, epoch_us(opened_at), epoch_us(decided_at), question_id, question, user_id, "
    "nickname, handle, has_avatar, points, is_disputed, is_void, is_judged FROM rounds ORDER BY 2, 1"
)


class KeptRound(NamedTuple):
    """
    How one question ended.

    Attributes:
        recording: Id of the recording of the live.
        opened_at: When it went on air, microseconds UTC. With ``recording`` it names the round.
        decided_at: When it was decided.
        question_id: Which question.
        question: Its text.
        user_id: Who won, TikTok's number; 0 for nobody.
        nickname: As they were called then.
        handle: Their @name then.
        has_avatar: A picture of them was known.
        points: What they get.
        is_disputed: A gap lay in the time on air.
        is_void: The operator does not let it count.
        is_judged: The operator decided.
    """

    recording: str
    opened_at: int
    decided_at: int
    question_id: str
    question: str
    user_id: int
    nickname: str
    handle: str
    has_avatar: bool
    points: int
    is_disputed: bool = False
    is_void: bool = False
    is_judged: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What names it."""
        return (self.recording, self.opened_at)

    @property
    def winner_id(self) -> int:
        """Who gets the points; 0 for nobody."""
        return 0 if self.is_void else self.user_id


class Scores:
    """The file. Any thread, one at a time; it holds nothing open between calls."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, rounds: Sequence[KeptRound]) -> None:
        """
        Write rounds in one transaction; one that is there already is replaced.

        Raises:
            RecordingError: Nothing was written: another process has it open for long,
                the disk refuses, or the file is no file of ours.
        """
        with self._open() as database:
            database.rows("BEGIN")
            for one in rounds:
                database.rows(_FORGET, one.key)
                database.rows(_PUT, one)
            # Closed without this, nothing is written.
            database.rows("COMMIT")

    def replace(self, rounds: Sequence[KeptRound]) -> None:
        """
        Replace everything, in one transaction.

        Raises:
            RecordingError: As :meth:`put`.
        """
        with self._open() as database:
            database.replace({"rounds": [_row(one) for one in rounds]})

    def rounds(self) -> list[KeptRound]:
        """
        Return all rounds in their order; none where there is no file.

        Raises:
            RecordingError: As :meth:`put`.
        """
        if not self.path.exists():
            return []
        with self._open() as database:
            return [KeptRound(*row) for row in database.rows(_ALL)]

    def set_aside(self) -> Path:
        """Give a file that cannot be read another name, and return it."""
        aside = self.path.with_name(self.path.name + ".unreadable")
        self.path.replace(aside)
        with contextlib.suppress(FileNotFoundError):
            self.path.with_name(self.path.name + ".wal").unlink()
        return aside

    @contextlib.contextmanager
    def _open(self) -> Iterator[Database]:
        # Two threads of one process would share the file, and make its tables twice.
        with _ALONE:
            database = self._opened()
            try:
                yield database
            except DatabaseError as error:
                sentence = str(error).splitlines()[0]
                raise RecordingError(f"{self.path.name} refuses: {sentence}", hint=_HINT) from error
            finally:
                database.close()

    def _opened(self) -> Database:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f"{self.path.parent} cannot be made: {error.strerror}", hint=_HINT) from None
        tries_left = _BUSY_TRIES
        while True:
            try:
                return Database.open(self.path, _SCHEMA)
            except RecordingBusy:
                tries_left -= 1
                if not tries_left:
                    raise
                time.sleep(_BUSY_WAIT_S)
            except NotARecording as error:
                raise NotARecording(
                    f"{self.path.name} is no file of points, or damaged", hint=_HINT
                ) from error


def _row(one: KeptRound) -> tuple[Any, ...]:
    times = (_EPOCH + timedelta(microseconds=at) for at in (one.opened_at, one.decided_at))
    return (one.recording, *times, *one[3:])


_HINT = "`toolkit leaderboard --rebuild` makes it again from the log of rounds."
