"""Whether the figures can be trusted: what was observed, lost, damaged, late."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from toolkit.analysis.observed import UTC_US, Frame, closed_segments, without_history

__all__ = ["coverage_box", "delay_summary", "gap_list"]

_PUSHED = 1
_LATE_MS = 2_000.0
"""Later than the median by so much is late. Relative, because the two clocks differ by
an unknown amount, seconds at times; 99 % of comments stray by less."""


def coverage_box(segments: Frame, frames: Frame, until: datetime | None = None) -> pl.DataFrame:
    """
    Say in one row what a recording saw.

    Args:
        segments: ``rec.segments``.
        frames: ``rec.frames``.
        until: Where the recording ends: ``rec.coverage.ended_at``. A segment without an
            end is taken to end there, and what lies behind the last one was not observed.

    Returns:
        One row. Columns: started_at, ended_at (datetime[us, UTC]; null if nothing was
        recorded), total_s, observed_s (f64), observed_share (f64, 0-1; 1 if nothing was
        recorded), gaps (i64), frames, messages, duplicates, quarantined (i64),
        frame_holes (i64; places where TikTok's own count of frames jumps).
    """
    seconds = _seconds(closed_segments(segments, until), until)
    counts = (
        frames.lazy()
        .select(
            frames=pl.len().cast(pl.Int64),
            messages=pl.col("messages").sum().cast(pl.Int64),
            duplicates=pl.col("duplicates").sum().cast(pl.Int64),
            quarantined=pl.col("quarantined").sum().cast(pl.Int64),
        )
        .collect()
    )
    return pl.concat([seconds, counts, _frame_holes(frames)], how="horizontal")


def gap_list(gaps: Frame, comments: Frame, until: datetime | None = None) -> pl.DataFrame:
    """
    List the stretches nobody observed.

    Args:
        gaps: ``rec.gaps``.
        comments: ``rec.comments``.
        until: Where a gap without an end is taken to end: ``rec.coverage.ended_at``.

    Returns:
        One row per gap, sorted. Columns: started_at, ended_at (datetime[us, UTC], our
        clock), duration_s (f64), cause (str), recovered_comments (u32; comments that
        TikTok replayed after it and that were new to us, at most six or so).
    """
    ended_at = pl.coalesce("ended_at", pl.lit(until, UTC_US), "started_at")
    listed = (
        gaps.lazy()
        .select("gap_id", "started_at", ended_at.alias("ended_at"), "cause")
        .with_columns(
            duration_s=(pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds() / 1e6,
        )
        .sort("ended_at")
    )
    recovered = (
        comments.lazy()
        .filter(pl.col("is_history"))
        .sort("received_at")
        .join_asof(listed.select("gap_id", "ended_at"), left_on="received_at", right_on="ended_at")
        .group_by("gap_id")
        .agg(recovered_comments=pl.len().cast(pl.UInt32))
    )
    return (
        listed.join(recovered, on="gap_id", how="left")
        .with_columns(pl.col("recovered_comments").fill_null(0))
        .sort("gap_id")
        .select("started_at", "ended_at", "duration_s", "cause", "recovered_comments")
        .collect()
    )


def delay_summary(comments: Frame) -> pl.DataFrame:
    """
    Compare TikTok's clock with ours over the comments.

    Args:
        comments: ``rec.comments``. Replayed ones are left out.

    Returns:
        One row. Columns: comments (u32; those with a time from TikTok), delay_p50_ms,
        delay_p90_ms, delay_p99_ms (f64; ours minus TikTok's, so the error of both
        clocks is in it and it may be negative), late_share (f64, 0-1; more than 2 s
        behind the median), out_of_order_share (f64, 0-1; written before the one that
        arrived just ahead of it), step_back_max_ms (f64; the most by which one was).
        All but the first are null without comments, the last two also with only one.
    """
    delay = (pl.col("received_at") - pl.col("occurred_at")).dt.total_microseconds() / 1e3
    step = pl.col("occurred_at").diff().dt.total_microseconds() / 1e3
    return (
        without_history(comments)
        .filter(pl.col("occurred_at").is_not_null())
        .sort("seq")
        .select(delay_ms=delay, step_ms=step)
        .select(
            comments=pl.len().cast(pl.UInt32),
            delay_p50_ms=pl.col("delay_ms").median(),
            delay_p90_ms=pl.col("delay_ms").quantile(0.9, "linear"),
            delay_p99_ms=pl.col("delay_ms").quantile(0.99, "linear"),
            late_share=(pl.col("delay_ms") > pl.col("delay_ms").median() + _LATE_MS).mean(),
            out_of_order_share=(pl.col("step_ms") < 0).mean(),
            step_back_max_ms=-pl.col("step_ms").clip(upper_bound=0.0).min(),
        )
        .collect()
    )


def _seconds(stretches: pl.DataFrame, until: datetime | None) -> pl.DataFrame:
    length = (pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds().sum() / 1e6
    seen_until = pl.col("ended_at").max()
    ended_at = pl.when(seen_until.is_not_null()).then(pl.max_horizontal(seen_until, pl.lit(until, UTC_US)))
    whole = (ended_at - pl.col("started_at").min()).dt.total_microseconds() / 1e6
    return stretches.select(
        started_at=pl.col("started_at").min(),
        ended_at=ended_at,
        total_s=whole.fill_null(0.0),
        observed_s=length,
        observed_share=pl.when(whole > 0).then((length / whole).clip(0.0, 1.0)).otherwise(1.0),
        gaps=pl.max_horizontal(pl.len().cast(pl.Int64) - 1, 0) + (ended_at > seen_until).fill_null(False),
    )


def _frame_holes(frames: Frame) -> pl.DataFrame:
    """Count jumps rather than what they skip: one absurd number is then one hole."""
    return (
        frames.lazy()
        .filter((pl.col("kind") == _PUSHED) & (pl.col("payload_type") == "msg"))
        .sort("segment_id", "push_seq")
        .select(
            frame_holes=(pl.col("push_seq").diff().over("segment_id", order_by="push_seq") > 1)
            .sum()
            .cast(pl.Int64)
        )
        .collect()
    )
