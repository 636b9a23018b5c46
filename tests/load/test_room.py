"""A recording as a load: grown, over and over, dated today, over the wire and inside."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.simulator.raw_client import in_loop, raw_client, until
from toolkit.cli import main
from toolkit.load.room import RecordedRoom, plan_of, simulator_of
from toolkit.load.source import COMMENT
from toolkit.replay.clip import clipped
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.wire.rewrite import ends_live

SAMPLE = Path(__file__).parents[2] / "recordings" / "sample.duckdb"
DEADLINE_S = 30.0


def test_a_recorded_room_goes_on_where_its_live_ended():
    """Longer than the recording: nobody is told that it is over, and no message comes twice."""
    plan = plan_of(RecordedRoom(path=SAMPLE), 1, 300.0)
    messages = [message for frame in plan.frames() for message in frame.messages]
    assert plan.duration_s == 300 and not plan.breaks
    assert len(messages) > 1_824
    assert len({(message.method, message.msg_id) for message in messages}) == len(messages)
    assert not any(map(ends_live, messages))


def test_a_recorded_room_is_broadcast_as_much_larger_as_asked_for():
    """Each message knows when it was due; what is on the air is of today."""

    async def body() -> None:
        simulator = simulator_of(RecordedRoom(path=SAMPLE, comments_per_s=200.0), 1)
        await simulator.start()
        began_us = time.time_ns() // 1000
        client, reading = await raw_client(simulator)
        await until(lambda: sum(m.method == COMMENT for m in client.messages) > 300, "comments", DEADLINE_S)
        await simulator.end_live()
        await reading
        await simulator.stop()
        sent = list(simulator.ledger.sent)
        assert [s.msg_id for s in sent[: len(client.messages)]] == [m.msg_id for m in client.messages]
        assert all(began_us - 1_000_000 < s.due_at <= s.sent_at for s in sent)
        # Bursts are kept, and grow: what was 2.8 comments a second in the mean is 200.
        assert simulator.playback is not None
        once = clipped(RecordingPlan(SAMPLE), 0.0, simulator.playback.position_s + 0.001)
        was = sum(m.method == COMMENT for frame in once.frames() for m in frame.messages)
        assert sum(s.method == COMMENT for s in sent) == pytest.approx(was * 200 / 2.8, rel=0.1)

    in_loop(body)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--recording", "nothing"], 3, "nothing"),
        (["--recording", "sample", "--preset", "busy"], 2, "--preset: not with --recording"),
        (["--recording", "sample", "--others", "5"], 2, "--others: not with --recording"),
        (["--recording", "sample", "--rate", "5000", "--seed", "1", "--ladder", "1"], 2, "not allowed with"),
        (["--no-record"], 2, "choose --depth inside"),
        (["--record", "--depth", "inside"], 2, "choose --depth wire"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_anything_starts(arguments, code, sentence, capsys):
    """A sentence and an exit code."""
    try:
        assert main(["load-test", "--browsers", "0", *arguments]) == code
    except SystemExit as usage:
        assert usage.code == code
    assert sentence in capsys.readouterr().err
