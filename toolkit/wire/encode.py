"""
The other direction: messages to frames.

Three users: the simulator speaks TikTok's side, the replay turns a sealed
recording back into frames, and capture hands TikTokLive a stub of each frame so
that it acknowledges what we have already journaled.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from toolkit.errors import FrameError
from toolkit.model.frame import DecodedFrame, Message
from toolkit.wire.inflate import inflate, walk
from toolkit.wire.schema import DecodeError, message_class

__all__ = ["FetchStub", "encode_fetch_result", "encode_fetch_stub", "encode_push_frame", "encode_stub"]

_GZIP_WBITS = 31
_GZIP_LEVEL = 1
"""Frames are small and made in bulk: level 1 is 4x faster and 10 % larger."""


def encode_fetch_result(
    messages: Iterable[Message],
    *,
    cursor: str,
    internal_ext: str = "",
    need_ack: bool = True,
    is_first: bool = False,
    push_server: str = "",
    route_params: Mapping[str, str] | None = None,
    now_ms: int = 0,
) -> bytes:
    """Return the protobuf bytes of a fetch result: the inside of a ``msg`` frame."""
    result = message_class("ProtoMessageFetchResult")(
        cursor=cursor,
        internal_ext=internal_ext,
        need_ack=need_ack,
        is_first=is_first,
        push_server=push_server,
        route_params=dict(route_params or {}),
        now=now_ms,
        fetch_interval=1000,
        heartbeat_duration=15_000,
    )
    for message in messages:
        result.messages.add(
            method=message.method,
            payload=message.payload,
            msg_id=message.msg_id,
            is_history=message.is_history,
        )
    return bytes(result.SerializeToString())


def encode_push_frame(
    payload: bytes,
    *,
    payload_type: str = "msg",
    seq_id: int = 0,
    log_id: int = 0,
    compress: bool = True,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """
    Return the bytes of one WebSocket message.

    Args:
        payload: The fetch result, or the body of a heartbeat or acknowledgement.
        payload_type: ``msg``, ``hb``, ``ack``, ``im_enter_room_resp``.
        seq_id: TikTok's count of frames on this connection.
        log_id: What the acknowledgement will name.
        compress: Gzip the payload and say so in the headers, as TikTok does.
        headers: Further headers.
    """
    all_headers = dict(headers or {})
    if compress:
        deflate = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
        payload = deflate.compress(payload) + deflate.flush()
        all_headers["compress_type"] = "gzip"
    frame = message_class("WebcastPushFrame")(
        seq_id=seq_id,
        log_id=log_id,
        payload_type=payload_type,
        payload_encoding="pb",
        payload=payload,
    )
    for key, value in all_headers.items():
        frame.headers.add(key=key, value=value)
    return bytes(frame.SerializeToString())


def encode_stub(decoded: DecodedFrame, keep: frozenset[str]) -> bytes:
    """
    Return a small frame that is acknowledged exactly like the original.

    Args:
        decoded: The frame as we read it.
        keep: Message types that the receiver still has to see.
    """
    if decoded.payload_type != "msg" or (decoded.quarantined and not decoded.messages):
        # Anything but "msg" is discarded unread by the client.
        payload_type = decoded.payload_type if decoded.payload_type != "msg" else "hb"
        return encode_push_frame(b"", payload_type=payload_type, compress=False)
    payload = encode_fetch_result(
        [message for message in decoded.messages if message.method in keep and _is_whole(message)],
        cursor=decoded.cursor,
        internal_ext=decoded.internal_ext,
        need_ack=decoded.need_ack,
    )
    return encode_push_frame(payload, seq_id=decoded.push_seq, log_id=decoded.log_id, compress=False)


def _is_whole(message: Message) -> bool:
    """Return whether our strict parser reads it: the receiver's would accept damage, or log it raw."""
    try:
        message_class(message.method).FromString(message.payload)
    except DecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class FetchStub:
    """
    The signing service's answer, made safe to parse slowly.

    Attributes:
        data: The answer without the messages we read ourselves.
        push_server: Where it wants the WebSocket opened.
    """

    data: bytes
    push_server: str


def encode_fetch_stub(data: bytes, keep: frozenset[str]) -> FetchStub:
    """
    Return the fetch result that opens a connection, stripped of its messages.

    Args:
        data: The bytes as the signing service sent them.
        keep: Message types that the receiver still has to see.

    Raises:
        FrameError: The bytes are not a fetch result.
    """
    plain = inflate(data)
    walk(plain)
    try:
        result = message_class("ProtoMessageFetchResult").FromString(plain)
    except DecodeError as error:
        raise FrameError("wire", f"not a fetch result: {error}") from error
    kept = [message for message in result.messages if message.method in keep]
    del result.messages[:]
    result.messages.extend(kept)
    return FetchStub(bytes(result.SerializeToString()), result.push_server)
