"""Frames too large to be kept, on a real WebSocket: read past, hashed, and never in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
import warnings

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.legacy.client import connect
from websockets.legacy.server import serve

from toolkit.capture import tapped
from toolkit.capture.outcomes import classify
from toolkit.capture.tapped import SKIPPED_BYTES_MAX, Skipped, TappedProtocol
from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause
from toolkit.wire.decode import decode_frame
from toolkit.wire.inflate import FRAME_BYTES_MAX

SMALL = b"a frame like any other"
LARGE = os.urandom(1 << 20) * 5
LIMIT_S = 30
FRAGMENTS = 1 << 15
"""More parts than a message may have."""


def received(send, **options):
    """
    Return what a tapped client makes of what a server sends, and what ended it.

    Args:
        send: Coroutine of the server's connection.
        options: Of the client.
    """
    warnings.simplefilter("ignore", DeprecationWarning)
    taken, ended = [], []

    async def scenario():
        async def answer(socket, path=None):
            await send(socket)

        async with serve(answer, "127.0.0.1", 0, max_size=None) as server:
            port = server.sockets[0].getsockname()[1]

            def protocol(*args, **kwargs):
                made = TappedProtocol(*args, **kwargs)
                made.on_frame = lambda data: taken.append(data) or [data]
                return made

            url = f"ws://127.0.0.1:{port}/"
            limits = {"max_size": FRAME_BYTES_MAX, "close_timeout": 1}
            async with connect(url, create_protocol=protocol, **limits, **options) as client:
                try:
                    while True:
                        await client.recv()
                except ConnectionClosed as error:
                    ended.append(error)

    asyncio.run(asyncio.wait_for(scenario(), LIMIT_S))
    return taken, ended[0]


def skipped(data):
    """Return what is told of a frame that was not kept."""
    assert isinstance(data, Skipped)
    (told,) = decode_frame(bytes(data), FrameKind.SKIPPED).quarantined
    return told


def test_a_large_frame_between_small_ones_costs_only_itself():
    """Its size and hash are those of all that was sent; what follows it is read."""

    async def send(socket):
        for data in (SMALL, LARGE, SMALL):
            await socket.send(data)

    taken, ended = received(send, compression=None)
    assert [taken[0], taken[2]] == [SMALL, SMALL]
    told = skipped(taken[1])
    assert (told.reason, told.size, told.sha256) == (
        "oversize",
        len(LARGE),
        hashlib.sha256(LARGE).hexdigest(),
    )
    assert ended.code == 1000


def test_a_frame_at_the_limit_is_kept():
    """The limit itself is no offence, one byte more is."""

    async def send(socket):
        await socket.send(LARGE[:FRAME_BYTES_MAX])
        await socket.send(LARGE[: FRAME_BYTES_MAX + 1])

    taken, _ = received(send, compression=None)
    assert taken[0] == LARGE[:FRAME_BYTES_MAX]
    assert skipped(taken[1]).size == FRAME_BYTES_MAX + 1


def test_a_claim_beyond_all_measure_ends_the_connection():
    """Eight exabytes are not waited for."""

    async def send(socket):
        head = struct.pack("!BBQ", 0x82, 127, (1 << 63) - 1)
        socket.transport.write(head)
        for _ in range(20):
            socket.transport.write(bytes(1 << 20))
            await asyncio.sleep(0)
        await socket.wait_closed()

    taken, ended = received(send, compression=None)
    told = skipped(taken[0])
    assert told.size == SKIPPED_BYTES_MAX
    assert told.sha256 == hashlib.sha256(bytes(SKIPPED_BYTES_MAX)).hexdigest()
    assert "9223372036854775807 bytes" in told.detail
    down = classify(ended, "demo", 0)
    assert (down.cause, down.is_unusable) == (Cause.UNREADABLE, True)


@pytest.mark.parametrize(
    "parts", [[LARGE[: 3 << 20], LARGE[3 << 20 :]], [b"x"] * FRAGMENTS], ids=["two", "many"]
)
def test_a_message_in_parts_that_grows_too_large_ends_the_connection(parts):
    """Where it would end nobody knows: few large parts, or many small ones."""

    async def send(socket):
        async def stream():
            for part in parts:
                yield part

        await socket.send(SMALL)
        await socket.send(stream())
        await socket.wait_closed()

    taken, ended = received(send, compression=None)
    assert taken[0] == SMALL
    told = skipped(taken[1])
    whole = b"".join(parts)
    assert told.sha256 == hashlib.sha256(whole[: told.size]).hexdigest()
    assert classify(ended, "demo", 0).cause is Cause.UNREADABLE


def test_a_compressed_bomb_ends_the_connection():
    """What inflates the next frame is out of step: hashed as it came, and hung up on."""

    async def send(socket):
        await socket.send(bytes(64 << 20))
        await socket.wait_closed()

    taken, ended = received(send)
    told = skipped(taken[0])
    assert 0 < told.size < 1 << 20
    assert classify(ended, "demo", 0).cause is Cause.UNREADABLE


def test_a_frame_that_breaks_off_is_told_as_far_as_it_came():
    """The connection is gone, and the hash is that of what there was."""

    async def send(socket):
        socket.transport.write(struct.pack("!BBQ", 0x82, 127, 6 << 20) + LARGE[: 1 << 20])
        await asyncio.sleep(0.1)
        socket.transport.abort()

    taken, ended = received(send, compression=None)
    told = skipped(taken[0])
    assert told.size <= 1 << 20
    assert told.sha256 == hashlib.sha256(LARGE[: told.size]).hexdigest()
    assert ended.code == 1006


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b"\xff", b'{"received": -1, "claimed": 2, "sha256": ""}']
)
def test_what_is_told_of_a_frame_may_be_damaged_itself(data):
    """A journal whose bytes changed still says that a frame was too large."""
    (told,) = decode_frame(data, FrameKind.SKIPPED).quarantined
    assert (told.reason, told.size) == ("oversize", len(data))


def test_while_frames_wait_the_next_are_read_and_then_all_are_given_in_order(monkeypatch):
    """The server is not held up, what it sends meanwhile is seen, and a look sets all of them free."""
    warnings.simplefilter("ignore", DeprecationWarning)
    monkeypatch.setattr(tapped, "LOOK_S", 0.02)
    taken, looks = [], []

    def on_frame(data):
        taken.append(data)
        return [data] if len(taken) == 1 else []

    def on_look():
        # Room comes back some time after the last frame has come.
        looks.append(len(taken))
        return taken[1:] if looks.count(5) == 3 else []

    async def scenario():
        async def answer(socket, path=None):
            for number in range(5):
                await socket.send(b"%d" % number)
            await socket.recv()

        def protocol(*args, **kwargs):
            made = TappedProtocol(*args, **kwargs)
            made.on_frame, made.on_look = on_frame, on_look
            return made

        async with serve(answer, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async with connect(url, create_protocol=protocol, close_timeout=1) as client:
                read = [await client.recv()]
                assert read == [b"0"]
                assert looks.count(5) < 3, "while the others still wait"
                read += [await client.recv() for _ in range(4)]
                assert read == taken == [b"0", b"1", b"2", b"3", b"4"]
                told = len(looks)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.recv(), 0.1)
                assert len(looks) == told, "nothing waits, and nobody looks"
                await client.send(b"done")

    asyncio.run(asyncio.wait_for(scenario(), LIMIT_S))
