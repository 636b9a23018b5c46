"""A sealed recording as a plan: its times, its gaps, its parts, its figures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.replay.conftest import BEGAN_AT, ROOM, Watched, comment
from toolkit.clock import ManualClock
from toolkit.errors import NotARecording, ReplayError
from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause
from toolkit.replay.clip import clipped
from toolkit.replay.clock import UNLIMITED
from toolkit.replay.course import Cue
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Return a recording: comments 0 to 4 a second apart, a gap of 30 s, comments 5 to 9."""
    clock = ManualClock(wall_us=BEGAN_AT, mono=7)
    writer = RecordingWriter.create(tmp_path, "ann", clock=clock)
    for first in (0, 5):
        writer.open_segment(ROOM)
        for number in range(first, first + 5):
            data = encode_push_frame(
                encode_fetch_result([comment(number)], cursor=f"c{number}"), log_id=number
            )
            writer.take(writer.write(FrameKind.PUSH, data))
            clock.advance(1)
        writer.close_segment(Cause.NETWORK if first == 0 else Cause.LIVE_ENDED)
        clock.advance(29)
    return writer.seal().path


def changed(path: Path, sql: str) -> Path:
    """Return a stranger's version of a recording."""
    copy = path.with_name("stranger.duckdb")
    shutil.copy(path, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(sql)
    return copy


def times(plan: Any, from_s: float = 0.0) -> list[float]:
    """Return when each frame is due."""
    return [round(frame.at_s, 6) for frame in plan.frames(from_s)]


def test_frames_have_their_times_and_a_gap_is_a_break(recorded):
    """Monotonic within a segment, wall clock between two; the end is the last segment's."""
    plan = RecordingPlan(recorded)
    assert times(plan) == [0, 1, 2, 3, 4, 34, 35, 36, 37, 38]
    assert plan.duration_s == 39
    (gap,) = plan.breaks
    assert (gap.from_s, gap.until_s, gap.cause) == (4.0, 34.0, "network")
    assert [frame.segment_id for frame in plan.frames()] == [1] * 5 + [2] * 5


def test_gaps_can_be_healed(recorded):
    """One connection, nothing between."""
    plan = RecordingPlan(recorded, heals_gaps=True)
    assert times(plan) == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]
    assert list(plan.breaks) == []
    assert {frame.segment_id for frame in plan.frames()} == {1}


def test_silences_can_be_shortened_gaps_included(recorded):
    """To the longest that is wanted."""
    plan = RecordingPlan(recorded, idle_max_s=0.5)
    assert times(plan) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]
    (gap,) = plan.breaks
    assert 2.0 <= gap.from_s < gap.until_s == 2.5
    assert plan.duration_s == 5.0


def test_a_wall_clock_set_back_in_a_gap_leaves_a_moment_for_it(recorded):
    """Time never goes backwards, and the connection is lost all the same."""
    path = changed(
        recorded, "UPDATE frames SET received_at = received_at - INTERVAL 1 DAY WHERE segment_id = 2"
    )
    plan = RecordingPlan(path)
    assert times(plan) == pytest.approx([0, 1, 2, 3, 4, 4.001, 5.001, 6.001, 7.001, 8.001])
    (gap,) = plan.breaks
    assert 4 <= gap.from_s < gap.until_s == pytest.approx(4.001)
    assert Watched(plan, rate=UNLIMITED).run().texts() == [str(n) for n in range(10)]


def test_a_strangers_file_with_holes_and_a_clock_that_jumps_is_played(recorded):
    """Frame numbers with holes, a monotonic clock that runs backwards: in order, each once."""
    path = changed(
        recorded,
        "UPDATE frames SET frame_no = frame_no * 1000000000, received_mono_ns = -received_mono_ns;"
        " UPDATE messages SET frame_no = frame_no * 1000000000",
    )
    result = Watched(plan := RecordingPlan(path), cues=[Cue(34.5, lambda p: p.seek(0))]).run()
    assert result.runs()[-1] == [str(n) for n in range(10)]
    assert plan.timeline(3).messages == pytest.approx(plan.timeline(3).comments)


@pytest.mark.parametrize("from_s", [0.0, 0.5, 1.0, 4.0, 4.001, 20.0, 34.0, 38.0, 38.5, 1e6])
def test_reading_from_a_place_is_the_tail_of_reading_everything(recorded, from_s):
    """The frames due there and behind, whole."""
    plan = RecordingPlan(recorded)
    assert list(plan.frames(from_s)) == [frame for frame in plan.frames() if frame.at_s >= from_s]


@pytest.mark.parametrize("share", [0.37, 0.63])
def test_a_part_is_a_plan_of_its_own(sample, share):
    """Its frames are those between the two places, its time begins at 0, its figures are its own."""
    whole = RecordingPlan(sample)
    middle_s = whole.duration_s * share
    parts = [clipped(whole, a, b) for a, b in ((0, middle_s), (middle_s, None)) if a < whole.duration_s]
    assert sum(part.duration_s for part in parts) == pytest.approx(whole.duration_s)
    found = [f.log_id for part in parts for f in part.frames()]
    assert found == [f.log_id for f in whole.frames()]
    for part in parts:
        assert all(0 <= frame.at_s < part.duration_s + 1e-9 for frame in part.frames())
        # Its own figures: nothing before it counts.
        straight = Watched(part, rate=UNLIMITED).run().live_state.snapshot(0)
        jumped = Watched(
            part, rate=UNLIMITED, cues=[Cue(0.0, lambda p, at_s=part.duration_s: p.seek(at_s))]
        ).run()
        assert jumped.live_state.snapshot(0).totals == straight.totals


def test_a_part_of_any_plan_has_its_frames_and_breaks(by_hand):
    """Also of one that does not know how to be divided."""
    from toolkit.model.plan import Break

    plan = by_hand(20, breaks=[Break(0.95, 1.35, "network")])
    part = clipped(plan, 0.5, 1.2)
    assert [round(f.at_s, 6) for f in part.frames()] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert [round(f.at_s, 6) for f in part.frames(0.45)] == [0.5, 0.6]
    (stretch,) = part.breaks
    assert (stretch.from_s, stretch.until_s) == pytest.approx((0.45, 0.7))
    assert clipped(plan) is plan


@pytest.mark.parametrize(("from_s", "until_s"), [(5, 5), (6, 5), (99, None), (-1, 3), (float("nan"), 3)])
def test_a_part_of_nothing_is_refused(by_hand, from_s, until_s):
    """With what there is."""
    with pytest.raises(ReplayError, match="Nothing is left"):
        clipped(by_hand(), from_s, until_s)


def test_the_timeline_adds_up_and_marks_what_stood_out(sample):
    """Every comment in one stretch, the gap where it is, marks within the recording."""
    plan = RecordingPlan(sample)
    for buckets in (1, 7, 200, 2_000):
        timeline = plan.timeline(buckets)
        assert len(timeline.comments) == len(timeline.messages) == buckets
        assert (sum(timeline.comments), sum(timeline.messages)) == (628, 1824)
    drawn = plan.timeline(100).as_dict()
    (gap,) = drawn["gaps"]
    quiet = [i for i in range(100) if gap["from_s"] < i * drawn["bucket_s"] < gap["until_s"]]
    assert len(quiet) >= 6
    assert not any(drawn["messages"][i] for i in quiet[:-1])
    kinds = {marker["kind"] for marker in drawn["markers"]}
    assert kinds == {"gift", "question"}
    assert all(0 <= marker["at_s"] <= plan.duration_s for marker in drawn["markers"])
    part = clipped(plan, 100, 200)
    assert sum(part.timeline(10).comments) == sum(
        1 for frame in part.frames() for m in frame.messages if m.method == "WebcastChatMessage"
    )


@pytest.mark.parametrize(
    ("which", "share"),
    [("sample", 0.2), ("sample", 0.63), ("sample", 0.99), ("fault_run", 0.001), ("fault_run", 1.0)],
)
def test_after_a_seek_the_figures_are_those_of_having_played_up_to_there(which, share, request):
    """What a dashboard shows at a place does not depend on how one got there."""
    plan = RecordingPlan(request.getfixturevalue(which))
    at_s = plan.duration_s * share
    played = Watched(plan, cues=[Cue(at_s, lambda p: p.stop())]).run()
    jumped = Watched(plan, cues=[Cue(0.0, lambda p: p.seek(at_s)), Cue(at_s, lambda p: p.stop())]).run()
    assert jumped.player.progress().frames == 0 < played.player.progress().frames
    assert figures(jumped) == figures(played)


def figures(watched: Watched) -> dict[str, Any]:
    """Return what a page shows, without numbers on the bus and moments."""
    shown = watched.live_state.snapshot(0)
    names = ("totals", "viewers", "viewers_peak", "viewers_total", "likes_total", "diamonds", "gifts")
    firsts = {seq for seq, _ in shown.comments} & shown.firsts
    return {name: getattr(shown, name) for name in (*names, "chatters", "run", "recording")} | {
        "gifters": sorted((g.user.user_id, g.diamonds, g.gifts) for g in shown.gifters),
        "comments": [(c.seq, c.text, c.user.user_id, seq in firsts) for seq, c in shown.comments],
        "questions": [(q.seq, q.text) for _, q in shown.questions],
    }


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_behind_a_seek_the_same_comes_out_as_without_it(sample, share):
    """Event by event, their numbers in the recording included."""
    plan = RecordingPlan(sample)
    at_s = plan.duration_s * share
    whole = Watched(plan, rate=UNLIMITED).run()
    jumped = Watched(plan, rate=UNLIMITED, cues=[Cue(0.0, lambda p: p.seek(at_s))]).run()
    tail = [(n.type, n.data.seq, n.data.msg_id) for n in jumped.notices if hasattr(n.data, "msg_id")]
    everything = [(n.type, n.data.seq, n.data.msg_id) for n in whole.notices if hasattr(n.data, "msg_id")]
    assert 0 < len(tail) < len(everything)
    assert everything[-len(tail) :] == tail


def test_what_is_no_recording_is_refused(tmp_path):
    """Another program's file, and one that is cut off in the middle."""
    (tmp_path / "text.duckdb").write_text("hello")
    with pytest.raises(NotARecording):
        RecordingPlan(tmp_path / "text.duckdb")


def test_a_recording_without_a_frame_is_played_in_no_time(tmp_path):
    """It begins, ends, and says so."""
    path = RecordingWriter.create(tmp_path, "ann", clock=ManualClock()).seal().path
    plan = RecordingPlan(path)
    assert (plan.duration_s, list(plan.frames()), list(plan.breaks)) == (0.0, [], [])
    assert plan.timeline(3).comments == [0, 0, 0]
    assert Watched(plan, loops=True).run().player.progress().frames == 0
