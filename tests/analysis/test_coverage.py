"""What a recording says of itself."""

from __future__ import annotations

import polars as pl
import pytest

from toolkit.analysis import coverage_box, delay_summary, gap_list


def frames(by_hand, *push_seqs, segment_id=1):
    """Return pushed frames with 3 messages each, one of them a duplicate of another frame's."""
    rows = [{"frame_no": i, "push_seq": n} for i, n in enumerate(push_seqs, 1)]
    return by_hand.table(
        "frames",
        rows,
        segment_id=segment_id,
        kind=1,
        payload_type="msg",
        messages=3,
        duplicates=1,
        quarantined=0,
    )


def test_the_box_adds_up_what_was_seen(by_hand):
    """90 of 120 seconds, one gap."""
    box = coverage_box(by_hand.segments((0, 50), (80, 120)), frames(by_hand, 1, 2)).row(0, named=True)
    assert (box["observed_s"], box["total_s"], box["observed_share"], box["gaps"]) == (90.0, 120.0, 0.75, 1)
    assert (box["frames"], box["messages"], box["duplicates"], box["quarantined"]) == (2, 6, 2, 0)


@pytest.mark.parametrize(
    ("push_seqs", "holes"),
    [((1, 2, 3), 0), ((3, 1, 2), 0), ((1, 2, 2, 3), 0), ((1, 4, 9), 2), ((1, 2**62), 1)],
)
def test_a_jump_in_the_count_of_frames_is_a_hole(by_hand, push_seqs, holes):
    """Whatever their order, and however far the jump."""
    assert coverage_box(by_hand.segments((0, 1)), frames(by_hand, *push_seqs))["frame_holes"][0] == holes


def test_each_connection_counts_its_frames_anew(by_hand):
    """Only pushed messages are counted by TikTok."""
    both = frames(by_hand, 5, 6).extend(frames(by_hand, 1, 2, segment_id=2))
    heartbeat = frames(by_hand, 90).with_columns(payload_type=pl.lit("hb"))
    assert coverage_box(by_hand.segments((0, 1)), both.extend(heartbeat))["frame_holes"][0] == 0


def test_an_empty_recording_has_a_box(by_hand):
    """Nothing was missed of nothing."""
    box = coverage_box(by_hand.segments(), frames(by_hand)).row(0, named=True)
    assert box["started_at"] is None
    assert (box["observed_share"], box["gaps"], box["messages"], box["frame_holes"]) == (1.0, 0, 0, 0)


def test_a_gap_tells_what_came_back_after_it(by_hand):
    """Comments replayed at the very first connect belong to no gap."""
    rows = by_hand.comments(
        {"s": 0, "is_history": True},
        {"s": 80, "is_history": True},
        {"s": 80.5, "is_history": True},
        {"s": 81},
        {"s": 300, "is_history": True},
    )
    listed = gap_list(by_hand.gaps((50, 80), (200, 299)), rows)
    assert listed.select("duration_s", "cause", "recovered_comments").rows() == [
        (30.0, "network", 2),
        (99.0, "network", 1),
    ]


def test_a_gap_still_open_lasts_until_the_given_moment(by_hand):
    """And no list is empty-handed."""
    listed = gap_list(by_hand.gaps((50, None)), by_hand.comments(), by_hand.at(60))
    assert listed.select("duration_s", "recovered_comments").rows() == [(10.0, 0)]
    assert gap_list(by_hand.gaps(), by_hand.comments({"s": 1, "is_history": True})).is_empty()


def test_delays_are_ours_minus_tiktoks(by_hand):
    """Replayed comments and those without a time do not count."""
    rows = by_hand.comments(
        {"s": 10, "delay_s": 1.0},
        {"s": 11, "delay_s": 3.0},
        {"s": 12, "delay_s": 0.5},
        {"s": 13, "delay_s": -0.5},
        {"s": 20, "delay_s": 5.0},
        {"s": 21, "delay_s": 900, "is_history": True},
        {"s": 22, "occurred_at": None},
    )
    summary = delay_summary(rows).row(0, named=True)
    assert (summary["comments"], summary["delay_p50_ms"]) == (5, 1000.0)
    # 5.0 s is 4 s behind the median; 3.0 s is exactly 2 s behind it, which is not yet late.
    assert summary["late_share"] == pytest.approx(1 / 5)
    # Written at 9, 8, 11.5, 13.5, 15: one step back in four, by a second.
    assert (summary["out_of_order_share"], summary["step_back_max_ms"]) == (0.25, 1000.0)


def test_one_comment_has_a_delay_and_no_neighbour(by_hand):
    """Nothing is made up for none either."""
    assert delay_summary(by_hand.comments({"s": 1})).row(0) == (1, 1000.0, 1000.0, 1000.0, 0.0, None, None)
    assert delay_summary(by_hand.comments()).row(0) == (0, None, None, None, None, None, None)
