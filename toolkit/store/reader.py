"""
`open_recording`: a recording for notebooks, sealed or still running.

A sealed recording is opened read-only and locked down. One that is being recorded
by another process is followed through its journal, without a lock, into a private
database in memory; `refresh` brings in what came since.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from toolkit.errors import NotARecording, RecordingError, RecordingNotFound
from toolkit.model.event import EVENT_CLASSES
from toolkit.model.recording import RecordingState, Segment, is_recording_id
from toolkit.store.account import gaps_of, segments_of, write_account
from toolkit.store.database import Database, DatabaseError
from toolkit.store.fold import JournalFold, watched_until
from toolkit.store.folder import RecordingsFolder
from toolkit.store.recorded import RecordedFrame, recorded_frames

__all__ = ["Coverage", "RecordedFrame", "Recording", "open_recording", "read_frames"]

_TABLES = (
    "messages",
    "frames",
    "users",
    "quarantine",
    "gift_ledger",
    "tombstones",
    *(c.table for c in EVENT_CLASSES),
)
_VIEWS = ("public_comments", "last_pins", "last_polls", "last_battles", "last_battle_scores")
_NUMBERED_TABLES = ("messages", *(c.table for c in EVENT_CLASSES))
_ARROW_ROWS_MAX = 100_000
"""Rows of one Arrow stream: about 5 MB."""
_SCAN_ROWS = 100_000
"""Rows handed to polars at a time."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    How much of a recording was observed. Every rate ought to be read with it.

    Attributes:
        started_at: Beginning of the first segment, UTC.
        ended_at: End of the last segment, or the last frame of one still running; later
            if its recorder waited in vain for the connection to return.
        observed_s: Seconds connected.
        total_s: Seconds from beginning to end.
        gaps: Stretches nobody observed.
    """

    started_at: datetime | None
    ended_at: datetime | None
    observed_s: float
    total_s: float
    gaps: int

    @property
    def share(self) -> float:
        """Observed part of the whole, 0 to 1; 1 for an empty recording."""
        return self.observed_s / self.total_s if self.total_s else 1.0


def open_recording(path_or_id: str | Path, folder: str | Path | None = None) -> Recording:
    """
    Open a recording to read it.

    Args:
        path_or_id: A file (``recordings/x.duckdb``, or its journal), or an id.
        folder: Where an id is looked up; ``recordings`` if not given.

    Raises:
        RecordingNotFound: There is none.
        NotARecording: The file is something else, or damaged.
        RecordingBusy: Another program has the file open for writing.
    """
    return Recording(_locate(path_or_id, folder))


def read_frames(path: str | Path) -> Iterator[RecordedFrame]:
    """
    Yield the frames of a sealed recording in order, for a replay.

    Holds a few thousand messages in memory, whatever the length.

    Raises:
        RecordingError: It cannot be read.
    """
    database = Database.read(_locate(path, None))
    try:
        yield from recorded_frames(database)
    except DatabaseError as error:
        raise _damaged(str(path), error) from error
    finally:
        database.close()


class Recording:
    """
    An open recording. Close it when done, or use it in a ``with`` statement.

    Every table is an attribute: ``rec.comments``, ``rec.gifts``, ``rec.likes``,
    ``rec.messages``, ``rec.frames``, ``rec.users`` ... are polars LazyFrames with
    the columns of ``store/schema.sql``, in the order of ``seq``; times are
    ``datetime[us, UTC]``. Only the columns a query uses are read. ``rec.public_comments``
    are the comments that TikTok has not withdrawn; ``rec.last_pins``, ``rec.last_polls``,
    ``rec.last_battles`` and ``rec.last_battle_scores`` have the last state of each.

    Attributes:
        path: The database file. It does not have to exist while recording.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fold: JournalFold | None = None
        self._database = self._open()

    def __enter__(self) -> Recording:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Say which recording this is and where it stands."""
        return f"<Recording {self.path.stem}: {self.state.value}>"

    def __dir__(self) -> list[str]:
        """Offer the tables for completion."""
        return [*super().__dir__(), *_TABLES, *_VIEWS]

    def __getattr__(self, name: str) -> pl.LazyFrame:
        """Return a table."""
        if name not in _TABLES and name not in _VIEWS:
            known = ", ".join((*_TABLES, *_VIEWS))
            raise AttributeError(f"a recording has no table {name!r}; it has {known}")
        return self._scan(name)

    def close(self) -> None:
        """Let go of the file. Harmless when repeated."""
        self._database.close()

    def refresh(self) -> None:
        """Bring in what was recorded since. Does nothing for a sealed recording."""
        if self._fold is None:
            return
        try:
            self._follow(self._fold)
        except FileNotFoundError:
            # Sealed since: from here on the finished file is read.
            self._database.close()
            self._fold = None
            self._database = self._open()

    @property
    def state(self) -> RecordingState:
        """Where it stands."""
        if self._fold is None:
            return RecordingState.SEALED
        try:
            return RecordingsFolder(self.path.parent).state_of(self.path.stem)
        except RecordingNotFound:
            return RecordingState.INTERRUPTED

    @property
    def info(self) -> dict[str, Any]:
        """What is known of it, as ``toolkit info --json`` prints it."""
        return RecordingsFolder(self.path.parent).info(self.path.stem)

    @property
    def segments(self) -> pl.DataFrame:
        """Connected stretches. Columns: segment_id, room_id, started_at, ended_at, cause."""
        return self.sql("SELECT * FROM segments ORDER BY segment_id")

    @property
    def gaps(self) -> pl.DataFrame:
        """
        Stretches nobody observed.

        Columns: gap_id, started_at, ended_at (null: nothing was observed after it),
        cause, recovered_comments, missed (JSON), detected_at, attempts, and more:
        see ``store/schema.sql``.
        """
        return self.sql("SELECT * FROM gaps ORDER BY gap_id")

    @property
    def coverage(self) -> Coverage:
        """How much of it was observed."""
        segments = segments_of(self._database)
        if not segments:
            return Coverage(None, None, 0.0, 0.0, 0)
        gaps = gaps_of(self._database)
        # What was waited for in vain at the end is a part of the whole.
        last_at = max(self._last_at(segments[-1]), (gaps[-1].ended_at or 0) if gaps else 0)
        observed_us = sum((s.ended_at or self._last_at(s)) - s.started_at for s in segments)
        total_us = last_at - segments[0].started_at
        return Coverage(
            datetime.fromtimestamp(segments[0].started_at / 1e6, UTC),
            datetime.fromtimestamp(last_at / 1e6, UTC),
            observed_us / 1e6,
            total_us / 1e6,
            len(gaps),
        )

    def sql(self, query: str, params: Sequence[Any] | None = None) -> pl.DataFrame:
        """
        Run SQL on the tables of the recording.

        Args:
            query: DuckDB's SQL. Nothing outside the recording can be reached.
            params: Values for the ``?`` in it.

        Raises:
            RecordingError: The query is wrong, or the file is damaged.
        """
        with contextlib.closing(self._database.cursor()) as cursor:
            try:
                relation = cursor.sql(query, params=list(params) if params else None)
                return pl.DataFrame() if relation is None else _in_utc(relation.pl())
            except DatabaseError as error:
                raise RecordingError(
                    f"the query failed: {error}", hint=f"Tables: {', '.join(_TABLES)}, segments, gaps, meta."
                ) from error

    def arrow_after(self, seq: int, table: str = "messages", rows_max: int = _ARROW_ROWS_MAX) -> bytes:
        """
        Return the rows of a table after message ``seq`` as an Arrow IPC stream.

        Args:
            seq: Number of the last message already known; 0 for none.
            table: Any table that has ``seq``. Of ``messages`` the payload is left out.
            rows_max: At most so many rows; ask again with the last ``seq`` for more.

        Raises:
            RecordingError: There is no such table.
        """
        if table not in _NUMBERED_TABLES:
            raise RecordingError(
                f"there is no table {table!r} of events", hint=f"Tables: {', '.join(_NUMBERED_TABLES)}."
            )
        names = "* EXCLUDE payload" if table == "messages" else "*"
        rows = self.sql(f"SELECT {names} FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?", [seq, rows_max])
        stream = io.BytesIO()
        rows.write_ipc_stream(stream, compression="zstd")
        return stream.getvalue()

    def _open(self) -> Database:
        journal = self.path.with_suffix(".journal")
        if journal.exists():
            fold = JournalFold(journal)
            self._database = Database.open(None)
            self._fold = fold
            try:
                self._follow(fold)
                return self._database
            except FileNotFoundError:
                self._database.close()
                self._fold = None
            except OSError as error:
                self._database.close()
                raise NotARecording(f"{journal.name} cannot be read: {error.strerror}") from error
        return Database.read(self.path)

    def _follow(self, fold: JournalFold) -> None:
        self._database.load(fold.batches())
        segments = fold.segments(is_live=self.state is RecordingState.LIVE)
        write_account(self._database, segments, fold.ledger, watched_until(fold.header))
        self._database.write_meta(fold.header)

    def _last_at(self, last: Segment) -> int:
        if last.ended_at is not None:
            return last.ended_at
        return self._fold.last_at if self._fold is not None else last.started_at

    def _scan(self, table: str) -> pl.LazyFrame:
        def read(
            with_columns: list[str] | None,
            predicate: pl.Expr | None,
            n_rows: int | None,
            batch_size: int | None,
        ) -> Iterator[pl.DataFrame]:
            # A cursor per scan: polars runs several at once, in threads of its own.
            names = ", ".join(f'"{name}"' for name in with_columns or schema.names())
            limit = "" if n_rows is None else f" LIMIT {int(n_rows)}"
            with contextlib.closing(self._database.cursor()) as cursor:
                relation = cursor.sql(f"SELECT {names} FROM {table}{limit}")
                for batch in relation.to_arrow_reader(batch_size or _SCAN_ROWS):
                    frame = _in_utc(pl.DataFrame(pl.from_arrow(batch)))
                    yield frame if predicate is None else frame.filter(predicate)

        schema = self.sql(f"SELECT * FROM {table} LIMIT 0").schema
        return register_io_source(read, schema=schema)


def _in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    """Say of the times what the tables cannot: that they are UTC."""
    return frame.with_columns(
        pl.col(name).dt.cast_time_unit("us").dt.replace_time_zone("UTC")
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime) and kind.time_zone is None
    )


def _locate(path_or_id: str | Path, folder: str | Path | None) -> Path:
    """Return the database's path of a recording given by path or by id."""
    text = str(path_or_id)
    if isinstance(path_or_id, str) and is_recording_id(text):
        path = Path(folder or "recordings") / f"{text}.duckdb"
    else:
        path = Path(path_or_id)
        if path.suffix == ".journal":
            path = path.with_suffix(".duckdb")
    if path.exists() and path.suffix != ".duckdb":
        raise NotARecording(
            f"{path} is not a recording: recordings end in .duckdb",
            hint="`toolkit recordings` lists what can be opened.",
        )
    if not path.exists() and not path.with_suffix(".journal").exists():
        raise RecordingNotFound(f"there is no recording at {path}", hint="`toolkit recordings` lists them.")
    return path


def _damaged(name: str, error: Exception) -> NotARecording:
    return NotARecording(
        f"{name} is damaged: {str(error).splitlines()[0]}", hint="`toolkit verify ID` says more."
    )
