"""
Taking frames in: a frame is journaled, told to the bus, and then acknowledged.

While the disk is full, frames are kept in memory, in order, and none of them is
acknowledged. As soon as there is room they are written, and only then acknowledged,
late. Whether TikTok minds is not known; should it hang up, what is kept is written all
the same before the end of the connected stretch, and nothing is worse than without
waiting. Only when the memory set aside for it is full too, the connection is given up.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from typing import Any

from toolkit.bus.memory import MemoryBus
from toolkit.capture.account import ConnectionAccount
from toolkit.capture.kind_watch import KindWatch
from toolkit.capture.options import KEPT_METHODS
from toolkit.clock import Clock
from toolkit.errors import DiskFull
from toolkit.model.event import Control
from toolkit.model.frame import Frame, FrameKind
from toolkit.store.writer import RecordingWriter
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_stub

__all__ = ["Intake"]

log = logging.getLogger("toolkit.recorder")

HELD_BYTES_MAX = 32 * 1024 * 1024
"""Five minutes of a busy room: ten frames of 9 KB a second."""
RETRY_EVERY_S = 1.0
FRAME_OVERHEAD_BYTES = 512
"""What a frame takes in memory besides its bytes: many empty ones are not free."""
_ENDED, _SUSPENDED = 3, 4


class Intake:
    """
    Takes in the frames of one recorder. Belongs to the recorder's loop.

    Attributes:
        live_ended: TikTok has said that the live is over; whoever connects resets it.
    """

    def __init__(self, bus: MemoryBus, clock: Clock, kinds: KindWatch, account: ConnectionAccount) -> None:
        self.live_ended = False
        self._bus = bus
        self._clock = clock
        self._kinds = kinds
        self._account = account
        self._held: deque[Frame] = deque()
        self._held_bytes = 0
        self._retry_at_s = 0.0
        self._told = 0

    @property
    def held(self) -> int:
        """Frames that wait for room on the disk."""
        return len(self._held)

    def warnings(self) -> list[dict[str, Any]]:
        """Return what is to be read about it while frames wait."""
        if not self._held:
            return []
        text = (
            f"The disk is full: {len(self._held)} frames ({self._held_bytes / 1e6:.1f} MB of at most "
            f"{HELD_BYTES_MAX / 1e6:.0f}) are held in memory, unacknowledged, until there is room. "
            "Free space on the disk of the recordings folder."
        )
        return [{"kind": "disk", "text": text}]

    def has_news(self) -> bool:
        """Return whether the number of frames that wait is another one than when last asked."""
        told, self._told = self._told, len(self._held)
        return told != self._told

    def take(self, writer: RecordingWriter, kind: FrameKind, data: bytes) -> list[bytes]:
        """
        Take a frame in.

        Returns:
            What TikTokLive may acknowledge by now, in order.

        Raises:
            DiskFull: And the memory set aside for that is full, too.
            JournalNotWritten: It cannot be written for another reason.
        """
        frame = writer.stamped(kind, data)
        self._account.heard(frame.received_mono_ns)
        if self._held:
            self._hold(frame)
            return self.look(writer)
        try:
            return self._pass_on(writer, frame)
        except DiskFull as error:
            self._hold(frame)
            log.error("%s. %s", error, error.hint)
            self._retry_at_s = self._now_s() + RETRY_EVERY_S
            return []

    def look(self, writer: RecordingWriter) -> list[bytes]:
        """Try again to write what waits, if it is time to; return what may be acknowledged then."""
        if self._now_s() < self._retry_at_s:
            return []
        readable: list[bytes] = []
        self._retry_at_s = self._now_s() + RETRY_EVERY_S
        with contextlib.suppress(DiskFull):
            self._write_held(writer, readable)
        return readable

    def flush(self, writer: RecordingWriter | None) -> None:
        """
        Write what waits, for nobody to acknowledge: its connection is gone.

        Raises:
            JournalNotWritten: There still is no room. What was not written waits on.
        """
        if writer is not None:
            self._write_held(writer, [])

    def drop(self) -> None:
        """Give up what waits. It was not acknowledged, and is a part of the gap."""
        if self._held:
            log.error("%d frames that were held in memory could not be written any more", len(self._held))
        self._held.clear()
        self._held_bytes = 0

    def _write_held(self, writer: RecordingWriter, readable: list[bytes]) -> None:
        if not self._held:
            return
        waited = len(self._held)
        while self._held:
            readable.extend(self._pass_on(writer, self._held[0]))
            self._held_bytes -= _size(self._held.popleft())
        log.warning("there is room on the disk again: %d frames that waited are written", waited)

    def _hold(self, frame: Frame) -> None:
        if self._held_bytes + _size(frame) > HELD_BYTES_MAX:
            raise DiskFull(
                f"the disk is full, and so is the memory for what comes meanwhile ({len(self._held)} frames)",
                hint="Free space on the disk of the recordings folder; recording goes on by itself.",
            )
        self._held.append(frame)
        self._held_bytes += _size(frame)

    def _pass_on(self, writer: RecordingWriter, frame: Frame) -> list[bytes]:
        writer.write_stamped(frame)
        # The frame is in the journal now. Only from here on may the stub, and with it
        # the acknowledgement, go out.
        decoded = decode_frame(frame.data, frame.kind)
        batch = writer.take(frame, decoded)
        if batch.events:
            self._bus.publish([(event.kind, event) for event in batch.events])
            for event in batch.events:
                if isinstance(event, Control) and event.action in (_ENDED, _SUSPENDED):
                    self.live_ended = True
            self._kinds.take([event.kind for event in batch.events], self._now_s())
        # What opened the connection is not TikTokLive's to acknowledge.
        return [] if frame.kind is FrameKind.FETCH else [encode_stub(decoded, KEPT_METHODS)]

    def _now_s(self) -> float:
        return self._clock.mono_ns() / 1e9


def _size(frame: Frame) -> int:
    return len(frame.data) + FRAME_OVERHEAD_BYTES
