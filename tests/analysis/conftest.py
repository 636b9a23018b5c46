"""Tables by hand, with the columns and types a recording has."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@functools.cache
def schema(name: str) -> dict[str, Any]:
    """Return the columns of a table as a recording without a row has them."""
    from toolkit.store.database import Database
    from toolkit.store.reader import _in_utc

    database = Database.open(None)
    try:
        return dict(_in_utc(database.cursor().sql(f"SELECT * FROM {name}").pl()).schema)
    finally:
        database.close()


def at(seconds: float) -> datetime:
    """Return noon and so many seconds."""
    return NOON + timedelta(seconds=seconds)


def table(name: str, rows: list[dict[str, Any]], **defaults: Any) -> pl.DataFrame:
    """Return a table; what a row does not say is null, ``seq`` counts by itself."""
    columns = schema(name)
    filled = [{"seq": i, "msg_id": i, **defaults, **row} for i, row in enumerate(rows, 1)]
    return pl.DataFrame([{c: row.get(c) for c in columns} for row in filled], schema=columns)


def segments(*stretches: tuple[float, float | None]) -> pl.DataFrame:
    """Return connected stretches, given as seconds after noon."""
    return table(
        "segments",
        [
            {"segment_id": i, "room_id": 1, "started_at": at(a), "ended_at": None if b is None else at(b)}
            for i, (a, b) in enumerate(stretches, 1)
        ],
    )


def gaps(*stretches: tuple[float, float | None]) -> pl.DataFrame:
    """Return gaps, given as seconds after noon."""
    return table(
        "gaps",
        [
            {"gap_id": i, "started_at": at(a), "ended_at": None if b is None else at(b), "cause": "network"}
            for i, (a, b) in enumerate(stretches, 1)
        ],
    )


def comments(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return comments; ``s`` is when one was received, in seconds after noon."""
    filled = [{"received_at": at(r["s"]), "occurred_at": at(r["s"] - r.get("delay_s", 1))} | r for r in rows]
    return table("comments", filled, user_id=1, text="hi", language="en", is_history=False)


def gift_messages(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return gift messages: taps of user 1's streak of roses unless a row says otherwise."""
    filled = [{"received_at": at(i)} | row for i, row in enumerate(rows)]
    return table(
        "gifts",
        filled,
        user_id=1,
        gift_id=5655,
        gift_name="Rose",
        diamonds=1,
        gift_type=1,
        repeat_count=1,
        repeat_end=False,
        group_id=77,
    )


def users(*handles: str) -> pl.DataFrame:
    """Return users 1, 2, 3 ..."""
    return table("users", [{"user_id": i, "handle": h, "nickname": h} for i, h in enumerate(handles, 1)])


@pytest.fixture
def by_hand() -> SimpleNamespace:
    """Return the makers of tables."""
    return SimpleNamespace(
        at=at,
        table=table,
        segments=segments,
        gaps=gaps,
        comments=comments,
        gifts=gift_messages,
        users=users,
    )
