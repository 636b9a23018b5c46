"""
The database of a recording: the only place that imports DuckDB.

Two ways in. A recorder creates a file and appends to it, from one thread. A
reader opens a finished file locked down: a recording may come from a stranger,
and DuckDB trusts the files it opens (stored views and macros could read or write
others), so nothing outside the file can be reached and only our tables count.

Nobody may open a database file beside DuckDB while a recorder has it open: its
lock is a POSIX one and falls when any other handle of this process is closed.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from toolkit import failpoint
from toolkit.errors import NotARecording, RecordingBusy, RecordingError
from toolkit.model.event import EVENT_CLASSES, Batch
from toolkit.model.recording import FORMAT_VERSION
from toolkit.store.rows import RowSet, Viewer, note_viewers, tame
from toolkit.store.totals import Totals

__all__ = ["Database", "DatabaseError", "duckdb_version"]

DatabaseError = duckdb.Error
"""What the database raises. Translated before it leaves this package."""

_WRITER_CONFIG: dict[str, Any] = {
    "storage_compatibility_version": "v1.4.0",  # readable by DuckDB 1.4, 1.5 and 2.0
    # A table takes at least one block. There are thirty, so blocks of 256 KB cost a
    # short recording 5 MB; a long one is as large either way.
    "default_block_size": "65536",
    "wal_autocheckpoint": "64MB",  # the default of 16 MB stalls commits for a second and doubles the file
    # A checkpoint adds its rows as groups of their own. By default it would also merge groups
    # until they are full, reading and compressing up to 370,000 messages again: at 1,000
    # messages/s that took a core for 19 s and 1 GB, every two minutes.
    "max_vacuum_tasks": 0,
    "threads": 1,  # one thread appends; handing over to a second costs more than it gives
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_READER_CONFIG: dict[str, Any] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "allow_persistent_secrets": "false",
    "temp_directory": "",
    "memory_limit": "1GB",
    "threads": 2,
    "lock_configuration": "true",
}
_CHUNK_ROWS = 4096
"""Rows read at a time: 4096 payloads are about 5 MB."""
_LOAD_MESSAGES = 5_000
"""Messages loaded in one transaction."""
_VIEWERS_MAX = 20_000
"""Viewers held back before they are merged into ``users``."""


def duckdb_version() -> str:
    """Return the version of the database library."""
    return str(duckdb.__version__)


@cache
def _schema() -> str:
    return resources.files("toolkit.store").joinpath("schema.sql").read_text("utf-8")


@cache
def _views() -> tuple[str, ...]:
    text = resources.files("toolkit.store").joinpath("views.sql").read_text("utf-8")
    return tuple(re.findall(r"^CREATE TEMP VIEW [^;]*;", text, re.MULTILINE))


@cache
def _expected_columns() -> frozenset[tuple[Any, ...]]:
    """Return table, name, type and nullability of every column of ``schema.sql``."""
    with contextlib.closing(duckdb.connect(":memory:", config=_WRITER_CONFIG)) as connection:
        connection.execute(_schema())
        return frozenset(connection.execute(_COLUMNS).fetchall())


class Database:
    """
    One open recording. Use from one thread, except :meth:`cursor`. Close it when done.

    Attributes:
        path: The file; None in memory.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path | None) -> None:
        self.path = path
        self._connection = connection
        self._appenders: dict[str, duckdb.Appender] = {}
        self._viewers: dict[int, Viewer] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path | None, schema: str = "", *, memory_mb: int = 512) -> Database:
        """
        Open a file to write it, in memory if None; make the tables if it has none.

        Args:
            path: The file.
            schema: Makes other tables than a recording's, ``meta`` among them.
            memory_mb: What it may take, the cache of what it has written included. Less
                is enough for who only appends.

        Raises:
            RecordingError: It refuses to open.
        """
        try:
            # Written blocks stay cached: without a limit a day's recording would take
            # most of the machine's memory. In memory there is nothing else to hold it.
            config = _WRITER_CONFIG if path is None else _WRITER_CONFIG | {"memory_limit": f"{memory_mb}MB"}
            connection = duckdb.connect(str(path or ":memory:"), config=config)
        except duckdb.Error as error:
            raise _translated(error, path) from error
        database = cls(connection, path)
        try:
            if not database.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'meta'"):
                # One transaction: a process killed here leaves all tables, or none.
                connection.execute(f"BEGIN; {schema or _schema()}; COMMIT")
            if path is None:
                # Only notebooks work in memory, and run SQL there.
                connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        except duckdb.Error as error:
            database.close()
            raise _translated(error, path) from error
        return database

    @classmethod
    def read(cls, path: Path) -> Database:
        """
        Open a finished recording, read-only and locked down.

        Raises:
            NotARecording: It is something else, or damaged.
            RecordingBusy: It is being written.
        """
        if not path.is_file():
            raise NotARecording(f"{path.name} is not a file")
        try:
            database = cls(duckdb.connect(str(path), read_only=True, config=_READER_CONFIG), path)
        except duckdb.Error as error:
            raise _translated(error, path) from error
        try:
            database._check_tables()
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        # An appender with rows that the database refused raises when it is dropped.
        for appender in self._appenders.values():
            with contextlib.suppress(duckdb.Error):
                appender.clear()
        self._appenders.clear()
        with contextlib.suppress(duckdb.Error):
            self._connection.close()

    # Writing

    def append(self, batches: Sequence[Batch]) -> None:
        """
        Append batches in one transaction: all of them, or none.

        ``users`` is left alone: sealing goes through all batches anyway, and what
        waits here to be merged would be lost with a connection that breaks.

        Raises:
            DatabaseError: None was written, or the database broke just after writing
                them; :meth:`last_frame_no` tells which.
        """
        rows = RowSet()
        rows.add(batches)
        self._write_tame(rows.tables)

    def _write_tame(self, tables: Mapping[str, Sequence[tuple[Any, ...]]], *, anew: bool = False) -> None:
        try:
            self._write(tables, anew)
        except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException):
            # A number or text that fits no column, such as a sum beyond 64 bits.
            # Its exact bytes are in `messages`; here the nearest value will do.
            self._write({table: [tame(row) for row in group] for table, group in tables.items()}, anew)

    def _write(self, tables: Mapping[str, Sequence[tuple[Any, ...]]], anew: bool) -> None:
        self._connection.execute("BEGIN")
        try:
            for table, rows in tables.items():
                if anew:
                    self._connection.execute(f"DELETE FROM {table}")
                if not rows:
                    continue
                appender = self._appenders.get(table)
                if appender is None:
                    appender = self._appenders[table] = self._connection.appender(table)
                appender.append_rows(rows)
                appender.flush()
            failpoint.die_meanwhile("commit")
            self._connection.execute("COMMIT")
            failpoint.reach("committed")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # Appenders keep rows the database refused: throw both away.
        for appender in self._appenders.values():
            with contextlib.suppress(duckdb.Error):
                appender.clear()
        self._appenders.clear()
        with contextlib.suppress(duckdb.Error):
            self._connection.execute("ROLLBACK")

    def load(self, batches: Iterable[Batch], *, after_frame: int = 0) -> int:
        """
        Append many batches, a bounded number in memory, and the viewers in all of them.

        Args:
            batches: In order.
            after_frame: Number of the last frame that is in already: the batches up
                to it are only asked for their viewers.

        Returns:
            How many were appended.
        """
        added = waiting_messages = 0
        waiting: list[Batch] = []
        for batch in batches:
            self._note_viewers(batch)
            if batch.frame_no <= after_frame:
                continue
            added += 1
            waiting.append(batch)
            waiting_messages += len(batch.messages) + 1
            if waiting_messages >= _LOAD_MESSAGES:
                self.append(waiting)
                waiting, waiting_messages = [], 0
        if waiting:
            self.append(waiting)
        self._write_viewers()
        return added

    def _note_viewers(self, batch: Batch) -> None:
        note_viewers(self._viewers, batch)
        if len(self._viewers) > _VIEWERS_MAX:
            self._write_viewers()

    def _write_viewers(self) -> None:
        # Merged in bulk: with every batch, the table would be rewritten four times a second.
        if not self._viewers:
            return
        rows = [viewer.row() for viewer in self._viewers.values()]
        con = self._connection
        con.execute("CREATE OR REPLACE TEMP TABLE seen AS SELECT * FROM users LIMIT 0")
        appender = con.appender("seen")
        try:
            appender.append_rows(rows)
        except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException):
            appender.clear()
            appender.append_rows([tame(row) for row in rows])
        appender.flush()
        con.execute(_MERGE_USERS)
        con.execute("DROP TABLE seen")
        self._viewers.clear()

    def replace(self, tables: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        """Replace everything in some tables, in one transaction."""
        self._write_tame(tables, anew=True)

    def write_meta(self, values: Mapping[str, str]) -> None:
        """Set facts about the recording; the ones not named stay."""
        con = self._connection
        con.execute("BEGIN")
        for key, value in values.items():
            con.execute("DELETE FROM meta WHERE key = ?", [key])
            con.execute("INSERT INTO meta VALUES (?, ?)", [key, value])
        con.execute("COMMIT")

    def checkpoint(self) -> None:
        """Bring everything into the one file."""
        failpoint.die_meanwhile("checkpoint")
        self._connection.execute("CHECKPOINT")

    # Reading

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one thread to the same data, with our views. Close it when done."""
        with self._lock:
            cursor = self._connection.cursor()
        for view in _views():
            # A recording of an older version may lack a table.
            with contextlib.suppress(duckdb.CatalogException):
                cursor.execute(view)
        return cursor

    def rows(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return all its rows."""
        return self._connection.execute(query, list(params)).fetchall()

    def last_frame_no(self) -> int:
        """Number of the last frame that is in; 0 when none is."""
        return int(self.rows("SELECT coalesce(max(frame_no), 0) FROM frames")[0][0])

    def meta(self) -> dict[str, str]:
        """Facts about the recording."""
        return dict(self.rows("SELECT key, value FROM meta"))

    def dicts(self, table: str, key: str) -> list[dict[str, Any]]:
        """Return all rows of a small table in the order of ``key``, by the columns it has."""
        cursor = self._connection.execute(f"SELECT * FROM {table} ORDER BY {key}")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def in_order(
        self, table: str, key: str, what: str = "*", *, start: int = -(2**63)
    ) -> Iterator[tuple[Any, ...]]:
        """
        Yield a big table's rows in the order of ``key``, from ``start`` on, a bounded number in memory.

        By ranges of the key, which grows with the rows: sorting or streaming the
        whole table would hold every payload, or the connection, at once.
        """
        first = self._first_from(table, key, start)
        while first is not None:
            yield from self.rows(
                f"SELECT {what} FROM {table} WHERE {key} >= ? AND {key} < ? ORDER BY {key}",
                [first, first + _CHUNK_ROWS],
            )
            first = self._first_from(table, key, first + _CHUNK_ROWS)

    def _first_from(self, table: str, key: str, start: int) -> int | None:
        """Return the first key at or behind ``start``: a file with huge holes must not cost time."""
        first: int | None = self.rows(f"SELECT min({key}) FROM {table} WHERE {key} >= ?", [start])[0][0]
        return first

    def event_counts(self) -> dict[str, int]:
        """Rows per kind of event; a table that an older version did not have counts 0."""
        tables = {row[0] for row in self.rows("SELECT table_name FROM duckdb_tables()")}
        return {
            event_class.kind: self.rows(f"SELECT count(*) FROM {event_class.table}")[0][0]
            if event_class.table in tables
            else 0
            for event_class in EVENT_CLASSES
        }

    def inconsistencies(self) -> list[str]:
        """Return one sentence for each way in which the tables contradict one another."""
        checks = {
            "messages are numbered with holes or twice": (
                "SELECT count(*) > 0 AND (min(seq) <> 1 OR max(seq) <> count(*)"
                " OR count(DISTINCT seq) <> count(*)) FROM messages"
            ),
            "frames are numbered with holes or twice": (
                "SELECT count(*) > 0 AND (min(frame_no) <> 1 OR max(frame_no) <> count(*)"
                " OR count(DISTINCT frame_no) <> count(*)) FROM frames"
            ),
            "frames and messages do not add up": (
                "SELECT (SELECT coalesce(sum(messages), 0) FROM frames) <> (SELECT count(*) FROM messages)"
            ),
            "frames and quarantine do not add up": (
                "SELECT (SELECT coalesce(sum(quarantined), 0) FROM frames)"
                " <> (SELECT count(*) FROM quarantine)"
            ),
            "messages name segments that are not there": (
                "SELECT count(*) > 0 FROM messages ANTI JOIN segments USING (segment_id)"
            ),
        }
        return [sentence for sentence, query in checks.items() if self.rows(query)[0][0]]

    def totals(self) -> Totals:
        """
        Add up what the tables hold, message by message.

        Raises:
            DatabaseError: A block of the file is damaged.
        """
        totals = Totals()
        (row,) = self.rows(
            "SELECT count(*), coalesce(sum(duplicates), 0)::BIGINT, coalesce(sum(quarantined), 0)::BIGINT"
            " FROM frames"
        )
        totals.frames, totals.duplicates, totals.quarantined = row
        for kind, count in self.event_counts().items():
            if count:
                totals.counts[kind] = count
        for row in self.in_order(
            "messages", "seq", "seq, frame_no, segment_id, epoch_us(received_at), method, is_history, payload"
        ):
            totals.messages += 1
            totals.add_content(*row)
        return totals

    def _check_tables(self) -> None:
        """
        Refuse a file whose tables are not ours.

        Views, macros and triggers have no place in a recording; in a stranger's
        they could stand in for a table.
        """
        assert self.path is not None
        try:
            self._check_columns()
            version = self.meta().get("format_version", "")
        except duckdb.Error as error:
            raise _translated(error, self.path) from error
        if version.isdecimal() and int(version) > FORMAT_VERSION:
            raise NotARecording(
                f"{self.path.name} was made by a newer version of this toolkit (format {version})",
                hint=f"This version reads up to format {FORMAT_VERSION}: update it.",
            )

    def _check_columns(self) -> None:
        assert self.path is not None
        foreign = self.rows(
            "SELECT view_name FROM duckdb_views() WHERE NOT internal UNION ALL"
            " SELECT function_name FROM duckdb_functions() WHERE NOT internal"
        )
        found = set(self.rows(_COLUMNS))
        there = {column[:2] for column in found}
        missing = {
            column[0]
            for column in _expected_columns() - found
            # Columns that came later may be absent, never of another type.
            if column[:2] in there or column[:2] not in _LATER_COLUMNS
        }
        strange = sorted(missing & _CORE_TABLES)
        if strange or foreign:
            why = f"its table {strange[0]} is not ours" if strange else f"it brings its own {foreign[0][0]}"
            raise NotARecording(f"{self.path.name} is a DuckDB file but not a recording: {why}", hint=_HINT)


_COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns()"
    " WHERE NOT internal AND schema_name = 'main'"
)

_CORE_TABLES = {"meta", "segments", "gaps", "frames", "messages", "quarantine", "users"}
"""Not the event tables: a recording of an older version may lack the newest."""

_LATER_COLUMNS = {
    *(("segments", name) for name in ("noticed_at", "attempts")),
    *(("gaps", name) for name in ("detected_at", "attempts", "last_frame_no", "first_frame_no")),
    *(("gaps", name) for name in ("last_occurred_at", "first_occurred_at", "counters")),
}
"""What recordings made before the gap ledger lack; `toolkit rebuild` adds them."""

_HINT = "`toolkit recordings` lists what can be opened."

_MERGE_USERS = """
MERGE INTO users USING seen ON users.user_id = seen.user_id
WHEN MATCHED THEN UPDATE SET
  handle = CASE WHEN seen.handle = '' THEN users.handle ELSE seen.handle END,
  nickname = CASE WHEN seen.nickname = '' THEN users.nickname ELSE seen.nickname END,
  sec_uid = CASE WHEN seen.sec_uid = '' THEN users.sec_uid ELSE seen.sec_uid END,
  avatar_url = CASE WHEN seen.avatar_url = '' THEN users.avatar_url ELSE seen.avatar_url END,
  followers = greatest(users.followers, seen.followers),
  is_moderator = users.is_moderator OR seen.is_moderator,
  is_subscriber = users.is_subscriber OR seen.is_subscriber,
  is_follower = users.is_follower OR seen.is_follower,
  fan_level = greatest(users.fan_level, seen.fan_level),
  gifter_level = greatest(users.gifter_level, seen.gifter_level),
  is_verified = users.is_verified OR seen.is_verified,
  last_seen_at = greatest(users.last_seen_at, seen.last_seen_at)
WHEN NOT MATCHED THEN INSERT BY NAME
"""


def _translated(error: duckdb.Error, path: Path | None) -> RecordingError:
    name = path.name if path else "the database"
    if "Could not set lock" in str(error):
        return RecordingBusy(
            f"{name} is open in another process",
            hint="Close the notebook or stop the recorder that has it open.",
        )
    return NotARecording(
        f"{name} cannot be opened as a recording: {str(error).splitlines()[0]}",
        hint=_HINT,
    )
