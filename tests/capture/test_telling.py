"""What the operator is told while it is recorded: gaps, kinds that stop, how steady it was."""

import asyncio
import json
import shutil
import signal
import time

import pytest

from tests.faults.process import RecordProcess
from tests.faults.scenario import finish, run
from tests.faults.studio import SPEED, Studio, studio
from tests.waiting import wait_until
from toolkit.bus.live_state import LiveState
from toolkit.capture import recorder
from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.kind_silence import SilenceLimits
from toolkit.simulator.server import Simulator, SimulatorThread
from toolkit.store.folder import RecordingsFolder
from toolkit.store.journal import JournalReader, RecordType
from toolkit.store.writer import RecordingWriter

NEVER = BackoffPolicy(base_s=600, ceiling_s=600)
SHORT = SilenceLimits(silence_s=1.0, expected=3, seen=10, others=5)


@pytest.fixture
def short_memory(monkeypatch):
    """Count kinds by the half second: those of the ten seconds in which a silence begins prove nothing."""
    monkeypatch.setattr("toolkit.connect.kind_silence.BUCKET_S", 0.5)


def gaps(room):
    """Return the gaps announced so far, oldest word first."""
    return [notice.data for notice in room.heard() if notice.type == "gap"]


def info_of(room):
    """Return what `info --json` says of the only recording."""
    return RecordingsFolder(room.folder).info(room.outcome.recordings[0])


def test_a_gap_is_announced_when_it_opens_and_when_it_closes_with_the_figures_of_info(tmp_path):
    """Before the reconnection is; the last word about it is what the recording says in the end."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected(frames=5)
            room.throw("page-status", status=500, count=1, where="all")
            room.throw("drop")
            await room.until_connected(2, frames=5)
            await room.finish()
            (said,) = info_of(room)["gaps"]
            opened, *later = gaps(room)
            assert opened["recording"] == room.outcome.recordings[0]
            assert (opened["state"], opened["ended_at"], opened["cause"]) == ("open", None, "network")
            assert {missed["quality"] for missed in opened["missed"].values()} == {"lost"}
            assert {word["state"] for word in later} == {"closed"}
            assert {key: later[-1][key] for key in said} == said
            assert later[0]["started_at"] == opened["started_at"]
            # One look failed before the one that led to the connection.
            assert said["attempts"] == 2
            order = [n.type for n in room.heard() if n.type == "gap" or n.type.startswith("tiktok:")]
            assert order[:2] == ["gap", "tiktok:reconnection:started"]

    run(scenario)


def test_stopping_without_a_connection_closes_the_last_gap_as_lost(tmp_path):
    """It ends when the recorder stopped waiting, for the bus as for the file."""

    async def scenario():
        async with studio(tmp_path, policy=NEVER) as room:
            figures = LiveState(room._bus)
            await room.until_connected()
            room.throw("drop")
            await room.until(lambda: room.recorder.status()["state"] == "reconnecting", "the loss")
            assert [gap["state"] for gap in figures.snapshot(0).gaps] == ["open"]
            await asyncio.sleep(0.2)
            await room.finish()
            (said,) = info_of(room)["gaps"]
            assert said["ended_at"] > said["started_at"]
            assert said["missed"]["comment"] == {"estimate": None, "low": 0, "high": None, "quality": "lost"}
            (shown,) = figures.snapshot(0).gaps
            assert {key: shown[key] for key in said} == said
            assert info_of(room)["ended_at"] == said["ended_at"]

    run(scenario)


def test_giving_up_closes_the_last_gap_as_lost(tmp_path):
    """All attempts are used: the operator is asked, and the recording ends in a gap."""

    async def scenario():
        few = BackoffPolicy(base_s=0.05, ceiling_s=0.1, attempts_max=2)
        async with studio(tmp_path, policy=few) as room:
            await room.until_connected()
            room.throw("page-status", status=500, count=0, where="all")
            room.throw("drop")
            await room.until(lambda: room.recorder.status()["state"] == "needs_operator", "giving up")
            await room.finish()
            (said,) = info_of(room)["gaps"]
            assert said["ended_at"] is not None
            assert {missed["quality"] for missed in said["missed"].values()} == {"lost"}
            assert gaps(room)[-1]["state"] == "closed"

    run(scenario)


@pytest.mark.usefixtures("short_memory")
def test_a_kind_that_stops_is_told_and_told_again_when_it_is_back(tmp_path):
    """TikTok sends everything but comments: a sentence with the figures, then the end of it."""

    async def scenario():
        async with Studio(tmp_path, Simulator("typical", speed=SPEED), silence_limits=SHORT) as room:
            await room.until_connected()

            def told():
                warnings = [n.data for n in room.heard() if n.type == "warning"]
                return [data for data in warnings if data["kind"] == "comment"]

            await room.until(lambda: sum(n.type == "comment" for n in room.heard()) > 20, "comments")
            room.throw("joins-only")
            await room.until(told, "a word about the comments")
            status = room.recorder.status()
            assert status["degraded"]
            assert "comment" in [warning["kind"] for warning in status["warnings"]]
            (warning,) = told()
            assert warning["silent_s"] >= 1
            assert warning["normal_per_minute"] > 60
            assert f"normal is {warning['normal_per_minute']:.0f} per minute" in warning["text"]
            room.simulator.faults.clear()
            await room.until(lambda: len(told()) == 2, "that they are back")
            assert told()[-1] == {"kind": "comment", "over": True}
            kinds = [warning["kind"] for warning in room.recorder.status()["warnings"]]
            assert "comment" not in kinds

    run(scenario)


@pytest.mark.usefixtures("short_memory")
def test_a_lost_connection_ends_the_warnings(tmp_path):
    """While nothing is connected nothing is expected: the gap tells what it costs."""

    async def scenario():
        simulator = Simulator("typical", speed=SPEED)
        async with Studio(tmp_path, simulator, silence_limits=SHORT, policy=NEVER) as room:
            await room.until(lambda: sum(n.type == "comment" for n in room.heard()) > 20, "comments")
            room.throw("joins-only")
            await room.until(lambda: room.recorder.status()["warnings"], "a warning")
            room.throw("drop")
            await room.until(lambda: room.recorder.status()["state"] == "reconnecting", "the loss")
            await room.until(lambda: not room.recorder.status()["warnings"], "the end of the warnings")

    run(scenario)


def saved(folder):
    """Return the newest figures of stability in the journal of a folder, written by another process."""
    found = {}
    for journal in folder.glob("*.journal"):
        notes = [json.loads(r.payload) for r in JournalReader(journal) if r.type == RecordType.NOTE]
        found = next((json.loads(n["stability"]) for n in reversed(notes) if "stability" in n), {})
    return found


def test_a_recorder_that_takes_over_goes_on_with_the_figures(tmp_path):
    """One outage and a kill -9: the second recorder knows of both, and of the time before."""
    folder = tmp_path / "recordings"
    thread = SimulatorThread(Simulator("typical", speed=SPEED, user="demo"))
    with thread as simulator:
        first = RecordProcess(simulator, folder)
        wait_until(lambda: saved(folder).get("is_connected"), "the first connection")
        thread.call(simulator.drop_connections)
        wait_until(
            lambda: saved(folder).get("reconnects") == 1 and saved(folder)["is_connected"], "the second one"
        )
        first.end(signal.SIGKILL)
        before = saved(folder)
        second = RecordProcess(simulator, folder, "--seconds", "4")
        assert second.end() == 0, second.said
    (recording,) = folder.glob("*.duckdb")
    info = RecordingsFolder(folder).info(recording.stem)
    assert [gap["cause"] for gap in info["gaps"]] == ["network", "process_died"]
    after = info["stability"]
    assert (after["outages"], after["reconnects"]) == (2, 2)
    assert after["connected_s"] > before["connected_s"] + 1
    assert after["disconnected_s"] > before["disconnected_s"]
    assert after["detect_s_max"] >= round(before["detect_s_max"], 3)
    assert after["success_rate"] == 1.0


def test_a_fault_in_what_is_told_of_a_gap_costs_no_connection(tmp_path, monkeypatch, caplog):
    """The loss is acted upon and the recording goes on; the log has the fault."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected(frames=5)
            monkeypatch.setattr(RecordingWriter, "gaps", lambda writer, **newest: 1 / 0)
            room.throw("drop")
            await room.until_connected(2, frames=5)
            await finish(room)

    run(scenario)
    assert "what the gaps cost could not be told" in caplog.text


def deleted(folder):
    """Delete the folder with everything in it."""
    shutil.rmtree(folder)


def renamed(folder):
    """Move the folder out of the way."""
    folder.rename(folder.with_name("elsewhere"))


def unlinked(folder):
    """Delete the journal alone."""
    (journal,) = folder.glob("*.journal")
    journal.unlink()


@pytest.mark.parametrize("harm", [deleted, renamed, unlinked], ids=lambda harm: harm.__name__)
def test_what_is_moved_or_deleted_while_it_is_recorded_is_written_again(tmp_path, harm):
    """Soon, in full, with a sentence; the oracle finds every acknowledged message."""

    async def scenario():
        folder = tmp_path / "recordings"
        folder.mkdir()
        async with studio(folder) as room:
            await room.until_connected(frames=5)
            harm(folder)
            harmed_at = time.monotonic()
            await room.until(lambda: list(folder.glob("*.journal")), "the journal to be back")
            assert time.monotonic() - harmed_at < 10
            await room.until(lambda: room.recorder.status()["warnings"], "a sentence")
            (warning,) = room.recorder.status()["warnings"]
            assert warning in [notice.data for notice in room.heard() if notice.type == "warning"]
            assert "was moved or deleted while it was recorded" in warning["text"]
            await finish(room)
            assert len(room.simulator.ledger.connections) == 1

    run(scenario)


def test_what_cannot_be_written_again_is_not_acknowledged_any_more(tmp_path, monkeypatch):
    """A file sits where the folder was: the connection ends with a sentence; cleared, it goes on."""

    async def scenario():
        folder = tmp_path / "recordings"
        folder.mkdir()
        monkeypatch.setattr(recorder, "DISK_RETRY_S", 0.5)
        async with studio(folder) as room:
            await room.until_connected(frames=5)
            deleted(folder)
            folder.write_text("in the way")
            await room.until(lambda: room.recorder.status()["state"] == "reconnecting", "the end of it")
            status = room.recorder.status()
            assert "cannot be written again" in status["detail"]
            assert "cannot be written again" in room.recorder.writer.counts().write_error
            folder.unlink()
            await room.until(lambda: room.recorder.status()["connected"], "the connection")
            assert room.recorder.writer.counts().write_error == ""
            await finish(room)

    run(scenario)
