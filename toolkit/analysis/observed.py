"""What was observed: the seconds of each minute in which a connection stood."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

import polars as pl

from toolkit.errors import RecordingError

__all__ = [
    "MINUTE_S",
    "UTC_US",
    "Frame",
    "closed_segments",
    "in_order",
    "minutes_observed",
    "without_history",
]

Frame: TypeAlias = pl.DataFrame | pl.LazyFrame
"""A table, read already or not."""

UTC_US = pl.Datetime("us", "UTC")
"""How every time in a recording is typed."""

MINUTE_S = 60.0
"""Seconds of a minute that was observed from beginning to end."""

_DAYS_MAX = 92
"""A live lasts hours. Longer than a quarter of a year means that the clock was set while
recording, and one row per minute would fill the memory with nothing."""


def minutes_observed(segments: Frame, until: datetime | None = None) -> pl.DataFrame:
    """
    Say for each minute how long it was observed.

    Args:
        segments: ``rec.segments``.
        until: Where the recording ends: ``rec.coverage.ended_at``. A segment without an
            end is taken to end there, and what lies behind the last one was not observed.

    Returns:
        One row per minute from the first connection to the end of the recording, sorted,
        no missing minutes. Columns: minute (datetime[us, UTC]), observed_s (f64, 0-60).

    Raises:
        RecordingError: The segments lie months apart.
    """
    stretches = closed_segments(segments, until)
    if stretches.is_empty():
        return pl.DataFrame(schema={"minute": UTC_US, "observed_s": pl.Float64})
    first, last = _first_and_last_minute(stretches, until)
    observed = (
        stretches.with_columns(
            minute=pl.datetime_ranges(
                pl.col("started_at").dt.truncate("1m"), pl.col("ended_at").dt.truncate("1m"), "1m"
            )
        )
        .explode("minute")
        .with_columns(
            begins=pl.max_horizontal("started_at", "minute"),
            ends=pl.min_horizontal("ended_at", pl.col("minute") + timedelta(minutes=1)),
        )
        .group_by("minute")
        .agg(observed_s=(pl.col("ends") - pl.col("begins")).dt.total_microseconds().sum() / 1e6)
    )
    return (
        pl.DataFrame({"minute": pl.datetime_range(first, last, "1m", eager=True)})
        .join(observed, on="minute", how="left")
        # Above a minute only if the clock was set back and two segments overlap.
        .with_columns(pl.col("observed_s").fill_null(0.0).clip(0.0, MINUTE_S))
        .sort("minute")
    )


def closed_segments(segments: Frame, until: datetime | None = None) -> pl.DataFrame:
    """
    Return the connected stretches, each with an end.

    Args:
        segments: ``rec.segments``.
        until: End of one that has none. Without it such a segment has length 0.

    Returns:
        One row per segment, in the order given. Columns: started_at, ended_at
        (datetime[us, UTC], never before started_at).
    """
    ended_at = pl.coalesce("ended_at", pl.lit(until, UTC_US), "started_at")
    return (
        segments.lazy()
        .select(started_at="started_at", ended_at=pl.max_horizontal("started_at", ended_at))
        .collect()
    )


def without_history(events: Frame) -> pl.LazyFrame:
    """Return the events without what TikTok replayed from before we connected."""
    rows = events.lazy()
    return rows.filter(~pl.col("is_history")) if "is_history" in rows.collect_schema() else rows


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows in the order of ``seq``. Tables of a recording are; looking is a tenth of sorting."""
    return rows if rows["seq"].is_sorted() else rows.sort("seq")


def _first_and_last_minute(stretches: pl.DataFrame, until: datetime | None) -> tuple[datetime, datetime]:
    ended_at = pl.max_horizontal(pl.col("ended_at").max(), pl.lit(until, UTC_US))
    first, last = stretches.select(
        pl.col("started_at").min().dt.truncate("1m"), ended_at.dt.truncate("1m")
    ).row(0)
    if last - first > timedelta(days=_DAYS_MAX):
        raise RecordingError(
            f"the recording reaches from {first:%Y-%m-%d} to {last:%Y-%m-%d}: "
            "the clock of the recording machine was set meanwhile",
            hint="Take the segments of one side only: `rec.segments.filter(...)`.",
        )
    return first, last
