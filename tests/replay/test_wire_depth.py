"""A recording served over real sockets to the real client: the same messages, the same gaps."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.faults.scenario import run
from tests.faults.studio import Studio, studio
from tests.waiting import Lateness
from toolkit.capture import tiktok_source
from toolkit.connect import watchdog
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.replay.workload import synthesise
from toolkit.simulator.fault_plan import parse_plan
from toolkit.simulator.playback import Playback
from toolkit.simulator.server import Simulator
from toolkit.store.folder import RecordingsFolder

CAUSES = ["network", "closed", "silence"]
GAP_SLACK_S = 1.0
"""What a recorder on a busy machine needs to connect."""


@pytest.fixture(scope="module", autouse=True)
def quick_watchdog():
    """Notice silence within two seconds instead of fifteen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "PING_S_MIN", 0.3)
        patch.setattr(watchdog, "PING_S_MAX", 0.3)
        patch.setattr(watchdog, "MARGIN_S", 0.7)
        patch.setattr(watchdog, "LOOK_S", 0.1)
        # Shorter than the margin: a machine that is busy for so long is not a silent server.
        patch.setattr(watchdog, "STALL_S", 0.5)
        patch.setattr(tiktok_source, "CLOSE_TIMEOUT_S", 0.3)
        yield


@pytest.fixture(scope="module")
def original(tmp_path_factory, quick_watchdog) -> Path:
    """A live with a reset, a close and a silence, recorded to its end."""
    folder = tmp_path_factory.mktemp("original")
    found: list[Path] = []

    async def scenario() -> None:
        async with studio(folder) as room:
            await room.until_connected()
            room.throw("reset")
            await room.until_connected(2)
            room.throw("close", code=1011)
            await room.until_connected(3)
            room.throw("half-open")
            await room.until_connected(4)
            await room.simulator.end_live()
            await ended(room)
            found.extend(room.recordings())

    run(scenario)
    return found[0]


async def ended(room: Studio) -> None:
    """Wait until recorder has seen the end of the live by itself."""
    await room.until(lambda: room.recorder.status()["state"] == "stopped", "the end of the live", 40)
    await room.finish()


def serve(folder: Path, playback: Playback) -> Studio:
    """Return a studio whose simulator plays a plan."""
    return Studio(folder, Simulator(playback=playback))


def messages(path: Path) -> list[tuple]:
    """Return what a recording holds, in order."""
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        return connection.execute(
            "SELECT room_id, method, msg_id, payload, is_history FROM messages ORDER BY seq"
        ).fetchall()


def gaps(path: Path) -> list[tuple[str, float]]:
    """Return cause and length in seconds of each gap."""
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        return connection.execute(
            "SELECT cause, epoch(ended_at - started_at) FROM gaps ORDER BY gap_id"
        ).fetchall()


def test_a_recording_served_over_the_wire_gives_the_same_recording(tmp_path, original):
    """Type, id, payload and order of every message; number, cause and length of the gaps."""

    async def scenario():
        async with serve(tmp_path, Playback(RecordingPlan(original))) as room:
            lateness = Lateness()
            await ended(room)
            slack_s = GAP_SLACK_S + lateness.stop()
            again = room.recordings()[0]
            assert messages(again) == messages(original)
            before, after = gaps(original), gaps(again)
            assert [cause for cause, _ in before] == [cause for cause, _ in after] == CAUSES
            for (_, was_s), (_, is_s) in zip(before, after, strict=True):
                assert was_s - 0.1 <= is_s <= was_s + slack_s
            assert RecordingsFolder(tmp_path).verify(again.stem).ok

    run(scenario)


def test_healed_gaps_leave_one_connection(tmp_path, original):
    """The same messages, one segment, no gap."""

    async def scenario():
        async with serve(tmp_path, Playback(RecordingPlan(original, heals_gaps=True), rate=2)) as room:
            await ended(room)
            again = room.recordings()[0]
            assert messages(again) == messages(original)
            assert gaps(again) == []
            assert room.query("SELECT count(*) FROM segments") == [(1,)]
            assert RecordingsFolder(tmp_path).verify(again.stem).ok

    run(scenario)


def test_faults_accompany_a_recording(tmp_path, original):
    """What the plan damages is missed, and the oracle knows of it; the rest is there once."""
    faults = parse_plan(
        {
            "fault": [
                {"frame": 2, "kind": "bad-gzip"},
                {"frame": 4, "kind": "duplicate"},
                {"frame": 6, "kind": "drop"},
            ]
        }
    )

    async def scenario():
        playback = Playback(RecordingPlan(original, heals_gaps=True))
        async with Studio(tmp_path, Simulator(playback=playback, plan=faults)) as room:
            await ended(room)
            assert [fault.kind for fault in room.simulator.faults.thrown] == ["bad-gzip", "duplicate", "drop"]
            assert not (found := room.judge().violations()), found
            assert len(messages(room.recordings()[0])) < len(messages(original))

    run(scenario)


def test_another_room_in_a_plan_is_another_live(tmp_path):
    """The recorder is hung up on, finds the new room, and records it for itself."""

    async def scenario():
        first, second = (synthesise("typical", seed, seconds=2.5) for seed in (1, 2))
        async with serve(tmp_path, Playback(_OneAfterTheOther(first, second))) as room:
            await ended(room)
            one, two = room.recordings()
            for path, plan in ((one, first), (two, second)):
                sent = [(m.method, m.msg_id, m.payload) for f in plan.frames() for m in f.messages]
                stored = [row[1:4] for row in messages(path) if row[1] != "WebcastControlMessage"]
                assert stored == sent

    run(scenario)


class _OneAfterTheOther:
    """Two lives on one timeline."""

    name = "two lives"
    breaks = ()

    def __init__(self, first, second) -> None:
        self._plans = (first, second)
        self.duration_s = first.duration_s + second.duration_s

    def frames(self, from_s: float = 0.0):
        """Yield the frames of the one, then of the other."""
        assert from_s == 0
        begins_s = 0.0
        for number, plan in enumerate(self._plans, 1):
            for frame in plan.frames():
                yield replace(frame, at_s=frame.at_s + begins_s, segment_id=number)
            begins_s += plan.duration_s
