"""
What a recording adds up to: how its journal and its database are compared.

Two totals are equal exactly when the same frames brought the same messages in
the same order: counts of everything, and one hash over every message's bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from dataclasses import dataclass, field

from toolkit.model.event import Batch

__all__ = ["Totals"]

_MESSAGE = struct.Struct("<qqqqII?")


@dataclass
class Totals:
    """
    Running totals of batches, in order.

    Attributes:
        frames: Frames taken.
        messages: Messages kept.
        duplicates: Messages left out because they were here before.
        quarantined: What could not be read.
        counts: Events by kind.
    """

    frames: int = 0
    messages: int = 0
    duplicates: int = 0
    quarantined: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256, repr=False)

    def add(self, batch: Batch) -> None:
        """Take in the next batch, every byte of it."""
        self.count(batch)
        for m in batch.messages:
            raw = m.message
            self.add_content(
                m.seq, m.frame_no, m.segment_id, m.received_at, raw.method, raw.is_history, raw.payload
            )

    def count(self, batch: Batch) -> None:
        """Take in the next batch's numbers only, for totals that are shown and never compared."""
        self.frames += 1
        self.messages += len(batch.messages)
        self.duplicates += batch.duplicates
        self.quarantined += len(batch.quarantined)
        for event in batch.events:
            self.counts[event.kind] += 1

    def add_content(
        self,
        seq: int,
        frame_no: int,
        segment_id: int,
        received_at: int,
        method: str,
        is_history: bool,
        payload: bytes,
    ) -> None:
        """
        Take the next message into the hash.

        Only what no decoder can change is in it, so that a rebuild with a newer
        one keeps the hash.
        """
        name = method.encode("utf-8", "replace")
        head = _MESSAGE.pack(seq, frame_no, segment_id, received_at, len(name), len(payload), is_history)
        # One call: hashing is what this costs, and a call each would double it.
        self._hash.update(b"".join((head, name, payload)))

    @property
    def content_sha256(self) -> str:
        """Hash over every message so far, in order."""
        return self._hash.hexdigest()

    def differences(self, other: Totals) -> list[str]:
        """Return one sentence per difference; empty when both are the same recording."""
        found = [
            f"{name}: {getattr(self, name)} and {getattr(other, name)}"
            for name in ("frames", "messages", "duplicates", "quarantined", "content_sha256")
            if getattr(self, name) != getattr(other, name)
        ]
        kinds = sorted(self.counts.keys() | other.counts.keys())
        found += [
            f"{kind}: {self.counts[kind]} and {other.counts[kind]}"
            for kind in kinds
            if self.counts[kind] != other.counts[kind]
        ]
        return found
