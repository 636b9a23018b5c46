"""A journal that somebody moves or deletes while it is written: noticed, and whole again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.errors import JournalNotWritten
from toolkit.store import syncing, whereabouts
from toolkit.store.journal import JournalWriter, RecordType, is_being_written, read_journal
from toolkit.store.whereabouts import Whereabouts

PAYLOADS = [bytes([n]) * 40 for n in range(1, 11)]


class Moved:
    """A journal of ten records, what watches it, and where it can be moved to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lives" / "recordings" / "x.journal"
        self.away = folder / "away.journal"
        self.path.parent.mkdir(parents=True)
        self.journal = JournalWriter(self.path)
        for payload in PAYLOADS:
            self.journal.append(RecordType.FRAME, payload)
        self.whereabouts = Whereabouts(self.path)

    def write_again(self) -> JournalWriter:
        """Write it again, and go on with the new one."""
        self.journal = self.whereabouts.written_again(self.journal)
        return self.journal

    def names(self) -> list[str]:
        """Return what is in the folder of recordings."""
        return sorted(path.name for path in self.path.parent.iterdir())


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Moved]:
    """Return a journal where it belongs, as yet."""
    made = Moved(tmp_path)
    yield made
    made.journal.close()
    made.whereabouts.close()


def payloads(path: Path) -> list[bytes]:
    """Return what the records of a journal say."""
    reader = read_journal(path)
    found = [record.payload for record in reader]
    assert (reader.damaged, reader.tail_bytes, reader.number) == ([], 0, len(found))
    return found


def open_files() -> int:
    """Return how many descriptors this process holds."""
    return len(list(Path("/dev/fd").iterdir()))


def test_a_journal_in_its_place_is_known(moved: Moved) -> None:
    """However much is added to it."""
    assert moved.whereabouts.is_in_place()
    moved.journal.append(RecordType.FRAME, b"more")
    assert moved.whereabouts.is_in_place()


def test_a_journal_that_was_never_there_cannot_be_watched(tmp_path: Path) -> None:
    """The caller is told, as by any open."""
    with pytest.raises(FileNotFoundError):
        Whereabouts(tmp_path / "gone.journal")


def test_a_journal_that_was_moved_deleted_or_exchanged_is_noticed(moved: Moved) -> None:
    """Another file under its name is not the journal, even with the same bytes."""
    moved.path.rename(moved.away)
    assert not moved.whereabouts.is_in_place()
    moved.path.write_bytes(moved.away.read_bytes())
    assert not moved.whereabouts.is_in_place()
    moved.path.unlink()
    moved.path.parent.rmdir()
    assert not moved.whereabouts.is_in_place()
    moved.path.parent.write_text("a file where the folder was")
    assert not moved.whereabouts.is_in_place()


def test_where_nobody_can_say_nothing_is_done(moved: Moved) -> None:
    """A path that cannot be followed for the moment is no reason to write a second copy."""
    moved.path.parent.rename(moved.away)
    moved.path.parent.symlink_to(moved.path.parent.name)
    assert moved.whereabouts.is_in_place()


@pytest.mark.parametrize("copied_at_once", [1 << 20, 100, 7])
def test_what_was_written_is_written_again_and_goes_on(
    moved: Moved, monkeypatch: pytest.MonkeyPatch, copied_at_once: int
) -> None:
    """The folders as well, every byte, the next record behind the last; it is held as before."""
    monkeypatch.setattr(whereabouts, "_COPY_BYTES", copied_at_once)
    moved.path.rename(moved.away)
    moved.path.parent.rmdir()
    moved.path.parent.parent.rmdir()
    before = open_files()
    again = moved.write_again()
    assert open_files() == before, "the old file is let go of"
    assert (again.path, again.records, moved.names()) == (moved.path, 10, ["x.journal"])
    assert moved.path.read_bytes() == moved.away.read_bytes()
    assert moved.path.stat().st_mode & 0o777 == moved.away.stat().st_mode & 0o777
    assert (is_being_written(moved.path), is_being_written(moved.away)) == (True, False)
    assert moved.whereabouts.is_in_place()
    assert again.append(RecordType.FRAME, b"behind") == 11
    assert payloads(moved.path) == [*PAYLOADS, b"behind"]
    assert payloads(moved.away) == PAYLOADS


def test_a_journal_may_be_deleted_more_than_once(moved: Moved) -> None:
    """Each copy is watched as the first file was."""
    for n in range(3):
        moved.path.unlink()
        assert not moved.whereabouts.is_in_place()
        moved.write_again().append(RecordType.FRAME, b"%d" % n)
    assert payloads(moved.path) == [*PAYLOADS, b"0", b"1", b"2"]


def test_a_copy_is_on_the_disk_before_it_has_the_name(moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut must not leave a name without content."""
    seen = []
    flush = os.fsync
    monkeypatch.setattr(syncing, "_flush", lambda descriptor: None)
    monkeypatch.setattr(
        os, "fsync", lambda fd: (seen.append((os.fstat(fd).st_size, moved.names())), flush(fd))
    )
    size = moved.path.stat().st_size
    moved.path.unlink()
    moved.write_again()
    assert seen == [(size, ["x.journal.again"])]


@pytest.mark.parametrize("copied_at_once", [1 << 20, 100, 700])
def test_what_was_never_acknowledged_is_not_copied(
    moved: Moved, monkeypatch: pytest.MonkeyPatch, copied_at_once: int
) -> None:
    """What a failed write left behind, even if it is as long as a record."""
    monkeypatch.setattr(whereabouts, "_COPY_BYTES", copied_at_once)
    moved.path.rename(moved.away)
    last = moved.away.read_bytes()[-(38 + len(PAYLOADS[-1])) :]
    with moved.away.open("ab") as file:
        file.write(last)
    assert moved.write_again().append(RecordType.FRAME, b"behind") == 11
    assert payloads(moved.path) == [*PAYLOADS, b"behind"]


def test_another_file_in_its_place_is_left_alone(moved: Moved) -> None:
    """It is somebody's; the old journal is written on, and the new one when there is room."""
    moved.path.rename(moved.away)
    moved.path.write_text("mine")
    with pytest.raises(
        JournalNotWritten, match=r"x\.journal was moved .*another file is in its place"
    ) as told:
        moved.write_again()
    assert "tried every second" in told.value.hint
    assert isinstance(told.value.__cause__, FileExistsError)
    assert (moved.path.read_text(), moved.names()) == ("mine", ["x.journal"])
    assert moved.journal.append(RecordType.FRAME, b"meanwhile") == 11
    moved.path.unlink()
    moved.write_again()
    assert payloads(moved.path) == [*PAYLOADS, b"meanwhile"]


def test_a_folder_that_refuses_is_told_with_its_reason(moved: Moved) -> None:
    """And the attempt after it may succeed."""
    moved.path.rename(moved.away)
    moved.path.parent.rmdir()
    moved.path.parent.write_text("in the way")
    with pytest.raises(JournalNotWritten, match=rf"\({os.strerror(errno.EEXIST)}\)|Not a directory"):
        moved.write_again()
    moved.path.parent.unlink()
    moved.write_again()
    assert payloads(moved.path) == PAYLOADS


def test_a_copy_that_does_not_do_is_not_in_the_way_of_the_next_attempt(moved: Moved) -> None:
    """Whoever moved the file may have written to it; what is no journal is not given its name."""
    moved.path.rename(moved.away)
    whole = moved.away.read_bytes()
    before = open_files()
    moved.away.write_bytes(b"?" * len(whole))
    with pytest.raises(JournalNotWritten, match="holds no whole record"):
        moved.write_again()
    moved.away.write_bytes(whole[:-1])
    with pytest.raises(JournalNotWritten, match="the file was cut short"):
        moved.write_again()
    assert (moved.path.exists(), open_files()) == (False, before)
    moved.away.write_bytes(whole)
    moved.write_again()
    assert payloads(moved.path) == PAYLOADS
    assert moved.names() == ["x.journal"]


def test_a_name_that_is_refused_at_the_last_moment_leaves_nothing_held(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is there and has no name yet: the next attempt makes another."""
    moved.path.unlink()
    before = open_files()

    def refused(path: Path, target: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refused)
        with pytest.raises(JournalNotWritten, match="Read-only file system"):
            moved.write_again()
    assert open_files() == before
    moved.write_again()
    assert payloads(moved.path) == PAYLOADS


def test_an_old_disk_that_fails_does_not_hinder_the_new_file(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read from it is whole, and where it was nobody looks any more."""
    moved.path.unlink()
    old, flush = moved.journal._fd, syncing._flush

    def flushed(descriptor: int) -> None:
        if descriptor == old:
            raise OSError(errno.EIO, "Input/output error")
        flush(descriptor)

    monkeypatch.setattr(syncing, "_flush", flushed)
    again = moved.write_again()
    monkeypatch.undo()
    again.append(RecordType.FRAME, b"behind")
    assert payloads(moved.path) == [*PAYLOADS, b"behind"]
    assert moved.whereabouts.is_in_place()


def test_letting_go_is_harmless_when_repeated(moved: Moved) -> None:
    """Even if the descriptor belongs to somebody else by then."""
    before = open_files()
    moved.whereabouts.close()
    with moved.path.open("rb"):
        moved.whereabouts.close()
    assert open_files() == before - 1
