"""How steady a connection was, in figures."""

import json
from collections import deque
from random import Random

import pytest

from toolkit.connect.stability import Stability, percentile
from toolkit.model.connection import ConnectionState as S


def connected(now_s=0.0):
    """Return the figures of a connection that just came up."""
    stability = Stability()
    stability.moved(S.CONNECTED, now_s)
    return stability


def lose(stability, now_s):
    """Lose the connection, as a supervisor that tries again tells it."""
    stability.lost(now_s)
    stability.moved(S.RECONNECTING, now_s)


def seconds(stability, now_s):
    """Return how long it was connected and how long not."""
    figures = stability.figures(now_s)
    return figures["connected_s"], figures["disconnected_s"]


def test_figures_count_what_was_wanted_and_had():
    """75 s connected, 25 s silent or on the way, waiting for a live counts as neither."""
    stability = Stability()
    for now_s, state in [(0, S.RESOLVING), (1, S.CONNECTING), (2, S.CONNECTED)]:
        stability.moved(state, now_s)
    stability.heard(47)
    lose(stability, 61)
    stability.reachable_again(66)
    stability.moved(S.CONNECTED, 70)
    stability.moved(S.WAITING, 100)
    figures = stability.figures(5000)
    assert figures["uptime_share"] == pytest.approx(0.75)
    assert (figures["outages"], figures["reconnects"], figures["success_rate"]) == (1, 1, 1.0)
    assert figures["detect_s_max"] == 14
    assert figures["back_s_p99"] == 4
    assert figures["score"] == round(60 * 0.75 + 25 + 15)


def test_silence_is_held_back_until_it_is_known_what_it_was():
    """Of a line that is alive it was connected time, of a dead one it was not."""
    stability = connected()
    stability.heard(10)
    assert (seconds(stability, 10), stability.unheard_s(10)) == ((10, 0), 0)
    assert (seconds(stability, 18), stability.unheard_s(18)) == ((10, 0), 8)
    stability.heard(19)
    assert (seconds(stability, 20), stability.unheard_s(20)) == ((19, 0), 1)
    lose(stability, 33)
    assert (seconds(stability, 33), stability.unheard_s(33)) == ((19, 14), 0)
    stability.moved(S.CONNECTED, 35)
    assert seconds(stability, 40) == (19, 16), "nothing was heard on the new one yet"


def test_a_connection_on_which_nothing_ever_came_counts_from_its_first_moment():
    """What an earlier connection heard says nothing about it."""
    stability = connected()
    stability.heard(10)
    lose(stability, 12)
    stability.moved(S.CONNECTED, 20)
    lose(stability, 34)
    assert seconds(stability, 34) == (10, 24)
    assert stability.figures(34)["detect_s_max"] == 14


@pytest.mark.parametrize("ends", [S.STOPPED, S.WAITING])
def test_silence_before_an_end_in_order_was_connected(ends):
    """A quiet room that is left: listening ended when it ended, as the recording says."""
    stability = connected()
    stability.heard(10)
    stability.moved(ends, 13)
    assert seconds(stability, 100) == (13, 0)


def test_frames_that_came_with_the_connection_count_for_nothing_before_it():
    """The first frame is there before its connection is known to stand."""
    stability = Stability()
    stability.moved(S.CONNECTING, 0)
    stability.heard(4.9)
    stability.moved(S.CONNECTED, 5)
    assert seconds(stability, 6) == (0, 5)
    assert stability.unheard_s(6) == 1


def test_a_frame_that_comes_while_the_time_is_asked_for_counts_up_to_then():
    """Who asks is another thread, and has looked at the clock already."""
    stability = connected()
    stability.heard(12)
    assert (seconds(stability, 10), stability.unheard_s(10)) == ((10, 0), 0)


def test_no_second_is_ever_taken_back():
    """They are scraped as counters: over random histories neither falls, looked at at any moment."""
    rng = Random(8)
    for _ in range(200):
        stability, now_s, before = Stability(), 0.0, (0.0, 0.0)
        for _ in range(100):
            now_s += rng.expovariate(0.2)
            match rng.choice(["heard", "heard", "lost", "moved", "nothing"]):
                case "heard":
                    stability.heard(now_s)
                case "lost":
                    lose(stability, now_s)
                case "moved":
                    stability.moved(rng.choice([S.CONNECTED, S.CONNECTED, S.WAITING]), now_s)
            after = seconds(stability, now_s)
            assert after[0] >= before[0] and after[1] >= before[1]
            before = after
        assert sum(before) <= now_s + 1e-6


def test_the_score_is_what_its_formula_says():
    """60 x uptime share + 25 x success rate + 15 x speed, over random histories."""
    rng = Random(4)
    for _ in range(400):
        stability, now_s, up_s, down_s, backs = Stability(), 0.0, 0.0, 0.0, []
        given_up = 0
        stability.moved(S.CONNECTED, now_s)
        for _ in range(rng.randrange(1, 4)):
            stays_s, back_s = rng.uniform(1, 500), rng.choice([rng.uniform(0, 80), rng.uniform(4, 6)])
            silent_s = rng.uniform(0, stays_s)
            now_s += stays_s
            stability.heard(now_s - silent_s)
            stability.lost(now_s)
            stability.lost(now_s)  # told again with every failed attempt
            stability.moved(S.RECONNECTING, now_s)
            now_s += back_s
            if rng.random() < 0.7:
                backs.append(back_s)
            else:
                given_up += 1
                stability.moved(S.NEEDS_OPERATOR, now_s)
            stability.moved(S.CONNECTED, now_s)
            up_s, down_s = up_s + stays_s - silent_s, down_s + back_s + silent_s
        figures, ended = stability.figures(now_s), len(backs) + given_up
        uptime, success = up_s / (up_s + down_s), len(backs) / ended
        slow = sorted(backs)[int(0.9 * len(backs))] if backs else 0.0
        speed = 1 - min(max((slow - 5) / 55, 0), 1)
        assert figures["score"] == round(60 * uptime + 25 * success + 15 * speed)
        assert (figures["outages"], figures["reconnects"], figures["given_up"]) == (
            ended,
            len(backs),
            given_up,
        )
        assert figures["connected_s"] == pytest.approx(up_s)
        assert figures["disconnected_s"] == pytest.approx(down_s)


def test_a_connection_that_never_broke_is_worth_a_hundred():
    """What did not happen is not held against it."""
    stability = connected(10)
    stability.heard(110)
    figures = stability.figures(110)
    assert (figures["score"], figures["uptime_share"], figures["success_rate"]) == (100, 1.0, None)
    assert figures["meets_objective"] is True
    assert figures["connected_s"] == 100


def test_nineteen_of_twenty_meet_the_objective_and_eighteen_do_not():
    """95 % is 95 %."""
    for given_up, is_met in ((1, True), (2, False)):
        stability = Stability()
        for n in range(20):
            stability.lost(n)
            stability.moved(S.NEEDS_OPERATOR if n < given_up else S.CONNECTED, n)
        assert stability.figures(20)["meets_objective"] is is_met


def test_an_outage_that_ended_with_the_live_is_neither_success_nor_failure():
    """Nobody could have come back to it, and a later connection does not count as that."""
    for ends in (S.STOPPED, S.WAITING):
        stability = connected()
        stability.lost(10)
        stability.moved(ends, 20)
        stability.moved(S.CONNECTED, 30)
        figures = stability.figures(40)
        assert (figures["reconnects"], figures["given_up"], figures["success_rate"]) == (0, 0, None)
        assert figures["outages"] == 1


@pytest.mark.parametrize(
    ("count", "median", "p99"),
    [(1, 0, 0), (2, 1, 1), (3, 1, 2), (100, 50, 99), (101, 50, 99), (200, 100, 198)],
)
def test_percentiles_go_by_rank(count, median, p99):
    """Of 0, 1, 2 ... as many as were kept."""
    samples = deque(range(count))
    assert percentile(samples, 0.5) == median
    assert percentile(samples, 0.99) == p99


def test_figures_tell_the_middle_the_slow_and_the_slowest():
    """Of a hundred and fifty outages, each longer to notice and to end."""
    stability = connected(-1000)
    for n in range(150):
        stability.heard(1000 * n - 0.5 - n)
        lose(stability, 1000 * n)
        stability.moved(S.CONNECTED, 1000 * n + n)
    figures = stability.figures(10**6)
    assert [figures[f"detect_s_{name}"] for name in ("p50", "p99", "max")] == [75.5, 148.5, 149.5]
    assert [figures[f"back_s_{name}"] for name in ("p50", "p99", "max")] == [75, 148, 149]
    assert (figures["back_objective_s"], figures["success_objective"]) == (5.0, 0.95)


def test_percentiles_are_of_the_last_two_hundred():
    """A bad first hour fades."""
    stability = connected(-1000)
    for n in range(300):
        long_s = {99: 100.0, 100: 50.0}.get(n, 1.0)
        stability.heard(1000 * n - long_s)
        stability.lost(1000 * n)
        stability.moved(S.CONNECTED, 1000 * n + long_s)
    figures = stability.figures(300_000)
    assert (figures["detect_s_max"], figures["back_s_max"]) == (50.0, 50.0)


def test_giving_up_costs_the_objective():
    """One outage of two ended with the operator: half is not 95 %."""
    stability = connected()
    for ends in (S.CONNECTED, S.NEEDS_OPERATOR):
        lose(stability, 100)
        stability.moved(ends, 200)
    figures = stability.figures(200)
    assert figures["success_rate"] == 0.5
    assert not figures["meets_objective"]
    assert stability.figures(200)["score"] < 60


def test_nothing_measured_is_not_a_zero():
    """Before the first connection there is no share, no rate and no score."""
    figures = Stability().figures(0)
    assert figures["score"] is figures["uptime_share"] is figures["success_rate"] is None


def test_who_takes_over_counts_on_and_the_time_between_was_an_outage():
    """Connected until its last frame, away from there on; the percentiles keep what they had."""
    first = connected()
    first.heard(98)
    lose(first, 100)
    first.moved(S.CONNECTED, 103)
    first.heard(160)
    saved = json.loads(json.dumps(first.saved(160)))
    second = Stability()
    second.moved(S.RESOLVING, 1000)
    second.resume(saved, connected_s=40, away_s=60, now_s=1005)
    second.moved(S.CONNECTED, 1005)
    figures = second.figures(1005)
    assert (figures["connected_s"], figures["disconnected_s"]) == (98 + 57 + 40, 5 + 60)
    assert (figures["outages"], figures["reconnects"], figures["success_rate"]) == (2, 2, 1.0)
    assert (figures["detect_s_max"], figures["back_s_max"]) == (2.0, 5)


def test_who_died_without_a_connection_leaves_one_outage_not_two():
    """The outage that was running goes on in the next process."""
    first = connected()
    first.heard(10)
    lose(first, 10)
    second = Stability()
    second.moved(S.RESOLVING, 50)
    second.resume(first.saved(20), connected_s=999, away_s=30, now_s=52)
    second.moved(S.CONNECTED, 52)
    figures = second.figures(52)
    assert (figures["connected_s"], figures["disconnected_s"]) == (10, 10 + 30)
    assert (figures["outages"], figures["reconnects"]) == (1, 1)


def test_what_this_process_saw_outlives_what_it_took_over():
    """Two hundred times are kept, the newest."""
    second = connected(-50)
    lose(second, 0)
    second.moved(S.CONNECTED, 70)
    second.resume({"detect_s": [1.0] * 200, "back_s": [2.0] * 200}, connected_s=0, away_s=0, now_s=70)
    figures = second.figures(70)
    assert (figures["detect_s_max"], figures["back_s_max"]) == (50.0, 70)
    later = Stability()
    later.resume({"back_s": [9.0] * 5 + [2.0] * 200}, connected_s=0, away_s=0, now_s=0)
    assert later.figures(0)["back_s_max"] == 2.0


def test_an_outage_that_runs_when_a_past_is_taken_over_keeps_its_own_beginning():
    """The network came back a moment ago: that is what coming back is measured from."""
    second = Stability()
    lose(second, 0)
    second.reachable_again(65)
    second.resume({"outages": 1}, connected_s=0, away_s=500, now_s=70)
    second.moved(S.CONNECTED, 70)
    assert second.figures(70)["back_s_max"] == 5


def test_times_that_cannot_be_take_nothing_away():
    """A clock that was set back between the two processes: neither up nor away for less than nothing."""
    saved = {"is_connected": True, "connected_s": 100.0, "disconnected_s": 7.0, "outages": 1, "given_up": 1}
    second = connected()
    second.moved(S.RECONNECTING, 10)
    second.resume(saved, connected_s=-5, away_s=-60, now_s=13)
    figures = second.figures(13)
    assert (figures["connected_s"], figures["disconnected_s"]) == (110, 10)
    assert (figures["outages"], figures["given_up"]) == (2, 1)


def test_what_is_saved_is_what_the_figures_are_made_of():
    """To the millisecond, with whether a connection stood."""
    stability = connected(-1.23456)
    lose(stability, 0)
    stability.moved(S.CONNECTED, 2.34567)
    stability.heard(2.5)
    saved = stability.saved(3)
    assert (saved["is_connected"], saved["detect_s"], saved["back_s"]) == (True, [1.235], [2.346])
    assert saved["connected_s"] == stability.figures(3)["connected_s"] == pytest.approx(0.15433)
    stability.moved(S.WAITING, 4)
    assert stability.saved(5)["is_connected"] is False


@pytest.mark.parametrize(
    "saved",
    [
        *(None, [], {}, {"outages": -1, "connected_s": True, "back_s": "x"}),
        {"detect_s": [None, 1e300, {}]},
        *({"connected_s": -5.0, "disconnected_s": -5.0, "reconnects": -1}, {"connected_s": 1e9}),
    ],
)
def test_figures_that_make_no_sense_are_left_out(saved):
    """A damaged note does not stop a recording."""
    figures_of = connected()
    figures_of.heard(10)
    figures_of.resume(saved, connected_s=-5, away_s=0, now_s=10)
    figures = figures_of.figures(10)
    assert figures["connected_s"] == 10
    assert figures["disconnected_s"] == figures["reconnects"] == 0
