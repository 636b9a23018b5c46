"""
Where a replay's frames go in: the place at which a live's frames are tapped.

Each is encoded as TikTok would push it and goes through the live's decoder. It
carries the plan's time, not the moment of sending, so that whatever depends on time
(which comments a connection repeats, when a gift's streak is over) comes out alike at
every speed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from toolkit.clock import Clock
from toolkit.model.event import Batch
from toolkit.model.frame import Frame, FrameKind
from toolkit.model.plan import PlannedFrame
from toolkit.model.recording import Cause
from toolkit.store.sealing import SealReport, remove_database
from toolkit.store.sequencer import Sequencer
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame

__all__ = ["LiveTap", "PlanClock", "ScratchTap", "Tap"]

_CAUSES = frozenset(str(cause) for cause in Cause)


class PlanClock:
    """The clock of a plan: both hands stand at the frame that is being played."""

    def __init__(self) -> None:
        self.begins_at = 0
        self._at_s = 0.0

    def begin(self, first: PlannedFrame) -> None:
        """Learn from the first frame which wall time the plan begins at."""
        self.begins_at = first.occurred_at - round(first.at_s * 1e6)

    def move_to(self, at_s: float) -> None:
        """Stand at a position."""
        self._at_s = at_s

    def now_us(self) -> int:
        """Return the wall clock, microseconds UTC."""
        return self.at(self._at_s)[0]

    def mono_ns(self) -> int:
        """Return nanoseconds since the plan began."""
        return self.at(self._at_s)[1]

    def at(self, at_s: float) -> tuple[int, int]:
        """Return both hands as they stand at a position."""
        return self.begins_at + round(at_s * 1e6), round(at_s * 1e9)


class Tap(Protocol):
    """
    Takes a plan's frames. For one thread.

    Attributes:
        clock: The plan's; moved by whoever plays.
        needs_all: Whether entering in the middle means to be fed all that came before.
    """

    clock: PlanClock
    needs_all: bool

    def prepare(self, planned: PlannedFrame) -> None:
        """Do before its time what can be done then; the next to be taken is this one, or none is."""
        ...

    def take(self, planned: PlannedFrame) -> Batch:
        """Take a frame and return what it means."""
        ...

    def lose(self, cause: str) -> None:
        """The connection is lost here."""
        ...

    def restart(self, frame_no: int = 1, seq: int = 1) -> None:
        """Forget everything; the next frame has these numbers."""
        ...


class LiveTap:
    """What dashboard and overlay see: decoded, stamped with the moment of sending, kept nowhere."""

    needs_all = False

    def __init__(self, clock: Clock) -> None:
        """
        Begin.

        Args:
            clock: What time it is for those who watch.
        """
        self.clock = PlanClock()
        self._sent_by = clock
        self._sequencer = Sequencer()
        self._ready: tuple[PlannedFrame, Batch] | None = None

    def prepare(self, planned: PlannedFrame) -> None:
        """Decode a frame: when it is due it needs to be stamped only."""
        if self._ready is None:
            now_us, mono_ns = self.clock.at(planned.at_s)
            frame = Frame(planned.kind, _encode(planned), planned.segment_id, now_us, mono_ns)
            self._ready = planned, self._sequencer.take(frame, planned.room_id)

    def take(self, planned: PlannedFrame) -> Batch:
        """Take a frame and return what it means."""
        self.prepare(planned)
        assert self._ready is not None and self._ready[0] is planned, "another one was prepared"
        batch, self._ready = self._ready[1], None
        sent_at = self._sent_by.now_us()
        for event in batch.events:
            event.received_at = sent_at
        return batch

    def lose(self, cause: str) -> None:
        """Nothing to do: nothing is kept."""

    def restart(self, frame_no: int = 1, seq: int = 1) -> None:
        """Forget everything; the next frame has these numbers."""
        self._sequencer = Sequencer(frame_no=frame_no, seq=seq)
        self._ready = None


class ScratchTap:
    """
    A recording of a replay, through the real writer: the same plan, the same tables.

    Attributes:
        writer: Where it is written to.
    """

    needs_all = True

    def __init__(self, folder: Path, name: str) -> None:
        """
        Begin with the first frame.

        Args:
            folder: Where to record; its owner holds the lock.
            name: The user it is recorded as.
        """
        self.clock = PlanClock()
        self.writer: RecordingWriter | None = None
        self._folder = folder
        self._name = name
        self._segment_id = 0

    def prepare(self, planned: PlannedFrame) -> None:
        """Nothing: what is written is written at its time."""

    def take(self, planned: PlannedFrame) -> Batch:
        """Write a frame and return what it means."""
        if self.writer is None:
            self.writer = RecordingWriter.create(
                self._folder, self._name, clock=self.clock, extra={"replay_of": self._name}
            )
        if planned.segment_id != self._segment_id:
            self.lose(Cause.INTERNAL)
            self._segment_id = planned.segment_id
            self.writer.open_segment(planned.room_id)
        return self.writer.take(self.writer.write(planned.kind, _encode(planned)))

    def lose(self, cause: str) -> None:
        """Close the segment."""
        if self.writer is not None:
            self.writer.close_segment(Cause(cause) if cause in _CAUSES else Cause.INTERNAL)

    def restart(self, frame_no: int = 1, seq: int = 1) -> None:
        """Throw away what was recorded. Everything is to come again, from the first frame on."""
        assert (frame_no, seq) == (1, 1), "a recording has no middle to begin in"
        self.discard()

    def seal(self) -> SealReport | None:
        """
        Complete the recording; None if there was not one frame. Blocks.

        Raises:
            RecordingError: It could not be sealed.
        """
        writer, self.writer = self.writer, None
        self._segment_id = 0
        return writer.seal() if writer is not None else None

    def discard(self) -> None:
        """Leave nothing behind. Harmless when repeated."""
        writer, self.writer = self.writer, None
        self._segment_id = 0
        if writer is not None:
            writer.abandon()
            remove_database(writer.path)
            writer.path.with_suffix(".journal").unlink(missing_ok=True)


def _encode(planned: PlannedFrame) -> bytes:
    if planned.data is not None:
        return planned.data
    payload = encode_fetch_result(planned.messages, cursor=planned.cursor)
    if planned.kind is FrameKind.FETCH:
        return payload
    if planned.payload_type != "msg":
        return encode_push_frame(b"", payload_type=planned.payload_type, compress=False)
    return encode_push_frame(payload, seq_id=planned.push_seq, log_id=planned.log_id, compress=False)
