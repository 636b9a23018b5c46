"""A plan on the air: what is played arrives, at its times, and breaks where it broke."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.simulator.raw_client import digests, in_loop, raw_client, until
from tests.waiting import Lateness
from toolkit.errors import RecordingError
from toolkit.model.frame import FrameKind, Message
from toolkit.model.plan import Break, PlannedFrame
from toolkit.simulator import playback as playback_module
from toolkit.simulator.fault_plan import FaultPlan, parse_plan
from toolkit.simulator.playback import Playback
from toolkit.simulator.profile import PRESETS
from toolkit.simulator.server import Simulator
from toolkit.simulator.traffic import Traffic

ROOM = 7_500_000_000_000_000_001
START_US = 1_750_000_000_000_000


@dataclass
class Scripted:
    """A plan that a test wrote."""

    script: Sequence[PlannedFrame]
    breaks: Sequence[Break] = ()
    name: str = "scripted"
    duration_s: float = 0.0

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        """Yield the frames."""
        yield from (frame for frame in self.script if frame.at_s >= from_s)


def script(count: int, every_s: float = 0.5, *, room_id: int = ROOM, seed: int = 1) -> list[PlannedFrame]:
    """Return frames of a typical room at even moments."""
    traffic = Traffic(PRESETS["typical"], seed, START_US // 1000, room_id=room_id)
    return [
        PlannedFrame(
            number * every_s,
            START_US + round(number * every_s * 1e6),
            FrameKind.PUSH,
            "msg",
            traffic.next_burst().messages,
            room_id,
            1,
        )
        for number in range(count)
    ]


def said(frames: Sequence[PlannedFrame]) -> list[Message]:
    """Return the messages of frames, in order."""
    return [message for frame in frames for message in frame.messages]


def test_every_message_of_a_plan_arrives_unchanged_and_the_live_ends_with_it():
    """Frame by frame; nothing is sent before somebody watches; the end is announced behind it."""

    async def body():
        frames = script(12)
        simulator = Simulator(playback=Playback(Scripted(frames), rate=20))
        await simulator.start()
        assert simulator.room_id == ROOM
        await asyncio.sleep(0.3)
        assert simulator.state()["is_waiting"] and simulator.ledger.total == 0
        client, read = await raw_client(simulator)
        await simulator.wait_ended()
        await read
        *played, end = client.messages
        assert digests(played) == digests(said(frames))
        assert [len(f.messages) for f in client.frames[:-1]] == [
            len(f.messages) for f in frames if f.messages
        ]
        assert end.method == "WebcastControlMessage"
        assert not simulator.state()["is_live"] and simulator.state()["waited_s"] >= 0.3
        await simulator.stop()

    in_loop(body)


def test_an_end_that_was_recorded_is_not_announced_twice():
    """The plan's own last words are the last."""

    async def body():
        traffic = Traffic(PRESETS["typical"], 1, START_US // 1000, room_id=ROOM)
        end = PlannedFrame(
            2.0, START_US, FrameKind.PUSH, "msg", [traffic.control(3, START_US // 1000)], ROOM, 1
        )
        frames = [*script(4), end]
        simulator = Simulator(playback=Playback(Scripted(frames), rate=20))
        await simulator.start()
        client, read = await raw_client(simulator)
        await simulator.wait_ended()
        await read
        assert digests(client.messages) == digests(said(frames))
        await simulator.stop()

    in_loop(body)


@pytest.mark.parametrize("rate", [1.0, 4.0])
def test_frames_go_out_at_their_times(rate):
    """Open loop: half a second apart in the plan, divided by the rate; nothing adds up."""

    async def body():
        simulator = Simulator(playback=Playback(Scripted(script(6)), rate=rate))
        await simulator.start()
        lateness = Lateness()
        _, read = await raw_client(simulator)
        await read
        slack_s = 0.1 + lateness.stop()
        (connection,) = simulator.ledger.connections
        sent_at = [frame.sent_at for frame in connection.frames.values()][:6]
        for number, at in enumerate(sent_at):
            assert (at - sent_at[0]) / 1e6 == pytest.approx(number * 0.5 / rate, abs=slack_s)
        assert simulator.state()["bursts"] == 6
        await simulator.stop()

    in_loop(body)


def test_a_machine_that_is_late_says_so_and_leaves_nothing_out():
    """A loop that stands still for half a second: late frames are counted, sent at once, in order."""

    async def body():
        frames = script(20, 0.05)
        simulator = Simulator(playback=Playback(Scripted(frames)))
        await simulator.start()
        client, read = await raw_client(simulator)
        await until(lambda: len(client.frames) >= 3, "the first frames")
        time.sleep(0.5)  # noqa: ASYNC251  # the stall
        await read
        assert digests(client.messages[:-1]) == digests(said(frames))
        state = simulator.state()
        assert state["bursts_late"] >= 5 and state["worst_late_ms"] >= 300
        await simulator.stop()

    in_loop(body)


def test_a_strict_clock_waits_for_nobody():
    """The show goes on: who comes late has missed what was before."""

    async def body():
        frames = script(8, 0.1)
        simulator = Simulator(playback=Playback(Scripted(frames), waits=False))
        await simulator.start()
        await until(lambda: simulator.ledger.total > 0, "the first burst")
        client, read = await raw_client(simulator)
        await read
        assert simulator.state()["waited_s"] == 0
        fresh = [m for m in client.messages if not m.is_history]
        assert 0 < len(fresh) < len(said(frames))
        await simulator.stop()

    in_loop(body)


def test_nothing_listens_in_a_break_and_the_next_connection_stands_at_its_end(monkeypatch):
    """The port is refused, then opens early; the handshake is answered when the break is over."""
    monkeypatch.setattr(playback_module, "LEAD_S", 0.4)

    async def body():
        before, after = script(3), script(3, seed=2)
        moved = [
            PlannedFrame(f.at_s + 2.5, f.occurred_at, f.kind, f.payload_type, f.messages, ROOM, 2)
            for f in after
        ]
        plan = Scripted([*before, *moved], [Break(1.1, 2.5, "network")])
        simulator = Simulator(playback=Playback(plan))
        await simulator.start()
        loop, lateness = asyncio.get_running_loop(), Lateness()
        client, read = await raw_client(simulator)
        begun_s = loop.time()
        await read
        assert digests(client.messages) == digests(said(before))
        assert 1.0 <= loop.time() - begun_s <= 1.6 + lateness.total_s
        with pytest.raises(OSError):
            await raw_client(simulator)

        async def is_open() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
            except OSError:
                return False
            writer.close()
            return True

        while not await is_open():  # noqa: ASYNC110  # a port says nothing when it opens
            await asyncio.sleep(0.02)
        assert loop.time() - begun_s < 2.4 + lateness.total_s
        again, read = await raw_client(simulator)
        assert 2.4 <= loop.time() - begun_s <= 3.0 + lateness.stop()
        await read
        fresh = [m for m in again.messages[:-1] if not m.is_history]
        assert digests(fresh) == digests(said(moved))
        assert [m.method for m in again.messages if m.is_history] == ["WebcastChatMessage"] * 6
        await simulator.stop()

    in_loop(body)


FAULTS = {
    "seed": 3,
    "fault": [
        {"frame": 2, "kind": "duplicate", "copies": 3},
        {"frame": 4, "kind": "mutated", "flips": 20},
        {"frame": 5, "kind": "reorder"},
        {"frame": 8, "kind": "truncated"},
        {"frame": 9, "kind": "bad-gzip"},
    ],
}


async def bytes_of_a_run(faults: FaultPlan) -> str:
    """Return a digest of every byte a client got."""
    simulator = Simulator(playback=Playback(Scripted(script(12, 0.1)), rate=10), plan=faults)
    await simulator.start()
    client, read = await raw_client(simulator, expects_damage=True)
    await read
    await simulator.stop()
    digest = hashlib.sha256()
    for data in client.raw:
        digest.update(data.encode() if isinstance(data, str) else data)
    return digest.hexdigest()


def test_the_same_faults_and_the_same_seed_give_the_same_bytes():
    """To the last one; another seed flips other bits."""

    async def body():
        plan = parse_plan(FAULTS)
        first, second = await bytes_of_a_run(plan), await bytes_of_a_run(plan)
        other = await bytes_of_a_run(parse_plan({**FAULTS, "seed": 4}))
        assert first == second != other

    in_loop(body)


def test_faults_happen_at_the_times_of_the_plan():
    """A close at 1 s of the plan comes a tenth of a second after its beginning at ten times the speed."""

    async def body():
        plan = parse_plan({"fault": [{"at_s": 1.0, "kind": "close", "code": 4000}]})
        simulator = Simulator(playback=Playback(Scripted(script(9)), rate=10), plan=plan)
        await simulator.start()
        await asyncio.sleep(0.3)
        assert simulator.faults.thrown == []
        client, read = await raw_client(simulator)
        await read
        assert client.socket.close_code == 4000
        assert len(client.frames) in (2, 3)
        await simulator.stop()

    in_loop(body)


def test_a_plan_that_cannot_be_read_ends_the_start_with_its_sentence():
    """Before anybody connects."""

    class Damaged(Scripted):
        def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
            raise RecordingError("the file is damaged")
            yield

    async def body():
        simulator = Simulator(playback=Playback(Damaged([])))
        with pytest.raises(RecordingError, match="damaged"):
            await simulator.start()
        await simulator.stop()

    in_loop(body)


def test_an_empty_plan_is_a_live_without_a_word():
    """It ends at once."""

    async def body():
        simulator = Simulator(playback=Playback(Scripted([]), waits=False))
        await simulator.start()
        await simulator.wait_ended()
        assert not simulator.state()["is_live"]
        await simulator.stop()

    in_loop(body)
