"""How the live went: what happened in each minute, and how many watched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from toolkit.analysis.observed import MINUTE_S, Frame, minutes_observed, without_history

__all__ = ["activity_per_minute", "viewers_over_time"]

_OBSERVED_S_MIN = 5.0
"""Seconds a minute must have been observed to have a rate. TikTok delivers in bursts
every 0.75 s: over less than a few of them, one burst decides what the rate is."""


def activity_per_minute(
    segments: Frame, events: Mapping[str, Frame], until: datetime | None = None
) -> pl.DataFrame:
    """
    Count what was received in each minute.

    Args:
        segments: ``rec.segments``.
        events: Tables of events by the name they shall have in the result:
            ``{"comments": rec.comments, "joins": rec.joins}``.
        until: Where a segment without an end is taken to end: ``rec.coverage.ended_at``.

    Returns:
        One row per minute, sorted, no missing minutes. Columns: minute
        (datetime[us, UTC]), observed_s (f64, 0-60), and for each table ``comments``
        (u32) and ``comments_per_observed_minute`` (f64; null where less than 5 s were
        observed). Comments replayed by TikTok are left out, and so is what was
        received outside every segment (only a clock that was set does that).

    Raises:
        RecordingError: The segments lie months apart.
    """
    minutes = minutes_observed(segments, until)
    for name, rows in events.items():
        counts = (
            without_history(rows)
            .group_by(minute=pl.col("received_at").dt.truncate("1m"))
            .agg(pl.len().cast(pl.UInt32).alias(name))
        )
        minutes = minutes.join(counts.collect(), on="minute", how="left").with_columns(
            pl.col(name).fill_null(0)
        )
    rates = {
        f"{name}_per_observed_minute": pl.when(pl.col("observed_s") >= _OBSERVED_S_MIN).then(
            pl.col(name) * MINUTE_S / pl.col("observed_s")
        )
        for name in events
    }
    return minutes.with_columns(**rates).sort("minute")


def viewers_over_time(viewer_counts: Frame, gaps: Frame) -> pl.DataFrame:
    """
    Return how many watched, ready to be drawn as a line that breaks at gaps.

    Args:
        viewer_counts: ``rec.viewer_counts``.
        gaps: ``rec.gaps``.

    Returns:
        One row per figure TikTok sent and one per gap, sorted by time. Columns: at
        (datetime[us, UTC], our clock), viewers (i64; null where a gap begins). A figure
        of 0 is left out: TikTok sends it now and then, with people watching.
    """
    figures = viewer_counts.lazy().filter(pl.col("viewers") > 0).select("viewers", at="received_at")
    breaks = gaps.lazy().select(viewers=pl.lit(None, pl.Int64), at="started_at")
    return pl.concat([figures, breaks]).select("at", "viewers").sort("at", maintain_order=True).collect()
