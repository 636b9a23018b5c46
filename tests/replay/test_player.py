"""The player's verbs: at once, in order, nothing lost and nothing doubled."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.replay.conftest import HandMadePlan, Watched
from toolkit.bus.memory import MemoryBus
from toolkit.errors import ReplayError
from toolkit.model.plan import Break
from toolkit.replay.clock import UNLIMITED, SystemTime, VirtualTime
from toolkit.replay.course import Cue
from toolkit.replay.player import Player
from toolkit.replay.progress import PlayerState
from toolkit.replay.tap import LiveTap

DEADLINE_S = 20.0


def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition; fail by name."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.001)


class Playing:
    """A watched player in a thread of its own. Stopped at the end of the block."""

    def __init__(self, plan: Any, **options: Any) -> None:
        self.watched = Watched(plan, **{"time": SystemTime()} | options)
        self.player = self.watched.player
        self._thread = threading.Thread(target=lambda: asyncio.run(self.player.run()))

    def __enter__(self) -> Playing:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        """Stop."""
        self.player.stop()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()

    def until_over(self) -> None:
        """Wait for its own end."""
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), self.player.progress()

    @property
    def heard(self) -> int:
        """Comments so far."""
        return len(self.watched.texts())


def numbers(first: int, end: int) -> list[str]:
    """Return what comments ``first`` up to ``end`` say."""
    return [str(number) for number in range(first, end)]


def test_everything_comes_once_in_order_at_its_time(by_hand, watched):
    """At 1x the last of twenty comments, 100 ms apart, leaves at 1.9 s: on virtual time exactly."""
    clock = VirtualTime()
    result = watched(by_hand(), time=clock).run()
    assert result.texts() == numbers(0, 20)
    sent_s = [(n.data.received_at - clock.wall_us) / 1e6 for n in result.notices if n.type == "comment"]
    assert sent_s == pytest.approx([i * 0.1 for i in range(20)], abs=1e-5)
    assert result.player.progress().state is PlayerState.FINISHED
    assert clock.mono_ns() == 2_000_000_000


def test_a_frame_is_decoded_before_it_is_due(by_hand, watched):
    """Right after the one before: at its moment it is only stamped and sent."""
    clock = VirtualTime()
    decoded_at_s: dict[float, float] = {}

    class Noting(LiveTap):
        def prepare(self, planned):
            """Note the first time."""
            decoded_at_s.setdefault(planned.at_s, clock.mono_ns() / 1e9)
            super().prepare(planned)

    result = watched(by_hand(), time=clock, tap=Noting(clock)).run()
    assert result.texts() == numbers(0, 20)
    due_s = sorted(decoded_at_s)
    assert [decoded_at_s[at_s] for at_s in due_s[1:]] == pytest.approx(due_s[:-1], abs=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5, 4.0, 1000.0])
def test_speed_divides_time_and_nothing_else(by_hand, watched, rate):
    """The same comments in the same order, in that part of the time."""
    clock = VirtualTime()
    result = watched(by_hand(), time=clock, rate=rate).run()
    assert result.texts() == numbers(0, 20)
    assert clock.mono_ns() == pytest.approx(2e9 / rate, abs=20)


def test_a_pause_and_a_change_of_speed_lose_nothing(by_hand):
    """
    Comments 100 ms apart for 40 s, paused for 0.6 s after half a second, then 100 times as fast.

    A rival loses those of the pause, and ignores the speed.
    """
    begun = time.monotonic()
    with Playing(by_hand(400)) as playing:
        until(lambda: playing.heard >= 6, "0 to 0.5 s")
        playing.player.pause()
        held, paused_at_s = playing.heard, time.monotonic()
        until(lambda: time.monotonic() - paused_at_s > 0.6, "the pause")
        assert playing.heard == held < 400
        playing.player.resume()
        playing.player.set_rate(100)
        until(lambda: playing.heard == 400, "the rest")
        ended = time.monotonic()
        playing.until_over()
    assert playing.watched.texts() == numbers(0, 400)
    # 0.5 s, the pause, 39.4 s at 100x: without the speed it would be 40 s.
    assert 0.5 + 0.6 + 39.4 / 100 - 0.11 < ended - begun < 20


def test_not_one_more_comment_leaves_once_pause_has_returned(by_hand):
    """While it plays 4,000 a second, over and over; and in the end each has come once."""
    rng = random.Random(5)
    pauses = 0
    with Playing(by_hand(9_000, 0.001), rate=4.0, is_paused=True) as playing:
        # Where the machine stalls, many are played at once: leave enough to be paused once more.
        while pauses < 60 and (before := playing.heard) < 3_000:
            playing.player.resume()
            until(lambda heard=before: playing.heard > heard, "it plays again")
            time.sleep(rng.random() * 0.002)
            playing.player.pause()
            held = playing.heard
            time.sleep(0.002)
            assert playing.heard == held
            pauses += 1
        playing.player.set_rate(UNLIMITED)
        playing.player.resume()
        playing.until_over()
    assert pauses > 1
    assert playing.watched.texts() == numbers(0, 9_000)


def test_a_seek_goes_on_from_there_forward_and_back(by_hand, watched):
    """A new run each time, from the first comment at the place or behind it."""
    cues = [Cue(0.5, lambda p: p.seek(1.55)), Cue(1.8, lambda p: p.skip(-10)), Cue(1.9, lambda p: p.skip(10))]
    result = watched(by_hand(), cues=cues).run()
    assert result.runs() == [numbers(0, 5), numbers(16, 18), numbers(0, 19), []]
    jumps = [(jump["from_s"], jump["to_s"]) for jump in result.told("replay:seek")]
    assert jumps == [(0.5, 1.55), (1.8, 0.0), (1.9, 2.0)]


def test_a_seek_while_paused_stays_paused(by_hand):
    """It waits at the new place."""
    with Playing(by_hand(), is_paused=True) as playing:
        assert playing.player.seek(1.0).position_s == 1.0
        assert playing.player.settle(DEADLINE_S)
        progress = playing.player.progress()
        assert (progress.state, progress.position_s, playing.heard) == (PlayerState.PAUSED, 1.0, 0)
        playing.player.resume()
        playing.until_over()
    assert playing.watched.runs() == [numbers(10, 20)]


@pytest.mark.parametrize("to_s", [-5.0, 0.0, 1.0, 2.0, 99.0])
def test_a_place_beyond_the_ends_is_at_the_ends(by_hand, watched, to_s):
    """Clamped, as a transport bar is dragged."""
    result = watched(by_hand(), cues=[Cue(0.3, lambda p: p.seek(to_s))]).run()
    assert result.runs()[-1] == numbers(round(min(max(to_s, 0), 2) * 10), 20)


def test_play_next_plays_one_frame_of_a_paused_replay(by_hand):
    """Whatever its time; the place moves along; and only while paused."""
    with Playing(by_hand(), is_paused=True) as playing:
        for heard in (1, 2, 3):
            playing.player.play_next()
            assert playing.player.settle(DEADLINE_S)
            assert playing.heard == heard
        assert playing.player.progress().position_s == pytest.approx(0.2)
        playing.player.resume()
        with pytest.raises(ReplayError):
            playing.player.play_next()
        playing.until_over()
    assert playing.watched.texts() == numbers(0, 20)


def test_play_next_of_a_kind_plays_up_to_the_frame_that_has_one(sample):
    """The frames before it are played, too: nothing is left out."""
    from toolkit.replay.recording_plan import RecordingPlan

    with Playing(RecordingPlan(sample), is_paused=True) as playing:
        for round_no in range(1, 4):
            playing.player.play_next("like")
            assert playing.player.settle(DEADLINE_S)
            kinds = [n.type for n in playing.watched.notices]
            assert kinds.count("like") >= round_no
        frames = playing.player.progress().frames
        playing.player.set_rate(UNLIMITED)
        playing.player.resume()
        playing.until_over()
    assert 3 <= frames < 316
    assert playing.player.progress().frames == 316


def test_a_burst_comes_at_once_and_playing_goes_on_behind_it(by_hand, watched):
    """So many frames, or so many seconds, out of turn; then in time again."""
    for burst in ({"frames": 10}, {"seconds": 1.0}):
        clock = VirtualTime()
        cues = [Cue(0.5, lambda p, burst=burst: p.burst(**burst))]
        result = watched(by_hand(), time=clock, cues=cues).run()
        assert result.texts() == numbers(0, 20)
        sent_s = [round((n.at - result.notices[0].at) / 1e6) for n in result.notices if n.type == "comment"]
        assert len(sent_s) == 20
        # One second of the plan took no time.
        assert clock.mono_ns() == pytest.approx(1e9, abs=1.1e8), burst


def test_a_burst_while_paused_stays_paused_behind_it(by_hand):
    """At the end of its stretch."""
    with Playing(by_hand(), is_paused=True) as playing:
        playing.player.burst(seconds=0.75)
        assert playing.player.settle(DEADLINE_S)
        progress = playing.player.progress()
        assert (progress.state, playing.heard) == (PlayerState.PAUSED, 8)
        assert progress.position_s == pytest.approx(0.75)


def test_a_loop_begins_again_and_ends_when_told(by_hand, watched):
    """Each round is a run of its own; a plan without frames is not looped for ever."""
    rounds = []

    def enough(player: Player) -> None:
        rounds.append(player.progress().rounds)
        player.set_loop(False)

    plan = by_hand(5)
    result = watched(plan, loops=True, cues=[Cue(0.45, lambda p: None), Cue(0.46, enough)])
    with Playing(plan, loops=True, time=VirtualTime()) as playing:
        until(lambda: playing.player.progress().rounds >= 3, "three rounds")
        playing.player.set_loop(False)
        playing.until_over()
    runs = playing.watched.runs()
    assert len(runs) >= 4
    assert all(run == numbers(0, 5) for run in runs)
    assert result.run().runs() == [numbers(0, 5)]
    assert rounds == [0]
    assert watched(by_hand(0), loops=True).run().texts() == []


def test_a_break_is_announced_as_the_recorder_announces_one(by_hand, watched):
    """Lost behind the last comment before it, regained before the first after it; marked as rehearsed."""
    plan = by_hand(20, breaks=[Break(0.5, 1.0, "network")])
    plan.times_s = [t for t in plan.times_s if not 0.55 < t < 0.95]
    result = watched(plan).run()
    kinds = [n.type for n in result.notices if n.type == "comment" or n.type.startswith("tiktok:")]
    lost, back = kinds.index("tiktok:reconnection:started"), kinds.index("tiktok:reconnection:success")
    assert (lost, back) == (6, 7)
    started, success = result.told("tiktok:reconnection:")
    assert (started["state"], started["cause"], success["state"]) == ("reconnecting", "network", "connected")
    assert started["outage"] == success["outage"]
    states = [status["state"] for status in result.told("status")]
    assert states == ["connected", "reconnecting", "connected", "idle"]
    assert all(notice.rehearsal for notice in result.notices)


def test_a_seek_into_a_break_finds_the_connection_lost(by_hand, watched):
    """Its return is announced, its loss was before; a seek behind it finds it connected."""
    plan = by_hand(20, breaks=[Break(0.55, 0.95, "closed")])
    plan.times_s = [t for t in plan.times_s if not 0.55 < t < 0.95]
    result = watched(plan, cues=[Cue(0.1, lambda p: p.seek(0.7))]).run()
    assert [s["state"] for s in result.told("status")] == ["connected", "reconnecting", "connected", "idle"]
    assert len(result.told("tiktok:reconnection:started")) == 0
    assert len(result.told("tiktok:reconnection:success")) == 1
    result = watched(plan, cues=[Cue(0.1, lambda p: p.seek(1.5))]).run()
    assert [s["state"] for s in result.told("status")] == ["connected", "connected", "idle"]


def test_the_run_begins_and_ends_once(by_hand, watched):
    """What dashboard and overlay go by."""
    result = watched(by_hand(3)).run()
    assert [r["kind"] for r in result.told("run")] == ["rehearsal", "none"]
    assert result.told("replay")[-1]["state"] == "finished"
    assert result.told("replay")[-1]["position_s"] == 0.3


def test_a_stop_is_heard_before_the_first_frame_and_while_paused(by_hand):
    """In any state, at once, more than once."""
    result = Watched(by_hand())
    result.player.stop()
    result.run()
    assert (result.texts(), result.player.progress().state) == ([], PlayerState.STOPPED)
    with Playing(by_hand(), is_paused=True) as playing:
        until(lambda: playing.watched.told("run"), "its beginning")
    assert playing.player.progress().state is PlayerState.STOPPED


def test_a_replay_that_is_over_takes_no_controls(by_hand, watched):
    """It says so; a stop is harmless."""
    player = watched(by_hand(2)).run().player
    for control in (player.pause, player.resume, player.play_next, lambda: player.seek(0)):
        with pytest.raises(ReplayError, match="over"):
            control()
    player.stop()
    assert player.progress().state is PlayerState.FINISHED


@pytest.mark.parametrize("rate", [0, 0.05, -1, 1001, float("nan"), -UNLIMITED])
def test_a_speed_out_of_range_is_refused(by_hand, rate):
    """At the start and later; the speed stays as it is."""
    with pytest.raises(ReplayError):
        Player(by_hand(), bus=MemoryBus(), rate=rate)
    player = Player(by_hand(), bus=MemoryBus())
    with pytest.raises(ReplayError):
        player.set_rate(rate)
    assert player.progress().rate == 1.0


@pytest.mark.parametrize("burst", [{}, {"frames": 5, "seconds": 5}, {"frames": -1}, {"frames": 10**9}])
def test_a_burst_that_means_nothing_is_refused(by_hand, burst):
    """Neither, both, too many."""
    with pytest.raises(ReplayError):
        Player(by_hand(), bus=MemoryBus()).burst(**burst)


def test_late_frames_are_played_at_once_and_counted(by_hand, watched):
    """A reader that stalls the player makes it late; nothing is skipped, and it says how late it was."""

    class Stalled(VirtualTime):
        async def wait(self, until_ns: int | None, wake: asyncio.Event) -> None:
            await super().wait(until_ns, wake)
            if 500_000_000 <= self.mono < 600_000_000:
                self.mono += 1_000_000_000

    result = watched(by_hand(), time=Stalled()).run()
    assert result.texts() == numbers(0, 20)
    late = result.player.progress().late
    assert late["count"] == 20
    assert late["max_ms"] == pytest.approx(1000, rel=0.05)
    # Half of them were due while it stood still.
    assert late["p99_ms"] > 0 == late["p50_ms"]


def test_a_control_takes_up_from_where_playing_stands_not_from_where_it_is_due(by_hand, watched):
    """Behind schedule and then paused, it goes on in time, not with everything it owes at once."""

    class Stalled(VirtualTime):
        async def wait(self, until_ns: int | None, wake: asyncio.Event) -> None:
            await super().wait(until_ns, wake)
            if self.mono == 500_000_000:
                self.mono += 1_000_000_000

    clock = Stalled()
    cues = [Cue(0.61, lambda p: p.set_rate(1.0))]
    result = watched(by_hand(), time=clock, cues=cues).run()
    assert result.texts() == numbers(0, 20)
    assert clock.mono_ns() == pytest.approx(2e9 + 1e9 - 1.1e8, abs=1.5e8)


CONTROLS = st.one_of(
    st.floats(0, 2.5).map(lambda to_s: ("seek", lambda p: p.seek(to_s))),
    st.floats(-2, 2).map(lambda by_s: ("seek", lambda p: p.skip(by_s))),
    st.sampled_from([0.1, 1.0, 7.0, 1000.0, UNLIMITED]).map(lambda r: ("rate", lambda p: p.set_rate(r))),
    st.integers(1, 30).map(lambda n: ("burst", lambda p: p.burst(frames=n))),
    st.floats(0.01, 3).map(lambda s: ("burst", lambda p: p.burst(seconds=s))),
    st.just(("pause", lambda p: (p.pause(), p.play_next(), p.resume()))),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2.0), CONTROLS), max_size=8))
def test_whatever_is_done_each_run_is_a_stretch_of_the_plan(controls):
    """No comment is lost, doubled or out of order between two seeks, and the last run reaches the end."""
    plan = HandMadePlan([i * 0.1 for i in range(20)], 2.0)
    cues = [Cue(at_s, act) for at_s, (_, act) in controls]
    result = Watched(plan, cues=cues).run()
    runs = result.runs()
    assert len(runs) == 1 + sum(notice.type == "replay:seek" for notice in result.notices)
    starts_s = [0.0, *(jump["to_s"] for jump in result.told("replay:seek"))]
    for run, start_s in zip(runs, starts_s, strict=True):
        first = next((i for i, t in enumerate(plan.times_s) if t >= start_s - 1e-3), 20)
        assert run == numbers(first, first + len(run)) or run == numbers(first + 1, first + 1 + len(run))
    assert not runs[-1] or runs[-1][-1] == "19"
    assert result.player.progress().state is PlayerState.FINISHED


@pytest.mark.timeout(60)
def test_a_storm_of_controls_from_many_threads(by_hand):
    """Four threads press everything there is for two seconds; then it plays to its end."""
    plan = by_hand(2_000, 0.001)
    rng = random.Random(3)
    with Playing(plan, rate=10.0) as playing:
        player = playing.player
        ends = time.monotonic() + 2.0

        def press(seed: int) -> None:
            mine = random.Random(seed)
            while time.monotonic() < ends:
                act = mine.choice(
                    [
                        player.pause,
                        player.resume,
                        player.resume,
                        lambda: player.seek(mine.random() * 1.2),
                        lambda: player.skip(mine.choice([-0.5, 0.2])),
                        lambda: player.set_rate(mine.choice([0.1, 1, 50, UNLIMITED])),
                        lambda: player.burst(frames=mine.randrange(1, 50)),
                        player.progress,
                    ]
                )
                try:
                    act()
                except ReplayError:
                    return
                time.sleep(mine.random() * 0.01)

        player.set_loop(True)
        threads = [threading.Thread(target=press, args=(rng.random(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        player.set_loop(False)
        player.set_rate(UNLIMITED)
        player.resume()
        playing.until_over()
    runs = playing.watched.runs()
    assert len(runs) > 20
    for run in runs:
        first = int(run[0]) if run else 0
        assert run == numbers(first, first + len(run))
    assert runs[-1] == [] or runs[-1][-1] == "1999"
    assert player.progress().state is PlayerState.FINISHED
