"""What the hub sends: each notice encoded and judged once, frames of them for all who want the same."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from toolkit.bus.notice import Notice, encode_notice
from toolkit.model.event import Comment
from toolkit.web.inbound import Topics

__all__ = ["CATCH_UP_NOTICES", "FRAME_BYTES_MAX", "Frame", "Gate", "Kept", "Selection"]

log = logging.getLogger("toolkit.web.hub")

FRAME_BYTES_MAX = 48 * 1024
"""Bound of what one client has in flight. With the rest of a client: under 64 KiB."""
NOTICE_BYTES_MAX = 16 * 1024
"""A larger notice is announced without its data. A comment takes about 400 bytes."""
CATCH_UP_NOTICES = 500
"""Notices encoded or judged at once, for one far behind: about 2 ms of the loop, 20 ms."""
UNBATCHED_NOTICES = 16
"""Messages at once for a client without ``batch``: each is a write of its own."""


_COMMENT = Comment.kind


class Gate(Protocol):
    """What decides about public clients. Asked in the loop; never raises, never waits."""

    @property
    def version(self) -> int:
        """Grows whenever it may decide otherwise."""
        ...

    def public(self, notice: Notice) -> Notice | None:
        """Return what a public client gets of a notice: itself, another one, or nothing."""
        ...

    def public_snapshot(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        """Return what a public client gets of the present state."""
        ...


class Kept:
    """A notice and, once somebody wants it, its JSON; beside it what the public gets of it."""

    __slots__ = ("_judged", "_notice", "_public", "_text", "kind", "seq")

    def __init__(self, notice: Notice) -> None:
        self.seq, self.kind = notice.seq, notice.type
        self._notice = notice
        self._text = b""
        self._public: Kept | None = None
        self._judged = -1

    @property
    def text(self) -> bytes:
        """The notice as JSON."""
        if not self._text:
            self._text = _encode(self._notice)
        return self._text

    def public(self, gate: Gate) -> Kept | None:
        """Return what a public client gets of it, if anything."""
        if self._judged != gate.version:
            self._judged = gate.version
            shown = gate.public(self._notice)
            self._public = self if shown is self._notice else None if shown is None else Kept(shown)
        return self._public


class Selection(NamedTuple):
    """
    What a client gets next. Those with the same get the same frame.

    Attributes:
        cursor: Number of the last notice it was sent or did not want.
        topics: Which it wants.
        batch: In one array.
        is_public: Only what the gate lets through.
        comments_max: The newest so many comments of what waits; 0 for all of them.
    """

    cursor: int
    topics: Topics
    batch: bool
    is_public: bool
    comments_max: int


@dataclass(slots=True)
class Frame:
    """
    What follows a cursor for one selection.

    Attributes:
        texts: Notices as JSON.
        cursor: Number of the last that is in it or was not wanted.
        missed: Notices that were gone before they could be sent.
        skipped: Comments passed over, because so many newer ones are in it.
    """

    cursor: int
    missed: int
    texts: list[bytes] = field(default_factory=list)
    skipped: int = 0
    _array: bytes = b""

    @classmethod
    def of(cls, selection: Selection, entries: Sequence[Kept], missed: int, gate: Gate | None) -> Frame:
        """Make one of what follows the cursor, as much as fits."""
        frame = cls(selection.cursor, missed)
        gate = gate if selection.is_public else None
        texts_max = CATCH_UP_NOTICES if selection.batch else UNBATCHED_NOTICES
        wants_comments = _COMMENT in selection.topics
        is_short = wants_comments and selection.comments_max > 0
        oldest = _oldest_comment(entries, selection.comments_max, gate) if is_short else 0
        size = looked_at = 0
        for entry in entries:
            if entry.kind == _COMMENT and (entry.seq < oldest or not wants_comments):
                # Not judged: nobody gets it. A page without a chat costs nothing in a flood.
                frame.skipped += wants_comments
            else:
                looked_at += 1
                shown = entry if gate is None else entry.public(gate)
                if shown is not None and shown.kind in selection.topics:
                    size += len(shown.text) + 1
                    if size > FRAME_BYTES_MAX or len(frame.texts) == texts_max:
                        break
                    frame.texts.append(shown.text)
            frame.cursor = entry.seq
            if gate is not None and looked_at == CATCH_UP_NOTICES:
                break
        return frame

    def as_array(self) -> bytes:
        """Return them in one array."""
        if not self._array:
            self._array = b"[" + b",".join(self.texts) + b"]"
        return self._array


def _oldest_comment(entries: Sequence[Kept], comments_max: int, gate: Gate | None) -> int:
    """
    Return the number of the oldest comment that is among the newest so many; 0 if all are.

    Those held back are none of them. In a flood of such no more are judged than at once.
    """
    found = 0
    comments = [entry for entry in entries if entry.kind == _COMMENT]
    for entry in reversed(comments[-CATCH_UP_NOTICES:]):
        found += gate is None or entry.public(gate) is not None
        if found == comments_max:
            return entry.seq
    return comments[-CATCH_UP_NOTICES].seq if len(comments) > CATCH_UP_NOTICES else 0


def _encode(notice: Notice) -> bytes:
    try:
        text = encode_notice(notice)
    except (TypeError, ValueError):
        # A single notice that JSON cannot carry must not stop the others.
        log.exception("a notice could not be encoded: %s", notice.type)
        text = _without_data(notice, "unreadable")
    return text if len(text) <= NOTICE_BYTES_MAX else _without_data(notice, "size")


def _without_data(notice: Notice, reason: str) -> bytes:
    return json.dumps(
        {"type": notice.type, "seq": notice.seq, "at": notice.at, "data": {}, "omitted": reason}
    ).encode()
