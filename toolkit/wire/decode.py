"""
Frame to messages: the envelope is read, the payloads stay raw.

Never raises on any input. What cannot be read is described in
``DecodedFrame.quarantined``; the bytes themselves are in the journal already.
"""

from __future__ import annotations

import hashlib

from toolkit.errors import FrameError
from toolkit.model.frame import DecodedFrame, FrameKind, Message, Quarantined
from toolkit.wire.inflate import inflate, walk
from toolkit.wire.schema import DecodeError, ProtoMessage, message_class
from toolkit.wire.skipped import read_skipped

__all__ = ["decode_frame", "quarantine"]

_DETAIL_CHARS_MAX = 200


def decode_frame(data: bytes, kind: FrameKind = FrameKind.PUSH) -> DecodedFrame:
    """
    Take a frame apart.

    Args:
        data: The bytes as they came.
        kind: A push frame, the bare fetch result that opens a connection, or what is
            kept of a frame that was too large.
    """
    decoded = DecodedFrame()
    if kind is FrameKind.SKIPPED:
        skipped = read_skipped(data) or quarantine(data, "oversize", "a frame that was not kept")
        decoded.quarantined.append(skipped)
        return decoded
    try:
        body = data if kind is FrameKind.FETCH else _open_push_frame(data, decoded)
        if decoded.payload_type == "msg":
            _read_fetch_result(inflate(body), decoded)
    except FrameError as error:
        decoded.quarantined.append(quarantine(data, error.reason, str(error)))
    return decoded


def quarantine(data: bytes, reason: str, detail: str, method: str = "") -> Quarantined:
    """Describe bytes that could not be read."""
    digest = hashlib.sha256(data).hexdigest()
    return Quarantined(reason, detail[:_DETAIL_CHARS_MAX], method, digest, len(data))


def _parse(name: str, data: bytes) -> ProtoMessage:
    walk(data)
    try:
        return message_class(name).FromString(data)
    except DecodeError as error:
        raise FrameError("wire", f"not a {name}: {error}") from error


def _open_push_frame(data: bytes, decoded: DecodedFrame) -> bytes:
    push = _parse("WebcastPushFrame", data)
    decoded.payload_type = push.payload_type
    decoded.push_seq = push.seq_id
    decoded.log_id = push.log_id
    payload: bytes = push.payload
    return payload


def _read_fetch_result(data: bytes, decoded: DecodedFrame) -> None:
    result = _parse("ProtoMessageFetchResult", data)
    decoded.cursor = result.cursor
    decoded.internal_ext = result.internal_ext
    decoded.need_ack = result.need_ack
    decoded.messages = [
        Message(message.method, message.msg_id, message.payload, message.is_history)
        for message in result.messages
    ]
