"""
What a fault does to one frame: pure, bytes and messages in, steps out.

A frame becomes a :class:`Draft`. Faults work on it one after the other, first those
that change its messages, then those that damage its bytes, then those that decide
how often and how slowly it is written.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random

from toolkit.model.frame import Message
from toolkit.simulator.faults import Fault
from toolkit.wire.encode import encode_push_frame
from toolkit.wire.schema import DecodeError, message_class

__all__ = ["DAMAGES", "Cut", "Delivery", "Draft", "Outbound", "without_comments", "without_streak_ends"]

_COMMENT, _GIFT = "WebcastChatMessage", "WebcastGiftMessage"
_NOT_UTF8 = b"\x1a\x03\xff\xff\xff"
"""Field 3 of a comment is its text."""
_MIB = 1 << 20
_INT64_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    Bytes to write.

    Attributes:
        data: One WebSocket message.
        log_id: The frame it was, or is still.
        faults: Kinds of the faults that had a hand in it; empty for an honest frame.
        is_text: Written as a text frame.
        byte_s: Pause after each byte, seconds; 0 writes at once.
        share: How much of it is written before TCP ends; 1 is all, and no end.
    """

    data: bytes
    log_id: int = 0
    faults: tuple[str, ...] = ()
    is_text: bool = False
    byte_s: float = 0.0
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Cut:
    """
    The end of a connection.

    Attributes:
        code: WebSocket close code; None ends TCP without a word.
        reason: Sent with the code.
        resets: Without a code: whether TCP is reset (RST) rather than ended (FIN).
    """

    code: int | None = None
    reason: str = ""
    resets: bool = False


@dataclass(frozen=True, slots=True)
class Outbound:
    """
    A frame on its way out, as it should be.

    Attributes:
        connection_id: Whose.
        payload_type: ``msg`` carries messages.
        seq_id: Its number on the connection.
        log_id: What is acknowledged.
        messages: What it carries.
        body: They, as a gzipped fetch result.
        encode: Makes such a body of other messages.
    """

    connection_id: int
    payload_type: str
    seq_id: int
    log_id: int
    messages: Sequence[Message]
    body: bytes
    encode: Callable[[Sequence[Message]], bytes]

    def data(self, body: bytes, padding: str = "") -> bytes:
        """Return the WebSocket message that carries ``body``."""
        headers = {"compress_type": "gzip"} if self.payload_type == "msg" else {}
        return encode_push_frame(
            body,
            payload_type=self.payload_type,
            seq_id=self.seq_id,
            log_id=self.log_id,
            # The body was compressed once for all connections.
            compress=False,
            headers={**headers, "padding": padding} if padding else headers,
        )


@dataclass(slots=True)
class Draft:
    """
    What becomes of a frame.

    Attributes:
        frame: As it should be.
        messages: What it carries now.
        faults: Kinds of the faults that had a hand in it.
        body: A damaged body in place of the messages; None for none.
        padding: Characters added to a header.
        edits: Changes of the finished bytes.
        copies: How often it is written.
        is_text, byte_s, share: See :class:`Delivery`.
    """

    frame: Outbound
    messages: Sequence[Message]
    faults: list[str] = field(default_factory=list)
    body: bytes | None = None
    padding: str = ""
    edits: list[Callable[[bytes], bytes]] = field(default_factory=list)
    copies: int = 1
    is_text: bool = False
    byte_s: float = 0.0
    share: float = 1.0

    def deliveries(self) -> list[Delivery]:
        """Return what is to be written; nothing if every message was taken away."""
        if self.body is not None:
            body = self.body
        elif self.messages is self.frame.messages:
            body = self.frame.body
        elif not self.messages:
            return []
        else:
            body = self.frame.encode(self.messages)
        data = self.frame.data(body, self.padding)
        for edit in self.edits:
            data = edit(data)
        one = Delivery(data, self.frame.log_id, tuple(self.faults), self.is_text, self.byte_s, self.share)
        return [one] * self.copies


def without_comments(messages: Sequence[Message]) -> list[Message]:
    """Return everything but comments."""
    return [message for message in messages if message.method != _COMMENT]


def without_streak_ends(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Return the messages without the ends of gift streaks, and those ends."""
    ends = [message for message in messages if _ends_streak(message)]
    return [message for message in messages if message not in ends], ends


def _ends_streak(message: Message) -> bool:
    if message.method != _GIFT:
        return False
    gift = message_class(_GIFT).FromString(message.payload)
    return bool(gift.repeat_end and gift.gift.type == 1)


@lru_cache(maxsize=4)
def _zeros(mib: int) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(_MIB)
    return b"".join([*(deflate.compress(block) for _ in range(mib)), deflate.flush()])


@lru_cache(maxsize=4)
def _empty_messages(count: int) -> bytes:
    return gzip.compress(b"\x0a\x00" * count, 1, mtime=0)


def _bad_gzip(draft: Draft, fault: Fault, rng: Random) -> None:
    body = bytearray(draft.frame.body)
    # Past the header and before the checksum: the stream itself.
    for _ in range(8):
        body[rng.randrange(12, len(body) - 8)] ^= rng.randrange(1, 256)
    draft.body = bytes(body)


def _gzip_bomb(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.body = _zeros(fault.whole("mib"))


def _field_bomb(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.body = _empty_messages(fault.whole("fields"))


def _truncated(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.edits.append(lambda data: data[: rng.randrange(1, len(data))])


def _mutated(draft: Draft, fault: Fault, rng: Random) -> None:
    def flip(data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(fault.whole("flips")):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed)

    draft.edits.append(flip)


def _text(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.edits.append(lambda data: f"no protobuf 🌊 {rng.getrandbits(64):x}".encode())
    draft.is_text = True


def _bad_utf8(draft: Draft, fault: Fault, rng: Random) -> None:
    if not draft.messages:
        return
    at = rng.randrange(len(draft.messages))
    broken = replace(draft.messages[at], method=_COMMENT, payload=_NOT_UTF8)
    draft.messages = [*draft.messages[:at], broken, *draft.messages[at + 1 :]]


def _clock_skew(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.messages = [_skewed(message, fault.whole("skew_ms")) for message in draft.messages]


def _skewed(message: Message, skew_ms: int) -> Message:
    try:
        parsed = message_class(message.method).FromString(message.payload)
    except (KeyError, DecodeError):
        return message
    created = parsed.common.create_time + skew_ms
    parsed.common.create_time = max(min(created, _INT64_MAX), -_INT64_MAX)
    return replace(message, payload=parsed.SerializeToString())


def _oversize(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.padding = "x" * (fault.whole("kib") * 1024)


def _duplicate(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.copies = fault.whole("copies")


def _slow_drip(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.byte_s = fault.number("byte_ms") / 1000


def _half_frame(draft: Draft, fault: Fault, rng: Random) -> None:
    draft.share = 0.5


DAMAGES: Mapping[str, Callable[[Draft, Fault, Random], None]] = {
    "bad-utf8": _bad_utf8,
    "clock-skew": _clock_skew,
    "bad-gzip": _bad_gzip,
    "gzip-bomb": _gzip_bomb,
    "field-bomb": _field_bomb,
    "oversize": _oversize,
    "truncated": _truncated,
    "mutated": _mutated,
    "text": _text,
    "duplicate": _duplicate,
    "slow-drip": _slow_drip,
    "half-frame": _half_frame,
}
"""By kind, in the order in which they are applied; what needs a memory of other frames is the injector's."""
