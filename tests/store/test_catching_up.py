"""Telling the past of a recording that goes on: what the database lacks, once, and at its pace."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.waiting import wait_until
from toolkit.model.frame import FrameKind
from toolkit.store.catching_up import CatchUp
from toolkit.store.database import Database
from toolkit.store.fold import JournalFold
from toolkit.store.journal import JournalWriter, RecordType
from toolkit.store.projector import Projector

FRAMES = 12
COMMENTS = 5
NEVER_S = 3600.0

Begin = Callable[..., CatchUp]


@pytest.fixture
def journal(tmp_path: Path, make: Any) -> Path:
    """Return the journal of a dead recorder: five comments a frame."""
    writer = JournalWriter(tmp_path / "x.journal")
    opened = json.dumps({"room_id": make.room}).encode()
    writer.append(RecordType.SEGMENT_OPENED, opened, segment_id=1, received_at=1)
    for n in range(FRAMES):
        data = make.push([make.comment(n * COMMENTS + i + 1) for i in range(COMMENTS)], n + 1)
        writer.append(RecordType.FRAME, data, segment_id=1, received_at=n + 2, kind=int(FrameKind.PUSH))
    writer.close()
    return writer.path


@pytest.fixture
def begin(journal: Path) -> Iterator[Begin]:
    """Return what begins to tell the journal to a projector; both end with the test."""
    running: list[tuple[CatchUp, Projector]] = []

    def run(**limits: Any) -> CatchUp:
        projector = Projector(journal.with_suffix(".duckdb"), **limits)
        running.append((CatchUp(journal, journal.with_suffix(".duckdb"), projector), projector))
        return running[0][0]

    yield run
    for told, projector in running:
        told.stop()
        projector.stop()


def stored(journal: Path) -> list[tuple[int, int]]:
    """Return the frames in the database beside a journal, each with its messages."""
    with duckdb.connect(str(journal.with_suffix(".duckdb")), read_only=True) as connection:
        return connection.execute("SELECT frame_no, messages FROM frames ORDER BY frame_no").fetchall()


def told_to_the_end(told: CatchUp) -> None:
    """Wait for the end of the telling, and of the writing."""
    told.wait()
    told._projector.stop()


@pytest.mark.parametrize("already", [None, 0, 1, 7, FRAMES])
def test_what_the_database_lacks_is_brought_in_once(journal: Path, begin: Begin, already: int | None) -> None:
    """Nothing, some of it, all of it, or no database at all; the journal is told in full anyway."""
    path = journal.with_suffix(".duckdb")
    if already is not None:
        database = Database.open(path)
        database.append(list(islice(JournalFold(journal).batches(), already)))
        database.close()
    told = begin(interval_s=0.001)
    told_to_the_end(told)
    assert told.is_done
    assert told.fold.totals.messages == FRAMES * COMMENTS
    assert stored(journal) == [(n + 1, COMMENTS) for n in range(FRAMES)]
    assert sorted(p.name for p in path.parent.iterdir()) == ["x.duckdb", "x.journal"]


def test_only_what_the_database_lacks_is_handed_to_it(journal: Path, begin: Begin) -> None:
    """A frame too many would wait in the queue for nothing, or be there twice."""
    database = Database.open(journal.with_suffix(".duckdb"))
    database.append(list(islice(JournalFold(journal).batches(), 7)))
    database.close()
    told = begin(interval_s=NEVER_S)
    told.wait()
    assert told._projector.lag.batches == FRAMES - 7


def test_a_broken_database_is_moved_aside_and_filled_from_the_start(journal: Path, begin: Begin) -> None:
    """Nothing of it is deleted."""
    path = journal.with_suffix(".duckdb")
    path.write_bytes(b"no database" * 1000)
    told = begin(interval_s=0.001)
    told_to_the_end(told)
    assert len(stored(journal)) == FRAMES
    (aside,) = path.parent.glob("x.duckdb.damaged-*")
    assert aside.read_bytes() == b"no database" * 1000


def test_a_database_of_somebody_else_is_moved_aside_too(journal: Path, begin: Begin) -> None:
    """It opens, and has none of our tables."""
    path = journal.with_suffix(".duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE frames(x INT); INSERT INTO frames VALUES (1)")
    told = begin(interval_s=0.001)
    told_to_the_end(told)
    assert len(stored(journal)) == FRAMES
    assert len(list(path.parent.glob("x.duckdb.damaged-*"))) == 1


def test_the_past_waits_for_a_database_that_cannot_keep_up(journal: Path, begin: Begin) -> None:
    """The queue of live frames would overflow and leave all the rest to the sealing."""
    began = time.monotonic()
    told = begin(interval_s=0.05, queue_messages_max=COMMENTS * 3)
    told_to_the_end(told)
    assert told.is_done
    assert time.monotonic() < began + 5, "it looks again soon"
    assert not told._projector.lag.gave_up
    assert len(stored(journal)) == FRAMES


def test_a_stop_does_not_wait_for_the_database(begin: Begin) -> None:
    """Nor for the rest of the journal; and it is harmless when repeated."""
    told = begin(interval_s=NEVER_S, queue_messages_max=COMMENTS * 3)
    wait_until(lambda: told._projector.is_pressed)
    time_was = time.monotonic()
    assert not told.is_done
    assert "catch-up" in {thread.name for thread in threading.enumerate()}
    told.stop()
    told.stop()
    assert time.monotonic() < time_was + 10
    assert not told.is_done
    assert told.fold.totals.frames < FRAMES
    assert "catch-up" not in {thread.name for thread in threading.enumerate()}


def test_the_exit_of_the_process_ends_it_too(begin: Begin) -> None:
    """It is asked to, as every thread of ours, and does not wait for the database then."""
    told = begin(interval_s=NEVER_S, queue_messages_max=COMMENTS * 3)
    wait_until(lambda: told._projector.is_pressed)
    told._thread.ask_to_end()
    told._thread.join(10)
    assert not told._thread.is_alive()
    assert not told.is_done


def test_what_is_written_after_the_end_is_told_by_the_same_fold(
    journal: Path, begin: Begin, make: Any
) -> None:
    """Whoever takes over reads on where the thread has stopped."""
    told = begin(interval_s=0.001)
    told.wait()
    writer = JournalWriter.resume(journal)
    data = make.push([make.comment(1), make.comment(1_000)], 99)
    writer.append(RecordType.FRAME, data, segment_id=1, received_at=99, kind=int(FrameKind.PUSH))
    writer.close()
    (batch,) = told.fold.batches()
    assert (batch.frame_no, [message.seq for message in batch.messages]) == (
        FRAMES + 1,
        [FRAMES * COMMENTS + 1],
    )
    assert batch.duplicates == 1
