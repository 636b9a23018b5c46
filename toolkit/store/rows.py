"""
Batches to rows: what the tables of ``schema.sql`` are filled with.

Pure. One row builder per event class, made once from its fields, because this
runs for every message of a live.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from toolkit.model.event import EVENT_CLASSES, Batch, Event, User, columns

__all__ = ["Row", "RowSet", "Viewer", "from_timestamp", "iso_time", "note_viewers", "tame", "to_timestamp"]

Row = tuple[Any, ...]
"""One row of one table, in the order of its columns."""

_EPOCH = datetime(1970, 1, 1)
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_SHARED_COLUMNS = ("seq", "msg_id", "occurred_at", "received_at", "user_id")
"""Every event's table starts with these."""


def to_timestamp(us: int) -> datetime:
    """
    Return a wall time as the database takes it: naive, UTC.

    An aware one would be shifted by the session's time zone on its way in.
    """
    return _EPOCH + timedelta(microseconds=us)


def from_timestamp(value: datetime) -> int:
    """Return microseconds since 1970 UTC of what the database gave."""
    naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return (naive - _EPOCH) // timedelta(microseconds=1)


def iso_time(us: int) -> str:
    """Return a wall time as text, such as ``2026-05-01T18:00:00.250000Z``; empty for 0."""
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if us else ""


def tame(row: Row) -> Row:
    """Return the row with values that fit its columns: the second try for one the database refused."""
    return tuple(_tame(value) for value in row)


def _tame(value: Any) -> Any:
    if isinstance(value, int):
        return min(max(value, _INT64_MIN), _INT64_MAX) if not isinstance(value, bool) else value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value


@dataclass(slots=True)
class Viewer:
    """What is known about one viewer: name and standing, when first and last seen."""

    user: User
    first_seen_at: int
    last_seen_at: int

    def merge(self, user: User, received_at: int) -> None:
        """Take in another sighting, later than the ones before."""
        known = self.user
        self.last_seen_at = received_at
        self.user = User(
            known.user_id,
            user.handle or known.handle,
            user.nickname or known.nickname,
            user.sec_uid or known.sec_uid,
            user.avatar_url or known.avatar_url,
            max(user.followers, known.followers),
            user.is_moderator or known.is_moderator,
            user.is_subscriber or known.is_subscriber,
            user.is_follower or known.is_follower,
            max(user.fan_level, known.fan_level),
            max(user.gifter_level, known.gifter_level),
            user.is_verified or known.is_verified,
        )

    def row(self) -> Row:
        """Return the row of ``users``."""
        u = self.user
        return (
            u.user_id, u.handle, u.nickname, u.sec_uid, u.avatar_url, u.followers, u.is_moderator,
            u.is_subscriber, u.is_follower, u.fan_level, u.gifter_level, u.is_verified,
            to_timestamp(self.first_seen_at), to_timestamp(self.last_seen_at),
        )  # fmt: skip


@dataclass
class RowSet:
    """
    The rows of several batches, by table.

    Attributes:
        tables: The rows, by table; ``users`` is not among them.
    """

    tables: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, batches: Iterable[Batch]) -> None:
        """Take in batches, in order."""
        for batch in batches:
            received_at = to_timestamp(batch.received_at)
            self._add_frame(batch, received_at)
            self._add_messages(batch, received_at)
            for event in batch.events:
                self._add_event(event, received_at)

    def _add_frame(self, batch: Batch, received_at: datetime) -> None:
        self.tables["frames"].append(
            (
                batch.frame_no,
                batch.segment_id,
                batch.kind,
                batch.payload_type,
                batch.push_seq,
                batch.log_id,
                batch.cursor,
                received_at,
                batch.received_mono_ns,
                batch.size,
                len(batch.messages),
                batch.duplicates,
                len(batch.quarantined),
            )
        )
        for q in batch.quarantined:
            self.tables["quarantine"].append(
                (batch.frame_no, q.method, q.reason, q.detail, q.sha256, q.size, received_at)
            )

    def _add_messages(self, batch: Batch, received_at: datetime) -> None:
        rows = self.tables["messages"]
        for m in batch.messages:
            raw = m.message
            occurred_at = None if m.occurred_at is None else _EPOCH + timedelta(microseconds=m.occurred_at)
            rows.append(
                (
                    m.seq,
                    m.segment_id,
                    m.room_id,
                    raw.method,
                    m.msg_id,
                    occurred_at,
                    received_at,
                    raw.payload,
                    m.frame_no,
                    raw.is_history,
                )
            )

    def _add_event(self, event: Event, received_at: datetime) -> None:
        user = event.user
        occurred_at = event.occurred_at
        self.tables[event.table].append(
            (
                event.seq,
                event.msg_id,
                None if occurred_at is None else _EPOCH + timedelta(microseconds=occurred_at),
                received_at,
                None if user is None else user.user_id,
                *_OWN_VALUES[type(event)](event),
            )
        )


def note_viewers(viewers: dict[int, Viewer], batch: Batch) -> None:
    """Take the viewers of a batch into ``viewers``, by user id."""
    for event in batch.events:
        user = event.user
        if user is None:
            continue
        viewer = viewers.get(user.user_id)
        if viewer is None:
            viewers[user.user_id] = Viewer(user, event.received_at, event.received_at)
        else:
            viewer.merge(user, event.received_at)


def _own_values(event_class: type[Event]) -> Callable[[Event], Row]:
    """Return what reads the columns that only this class has, in order."""
    names = columns(event_class)
    assert names[: len(_SHARED_COLUMNS)] == _SHARED_COLUMNS, event_class
    own = names[len(_SHARED_COLUMNS) :]
    times = tuple(name for name in own if name.endswith("_at"))
    if times:
        return lambda event: tuple(_own_value(event, name) for name in own)
    if len(own) == 1:
        read_one = attrgetter(own[0])
        return lambda event: (read_one(event),)
    return attrgetter(*own)


def _own_value(event: Event, name: str) -> Any:
    value = getattr(event, name)
    return to_timestamp(value) if value is not None and name.endswith("_at") else value


_OWN_VALUES = {event_class: _own_values(event_class) for event_class in EVENT_CLASSES}
