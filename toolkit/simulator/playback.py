"""
A plan on the air: what was recorded or made up goes over the wire at its times.

Open loop: every frame has its moment, and a slow machine or client makes it late,
which is counted, never slower. Two things make the plan's clock wait, unless it is
told not to: its beginning and each new connection in it (after a break, in another
room) wait for a viewer, because what a recording holds came in while somebody was
connected. A break ends the connections in the way that fits its cause, and nothing
listens until it is nearly over.

Frames are read and encoded in a thread, some of them ahead, so that the moment of
sending depends on the clock alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.model.frame import FrameKind, Message
from toolkit.model.plan import Break, Plan, PlannedFrame
from toolkit.model.recording import Cause
from toolkit.simulator.broadcast import MESSAGES_PER_FRAME_MAX, Lateness, encode_body
from toolkit.simulator.damage import Cut
from toolkit.simulator.faults import Fault

if TYPE_CHECKING:
    from toolkit.simulator.server import Simulator

__all__ = ["RATE_MAX", "Playback", "look_until"]

RATE_MAX = 1000.0
"""Fastest: an hour in under four seconds; beyond it the sockets are what is measured."""
AHEAD_FRAMES_MAX = 32
AHEAD_MESSAGES_MAX = 4_000
"""Read and encoded at a time, 25 s of a live, 3 s of a huge one: about 12 MB, twice that in memory."""
LOOK_S = 0.02
"""Between two looks at what sockets and viewers do."""
LEAD_S = 3.0
"""A recorder tries every 2 s whether the network is back. The port is open so much earlier
than the break is over, and who comes meanwhile waits for the end of the handshake: the
next connection then stands when it stood in the original, not up to 2 s later."""
SETTLE_S = 1.0
"""Longest wait for the last acknowledgements before a break; a client need not send any."""

_CLOSE_CODE = 1011
_CUTS: dict[str, Cut | None] = {Cause.CLOSED: Cut(_CLOSE_CODE), Cause.SILENCE: None}
"""How connections end, by a break's cause; None keeps the socket and does nothing with it."""
_RESET = Cut(resets=True)
"""For every other cause: whether a network or a recorder died, TCP is what ended."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A frame, or a part of one too large for a push, with its bytes made."""

    frame: PlannedFrame
    messages: list[Message]
    body: bytes

    @property
    def stamp_ms(self) -> int:
        """When it was pushed first, milliseconds UTC."""
        return self.frame.occurred_at // 1000


class Playback:
    """
    One plan, broadcast once by one simulator, in its loop.

    Attributes:
        plan: What is played.
        rate: Speed; 2 is twice as fast.
        position_s: How far it is, seconds on the plan's timeline.
        waited_s: How long it waited for viewers, seconds of real time.
        is_waiting: It waits for one now.
        lateness: How well it keeps its times.
    """

    def __init__(self, plan: Plan, *, rate: float = 1.0, waits: bool = True) -> None:
        """
        Args:
            plan: What to play.
            rate: Speed, above 0 and at most :data:`RATE_MAX`.
            waits: Whether its clock stands still where a viewer has to come first.
        """
        assert 0 < rate <= RATE_MAX, rate
        self.plan = plan
        self.rate = rate
        self.position_s = 0.0
        self.waited_s = 0.0
        self.is_waiting = False
        self.lateness = Lateness()
        self._waits = waits
        self._ahead: _ReadAhead | None = None
        self._start_s = 0.0
        self._faults: deque[tuple[float, Fault]] = deque()

    async def open(self, simulator: Simulator) -> None:
        """
        Open the first room. Call it once, before :meth:`run`.

        Raises:
            RecordingError: What is played cannot be read.
        """
        self._ahead = _ReadAhead(self.plan)
        first = await self._ahead.peek()
        self._open_room(simulator, first)
        self._faults = deque(simulator.faults.plan.timed())
        while self._faults and self._faults[0][0] == 0:
            # The answers to whoever comes first are theirs already.
            simulator.throw(self._faults.popleft()[1])
        self.is_waiting = self._waits

    async def run(self, simulator: Simulator) -> None:
        """Play to the end, then end the live."""
        assert self._ahead is not None, "open() comes first"
        breaks = deque(self.plan.breaks)
        previous: PlannedFrame | None = None
        try:
            if self._waits:
                await self._wait_for_viewer(simulator)
                # What is played as if it happened now asks what time that is.
                await self._ahead.close()
                self._ahead = _ReadAhead(self.plan)
                await self._ahead.peek()
            self._start_s = asyncio.get_running_loop().time()
            while (prepared := await self._ahead.take()) is not None:
                frame = prepared.frame
                is_new = False
                while breaks and _comes_first(breaks[0], frame, previous):
                    await self._be_away(simulator, breaks.popleft())
                    is_new = True
                if previous is not None and frame.room_id != previous.room_id:
                    await self._change_room(simulator, prepared)
                    is_new = True
                if is_new and self._waits:
                    await self._wait_for_viewer(simulator)
                    self._stand_still(frame.at_s)
                if not await self._send(simulator, prepared):
                    return
                previous = frame
            for rest in breaks:
                await self._be_away(simulator, rest)
            await self._until(simulator, self.plan.duration_s)
            simulator.broadcast.end()
        finally:
            self.is_waiting = False
            await self._ahead.close()

    def state(self) -> dict[str, Any]:
        """Return where it stands, as JSON."""
        return {
            "plan": self.plan.name,
            "rate": self.rate,
            "position_s": round(self.position_s, 3),
            "waited_s": round(self.waited_s, 3),
            "is_waiting": self.is_waiting,
        }

    async def _send(self, simulator: Simulator, prepared: _Prepared) -> bool:
        """Send a frame at its time; False if the live is over."""
        due_s = await self._until(simulator, prepared.frame.at_s)
        if not simulator.broadcast.is_live:
            return False
        if prepared.messages:
            late_s = max(asyncio.get_running_loop().time() - due_s, 0.0)
            self.lateness.note(late_s * 1000)
            due_at = simulator.now_us() - round(late_s * 1e6)
            simulator.broadcast.stamp_ms = prepared.stamp_ms
            simulator.broadcast.send_body(prepared.messages, prepared.body, due_at)
        return True

    async def _until(self, simulator: Simulator, at_s: float) -> float:
        """Wait for a moment of the plan, let happen what goes wrong before it; return when it was due."""
        while self._faults and self._faults[0][0] <= at_s:
            fault_at_s, fault = self._faults.popleft()
            await self._sleep_until(fault_at_s)
            simulator.throw(fault)
        return await self._sleep_until(at_s)

    async def _sleep_until(self, at_s: float) -> float:
        loop = asyncio.get_running_loop()
        due_s = self._start_s + at_s / self.rate
        # Gives way even when late: whoever reads the frames lives in this loop too.
        await asyncio.sleep(max(due_s - loop.time(), 0))
        self.position_s = max(self.position_s, at_s)
        return due_s

    async def _wait_for_viewer(self, simulator: Simulator) -> None:
        loop = asyncio.get_running_loop()
        since_s = loop.time()
        self.is_waiting = True
        # Asked each time: the room he comes into may change meanwhile.
        await look_until(lambda: simulator.broadcast.is_watched or not simulator.broadcast.is_live)
        self.is_waiting = False
        self.waited_s += loop.time() - since_s

    def _stand_still(self, at_s: float) -> None:
        """Have ``at_s`` be now, if it is past: the wait was nobody's lateness."""
        late_s = asyncio.get_running_loop().time() - (self._start_s + at_s / self.rate)
        self._start_s += max(late_s, 0.0)

    async def _be_away(self, simulator: Simulator, gap: Break) -> None:
        """End the connections, have nothing listen, and let the next one stand when the break is over."""
        await self._until(simulator, gap.from_s)
        await self._settle(simulator)
        simulator.gate.clear()
        await simulator.hang_up(_CUTS.get(gap.cause, _RESET))
        try:
            await self._until(simulator, max(gap.until_s - LEAD_S * self.rate, gap.from_s))
            simulator.listen()
            await self._until(simulator, gap.until_s)
        finally:
            simulator.listen()
            simulator.gate.set()

    async def _settle(self, simulator: Simulator) -> None:
        """Let what was sent arrive: a reset throws away what its reader has not read yet."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await look_until(lambda: not simulator.unacknowledged())

    async def _change_room(self, simulator: Simulator, prepared: _Prepared) -> None:
        await self._until(simulator, prepared.frame.at_s)
        await self._settle(simulator)
        simulator.broadcast.vanish()
        simulator.cut_connections(Cut())
        self._open_room(simulator, prepared)

    def _open_room(self, simulator: Simulator, prepared: _Prepared | None) -> None:
        if prepared is None:
            simulator.open_room()
            return
        simulator.open_room(prepared.frame.room_id, prepared.stamp_ms)
        simulator.broadcast.stamp_ms = prepared.stamp_ms


async def look_until(condition: Callable[[], bool]) -> None:
    """Return when a condition holds."""
    while not condition():  # noqa: ASYNC110  # what is looked for is a state of many sockets
        await asyncio.sleep(LOOK_S)


def _comes_first(gap: Break, frame: PlannedFrame, previous: PlannedFrame | None) -> bool:
    """Return whether a break comes before a frame: its edges are frames themselves."""
    if frame.at_s != gap.from_s:
        return frame.at_s > gap.from_s
    return previous is None or frame.segment_id != previous.segment_id


class _ReadAhead:
    """Reads and encodes the frames of a plan, some of them ahead, in a thread."""

    def __init__(self, plan: Plan) -> None:
        self._source = _prepared(plan.frames())
        self._ready: deque[_Prepared] = deque()
        self._reading: asyncio.Task[list[_Prepared]] | None = None
        self._is_at_end = False
        self._read_more()

    async def peek(self) -> _Prepared | None:
        """Return the next frame and keep it; None at the end."""
        if not self._ready and self._reading is not None:
            read = await self._reading
            self._reading = None
            self._is_at_end = not read
            self._ready.extend(read)
            self._read_more()
        return self._ready[0] if self._ready else None

    async def take(self) -> _Prepared | None:
        """Return the next frame; None at the end."""
        return self._ready.popleft() if await self.peek() is not None else None

    async def close(self) -> None:
        """Let go of what is read. The thread has ended by then."""
        if self._reading is not None:
            # A thread cannot be cancelled, and a generator that runs cannot be closed.
            await asyncio.wait([self._reading])
        self._source.close()

    def _read_more(self) -> None:
        if not self._is_at_end:
            self._reading = asyncio.create_task(asyncio.to_thread(self._read), name="read ahead")

    def _read(self) -> list[_Prepared]:
        """Return the next frames; none at the end."""
        found: list[_Prepared] = []
        messages = 0
        while len(found) < AHEAD_FRAMES_MAX and messages < AHEAD_MESSAGES_MAX:
            prepared = next(self._source, None)
            if prepared is None:
                break
            found.append(prepared)
            messages += len(prepared.messages)
        return found


def _prepared(frames: Iterator[PlannedFrame]) -> Generator[_Prepared, None, None]:
    number = 0
    for frame in frames:
        # What the socket says by itself, such as answers to heartbeats, is the socket's.
        if frame.payload_type != "msg" or frame.kind not in (FrameKind.PUSH, FrameKind.FETCH):
            continue
        messages = list(frame.messages)
        for start in range(0, len(messages) or 1, MESSAGES_PER_FRAME_MAX):
            part = messages[start : start + MESSAGES_PER_FRAME_MAX]
            number += 1
            yield _Prepared(frame, part, encode_body(part, number, frame.occurred_at // 1000))
