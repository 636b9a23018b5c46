"""
Numbers messages in the order they arrive and drops the ones already seen.

Deterministic: the same frames give the same numbers. So the live projection, the
healing of a killed recording and a rebuild with a newer decoder all agree.
"""

from __future__ import annotations

from toolkit.ledger.replayed import ReplayMarker
from toolkit.model.event import Batch, StoredMessage
from toolkit.model.frame import DecodedFrame, Frame
from toolkit.wire.decode import decode_frame
from toolkit.wire.events import interpret

__all__ = ["Sequencer"]

_GENERATION_IDS_MAX = 250_000
"""Ids remembered per generation; two are kept. TikTok replays minutes, not hours."""


class Sequencer:
    """
    Frames in, numbered batches out.

    One per recording. Not thread-safe: the thread that journals also sequences.
    """

    def __init__(self, *, keep_all: bool = False, frame_no: int = 1, seq: int = 1) -> None:
        """
        Start at the beginning, or where a replay begins.

        Args:
            keep_all: The frames come from a recording, where duplicates were
                dropped already: number every message as it was numbered then.
            frame_no: Number of the first frame.
            seq: Number of the first message.
        """
        self._keep_all = keep_all
        self._replays = ReplayMarker()
        self._next_seq = seq
        self._next_frame = frame_no
        # Two generations bound the memory: ids older than both are forgotten.
        self._seen: set[tuple[int, str, int]] = set()
        self._seen_before: set[tuple[int, str, int]] = set()

    def take(self, frame: Frame, room_id: int, decoded: DecodedFrame | None = None) -> Batch:
        """
        Take a frame apart, number what is new.

        Args:
            frame: The next frame, in the order of the journal.
            room_id: The room its segment is connected to.
            decoded: The frame taken apart already, if the caller had to.
        """
        decoded = decoded or decode_frame(frame.data, frame.kind)
        batch = Batch(
            self._next_frame,
            frame.segment_id,
            frame.received_at,
            frame.received_mono_ns,
            int(frame.kind),
            decoded.payload_type,
            decoded.push_seq,
            decoded.log_id,
            decoded.cursor,
            len(frame.data),
            quarantined=decoded.quarantined,
        )
        self._next_frame += 1
        for message in decoded.messages:
            found = interpret(message, frame.received_at)
            room = found.room_id or room_id
            # Some messages share one id across rooms, so the room is part of the key.
            if found.msg_id and not self._keep_all and not self._is_new((room, message.method, found.msg_id)):
                batch.duplicates += 1
                continue
            batch.messages.append(
                StoredMessage(
                    self._next_seq,
                    batch.frame_no,
                    frame.segment_id,
                    room,
                    found.msg_id,
                    found.occurred_at,
                    frame.received_at,
                    message,
                )
            )
            if found.event is not None:
                found.event.seq = self._next_seq
                batch.events.append(found.event)
            if found.quarantined is not None:
                batch.quarantined.append(found.quarantined)
            self._next_seq += 1
        self._replays.mark(batch)
        return batch

    def _is_new(self, key: tuple[int, str, int]) -> bool:
        if key in self._seen or key in self._seen_before:
            return False
        if len(self._seen) >= _GENERATION_IDS_MAX:
            self._seen_before, self._seen = self._seen, set()
        self._seen.add(key)
        return True
