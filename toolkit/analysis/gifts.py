"""What was given: each streak counted once."""

from __future__ import annotations

import polars as pl

from toolkit.analysis.observed import Frame, in_order

__all__ = ["diamonds_by_gift", "diamonds_by_giver", "gift_streaks"]

_STREAKABLE = 1
"""The ``gift_type`` whose taps come as a streak; any other arrives once and complete."""
_TYPE_UNKNOWN = 0
"""A gift that came without its description. Then a group tells that it is a streak."""
_COLUMNS = (
    "seq", "msg_id", "occurred_at", "received_at", "user_id", "gift_id", "gift_name", "diamonds",
    "repeat_count", "repeat_end", "group_id",
)  # fmt: skip
_FOUND = (
    "seq", "user_id", "gift_id", "gift_name", "started_at", "last_at", "count", "price", "is_provisional",
)  # fmt: skip


def gift_streaks(gifts: Frame) -> pl.DataFrame:
    """
    Put the messages of each streak together.

    A streak is all messages of one viewer with the same gift and ``group_id``; their
    ``repeat_count`` is cumulative, so its largest is the number given, also when a gap
    swallowed some taps. Without a group the next streak begins, on TikTok's clock, after
    the end of the one before. A gift that cannot be streaked is a row of its own. The
    rules are those of the gift ledger; a test holds the two together.

    Args:
        gifts: ``rec.gifts``.

    Returns:
        One row per streak or single gift, in the order they began. Columns: started_at,
        last_at (datetime[us, UTC], our clock), user_id (i64), gift_id (i64), gift_name
        (str), count (i64, at least 1), diamonds (i64, of all of them together),
        is_provisional (bool; the streak's end was never seen, so there may have been
        more).
    """
    is_streak = (pl.col("gift_type") == _STREAKABLE) | (
        (pl.col("gift_type") == _TYPE_UNKNOWN) & (pl.col("group_id") != 0)
    )
    taps = gifts.lazy().select(*_COLUMNS, is_streak=is_streak.fill_null(False)).collect()
    streaks, singles = taps.filter("is_streak"), taps.filter(~pl.col("is_streak"))
    found = [_single_gifts(singles), _streaks(_numbered(streaks), "group_id", "nth")]
    return (
        in_order(pl.concat(found))
        .lazy()
        .with_columns(diamonds=pl.col("count") * pl.col("price"))
        .select(
            "started_at", "last_at", "user_id", "gift_id", "gift_name", "count", "diamonds", "is_provisional"
        )
        .collect()
    )


def _numbered(taps: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Say of each tap without a group how many streaks of its viewer and gift had ended before it."""
    is_loose = pl.col("group_id") == 0
    if not taps.select(is_loose.any()).item():
        return taps.with_columns(nth=pl.lit(None, pl.UInt32))
    ended_before = pl.col("repeat_end").cum_sum() - pl.col("repeat_end")
    return taps.sort("occurred_at", "seq").with_columns(
        nth=pl.when(is_loose).then(ended_before.over("user_id", "gift_id", *keys))
    )


def _streaks(taps: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Return one row for all taps with the same viewer, gift and ``keys``."""
    return (
        in_order(taps)
        .group_by("user_id", "gift_id", *keys)
        .agg(
            pl.col("seq").first(),
            pl.col("gift_name").last(),
            started_at=pl.col("received_at").min(),
            last_at=pl.col("received_at").max(),
            count=pl.col("repeat_count").max().clip(lower_bound=1),
            price=pl.col("diamonds").max(),
            is_provisional=pl.col("is_streak").first() & ~pl.col("repeat_end").any(),
        )
        .select(_FOUND)
    )


def _single_gifts(taps: pl.DataFrame) -> pl.DataFrame:
    """Return one row per message. One without an id is like no other."""
    alone = taps.select(
        "seq",
        "user_id",
        "gift_id",
        "gift_name",
        started_at="received_at",
        last_at="received_at",
        count=pl.col("repeat_count").clip(lower_bound=1),
        price="diamonds",
        is_provisional=pl.lit(False),
    )
    if taps["msg_id"].n_unique() == taps.height:
        # Nothing to put together: what has nothing in common is not grouped.
        return alone
    is_again = pl.struct("user_id", "gift_id", "group_id", "msg_id").is_duplicated() & (pl.col("msg_id") != 0)
    again = taps.filter(is_again)
    return pl.concat(
        [
            alone.join(again.select("seq"), on="seq", how="anti"),
            _streaks(_numbered(again, "msg_id"), "group_id", "msg_id", "nth"),
        ]
    )


def diamonds_by_gift(streaks: Frame) -> pl.DataFrame:
    """
    Add up by what was given.

    Args:
        streaks: What :func:`gift_streaks` returned.

    Returns:
        One row per gift, most diamonds first. Columns: gift_id (i64), gift_name (str),
        gifts (i64), diamonds (i64), givers (u32), provisional (i64; diamonds of streaks
        whose end was never seen).
    """
    return (
        streaks.lazy()
        .group_by("gift_id")
        .agg(pl.col("gift_name").last(), *_sums(), givers=pl.col("user_id").drop_nulls().n_unique())
        .select("gift_id", "gift_name", "gifts", "diamonds", pl.col("givers").cast(pl.UInt32), "provisional")
        .sort(["diamonds", "gifts", "gift_id"], descending=[True, True, False])
        .collect()
    )


def diamonds_by_giver(streaks: Frame, users: Frame) -> pl.DataFrame:
    """
    Add up by who gave.

    Args:
        streaks: What :func:`gift_streaks` returned.
        users: ``rec.users``.

    Returns:
        One row per giver, most diamonds first; gifts of nobody named are one row.
        Columns: user_id (i64), handle, nickname (str; null if the user is not known),
        gifts (i64), diamonds (i64), share (f64, 0-1, of all diamonds; null if there
        are none), provisional (i64; diamonds of streaks whose end was never seen).
    """
    total = pl.col("diamonds").sum()
    return (
        streaks.lazy()
        .group_by("user_id")
        .agg(*_sums())
        .join(users.lazy().select("user_id", "handle", "nickname"), on="user_id", how="left")
        .with_columns(share=pl.when(total > 0).then(pl.col("diamonds") / total))
        .select("user_id", "handle", "nickname", "gifts", "diamonds", "share", "provisional")
        .sort(["diamonds", "gifts", "user_id"], descending=[True, True, False])
        .collect()
    )


def _sums() -> list[pl.Expr]:
    return [
        pl.col("count").sum().alias("gifts"),
        pl.col("diamonds").sum(),
        pl.col("diamonds").filter("is_provisional").sum().alias("provisional"),
    ]
