"""
Plays a sealed recording: its frames, at their times, through the live's decoder.

Open loop: each frame has one moment at which it is due, counted from the start.
A frame that is late is played at once and its lateness counted; nothing waits for
a slow reader, and nothing is skipped.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.bus.live_state import run_started
from toolkit.bus.memory import MemoryBus
from toolkit.clock import Clock
from toolkit.model.frame import Frame, FrameKind
from toolkit.store.reader import RecordedFrame, read_frames
from toolkit.store.sequencer import Sequencer
from toolkit.wire.encode import encode_fetch_result, encode_push_frame

__all__ = ["RATE_MAX", "Player", "Progress"]

log = logging.getLogger("toolkit.replay")

RATE_MAX = 1000.0
"""Fastest replay: an hour in under four seconds; beyond it the bus is what is measured."""
IDLE_MAX_S = 5.0
"""Longest silence that is played as it was. A night between two segments is not
what anybody rehearses; the gap itself stays visible in the recording."""
PROGRESS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a replay is.

    Attributes:
        recording: Id of the recording.
        state: ``playing``, ``finished`` or ``stopped``.
        rate: Speed; 1.0 is as it was.
        position_s: Seconds of the recording played.
        frames: Frames played.
        events: Events published.
        late_s_max: Largest lateness of a frame, seconds.
    """

    recording: str
    state: str
    rate: float
    position_s: float
    frames: int
    events: int
    late_s_max: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as the sockets and the API tell it."""
        return {
            "recording": self.recording,
            "state": self.state,
            "rate": self.rate,
            "position_s": round(self.position_s, 3),
            "frames": self.frames,
            "events": self.events,
            "late_s_max": round(self.late_s_max, 3),
        }


class Player:
    """
    One replay of one recording. Use a new one for each.

    :meth:`run` belongs to one loop; ``stop`` and ``progress`` to any thread.
    """

    def __init__(self, path: Path, *, bus: MemoryBus, clock: Clock, rate: float = 1.0) -> None:
        """
        Prepare.

        Args:
            path: A sealed recording.
            bus: Where its events are published, marked as a rehearsal.
            clock: When a frame is due.
            rate: Speed, above 0 and at most :data:`RATE_MAX`.
        """
        assert 0 < rate <= RATE_MAX, rate
        self.recording = path.stem
        self._path = path
        self._bus = bus
        self._clock = clock
        self._rate = rate
        self._state = "playing"
        self._position_s = 0.0
        self._frames = 0
        self._events = 0
        self._late_s_max = 0.0
        self._stopped = threading.Event()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop as soon as the running frame is out. Returns at once; harmless when repeated."""
        self._stopped.set()
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def progress(self) -> Progress:
        """Return how far it is."""
        return Progress(
            self.recording,
            self._state,
            self._rate,
            self._position_s,
            self._frames,
            self._events,
            self._late_s_max,
        )

    async def run(self) -> Progress:
        """
        Play to the end, or until stopped.

        Raises:
            RecordingError: The recording cannot be read.
        """
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        sequencer = Sequencer()
        self._bus.publish([run_started("rehearsal", "", self.recording)], rehearsal=True)
        log.info("rehearsal of %s begins at %gx", self.recording, self._rate)
        told_s = float("-inf")
        started_ns = self._clock.mono_ns()
        timeline = _Timeline()
        try:
            for recorded in read_frames(self._path):
                self._position_s = timeline.position_s(recorded)
                await self._until(started_ns, self._position_s / self._rate)
                if self._stopped.is_set():
                    break
                self._play(recorded, sequencer)
                elapsed_s = (self._clock.mono_ns() - started_ns) / 1e9
                if elapsed_s - told_s >= PROGRESS_EVERY_S:
                    told_s = elapsed_s
                    self._tell()
        finally:
            self._state = "stopped" if self._stopped.is_set() else "finished"
            self._tell()
            self._bus.publish([run_started("none", "", "")], rehearsal=True)
            log.info("rehearsal of %s %s after %d frames", self.recording, self._state, self._frames)
        return self.progress()

    def _play(self, recorded: RecordedFrame, sequencer: Sequencer) -> None:
        """Rebuild the frame and send it the way a live frame goes."""
        frame = Frame(
            recorded.kind,
            _encode(recorded),
            recorded.segment_id,
            self._clock.now_us(),
            self._clock.mono_ns(),
        )
        batch = sequencer.take(frame, recorded.room_id)
        self._frames += 1
        self._events += len(batch.events)
        if batch.events:
            self._bus.publish([(event.kind, event) for event in batch.events], rehearsal=True)

    async def _until(self, started_ns: int, due_s: float) -> None:
        """Wait for a moment, or for a stop."""
        assert self._wake is not None
        wait_s = due_s - (self._clock.mono_ns() - started_ns) / 1e9
        self._late_s_max = max(self._late_s_max, -wait_s)
        # Yields even when late: a replay that cannot keep up must not starve the loop.
        try:
            async with asyncio.timeout(max(wait_s, 0)):
                await self._wake.wait()
        except TimeoutError:
            return

    def _tell(self) -> None:
        self._bus.publish([("replay", self.progress().as_dict())], rehearsal=True)


class _Timeline:
    """Seconds since the first frame, with long silences shortened."""

    def __init__(self) -> None:
        self._previous: RecordedFrame | None = None
        self._position_s = 0.0

    def position_s(self, recorded: RecordedFrame) -> float:
        previous, self._previous = self._previous, recorded
        if previous is not None:
            # Monotonic time cannot be compared across segments: the process may
            # have been another one, on another boot.
            if previous.segment_id == recorded.segment_id:
                passed_s = (recorded.received_mono_ns - previous.received_mono_ns) / 1e9
            else:
                passed_s = (recorded.received_at - previous.received_at) / 1e6
            self._position_s += min(max(passed_s, 0.0), IDLE_MAX_S)
        return self._position_s


def _encode(recorded: RecordedFrame) -> bytes:
    payload = encode_fetch_result(recorded.messages, cursor=recorded.cursor)
    if recorded.kind is FrameKind.FETCH:
        return payload
    if recorded.payload_type != "msg":
        return encode_push_frame(b"", payload_type=recorded.payload_type, compress=False)
    return encode_push_frame(payload, seq_id=recorded.push_seq, log_id=recorded.log_id, compress=False)
