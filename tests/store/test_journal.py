"""The journal: what is in it survives, what is damaged is counted, nothing raises."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import JournalNotWritten, RecordingBusy
from toolkit.store import journal
from toolkit.store.journal import (
    DamagedRange,
    JournalClaim,
    JournalWriter,
    Record,
    RecordType,
    is_being_written,
    read_journal,
)

PAYLOADS = st.lists(st.binary(max_size=300), min_size=1, max_size=30)


def write(path: Path, payloads: list[bytes]) -> bytes:
    """Write one frame per payload and return the file's bytes."""
    writer = JournalWriter(path, sync_interval_s=0)
    for n, payload in enumerate(payloads, start=1):
        writer.append(RecordType.FRAME, payload, segment_id=n, received_at=n, mono_ns=-n, kind=1)
    writer.close()
    return path.read_bytes()


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for one example."""
    return tempfile.TemporaryDirectory()


@settings(max_examples=50, deadline=None)
@given(PAYLOADS)
def test_what_is_written_is_read(payloads: list[bytes]) -> None:
    """Every field of every record, in order."""
    with scratch() as folder:
        path = Path(folder) / "x.journal"
        write(path, payloads)
        reader = read_journal(path)
        assert list(reader) == [
            Record(n, RecordType.FRAME, n, n, -n, 1, payload) for n, payload in enumerate(payloads, start=1)
        ]
        assert (reader.damaged, reader.lost, reader.tail_bytes) == ([], 0, 0)


@settings(max_examples=200, deadline=None)
@given(PAYLOADS, st.data())
def test_damage_costs_the_records_it_touches_and_no_others(
    payloads: list[bytes], data: st.DataObject
) -> None:
    """Flipped or zeroed bytes anywhere: the rest is read, the loss is reported."""
    with scratch() as folder:
        path = Path(folder) / "x.journal"
        whole = write(path, payloads)
        ends = _ends(whole, payloads)
        start = data.draw(st.integers(0, len(whole) - 1), label="start")
        length = data.draw(st.integers(1, min(600, len(whole) - start)), label="length")
        damaged = bytearray(whole)
        if data.draw(st.booleans(), label="zero"):
            damaged[start : start + length] = bytes(length)
        else:
            damaged[start] ^= 1 << data.draw(st.integers(0, 7), label="bit")
            length = 1
        path.write_bytes(damaged)
        reader = read_journal(path)
        found = {record.number: record.payload for record in reader}
        touched = {
            n for n, (first, last) in enumerate(ends, start=1) if damaged[first:last] != whole[first:last]
        }
        expected = {n: p for n, p in enumerate(payloads, start=1) if n not in touched}
        assert found == expected
        if touched:
            assert reader.damaged or reader.tail_bytes
            # Records at the very end leave no later number to count them by.
            last = max(expected, default=0)
            assert reader.lost == sum(n < last for n in touched)


@settings(max_examples=150, deadline=None)
@given(PAYLOADS, st.integers(0, 40), st.integers(40, 130), st.data())
def test_damage_is_passed_alike_whatever_the_window(
    payloads: list[bytes], bytes_before: int, window: int, data: st.DataObject
) -> None:
    """The next record is found where it lies, at the edge of a window as in its middle."""
    with scratch() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "x.journal"
        whole = write(path, [bytes(bytes_before), *payloads])
        length = data.draw(st.integers(1, min(400, len(whole) - 16)), label="length")
        path.write_bytes(whole[:16] + b"\xff" * length + whole[16 + length :])
        expected = list(read_journal(path))
        patch.setattr(journal, "_SCAN_BYTES", window)
        assert list(read_journal(path)) == expected
        assert len(expected) == sum(
            first >= 16 + length for first, _ in _ends(whole, [bytes(bytes_before), *payloads])
        )


@pytest.mark.parametrize("number", [255, 256, 65_535, 65_536, 16_777_216, 2**32 - 1])
def test_a_record_is_found_behind_damage_whatever_its_number(tmp_path: Path, number: int) -> None:
    """Numbers of one to four bytes: a long recording is read like a short one."""
    path = tmp_path / "x.journal"
    writer = JournalWriter(path)
    writer.append(RecordType.FRAME, b"one")
    writer.records = number - 3
    for payload in (b"before", b"damaged", b"behind"):
        writer.append(RecordType.FRAME, payload)
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"damaged", b"damagee"))
    reader = read_journal(path)
    records = list(reader)
    assert [record.payload for record in records] == [b"one", b"before", b"behind"]
    assert records[-1].number == number
    assert reader.lost == number - 3


def test_what_only_looks_like_a_record_is_not_one(tmp_path: Path) -> None:
    """A viewer may write bytes of a record with a checksum: a number no file can reach is none."""
    fake = write(tmp_path / "fake.journal", [b"made up"])[16:]
    body = (1000).to_bytes(8, "little") + fake[16:]
    fake = fake[:4] + zlib.crc32(body).to_bytes(4, "little") + body
    path = tmp_path / "x.journal"
    whole = write(path, [b"one", b"<" + fake + b">", b"three"])
    position = whole.index(b"<")
    path.write_bytes(whole[: position - 30] + b"\xff" * 8 + whole[position - 22 :])
    reader = read_journal(path)
    assert [record.payload for record in reader] == [b"one", b"three"]
    assert reader.lost == 1


def test_a_record_that_stands_there_twice_is_read_once(tmp_path: Path) -> None:
    """A restored backup may repeat some: numbers only grow."""
    path = tmp_path / "x.journal"
    whole = write(path, [b"one", b"two", b"three"])
    path.write_bytes(whole[:57] + whole[16:57] + whole[57:])
    reader = read_journal(path)
    assert [record.payload for record in reader] == [b"one", b"two", b"three"]
    assert reader.damaged == [DamagedRange(57, 98)]
    assert reader.lost == 0


def test_records_that_are_damaged_inside_are_passed_one_after_the_other(tmp_path: Path) -> None:
    """Their beginnings look whole; only the checksum tells."""
    path = tmp_path / "x.journal"
    whole = write(path, [b"one", b"two", b"tri", b"four"])
    path.write_bytes(whole.replace(b"two", b"tWo").replace(b"tri", b"tRi"))
    reader = read_journal(path)
    assert [record.number for record in reader] == [1, 4]
    assert (reader.damaged, reader.lost) == ([DamagedRange(57, 139)], 2)


@pytest.mark.parametrize("payload", [b"", b"two"])
@pytest.mark.parametrize("stray", [1, 2, 40])
def test_the_last_record_is_found_however_short_it_is(tmp_path: Path, payload: bytes, stray: int) -> None:
    """It ends where the file ends, a single stray byte before it."""
    path = tmp_path / "x.journal"
    whole = write(path, [b"one", payload])
    path.write_bytes(whole[:57] + b"?" * stray + whole[57:])
    reader = read_journal(path)
    assert [record.payload for record in reader] == [b"one", payload]
    assert (reader.damaged, reader.tail_bytes) == ([DamagedRange(57, 57 + stray)], 0)


@pytest.mark.parametrize("zeros", range(4, 9))
def test_a_file_that_ends_in_the_middle_of_a_number_is_read_to_its_end(tmp_path: Path, zeros: int) -> None:
    """What looks like the beginning of a record may be cut off anywhere."""
    path = tmp_path / "x.journal"
    whole = write(path, [b"one"])
    path.write_bytes(whole + b"?" * 60 + b"\x05" + bytes(zeros))
    reader = read_journal(path)
    assert [record.payload for record in reader] == [b"one"]
    assert reader.tail_bytes == 61 + zeros


def test_damage_side_by_side_is_one_range(tmp_path: Path) -> None:
    """A header and the record behind it, or two records: told once, with both ends."""
    path = tmp_path / "x.journal"
    whole = write(path, [b"one", b"two", b"three", b"four"])
    path.write_bytes(b"?" * 20 + whole[20:])
    reader = read_journal(path)
    assert [record.number for record in reader] == [2, 3, 4]
    assert reader.damaged == [DamagedRange(0, 57)]
    path.write_bytes(b"?" + whole[1:58] + b"?" * 60 + whole[118:])
    reader = read_journal(path)
    assert [record.number for record in reader] == [1, 4]
    assert reader.damaged == [DamagedRange(0, 16), DamagedRange(57, 141)]
    assert (reader.lost, reader.tail_bytes) == (2, 0)


@pytest.mark.parametrize("length", range(17))
def test_a_file_that_is_shorter_than_its_header_is_a_tail(tmp_path: Path, length: int) -> None:
    """It was never finished; when it is, reading begins."""
    path = tmp_path / "x.journal"
    whole = write(path, [b"one"])
    path.write_bytes(whole[:length])
    reader = read_journal(path)
    assert (reader.offset, reader.number, reader.lost, reader.damaged, reader.tail_bytes) == (0, 0, 0, [], 0)
    assert list(reader) == []
    assert reader.tail_bytes == length % 16
    assert reader.damaged == []
    path.write_bytes(whole)
    assert [record.payload for record in reader] == [b"one"]
    assert reader.tail_bytes == 0


@settings(max_examples=100, deadline=None)
@given(PAYLOADS, st.data())
def test_a_torn_tail_costs_the_last_record_only(payloads: list[bytes], data: st.DataObject) -> None:
    """Cut anywhere: what was whole before the cut is read, the rest reported."""
    with scratch() as folder:
        path = Path(folder) / "x.journal"
        whole = write(path, payloads)
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        reader = read_journal(path)
        found = [record.payload for record in reader]
        ends = [last for _, last in _ends(whole, payloads)]
        assert found == payloads[: sum(end <= cut for end in ends)]
        assert reader.damaged == []
        assert (reader.tail_bytes > 0) == (cut not in {0, 16, *ends})


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_can_be_read(data: bytes) -> None:
    """Whatever the file holds, reading it ends and raises nothing."""
    with scratch() as folder:
        path = Path(folder) / "x.journal"
        path.write_bytes(data)
        assert list(read_journal(path)) == []


def test_a_megabyte_of_zeros_in_the_middle_is_passed_quickly(tmp_path: Path) -> None:
    """A lost extent reads as zeros; what follows is found again."""
    path = tmp_path / "x.journal"
    whole = write(path, [b"a" * 1000] * 2000)
    damaged = bytearray(whole)
    damaged[500_000:1_500_000] = bytes(1_000_000)
    path.write_bytes(damaged)
    reader = read_journal(path)
    numbers = [record.number for record in reader]
    assert numbers[-1] == 2000
    assert len(numbers) + reader.lost == 2000
    assert len(reader.damaged) == 1


def test_a_reader_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """No lock, no second reading of what was read."""
    writer = JournalWriter(tmp_path / "x.journal")
    writer.append(RecordType.FRAME, b"one")
    reader = read_journal(tmp_path / "x.journal")
    assert [r.payload for r in reader] == [b"one"]
    assert list(reader) == []
    writer.append(RecordType.FRAME, b"two")
    assert [r.payload for r in reader] == [b"two"]
    writer.close()


def test_a_record_type_of_a_later_version_is_handed_on(tmp_path: Path) -> None:
    """It is a record like others; who does not know it skips it."""
    writer = JournalWriter(tmp_path / "x.journal")
    writer.append(200, b"?")
    writer.append(RecordType.FRAME, b"frame")
    writer.close()
    assert [r.type for r in read_journal(tmp_path / "x.journal")] == [200, RecordType.FRAME]


def test_a_journal_is_locked_while_it_is_written(tmp_path: Path) -> None:
    """So a living recorder can be told from a dead one, and nobody heals under it."""
    path = tmp_path / "x.journal"
    writer = JournalWriter(path)
    assert is_being_written(path)
    with pytest.raises(RecordingBusy, match="x is being recorded"):
        JournalClaim(path)
    with pytest.raises(FileExistsError):
        JournalWriter(path)
    writer.close()
    assert not is_being_written(path)
    with JournalClaim(path):
        pass


_FULL_DISK = """
import resource, sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from toolkit.errors import JournalNotWritten
from toolkit.store.journal import JournalWriter, RecordType, read_journal
path = Path(sys.argv[1])
writer = JournalWriter(path)
for _ in range(10):
    writer.append(RecordType.FRAME, b"x" * 1000)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (writer.bytes + 500, hard))
for _ in range(3):
    try:
        writer.append(RecordType.FRAME, b"y" * 1000)
    except JournalNotWritten as error:
        assert error.hint
    else:
        raise SystemExit("written to a full disk")
assert path.stat().st_size == writer.bytes, "the short write was not rolled back"
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
writer.append(RecordType.FRAME, b"z")
writer.close()
reader = read_journal(path)
print([r.number for r in reader], reader.damaged, reader.tail_bytes)
"""


def test_a_full_disk_is_said_and_rolled_back_and_forgotten_when_there_is_space(tmp_path: Path) -> None:
    """The failed record is not there, the next one is."""
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path / "x.journal")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{list(range(1, 12))} [] 0"


def test_a_record_longer_than_any_frame_is_refused(tmp_path: Path) -> None:
    """Its length would read as damage."""
    writer = JournalWriter(tmp_path / "x.journal")
    with pytest.raises(JournalNotWritten, match="longer than any frame"):
        writer.append(RecordType.FRAME, bytes(64 * 1024 * 1024))
    writer.close()


def _ends(whole: bytes, payloads: list[bytes]) -> list[tuple[int, int]]:
    """Return first and behind-last byte of each record."""
    found, position = [], 16
    for payload in payloads:
        found.append((position, position + 38 + len(payload)))
        position += 38 + len(payload)
    assert position == len(whole)
    return found


def test_a_record_that_becomes_whole_while_it_is_looked_past_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is at work: what was half there a moment ago is no damage."""
    whole = write(tmp_path / "x.journal", [b"one", b"two", b"three"])
    path = tmp_path / "growing.journal"
    path.write_bytes(whole[: _ends(whole, [b"one", b"two", b"three"])[1][1] - 2])
    search = journal._candidates

    def finished_meanwhile(*args: Any) -> Iterator[int]:
        path.write_bytes(whole)
        return search(*args)

    monkeypatch.setattr(journal, "_candidates", finished_meanwhile)
    reader = read_journal(path)
    assert [record.payload for record in reader] == [b"one", b"two", b"three"]
    assert (reader.damaged, reader.lost) == ([], 0)


def test_a_file_shorter_than_a_journals_beginning_is_damage_if_it_is_another_one(tmp_path: Path) -> None:
    """All of its bytes, once; the beginning of a journal's beginning is one that was never finished."""
    path = tmp_path / "x.journal"
    path.write_bytes(b"hi")
    reader = read_journal(path)
    assert (list(reader), list(reader)) == ([], [])
    assert (reader.damaged, reader.tail_bytes) == ([DamagedRange(0, 2)], 2)
    path.write_bytes(b"TTLV")
    reader = read_journal(path)
    assert (list(reader), reader.damaged, reader.tail_bytes) == ([], [], 4)
