"""
CPU per message: our decoder against TikTokLive's pipeline, on the same frames.

Where node is there, the npm package's decoder gets them too (:mod:`toolkit.bench.npm_rival`).
All get the same gzipped push frames of 25 messages of real sizes, in interleaved
rounds in one process, and do the same job: frame to typed events. What the
recorder does on top (number, deduplicate, make the stub that TikTokLive
acknowledges) has no rival and is shown by itself. A message that the npm package has no
schema for costs it nothing: its figure is per message that it could decode.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from TikTokLive import TikTokLiveClient
from TikTokLive.client.ws.ws_utils import extract_webcast_push_frame, extract_webcast_response_message
from TikTokLive.events.proto_events import EVENT_MAPPINGS

from toolkit.bench.machine import Figure
from toolkit.bench.npm_rival import PACKAGE, VERSION, RivalMissing, npm_rival
from toolkit.capture.options import KEPT_METHODS
from toolkit.model.frame import Frame, FrameKind, Message
from toolkit.simulator.profile import profile_named
from toolkit.simulator.traffic import Traffic
from toolkit.store.sequencer import Sequencer
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_fetch_result, encode_push_frame, encode_stub
from toolkit.wire.events import interpret

__all__ = ["measure", "measure_npm"]

FRAMES = 24
MESSAGES_PER_FRAME = 25
REPEATS = 10
"""Our side repeats, or a round would be too short for the clock."""
TARGET_RATIO = 60.0


def measure(rounds: int) -> Iterator[Figure]:
    """Yield CPU per message of both, and the ratio of the medians."""
    frames = _frames()
    messages = FRAMES * MESSAGES_PER_FRAME
    loop = asyncio.new_event_loop()
    client = TikTokLiveClient("bench")
    client.ignore_broken_payload = True
    # Warm both: first use builds schemas and caches.
    _ours(frames, 1)
    loop.run_until_complete(_theirs(client, frames))
    ours, theirs, taken = [], [], []
    for _ in range(rounds):
        ours.append(_cpu_us(lambda: _ours(frames, REPEATS)) / messages / REPEATS)
        theirs.append(_cpu_us(lambda: loop.run_until_complete(_theirs(client, frames))) / messages)
        taken.append(_cpu_us(lambda: _taken(frames, REPEATS)) / messages / REPEATS)
    loop.close()
    our_us, their_us = statistics.median(ours), statistics.median(theirs)
    yield Figure("decode: CPU per message, ours", our_us, "us", note="frame to typed events")
    yield Figure(
        "decode: CPU per message, TikTokLive", their_us, "us", note="frame to typed events, no listeners"
    )
    yield Figure(
        "decode: times less CPU", their_us / our_us, "x", TARGET_RATIO, note=f"medians of {rounds} rounds"
    )
    recorded_us = statistics.median(taken)
    yield Figure("decode: CPU per message, as recorded", recorded_us, "us", note="with numbers and the stub")


def measure_npm(rounds: int) -> Iterator[Figure]:
    """Yield CPU per message of the npm package, and the ratio to ours; nothing where it cannot be had."""
    frames = _frames()
    ours, theirs = [], []
    try:
        with npm_rival(frames) as rival:
            # A compiler that learns while it runs: it gets time to.
            rival.decode(REPEATS)
            _ours(frames, 1)
            for _ in range(rounds):
                ours.append(_cpu_us(lambda: _ours(frames, REPEATS)) / FRAMES / MESSAGES_PER_FRAME / REPEATS)
                cpu_us, decoded = rival.decode(REPEATS)
                theirs.append(cpu_us / decoded)
    except RivalMissing as missing:
        print(f"decode: no comparison with the npm package {PACKAGE}: {missing}", file=sys.stderr)
        return
    their_us = statistics.median(theirs)
    share = decoded / (FRAMES * MESSAGES_PER_FRAME * REPEATS)
    name = f"npm {PACKAGE}"
    note = f"version {VERSION}; {share:.0%} of the messages decoded"
    yield Figure(f"decode: CPU per message, {name}", their_us, "us", note=note)
    yield Figure(
        f"decode: times less CPU than {name}",
        their_us / statistics.median(ours),
        "x",
        note=f"medians of {rounds} rounds",
    )


def _cpu_us(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e6


def _frames() -> list[bytes]:
    """Return frames of messages that TikTokLive maps; unmapped ones would be free for it."""
    traffic = Traffic(profile_named("busy"), 1, 1_700_000_000_000)
    messages: list[Message] = []
    while len(messages) < FRAMES * MESSAGES_PER_FRAME:
        messages += [m for m in traffic.next_burst().messages if m.method in EVENT_MAPPINGS]
    return [
        encode_push_frame(
            encode_fetch_result(messages[start : start + MESSAGES_PER_FRAME], cursor="c"), log_id=start + 1
        )
        for start in range(0, FRAMES * MESSAGES_PER_FRAME, MESSAGES_PER_FRAME)
    ]


def _ours(frames: list[bytes], repeats: int) -> None:
    for _ in range(repeats):
        for data in frames:
            for message in decode_frame(data).messages:
                interpret(message, 1)


def _taken(frames: list[bytes], repeats: int) -> None:
    for _ in range(repeats):
        sequencer = Sequencer()
        for data in frames:
            decoded = decode_frame(data)
            sequencer.take(Frame(FrameKind.PUSH, data, 1, 1, 1), 1, decoded)
            encode_stub(decoded, KEPT_METHODS)


async def _theirs(client: Any, frames: list[bytes]) -> None:
    for data in frames:
        response = extract_webcast_response_message(extract_webcast_push_frame(data))
        async for event in client._parse_webcast_response(response):
            client.emit(event.get_type(), event)
