"""What the benches work on: frames of a busy room, the same for every run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from toolkit.model.event import Batch
from toolkit.model.frame import Frame, FrameKind, Message
from toolkit.simulator.profile import profile_named
from toolkit.simulator.traffic import Traffic
from toolkit.store.sequencer import Sequencer
from toolkit.wire.encode import encode_fetch_result, encode_push_frame

__all__ = ["MESSAGES_PER_FRAME", "cpu_us", "new_batches", "new_frames"]

MESSAGES_PER_FRAME = 25
"""A busy room's usual burst."""
START_MS = 1_700_000_000_000
BURST_US = 750_000


def new_frames(
    number: int, *, profile: str = "comments-100", per_frame: int = MESSAGES_PER_FRAME
) -> list[Frame]:
    """Return frames as TikTok pushes them, gzipped, one every 0.75 s."""
    messages = _messages(profile)
    frames = []
    for n in range(number):
        part = [next(messages) for _ in range(per_frame)]
        data = encode_push_frame(encode_fetch_result(part, cursor="c"), log_id=n + 1)
        at = START_MS * 1000 + n * BURST_US
        frames.append(Frame(FrameKind.PUSH, data, 1, at, at * 1000))
    return frames


def new_batches(number: int, *, per_frame: int = MESSAGES_PER_FRAME) -> list[Batch]:
    """Return the same frames taken apart and numbered, as the recorder hands them on."""
    sequencer = Sequencer()
    return [sequencer.take(frame, 1) for frame in new_frames(number, per_frame=per_frame)]


def _messages(profile: str) -> Iterator[Message]:
    traffic = Traffic(profile_named(profile), 1, START_MS)
    while True:
        yield from traffic.next_burst().messages


def cpu_us(work: Callable[[], Any]) -> float:
    """Return the CPU time that ``work`` takes in this process, all threads, microseconds."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e6
