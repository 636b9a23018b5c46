"""Frames as TikTok pushes them, and folders to record them into."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import WITHIN_S
from toolkit.clock import ManualClock
from toolkit.model.frame import FrameKind, Message
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import message_class

ROOM = 7_001


def comment(msg_id: int, text: str = "", user_id: int = 1) -> Message:
    """Return a comment as TikTok encodes it."""
    chat = message_class("WebcastChatMessage")(content=text or f"comment {msg_id}")
    chat.common.msg_id = msg_id
    chat.common.room_id = ROOM
    chat.common.create_time = 1_700_000_000_000 + msg_id
    chat.user.id = user_id
    chat.user.nickname = f"viewer {user_id}"
    chat.user.display_id = f"viewer{user_id}"
    return Message("WebcastChatMessage", msg_id, chat.SerializeToString())


def push(messages: list[Message], seq_id: int = 1) -> bytes:
    """Return a gzipped push frame."""
    return encode_push_frame(encode_fetch_result(messages, cursor=f"c{seq_id}"), seq_id=seq_id, log_id=seq_id)


def gift(msg_id: int, user_id: int = 2) -> Message:
    """Return a gift."""
    message = message_class("WebcastGiftMessage")(gift_id=5655, repeat_count=1, repeat_end=1)
    message.common.msg_id = msg_id
    message.common.room_id = ROOM
    message.gift.name = "Rose"
    message.gift.diamond_count = 1
    message.user.id = user_id
    return Message("WebcastGiftMessage", msg_id, message.SerializeToString())


@pytest.fixture
def make() -> Any:
    """Return the makers of messages and frames."""

    class Make:
        room = ROOM
        comment = staticmethod(comment)
        gift = staticmethod(gift)
        push = staticmethod(push)

    return Make


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands still until told to move."""
    return ManualClock()


@pytest.fixture
def recorded(tmp_path: Path, clock: ManualClock) -> Callable[..., RecordingWriter]:
    """Return what records comments 1 to n into ``tmp_path``, ten a frame, unsealed."""

    def record(n: int = 50, *, segments: int = 1, user: str = "alice") -> RecordingWriter:
        from toolkit.model.recording import Cause

        writer = RecordingWriter.create(tmp_path, user, clock=clock)
        msg_id = 0
        for segment in range(segments):
            if segment:
                writer.close_segment(Cause.NETWORK)
                clock.advance(30)
            writer.open_segment(ROOM)
            for _ in range(n // 10):
                clock.advance(0.75)
                messages = [comment(msg_id + i + 1, user_id=i + 1) for i in range(9)] + [gift(msg_id + 10)]
                msg_id += 10
                writer.take(writer.write(FrameKind.PUSH, push(messages, msg_id)))
        return writer

    return record


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a projector or a journal's flusher running."""
    yield
    deadline = time.monotonic() + WITHIN_S
    names = {"projector", "journal-sync"}
    while left := [t.name for t in threading.enumerate() if t.name in names]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
