"""
A sealed recording as its replay reads it: when frames came, and what had happened by then.

Opened for each use and closed after it: a transport bar asks in one thread while
frames are read in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from toolkit.errors import NotARecording
from toolkit.model.event import EVENT_CLASSES, Comment, Deletion, Event, Gift, Question, User, columns
from toolkit.model.recording import Segment
from toolkit.store.account import segments_of
from toolkit.store.database import Database, DatabaseError
from toolkit.store.recorded import RecordedFrame, first_message, recorded_frames

__all__ = ["Before", "FrameTime", "Mark", "Playable", "open_playable"]

_COMMENT = "WebcastChatMessage"
_COMMENTS_BEFORE = 1_000
"""Newest comments that are told again: five times what a page keeps, so that those
which were withdrawn since leave enough."""
_USER_COLUMNS = ", ".join(f"u.{column.name}" for column in fields(User))
_TIMES = ("occurred_at", "received_at")
_GIFTS_MARKED = 50
_QUESTIONS_MARKED = 200
_TEXT_CHARS_MAX = 120

FrameTime = tuple[int, int, int, int]
"""Number of a frame, its segment, our wall clock (microseconds), our monotonic clock (nanoseconds)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Something worth a mark on a timeline.

    Attributes:
        frame_no: The frame it came in.
        kind: ``gift`` or ``question``.
        text: What a person may read: a viewer's words, hostile like all of them.
        diamonds: What a gift was worth; 0 for anything else.
    """

    frame_no: int
    kind: str
    text: str
    diamonds: int = 0


@dataclass(frozen=True, slots=True)
class Before:
    """
    What a stretch of a recording adds up to.

    Attributes:
        totals: Events by kind.
        chatters: Ids of those who commented, without those who appear in ``events`` alone.
        viewers: Newest count, peak, and entries; None if nothing was told.
        likes_total: The largest total of the room; 0 if nothing was told.
        events: Gifts and withdrawals, the newest comments and questions; in order.
    """

    totals: Mapping[str, int]
    chatters: frozenset[int]
    viewers: tuple[int, int, int] | None
    likes_total: int
    events: Sequence[Event]


@contextmanager
def open_playable(path: Path) -> Iterator[Playable]:
    """
    Open a sealed recording for one use.

    Raises:
        RecordingError: It is none, or a part of it that was asked for is damaged.
    """
    database = Database.read(path)
    try:
        yield Playable(database)
    except DatabaseError as error:
        raise NotARecording(
            f"{path.name} is damaged: {str(error).splitlines()[0]}", hint="`toolkit verify ID` says more."
        ) from error
    finally:
        database.close()


class Playable:
    """An open one. For one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = {row[0] for row in database.rows("SELECT table_name FROM duckdb_tables()")}

    def times(self) -> Iterator[FrameTime]:
        """Yield when each frame came, in order."""
        yield from self._database.in_order(
            "frames", "frame_no", "frame_no, segment_id, epoch_us(received_at), received_mono_ns"
        )

    def segments(self) -> list[Segment]:
        """Return the connected stretches, in order."""
        return segments_of(self._database)

    def frames(self, first_frame: int) -> Iterator[RecordedFrame]:
        """Yield the frames from number ``first_frame`` on."""
        return recorded_frames(self._database, first_frame)

    def first_message(self, frame_no: int) -> int:
        """Return the number of the first message in a frame or behind it."""
        return first_message(self._database, frame_no)

    def activity(self, edges: Sequence[int]) -> dict[int, tuple[int, int]]:
        """
        Count comments and messages between frames.

        Args:
            edges: Number of the first frame of each stretch, ascending.

        Returns:
            By the stretch's place in ``edges``: comments, messages. Empty stretches are left out.
        """
        rows = self._database.rows(
            "SELECT edge.place, count(*) FILTER (m.method = ?), count(*) FROM messages AS m"
            " ASOF JOIN (SELECT max(place) AS place, frame_no FROM (SELECT unnest(?::BIGINT[]) AS place,"
            " unnest(?::BIGINT[]) AS frame_no) GROUP BY frame_no) AS edge"
            " ON m.frame_no >= edge.frame_no GROUP BY edge.place",
            [_COMMENT, list(range(len(edges))), list(edges)],
        )
        return {place: (comments, messages) for place, comments, messages in rows}

    def marks(self) -> list[Mark]:
        """Return the largest gifts and the first questions, in order."""
        found = []
        if "questions" in self._tables:
            found += self._database.rows(
                "SELECT m.frame_no, 'question', left(q.text, ?), 0 FROM questions AS q"
                " JOIN messages AS m USING (seq) ORDER BY seq LIMIT ?",
                [_TEXT_CHARS_MAX, _QUESTIONS_MARKED],
            )
        if "gift_ledger" in self._tables:
            found += self._database.rows(
                "SELECT m.frame_no, 'gift', left(g.gift_name, ?), g.diamonds_total FROM gift_ledger AS g"
                " JOIN messages AS m ON m.seq = g.first_seq ORDER BY g.diamonds_total DESC, m.seq LIMIT ?",
                [_TEXT_CHARS_MAX, _GIFTS_MARKED],
            )
        return sorted((Mark(*row) for row in found), key=lambda mark: mark.frame_no)

    def before(self, first_seq: int, end_seq: int) -> Before:
        """
        Add up the messages from number ``first_seq`` on, up to and without ``end_seq``.

        Reads typed rows, not payloads: a second for a million messages.
        """
        between = (first_seq, end_seq)
        recent_seq = self._recent_comments(between)
        events: list[Event] = [
            *self._events(Comment, (recent_seq, end_seq)),
            *self._events(Gift, between),
            *self._events(Deletion, between),
            *self._events(Question, between),
        ]
        events.sort(key=lambda event: event.seq)
        chatters = self._rows(
            "comments", "DISTINCT user_id", (first_seq, recent_seq), "AND user_id IS NOT NULL"
        )
        return Before(
            self._totals(between),
            frozenset(row[0] for row in chatters),
            self._viewers(between),
            int(self._one("likes", "coalesce(max(total), 0)", between, 0)),
            events,
        )

    def _totals(self, between: tuple[int, int]) -> dict[str, int]:
        counts = {
            event_class.kind: int(self._one(event_class.table, "count(*)", between, 0))
            for event_class in EVENT_CLASSES
        }
        return {kind: count for kind, count in counts.items() if count}

    def _viewers(self, between: tuple[int, int]) -> tuple[int, int, int] | None:
        rows = self._rows(
            "viewer_counts",
            "last(viewers ORDER BY seq), max(viewers), max(viewers_total)",
            between,
            "AND viewers > 0",
        )
        return None if not rows or rows[0][0] is None else rows[0]

    def _recent_comments(self, between: tuple[int, int]) -> int:
        """Return the number of the first comment that is told again."""
        rows = self._rows("comments", "seq", between, f"ORDER BY seq DESC LIMIT {_COMMENTS_BEFORE}")
        return rows[-1][0] if rows else between[1]

    def _events(self, event_class: type[Event], between: tuple[int, int]) -> Iterator[Event]:
        """Make events of rows. For classes whose only times are those of every event."""
        if event_class.table not in self._tables:
            return
        own = [name for name in columns(event_class) if name != "user_id"]
        values = ", ".join(f"epoch_us(e.{name})" if name in _TIMES else f"e.{name}" for name in own)
        place = own.index("received_at") + 1
        make: Callable[..., Event] = event_class
        for row in self._database.rows(
            f"SELECT {values}, {_USER_COLUMNS} FROM {event_class.table} AS e LEFT JOIN users AS u"
            " USING (user_id) WHERE e.seq >= ? AND e.seq < ? ORDER BY e.seq",
            list(between),
        ):
            mine, user = row[: len(own)], row[len(own) :]
            yield make(*mine[:place], None if user[0] is None else User(*user), *mine[place:])

    def _one(self, table: str, what: str, between: tuple[int, int], otherwise: Any) -> Any:
        rows = self._rows(table, what, between)
        return rows[0][0] if rows else otherwise

    def _rows(
        self, table: str, what: str, between: tuple[int, int], further: str = ""
    ) -> list[tuple[Any, ...]]:
        """Ask a table of events, which an older recording may lack."""
        if table not in self._tables:
            return []
        return self._database.rows(
            f"SELECT {what} FROM {table} WHERE seq >= ? AND seq < ? {further}", list(between)
        )
