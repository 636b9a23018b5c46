"""Rows 15 to 18: the disk is full, read-only or damaged, or somebody else's. Real processes throughout."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import signal
import subprocess
import time

import duckdb
import pytest

from tests.faults.oracle import judge
from tests.faults.process import PROCESSES, RecordProcess
from tests.faults.scenario import run
from tests.faults.studio import SPEED, studio
from tests.waiting import wait_until
from toolkit.errors import RecordingBusy
from toolkit.model.recording import Cause
from toolkit.simulator.server import Simulator, SimulatorThread
from toolkit.store import syncing
from toolkit.store.folder import RecordingsFolder
from toolkit.store.journal import JournalClaim
from toolkit.store.rows import iso_time

RACES = int(os.environ.get("RACES", "40"))
"""Two processes that want one folder; ``RACES=1000`` is the long run."""
QUICK = "import toolkit.capture.recorder as r; r.DISK_RETRY_S = 0.5"
"""Half a minute between attempts on a full disk is too long for a test."""
SMALL_MEMORY = "import toolkit.capture.intake as i; i.HELD_BYTES_MAX = 40_000"
"""What comes while the disk is full fits in no longer than a moment."""
SPACE_BYTES = 6 << 20


@pytest.fixture
def simulator():
    """Return a thread with a simulated live in which a lot happens."""
    thread = SimulatorThread(Simulator("busy", seed=5, speed=SPEED))
    with thread:
        yield thread


def acked(thread, number):
    """Wait for so many acknowledgements of the newest connection."""
    connections = thread.simulator.ledger.connections
    wait_until(lambda: connections and connections[-1].acked >= number, f"{number} acknowledgements")


def verdict(thread, folder):
    """Return what the oracle holds against the recordings of a folder."""
    paths = sorted(folder.glob("*.duckdb"))
    return thread.call(lambda: judge(thread.simulator.ledger, paths)).violations()


class Limit:
    """A full disk that everybody can make: no file of the process may grow any more."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder

    def fill(self, process):
        """Leave next to nothing."""
        size = max(path.stat().st_size for path in self.folder.iterdir())
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 20_000, hard))

    def free(self, process):
        """Make space."""
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def make_space(self):
        """The limit was that process's own."""

    def close(self):
        """Nothing to undo."""


class Small:
    """A disk of six megabytes; needs the right to mount one."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        size = f"size={SPACE_BYTES}"
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
        if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("may not mount a small disk; the other kind of full disk is tested")

    def fill(self, process):
        """Leave next to nothing."""
        free = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize
        # The recorder writes meanwhile and may have taken the rest: full is full.
        with contextlib.suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as filler:
            filler.write(bytes(max(free - 40_000, 0)))

    def free(self, process):
        """Make space."""
        self.make_space()

    def make_space(self):
        """Make space for the next process."""
        (self.folder / "filler").unlink()

    def close(self):
        """Keep what is in it, and let go of it."""
        aside = self.folder.with_name("aside")
        shutil.copytree(self.folder, aside)
        # Lazily: after a failure a recorder may still be in it.
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture(params=[Limit, Small])
def disk(request, tmp_path):
    """Return a disk that can be full."""
    disk = request.param(tmp_path / "disk")
    yield disk
    disk.close()


def gap_causes(folder):
    """Return the causes of the gaps of the only recording of a folder."""
    (path,) = folder.glob("*.duckdb")
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT DISTINCT cause FROM gaps").fetchall()


def test_a_full_disk_is_bridged_and_said(disk, simulator):
    """Row 15: nothing is acknowledged while it is full; with space all is written, and there is no gap."""
    process = RecordProcess(simulator.simulator, disk.folder)
    acked(simulator, 5)
    disk.fill(process)
    process.wait_said("Free space on the disk of the recordings folder; recording goes on by itself.")
    (connection,) = simulator.simulator.ledger.connections
    wait_until(lambda: len(connection.frames) > connection.acked + 10, "frames that nobody can write")
    sent = len(connection.frames)
    disk.free(process)
    process.wait_said("there is room on the disk again")
    acked(simulator, sent)
    assert process.end(signal.SIGTERM) == 0, process.said
    assert "Traceback" not in process.said, process.said
    assert len(simulator.simulator.ledger.connections) == 1
    assert not (found := verdict(simulator, disk.folder)), found
    assert gap_causes(disk.folder) == []


def test_killed_on_a_full_disk_nothing_that_was_acknowledged_is_lost(tmp_path, simulator):
    """Row 15 and 14: what waited in memory is gone, and nobody was told that it is kept."""
    disk = Limit(tmp_path / "disk")
    process = RecordProcess(simulator.simulator, disk.folder)
    acked(simulator, 5)
    disk.fill(process)
    process.wait_said("Free space on the disk")
    (connection,) = simulator.simulator.ledger.connections
    before = len(connection.frames)
    wait_until(lambda: len(connection.frames) > before, "a frame that nobody can write")
    process.end(signal.SIGKILL)
    RecordingsFolder(disk.folder).heal()
    assert lost_frames(connection, kept_of(disk.folder)) == []


def test_a_full_disk_that_outlasts_the_memory_is_waited_out(disk, simulator):
    """Row 15: what was acknowledged is kept, the rest is a gap, and with space it goes on."""
    process = RecordProcess(simulator.simulator, disk.folder, hook=f"{QUICK}; {SMALL_MEMORY}")
    acked(simulator, 5)
    disk.fill(process)
    process.wait_said("the disk is full, and so is the memory for what comes meanwhile")
    connections = len(simulator.simulator.ledger.connections)
    disk.free(process)
    wait_until(lambda: len(simulator.simulator.ledger.connections) > connections, "another connection")
    acked(simulator, 5)
    assert process.end(signal.SIGTERM) == 0, process.said
    assert "Traceback" not in process.said, process.said
    assert not (found := verdict(simulator, disk.folder)), found
    assert gap_causes(disk.folder) == [("internal",)]


def test_a_disk_that_stays_full_loses_nothing_that_was_acknowledged(disk, simulator):
    """Row 15: it cannot even be sealed; the exit says so, and the next start heals it."""
    process = RecordProcess(simulator.simulator, disk.folder, hook=QUICK)
    acked(simulator, 5)
    disk.fill(process)
    process.wait_said("recording goes on by itself")
    code = process.end(signal.SIGTERM)
    assert "Traceback" not in process.said, process.said
    assert code == 3
    assert "is not sealed. Its journal holds everything that was acknowledged." in process.said
    assert "it is completed at the next start" in process.said.splitlines()[-1]
    disk.make_space()
    RecordingsFolder(disk.folder).heal()
    assert not list(disk.folder.glob("*.journal"))
    assert not (found := verdict(simulator, disk.folder)), found


def test_a_disk_that_fails_is_let_go_of(tmp_path, monkeypatch):
    """A flush fails: nothing more is acknowledged, a stop ends in order, and the next start heals."""

    def fail(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected(frames=5)
            monkeypatch.setattr(syncing, "_flush", fail)
            await room.until(lambda: room.recorder.status()["state"] == "reconnecting", "the end of it")
            assert "the disk failed while the journal was flushed" in room.recorder.status()["detail"]
            outcome = await room.finish()
            assert (outcome.cause, outcome.unsealed) == (Cause.STOPPED, outcome.recordings)
            monkeypatch.undo()
            folder = RecordingsFolder(tmp_path)
            # Nobody holds it any more: an ended process could not do it better.
            assert [one["state"] for one in folder.list()] == ["interrupted"]
            assert [report.sealed for report in folder.heal()] == [True]
            found = judge(room.simulator.ledger, list(tmp_path.glob("*.duckdb"))).violations()
            assert not found, found

    run(scenario)


WITHOUT_POWERS = """
import ctypes, os
if os.getuid() == 0:
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, nothing) == 0
"""
"""Root may write wherever it likes; without its capabilities it is a user like any other."""


def test_a_read_only_folder_is_told_at_the_start(tmp_path, simulator):
    """Row 16: one sentence, the next step, exit code 3, and nobody was asked for a signature."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    process = RecordProcess(simulator.simulator, folder, hook=WITHOUT_POWERS)
    assert process.end() == 3
    lines = process.said.strip().splitlines()
    assert len(lines) == 2, lines
    assert "cannot be written: Permission denied" in lines[0]
    assert "or choose another one" in lines[1]
    assert not simulator.simulator.ledger.calls


def test_a_folder_that_becomes_read_only_keeps_what_was_acknowledged(tmp_path, simulator):
    """Row 16: the recording cannot be completed; that is said, and the next start completes it."""
    folder = tmp_path / "locked"
    folder.mkdir()
    process = RecordProcess(simulator.simulator, folder, hook=WITHOUT_POWERS)
    acked(simulator, 5)
    folder.chmod(0o555)
    acked(simulator, 10)
    code = process.end(signal.SIGTERM)
    assert "Traceback" not in process.said, process.said
    folder.chmod(0o755)
    journals = list(folder.glob("*.journal"))
    assert (code, len(journals)) == (3, 1), process.said
    assert "it is completed at the next start" in process.said.splitlines()[-1]
    RecordingsFolder(folder).heal()
    assert not (found := verdict(simulator, folder)), found


def flip(path):
    """Flip one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    """Lose the last bytes."""
    os.truncate(path, path.stat().st_size - 1000)


def zero(path):
    """Find zeros where the last bytes were, as after a power cut."""
    data = path.read_bytes()
    path.write_bytes(data[:-1000] + bytes(1000))


def begin_otherwise(path):
    """Find something else at the beginning."""
    data = path.read_bytes()
    path.write_bytes(bytes(64) + data[64:])


DAMAGES = [
    (".journal", flip),
    (".journal", cut),
    (".journal", zero),
    (".journal", begin_otherwise),
    (".duckdb", flip),
    (".duckdb", cut),
    (".duckdb", begin_otherwise),
    (".duckdb.wal", flip),
    (".duckdb.wal", zero),
]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Return a simulated live that goes on, and the folder of a recorder that was killed in it."""
    folder = tmp_path_factory.mktemp("killed") / "recordings"
    thread = SimulatorThread(Simulator("busy", seed=6, speed=SPEED))
    with thread:
        process = RecordProcess(thread.simulator, folder)
        acked(thread, 10)
        # The database takes what the journal has a moment later.
        written = "*.duckdb.wal"
        wait_until(lambda: any(path.stat().st_size > 10_000 for path in folder.glob(written)), written)
        process.end(signal.SIGKILL)
        wait_until(lambda: thread.simulator.ledger.connections[0].closed_at, "the end of the connection")
        yield thread, folder


def kept_of(folder):
    """Return the ids of the messages in the recordings of a folder."""
    kept = set()
    for path in folder.glob("*.duckdb"):
        with duckdb.connect(str(path), read_only=True) as connection:
            kept |= {msg_id for (msg_id,) in connection.execute("SELECT msg_id FROM messages").fetchall()}
    return kept


def lost_frames(connection, kept):
    """Return the acknowledged frames of a connection of which a message is not kept."""
    frames = [frame for frame in connection.frames.values() if frame.acked_at is not None]
    assert len(frames) >= 5
    return [frame for frame in frames if not kept.issuperset(frame.msg_ids)]


@pytest.mark.parametrize(("suffix", "damage"), DAMAGES, ids=lambda value: getattr(value, "__name__", value))
def test_a_damaged_recording_is_completed_and_the_loss_is_told(tmp_path, killed, suffix, damage):
    """Row 17: the next start goes on with it or completes it, and tells what the damage took."""
    thread, original = killed
    folder = tmp_path / "recordings"
    shutil.copytree(original, folder)
    (damaged,) = folder.glob(f"*{suffix}")
    damage(damaged)
    process = RecordProcess(thread.simulator, folder)
    before = len(thread.simulator.ledger.connections)
    wait_until(lambda: len(thread.simulator.ledger.connections) > before, "a connection")
    acked(thread, 5)
    assert process.end(signal.SIGTERM) == 0, process.said
    assert "Traceback" not in process.said, process.said
    assert not list(folder.glob("*.journal"))
    recordings = RecordingsFolder(folder)
    listed = [recordings.info(recording["id"]) for recording in recordings.list()]
    assert all(recordings.verify(info["id"]).ok for info in listed)
    kept = kept_of(folder)
    connections = thread.simulator.ledger.connections
    assert lost_frames(connections[-1], kept) == []
    lost = lost_frames(connections[0], kept)
    if suffix != ".journal":
        assert lost == []
        return
    # One record was damaged: it, and nothing else, is gone.
    assert len(lost) <= 1
    if damage is cut:
        # It looks like a record that was never finished. The gap begins before it.
        (gap,) = listed[0]["gaps"]
        assert all(gap["started_at"] < iso_time(frame.acked_at) for frame in lost)
        return
    assert sum(info["journal_records_lost"] for info in listed) == 1
    assert "1 records of the journal are lost" in process.said, process.said


def test_a_damaged_database_that_cannot_be_moved_away_stops_nothing(tmp_path, killed):
    """Row 17 in a folder that became read-only: the journal takes what comes; with rights it is completed."""
    thread, original = killed
    folder = tmp_path / "recordings"
    shutil.copytree(original, folder)
    (database,) = folder.glob("*.duckdb")
    begin_otherwise(database)
    folder.chmod(0o555)
    process = RecordProcess(thread.simulator, folder, hook=WITHOUT_POWERS)
    before = len(thread.simulator.ledger.connections)
    wait_until(lambda: len(thread.simulator.ledger.connections) > before, "a connection")
    acked(thread, 5)
    code = process.end(signal.SIGTERM)
    folder.chmod(0o755)
    assert "cannot be moved out of the way: Permission denied" in process.said, process.said
    assert "Traceback" not in process.said, process.said
    assert code == 3
    (report,) = RecordingsFolder(folder).heal()
    assert (report.sealed, report.rebuilt) == (True, True)
    assert lost_frames(thread.simulator.ledger.connections[-1], kept_of(folder)) == []


def test_of_two_recorders_that_start_at_once_one_records(tmp_path, simulator):
    """Row 18: the other says whose the folder is, and leaves everything alone."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    both = [RecordProcess(simulator.simulator, folder) for _ in range(2)]
    wait_until(lambda: sum(not process.process.is_alive() for process in both) == 1, "one to give up")
    second, first = sorted(both, key=lambda process: process.process.is_alive())
    assert second.end() == 3
    assert f"belongs to process {first.pid}" in second.said
    assert len(second.said.strip().splitlines()) == 2, second.said
    acked(simulator, 3)
    assert first.end(signal.SIGTERM) == 0, first.said
    assert len(list(folder.glob("*.duckdb"))) == 1
    assert not (found := verdict(simulator, folder)), found


def contend(folder, rounds, barrier, answers):
    """In one of two processes: want the folder and one recording's journal, again and again."""
    owner = RecordingsFolder(folder)
    journal = folder / "one.journal"
    for _ in range(rounds):
        barrier.wait(60)
        got = []
        try:
            owner.lock()
            got.append("folder")
        except RecordingBusy:
            pass
        try:
            claim = JournalClaim(journal)
            got.append("journal")
        except RecordingBusy:
            claim = None
        barrier.wait(60)
        if "folder" in got:
            owner.unlock()
        if claim is not None:
            claim.__exit__()
        answers.put(got)


def test_a_race_for_a_folder_and_for_a_recording_has_one_winner_each(tmp_path):
    """Row 18: never both, never neither, however often; `RACES=1000` is the long run."""
    (tmp_path / "one.journal").write_bytes(b"")
    barrier, answers = PROCESSES.Barrier(2), PROCESSES.Queue()
    both = [
        PROCESSES.Process(target=contend, args=(tmp_path, RACES, barrier, answers), daemon=True)
        for _ in range(2)
    ]
    began = time.monotonic()
    for process in both:
        process.start()
    won = [got for _ in range(2 * RACES) for got in answers.get(timeout=60)]
    assert (won.count("folder"), won.count("journal")) == (RACES, RACES)
    for process in both:
        process.join(10)
        assert process.exitcode == 0
    print(f"{RACES} races in {time.monotonic() - began:.1f} s")
