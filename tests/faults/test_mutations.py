"""
Frames of a busy room, damaged at random, through everything that meets them first.

20,000 mutations in the suite; ``MUTATIONS=1000000 pytest -s tests/faults/test_mutations.py``
runs as many as one likes (a million: 5 to 15 minutes) and prints what it found.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from random import Random

import psutil
import pytest

from toolkit.capture.options import KEPT_METHODS
from toolkit.model.event import Batch
from toolkit.model.frame import DecodedFrame, Frame, FrameKind
from toolkit.simulator.profile import profile_named
from toolkit.simulator.traffic import Traffic
from toolkit.store.sequencer import Sequencer
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_fetch_result, encode_push_frame, encode_stub

MUTATIONS = int(os.environ.get("MUTATIONS", "20000"))
SEED = int(os.environ.get("MUTATION_SEED", "1"))
STALL_S_MAX = 0.05
RSS_GROWTH_MAX = 64 << 20
FRAMES = 200
WARM_UP = 2_000
"""Mutations before memory is measured: pools and caches fill first."""
ROOM_ID = 7_500_000_000_000_000_001


def real_bodies() -> list[bytes]:
    """Return the fetch results of a busy room."""
    traffic = Traffic(profile_named("busy"), SEED, 1_790_000_000_000, room_id=ROOM_ID)
    bursts = (traffic.next_burst().messages for _ in range(2 * FRAMES))
    bodies = [encode_fetch_result(messages, cursor="c", internal_ext="e") for messages in bursts if messages]
    return bodies[:FRAMES]


def damaged(data: bytes, rng: Random) -> bytes:
    """Return the bytes with one to four damages: flipped bits, lost, doubled or invented stretches."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        length = rng.randint(1, 32)
        match rng.choice(("flip", "flip", "flip", "lose", "double", "invent", "cut")):
            case "flip" if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case "lose":
                del changed[at : at + length]
            case "double":
                changed[at:at] = changed[at : at + length]
            case "invent":
                changed[at : at + length] = rng.randbytes(length)
            case "cut" if rng.random() < 0.1:
                del changed[at:]
    return bytes(changed)


def mutated_frame(body: bytes, number: int, rng: Random) -> bytes:
    """Return a push frame, damaged before it was packed, after it, or both."""
    where = rng.choice(("inside", "inside", "outside", "both"))
    if where != "outside":
        body = damaged(body, rng)
    frame = encode_push_frame(body, seq_id=number, log_id=number, compress=rng.random() < 0.5)
    return frame if where == "inside" else damaged(frame, rng)


class Reader:
    """What a recorder does with a frame before and after the disk, timed."""

    def __init__(self) -> None:
        self.sequencer = Sequencer()
        self.outcomes: Counter[str] = Counter()
        self.worst_s = 0.0

    def take(self, data: bytes, number: int) -> None:
        """Decode, number and stub one frame, as recorder and TikTokLive would."""
        spent_s, decoded, batch = _read(self.sequencer, data, number)
        if spent_s >= STALL_S_MAX:
            # A frame that is slow is slow each time; a machine that was busy is not.
            spent_s = min(_read(Sequencer(), data, number)[0] for _ in range(3))
        self.worst_s = max(self.worst_s, spent_s)
        self.outcomes[_outcome(decoded)] += 1
        self.outcomes["messages"] += len(batch.messages)


def _read(sequencer: Sequencer, data: bytes, number: int) -> tuple[float, DecodedFrame, Batch]:
    started = time.thread_time()
    decoded = decode_frame(data)
    batch = sequencer.take(Frame(FrameKind.PUSH, data, 1, number, number), ROOM_ID, decoded)
    encode_stub(decoded, KEPT_METHODS)
    return time.thread_time() - started, decoded, batch


def _outcome(decoded: DecodedFrame) -> str:
    return decoded.quarantined[0].reason if decoded.quarantined else "read"


@pytest.mark.timeout(3600)
def test_no_mutation_raises_stalls_or_leaks():
    """Each damaged frame is read or quarantined: no exception, no 50 ms, no memory kept."""
    rng, bodies, reader = Random(f"mutations:{SEED}"), real_bodies(), Reader()
    for number, body in enumerate(bodies):
        reader.take(encode_push_frame(body, log_id=1), number)
    assert set(reader.outcomes) == {"read", "messages"}
    process = psutil.Process()
    started, before = time.monotonic(), 0
    for number in range(MUTATIONS):
        if number == WARM_UP:
            before = process.memory_info().rss
        data = mutated_frame(rng.choice(bodies), number, rng)
        try:
            reader.take(data, number)
        except Exception as error:
            raise AssertionError(f"MUTATION_SEED={SEED}, mutation {number}: {data.hex()}") from error
    grown = process.memory_info().rss - before
    print(f"\n{MUTATIONS} mutations in {time.monotonic() - started:.0f} s, {dict(reader.outcomes)}")
    print(f"worst {reader.worst_s * 1000:.1f} ms, memory {grown / 2**20:+.1f} MiB")
    assert reader.worst_s < STALL_S_MAX
    assert grown < RSS_GROWTH_MAX
