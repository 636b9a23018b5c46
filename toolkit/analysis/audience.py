"""Who talks, and who does so for the first time."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from toolkit.analysis.observed import Frame, in_order, minutes_observed

__all__ = ["chatters", "chatters_per_minute"]


def chatters(comments: Frame, users: Frame) -> pl.DataFrame:
    """
    List everybody who wrote.

    Args:
        comments: ``rec.comments``. Replayed ones count: they were written.
        users: ``rec.users``.

    Returns:
        One row per author, most comments first. Columns: user_id (i64), handle,
        nickname (str; null if the user is not known), comments (u32), share (f64, 0-1,
        of all comments that have an author), first_at, last_at (datetime[us, UTC], our
        clock).
    """
    return (
        _with_author(comments)
        .group_by("user_id")
        .agg(
            comments=pl.len().cast(pl.UInt32),
            first_at=pl.col("received_at").min(),
            last_at=pl.col("received_at").max(),
        )
        .join(users.lazy().select("user_id", "handle", "nickname"), on="user_id", how="left")
        .with_columns(share=pl.col("comments") / pl.col("comments").sum())
        .select("user_id", "handle", "nickname", "comments", "share", "first_at", "last_at")
        .sort(["comments", "first_at", "user_id"], descending=[True, False, False])
        .collect()
    )


def chatters_per_minute(comments: Frame, segments: Frame, until: datetime | None = None) -> pl.DataFrame:
    """
    Count the people who wrote in each minute, by whether they had written before.

    Args:
        comments: ``rec.comments``.
        segments: ``rec.segments``.
        until: Where a segment without an end is taken to end: ``rec.coverage.ended_at``.

    Returns:
        One row per minute, sorted, no missing minutes. Columns: minute
        (datetime[us, UTC]), observed_s (f64, 0-60), new (u32; wrote for the first time
        in this recording), returning (u32; wrote in an earlier minute, or in a comment
        that TikTok replayed).

    Raises:
        RecordingError: The segments lie months apart.
    """
    minute = pl.col("received_at").dt.truncate("1m")
    columns = ["seq", "user_id", "is_history"]
    written = in_order(_with_author(comments).select(*columns, minute=minute).collect())
    begun = (
        written.lazy()
        .group_by("user_id")
        .agg(first=pl.col("minute").first(), was_there=pl.col("is_history").first())
    )
    is_new = (pl.col("minute") == pl.col("first")) & ~pl.col("was_there")
    counts = (
        written.lazy()
        .filter(~pl.col("is_history"))
        .select("user_id", "minute")
        .unique()
        .join(begun, on="user_id")
        .group_by("minute")
        .agg(new=is_new.sum().cast(pl.UInt32), returning=(~is_new).sum().cast(pl.UInt32))
    )
    return (
        minutes_observed(segments, until)
        .join(counts.collect(), on="minute", how="left")
        .with_columns(pl.col("new", "returning").fill_null(0))
        .sort("minute")
    )


def _with_author(comments: Frame) -> pl.LazyFrame:
    """Leave out comments nobody is named for: together they would look like one busy person."""
    return comments.lazy().filter(pl.col("user_id").fill_null(0) != 0)
