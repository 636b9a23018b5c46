"""A host whose live TikTok called ended, and who is back minutes later: same room or another."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scenario import run
from tests.faults.studio import SPEED, Studio
from toolkit.model.recording import Cause
from toolkit.simulator.server import Simulator
from toolkit.store.folder import RecordingsFolder
from toolkit.store.summary import info_lines


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.connect.supervisor.LOOK_EVERY_S", 0.2)


def waiting_studio(folder: Path) -> Studio:
    """Return a studio whose recorder waits for the next live, as a server may."""
    return Studio(folder, Simulator("typical", speed=SPEED), keep_waiting=True)


async def over(room: Studio, *, in_order: bool) -> None:
    """End the live: announced, or found out after a drop."""
    if in_order:
        await room.simulator.end_live()
    else:
        room.throw("end-unnoticed", hangs_up="yes")
    await room.until(lambda: room.recorder.status()["state"] == "waiting", "the end of the live")


def notices(room: Studio, kind: str) -> list[Any]:
    """Return what the bus said of a kind."""
    return [notice.data for notice in room.heard() if notice.type == kind]


def journals(folder: Path) -> list[Path]:
    """Return the journals of recordings that are not sealed."""
    return list(folder.glob("*.journal"))


@pytest.mark.parametrize("in_order", [True, False], ids=["announced", "found out"])
def test_who_is_back_in_the_same_room_goes_on_with_the_recording(tmp_path: Path, in_order: bool) -> None:
    """One file; its gap says that TikTok called the live ended; nothing that was acknowledged is missing."""

    async def scenario() -> None:
        async with waiting_studio(tmp_path) as room:
            await room.until_connected(frames=5)
            recording = room.recorder.status()["recording"]
            await over(room, in_order=in_order)
            # Over for all to see, and still open.
            status = room.recorder.status()
            assert (status["cause"], status["recording"], room.recorder.writer) == ("live_ended", None, None)
            info = RecordingsFolder(tmp_path).info(recording)
            assert (info["state"], info["ended_at"] is None) == ("live", False)
            assert info_lines(info)[0].startswith(f"{recording}: called ended, open for some minutes")
            room.simulator.go_live(room.simulator.room_id)
            await room.until_connected(2, frames=5)
            assert room.recorder.status()["recording"] == recording
            info = RecordingsFolder(tmp_path).info(recording)
            assert info["ended_at"] is None
            assert info_lines(info)[0].startswith(f"{recording}: live, ")
            await room.fresh_message_passes()
            outcome = await room.finish()
            assert (outcome.cause, outcome.recordings) == (Cause.STOPPED, (recording,))
            info = RecordingsFolder(tmp_path).info(recording)
            assert [segment["cause"] for segment in info["segments"]] == ["live_ended", "stopped"]
            (gap,) = info["gaps"]
            assert gap["cause"] == "live_ended"
            assert gap["started_at"] < gap["ended_at"] == info["segments"][1]["started_at"]
            assert notices(room, "gap")[-1] == {"recording": recording, "state": "closed", **gap}
            assert [run["recording"] for run in notices(room, "run")] == [recording], "its figures go on"
            said = [notice["state"] for notice in notices(room, "recording")]
            assert said == ["ended", "sealing", "sealed"]
            assert not (found := room.judge().violations()), found

    run(scenario)


def test_another_room_completes_the_recording_at_once(tmp_path: Path) -> None:
    """It is another live: two files, neither with a gap."""

    async def scenario() -> None:
        async with waiting_studio(tmp_path) as room:
            await room.until_connected(frames=5)
            await over(room, in_order=True)
            assert journals(tmp_path)
            room.simulator.go_live()
            await room.until_connected(2, frames=5)
            await room.until(lambda: len(journals(tmp_path)) == 1, "the first to be sealed")
            await room.finish()
            folder = RecordingsFolder(tmp_path)
            first, second = (folder.info(recording) for recording in room.outcome.recordings)
            assert [segment["cause"] for segment in first["segments"]] == ["live_ended"]
            assert [segment["cause"] for segment in second["segments"]] == ["stopped"]
            assert first["gaps"] == second["gaps"] == []
            assert not (found := room.judge().violations()), found

    run(scenario)


def test_a_stop_while_the_host_is_awaited_completes_the_recording(tmp_path: Path) -> None:
    """Its end is the end of the live, not the stop."""

    async def scenario() -> None:
        async with waiting_studio(tmp_path) as room:
            await room.until_connected(frames=5)
            await over(room, in_order=True)
            (journal,) = journals(tmp_path)
            before = RecordingsFolder(tmp_path).info(journal.stem)
            await asyncio.sleep(0.3)
            outcome = await room.finish()
            assert (outcome.cause, outcome.unsealed) == (Cause.STOPPED, ())
            info = RecordingsFolder(tmp_path).info(journal.stem)
            assert (info["state"], info["ended_at"]) == ("sealed", before["ended_at"])
            assert [segment["cause"] for segment in info["segments"]] == ["live_ended"]

    run(scenario)


def test_who_comes_back_too_late_begins_another_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same room, after the time was over: the first recording is complete and stays so."""
    monkeypatch.setattr("toolkit.connect.supervisor.RETURN_WITHIN_S", 0.3)

    async def scenario() -> None:
        async with waiting_studio(tmp_path) as room:
            await room.until_connected(frames=5)
            await over(room, in_order=True)
            await room.until(lambda: not journals(tmp_path), "the recording to be complete")
            room.simulator.go_live(room.simulator.room_id)
            await room.until_connected(2, frames=5)
            outcome = await room.finish()
            assert len(outcome.recordings) == 2
            assert not (found := room.judge().violations()), found

    run(scenario)
