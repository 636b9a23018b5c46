"""Frames from outside are hostile: each is read or quarantined, quickly, and nothing is raised."""

import gzip
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.model.event import Caption, Comment, RoomMessage
from toolkit.model.frame import FrameKind, Message
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_fetch_result, encode_push_frame, encode_stub
from toolkit.wire.events import PAYLOAD_BYTES_MAX, interpret
from toolkit.wire.inflate import INFLATED_BYTES_MAX
from toolkit.wire.schema import message_class

BOMB_SECONDS_MAX = 1.0
"""TikTokLive needs 6 s for the smallest of these and never finishes the largest; here
the bound only tells the two apart on a busy machine."""


def comment(text="hello", msg_id=7, create_time=1_700_000_000_000):
    """Return a chat message as TikTok sends it."""
    chat = message_class("WebcastChatMessage")(content=text)
    chat.common.msg_id = msg_id
    chat.common.room_id = 99
    chat.common.create_time = create_time
    chat.user.id = 5
    return Message("WebcastChatMessage", msg_id, chat.SerializeToString())


def frame(*messages, **options):
    """Return a push frame with these messages."""
    return encode_push_frame(
        encode_fetch_result(messages, cursor="c", internal_ext="ext"), log_id=3, **options
    )


def reasons(data, kind=FrameKind.PUSH):
    """Return why a frame was quarantined."""
    return [bad.reason for bad in decode_frame(data, kind).quarantined]


def test_a_frame_gives_back_the_messages_it_was_made_of():
    """Method, id and payload survive, gzipped or not."""
    for compress in (True, False):
        decoded = decode_frame(frame(comment("a", 1), comment("b", 2), compress=compress, seq_id=9))
        assert [m.msg_id for m in decoded.messages] == [1, 2]
        assert decoded.messages[0].payload == comment("a", 1).payload
        assert (decoded.push_seq, decoded.log_id, decoded.internal_ext) == (9, 3, "ext")
        assert decoded.quarantined == []


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("a megabyte of zeros", gzip.compress(bytes(2**20)), "wire"),
        ("sixty-four megabytes of zeros", gzip.compress(bytes(64 * 2**20)), "oversize"),
        (
            "four million empty messages",
            gzip.compress(b"\x0a\x00" * (INFLATED_BYTES_MAX // 2 - 8)),
            "oversize",
        ),
        ("a gzip stream cut short", gzip.compress(b"x" * 1000)[:-20], "gzip"),
        ("a gzip header and nonsense", b"\x1f\x8b" + b"\xff" * 50, "gzip"),
        ("a truncated field", b"\x0a\x7f", "wire"),
        ("field number zero", b"\x02\x01\x00", "wire"),
        ("a wire type that does not exist", b"\x0f\x00", "wire"),
        ("a number without end", b"\x08" + b"\xff" * 12, "wire"),
        ("bad text where text belongs", b"\x12\x02\xff\xfe", "wire"),
    ],
)
def test_a_bomb_or_a_damaged_frame_is_quarantined(name, payload, reason):
    """Bombs are refused before they are parsed; damage is noticed."""
    data = encode_push_frame(payload, compress=False)
    started = time.process_time()
    assert reasons(data) == [reason], name
    assert time.process_time() - started < BOMB_SECONDS_MAX, name


def test_a_bomb_within_one_message_is_kept_raw_and_not_read():
    """A payload far above any real size costs no parse."""
    payload = b"\x0a\x00" * (PAYLOAD_BYTES_MAX // 2 + 1)
    found = interpret(Message("WebcastChatMessage", 4, payload), received_at=1)
    assert found.event is None
    assert found.quarantined is not None
    assert found.quarantined.reason == "oversize"
    assert found.msg_id == 4


def test_one_damaged_message_does_not_cost_its_neighbours():
    """The frame is read; only the damaged payload is quarantined, with its hash."""
    bad = Message("WebcastChatMessage", 2, b"\x1a\x02\xff\xff")
    decoded = decode_frame(frame(comment("a", 1), bad, comment("c", 3)))
    found = [interpret(message, 1) for message in decoded.messages]
    assert [type(f.event) for f in found] == [Comment, type(None), Comment]
    assert found[1].quarantined is not None
    assert len(found[1].quarantined.sha256) == 64


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_frame_raises(data):
    """Flip, cut or insert anything anywhere: a frame or a quarantine, never an exception."""
    raw = bytearray(frame(comment("été 😀"), comment("b", 2), compress=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert"])):
            case "flip":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 20))]
            case "insert":
                raw[at:at] = data.draw(st.binary(max_size=20))
        if not raw:
            break
    for kind in FrameKind:
        decoded = decode_frame(bytes(raw), kind)
        for message in decoded.messages:
            interpret(message, 1)
        encode_stub(decoded, frozenset())


@settings(max_examples=300, deadline=None)
@given(
    payload=st.binary(max_size=300), method=st.sampled_from(["WebcastChatMessage", "WebcastGiftMessage", "X"])
)
def test_no_payload_raises(payload, method):
    """Arbitrary bytes in a message never raise."""
    interpret(Message(method, 1, payload), received_at=1)


def test_the_stub_is_acknowledged_like_the_original():
    """TikTokLive sees the same log id and internal_ext, and only the messages it needs."""
    control = message_class("WebcastControlMessage")(action=3)
    end = Message("WebcastControlMessage", 8, control.SerializeToString())
    decoded = decode_frame(frame(comment(), end))
    stub = decode_frame(encode_stub(decoded, frozenset({"WebcastControlMessage"})))
    assert (stub.log_id, stub.internal_ext, stub.need_ack) == (3, "ext", True)
    assert [m.method for m in stub.messages] == ["WebcastControlMessage"]


def test_a_damaged_message_never_reaches_tiktoklive():
    """It would log the raw bytes with a traceback, once per message."""
    damaged = Message("WebcastControlMessage", 8, b"\x1a\x02\xff\xff")
    decoded = decode_frame(frame(damaged))
    assert decode_frame(encode_stub(decoded, frozenset({"WebcastControlMessage"}))).messages == []


def test_an_unreadable_frame_becomes_one_that_is_ignored():
    """TikTokLive's own parser must never meet damaged bytes."""
    stub = decode_frame(
        encode_stub(decode_frame(encode_push_frame(b"\x0a\x7f", compress=False)), frozenset())
    )
    assert stub.payload_type == "hb"


def test_times_are_microseconds_whatever_tiktok_sends():
    """Milliseconds, seconds (room messages) and a time of their own (captions) are told apart."""
    assert interpret(comment(create_time=1_700_000_000_000), 1).occurred_at == 1_700_000_000_000_000
    room = message_class("WebcastRoomMessage")(content="welcome")
    room.common.create_time = 1_700_000_000
    found = interpret(Message("WebcastRoomMessage", 1, room.SerializeToString()), 1)
    assert isinstance(found.event, RoomMessage)
    assert found.occurred_at == 1_700_000_000_000_000
    caption = message_class("WebcastCaptionMessage")(timestamp_ms=1_700_000_000_000)
    found = interpret(Message("WebcastCaptionMessage", 1, caption.SerializeToString()), 1)
    assert isinstance(found.event, Caption)
    assert found.occurred_at == 1_700_000_000_000_000
    assert interpret(comment(create_time=-5), 1).occurred_at is None


def test_a_type_nobody_reads_still_tells_when_and_where():
    """Unknown messages keep their id, room and time through the field all types share."""
    found = interpret(Message("WebcastInventedTomorrow", 0, comment(msg_id=12).payload), 1)
    assert (found.event, found.msg_id, found.room_id) == (None, 12, 99)


def test_trailing_bytes_after_a_gzip_stream_do_not_hide_it():
    """Some proxies pad; the stream decides where it ends."""
    body = zlib.compress(encode_fetch_result([comment()], cursor="c"), wbits=31) + b"\x00\x00"
    assert len(decode_frame(encode_push_frame(body, compress=False)).messages) == 1
