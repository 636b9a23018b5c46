"""What the hub sends: each notice encoded and judged once, frames of them for all who want the same."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from toolkit.bus.notice import Notice, encode_notice
from toolkit.web.inbound import Topics

__all__ = ["CATCH_UP_NOTICES", "FRAME_BYTES_MAX", "Frame", "Gate", "Kept", "Selection"]

log = logging.getLogger("toolkit.web.hub")

FRAME_BYTES_MAX = 48 * 1024
"""Bound of what one client has in flight. With the rest of a client: under 64 KiB."""
NOTICE_BYTES_MAX = 16 * 1024
"""A larger notice is announced without its data. A comment takes about 400 bytes."""
CATCH_UP_NOTICES = 500
"""Notices encoded at once for one far behind: about 5 ms of the loop; judged, 20 ms."""
UNBATCHED_NOTICES = 16
"""Messages at once for a client without ``batch``: each is a write of its own."""


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
    """

    cursor: int
    topics: Topics
    batch: bool
    is_public: bool


@dataclass(slots=True)
class Frame:
    """
    What follows a cursor for one selection.

    Attributes:
        texts: Notices as JSON.
        cursor: Number of the last that is in it or was not wanted.
        missed: Notices that were gone before they could be sent.
    """

    cursor: int
    missed: int
    texts: list[bytes] = field(default_factory=list)
    _array: bytes = b""

    @classmethod
    def of(cls, selection: Selection, entries: Iterable[Kept], missed: int, gate: Gate | None) -> Frame:
        """Make one of what follows the cursor, as much as fits."""
        frame = cls(selection.cursor, missed)
        texts_max = CATCH_UP_NOTICES if selection.batch else UNBATCHED_NOTICES
        size = 0
        for entry in entries:
            shown = entry.public(gate) if selection.is_public and gate is not None else entry
            if shown is not None and shown.kind in selection.topics:
                size += len(shown.text) + 1
                if size > FRAME_BYTES_MAX or len(frame.texts) == texts_max:
                    break
                frame.texts.append(shown.text)
            frame.cursor = entry.seq
        return frame

    def as_array(self) -> bytes:
        """Return them in one array."""
        if not self._array:
            self._array = b"[" + b",".join(self.texts) + b"]"
        return self._array


def _encode(notice: Notice) -> bytes:
    try:
        text = encode_notice(notice)
    except (TypeError, ValueError, RecursionError):
        # A single notice that JSON cannot carry must not stop the others.
        log.exception("a notice could not be encoded: %s", notice.type)
        text = _without_data(notice, "unreadable")
    return text if len(text) <= NOTICE_BYTES_MAX else _without_data(notice, "size")


def _without_data(notice: Notice, reason: str) -> bytes:
    return json.dumps(
        {"type": notice.type, "seq": notice.seq, "at": notice.at, "data": {}, "omitted": reason}
    ).encode()
