"""What happened per minute, and whether anybody looked."""

from __future__ import annotations

import polars as pl
import pytest

from toolkit.analysis import activity_per_minute, minutes_observed, viewers_over_time
from toolkit.errors import RecordingError


def test_a_gap_across_a_minute_takes_its_seconds_from_both(by_hand):
    """12:00:50 to 12:01:20 unseen: 50 s of the first minute are left, 40 s of the second."""
    minutes = minutes_observed(by_hand.segments((0, 50), (80, 120)))
    assert minutes["observed_s"].to_list() == [50.0, 40.0, 0.0]
    assert minutes["minute"].to_list() == [by_hand.at(0), by_hand.at(60), by_hand.at(120)]


def test_a_minute_nobody_saw_is_a_row_without_a_rate(by_hand):
    """Null says "not observed"; 0 would say "quiet"."""
    minutes = activity_per_minute(
        by_hand.segments((0, 60), (180, 240)), {"comments": by_hand.comments({"s": 1}, {"s": 2})}
    )
    assert minutes["observed_s"].to_list() == [60.0, 0.0, 0.0, 60.0, 0.0]
    assert minutes["comments"].to_list() == [2, 0, 0, 0, 0]
    assert minutes["comments_per_observed_minute"].to_list() == [2.0, None, None, 0.0, None]
    assert minutes.schema["comments"] == pl.UInt32


def test_a_rate_is_divided_by_the_seconds_observed(by_hand):
    """Ten comments in 30 observed seconds are 20 a minute."""
    ten = by_hand.comments(*({"s": s} for s in range(10)))
    minutes = activity_per_minute(by_hand.segments((0, 30)), {"comments": ten})
    assert minutes["comments_per_observed_minute"].to_list() == [20.0]


def test_a_moment_is_too_short_for_a_rate(by_hand):
    """One comment in half a second is no 120 a minute."""
    minutes = activity_per_minute(by_hand.segments((0, 0.5)), {"comments": by_hand.comments({"s": 0})})
    assert minutes.select("comments", "comments_per_observed_minute").row(0) == (1, None)


def test_replayed_comments_do_not_make_a_minute_busy(by_hand):
    """They were written before we looked."""
    rows = by_hand.comments({"s": 1, "is_history": True}, {"s": 2})
    assert activity_per_minute(by_hand.segments((0, 60)), {"comments": rows})["comments"][0] == 1


def test_several_tables_get_columns_of_their_own(by_hand):
    """Lazy or not, with is_history or without."""
    joins = by_hand.table("joins", [{"received_at": by_hand.at(61)}])
    minutes = activity_per_minute(
        by_hand.segments((0, 119)), {"comments": by_hand.comments({"s": 1}).lazy(), "joins": joins}
    )
    assert minutes.select("comments", "joins").rows() == [(1, 0), (0, 1)]


def test_a_segment_still_running_counts_up_to_the_given_moment(by_hand):
    """Without it, nothing is claimed to have been observed."""
    running = by_hand.segments((0, None))
    assert minutes_observed(running, by_hand.at(90))["observed_s"].to_list() == [60.0, 30.0]
    assert minutes_observed(running)["observed_s"].to_list() == [0.0]


def test_a_clock_set_back_never_makes_a_minute_longer(by_hand):
    """Segments that overlap, and one that ends before it starts."""
    minutes = minutes_observed(by_hand.segments((0, 60), (10, 50), (40, 20)))
    assert minutes["observed_s"].to_list() == [60.0, 0.0]


def test_a_clock_set_by_years_is_said(by_hand):
    """Instead of a row for each minute since."""
    with pytest.raises(RecordingError, match="clock"):
        minutes_observed(by_hand.segments((0, 60), (400 * 86_400, 400 * 86_400 + 1)))


def test_nothing_recorded_gives_no_minutes(by_hand):
    """The columns are there all the same."""
    minutes = activity_per_minute(by_hand.segments(), {"comments": by_hand.comments()})
    assert minutes.is_empty()
    assert minutes.columns == ["minute", "observed_s", "comments", "comments_per_observed_minute"]


def test_the_line_of_viewers_breaks_at_a_gap(by_hand):
    """A null where it begins, and no zeros that TikTok sends by mistake."""
    counts = by_hand.table(
        "viewer_counts",
        [{"received_at": by_hand.at(s), "viewers": v} for s, v in ((1, 10), (2, 0), (30, 12))],
    )
    line = viewers_over_time(counts, by_hand.gaps((5, 20)))
    assert line.rows() == [(by_hand.at(1), 10), (by_hand.at(5), None), (by_hand.at(30), 12)]
    assert viewers_over_time(counts.clear(), by_hand.gaps()).is_empty()
