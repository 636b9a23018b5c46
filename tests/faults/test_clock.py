"""Clocks that are set while we record: durations, waits and gaps do not notice."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

import pytest

from tests.faults.scenario import finish, run
from tests.faults.studio import SPEED, Studio
from toolkit.clock import ManualClock, SystemClock
from toolkit.connect.backoff import BackoffPolicy
from toolkit.model.frame import FrameKind
from toolkit.simulator.server import Simulator
from toolkit.store.resuming import last_stretch
from toolkit.store.writer import RecordingWriter

HOUR_S = 3600
DOWN_S = 0.8
BEFORE_S = 6
"""How long before the hour that comes twice the machine has to have connected."""
POLICY = BackoffPolicy(base_s=0.4, ceiling_s=0.4, attempts_max=0)


class SetClock(SystemClock):
    """The machine's clock, which somebody sets."""

    ahead_us = 0

    def now_us(self) -> int:
        """Return the wall clock, as it was set."""
        return super().now_us() + self.ahead_us

    def set(self, seconds: float) -> None:
        """Set it by so much."""
        self.ahead_us += int(seconds * 1e6)


async def loses_the_connection(room, number):
    """Have an outage of which the length is known."""
    room.throw("server-down", seconds=DOWN_S)
    await room.until_connected(number)


def judge_times(room, gaps):
    """Hold what a recording says of time against what the test knows."""
    assert room.query("SELECT count(*) FROM segments WHERE ended_at < started_at") == [(0,)]
    durations = room.query("SELECT epoch(ended_at - started_at) FROM gaps")
    assert len(durations) == gaps
    # From the last frame before to the connection after: a burst and a dial more, on any machine.
    assert all(DOWN_S * 0.9 <= seconds <= DOWN_S + 20 for (seconds,) in durations), durations
    backwards = "SELECT count(*) FROM (SELECT received_at < lag(received_at) OVER (ORDER BY seq) AS back "
    assert room.query(backwards + "FROM messages) WHERE back") == [(0,)]
    waits_s = [n.data["wait_s"] for n in room.heard() if n.type == "tiktok:reconnection:started"]
    assert len(waits_s) == gaps
    assert all(0.36 <= wait_s <= 0.44 for wait_s in waits_s), waits_s
    figures = room.recorder.status()["stability"]
    assert 0 < figures["disconnected_s"] < gaps * (DOWN_S + 20)
    assert 0 < figures["connected_s"] < 120


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_a_clock_set_by_an_hour_changes_no_duration(tmp_path, seconds, caplog):
    """Row 13: set while connected and set back in a gap; gaps are as long as they were, waits as planned."""
    clock = SetClock()
    caplog.set_level(logging.WARNING, "toolkit.recorder")

    async def scenario():
        simulator = Simulator("typical", speed=SPEED)
        async with Studio(tmp_path, simulator, clock=clock, policy=POLICY) as room:
            await room.until_connected()
            clock.set(seconds)
            await room.fresh_message_passes()
            await loses_the_connection(room, 2)
            await room.fresh_message_passes()
            room.throw("server-down", seconds=DOWN_S)
            await room.until(lambda: not room.recorder.status()["connected"], "the loss to be noticed")
            clock.set(-seconds)
            await room.until_connected(3)
            await finish(room)
            judge_times(room, gaps=2)
            assert len(room.recordings()) == 1

    run(scenario)
    told = [record.getMessage() for record in caplog.records if "clock was set" in record.getMessage()]
    assert len(told) == 2, told


def test_the_end_of_summer_time_is_no_gap(tmp_path, monkeypatch):
    """Row 13: the hour that local clocks have twice is there once."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    clock = SetClock()
    twice = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    clock.set(twice.timestamp() - BEFORE_S - clock.now_us() / 1e6)

    async def scenario():
        simulator = Simulator("typical", speed=SPEED, clock=clock)
        async with Studio(tmp_path, simulator, clock=clock, policy=POLICY) as room:
            await room.until_connected()
            await loses_the_connection(room, 2)
            await room.until(lambda: clock.now_us() / 1e6 > twice.timestamp(), "the hour")
            await finish(room)
            judge_times(room, gaps=1)
            span = room.query("SELECT epoch(max(received_at)) - epoch(min(received_at)) FROM messages")
            assert 1 < span[0][0] < 120
            first = room.query("SELECT min(started_at)::VARCHAR FROM segments")[0][0]
            assert first.startswith("2026-10-25 00:59:5")

    try:
        run(scenario)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_a_recording_goes_on_with_its_own_clock_after_its_recorder_died(tmp_path, seconds):
    """Row 13: the clock was set, then it was killed; the same recording, and the gap is as long as it was."""
    simulator = Simulator("typical", speed=SPEED, room_id=7_000_001)

    async def scenario():
        killed = ManualClock(SystemClock().now_us() - int((seconds + DOWN_S) * 1e6))
        writer = RecordingWriter.create(tmp_path, "demo", clock=killed)
        writer.open_segment(7_000_001)
        writer.take(writer.write(FrameKind.PUSH, b""))
        writer.note({"clock_set_s": f"{seconds:.3f}"})
        writer.abandon()
        async with Studio(tmp_path, simulator, policy=POLICY) as room:
            await room.until_connected()
            await room.finish()
            assert room.outcome.recordings == (writer.id,)
            ((length_s,),) = room.query("SELECT epoch(ended_at - started_at) FROM gaps")
            assert DOWN_S <= length_s < DOWN_S + 30

    run(scenario)


def test_a_clock_that_is_set_is_noted_while_the_connection_stands(tmp_path):
    """Row 13: a recorder that is killed before the next connection leaves it to the one that takes over."""
    clock = SetClock()

    async def scenario():
        async with Studio(tmp_path, Simulator("typical", speed=SPEED), clock=clock, policy=POLICY) as room:
            await room.until_connected()
            clock.set(HOUR_S)
            (journal,) = tmp_path.glob("*.journal")
            await room.until(lambda: last_stretch(journal).clock_set_s, "the note")
            assert last_stretch(journal).clock_set_s == pytest.approx(HOUR_S, abs=1)

    run(scenario)
