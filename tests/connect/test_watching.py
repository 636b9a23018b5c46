"""Silence on the wire, silence of one kind, and the figures of it all."""

import json
from collections import deque
from random import Random

import pytest

from toolkit.connect.kind_silence import KindSilence
from toolkit.connect.stability import Stability, percentile
from toolkit.connect.watchdog import LOOK_S, Watchdog, clamped_ping_s
from toolkit.model.connection import ConnectionState as S


@pytest.mark.parametrize(
    ("announced", "ping_s"),
    [
        (None, 5),
        ("", 5),
        ("15", 10),
        ("8", 8),
        ("4.5", 4.5),
        ("0", 3),
        ("86400", 10),
        ("-1", 5),
        ("nan", 5),
        ("inf", 5),
        ("9" * 400, 5),
        ("1e3", 5),
        ("٣", 5),
        ("4" * 33, 5),
        ("4" * 32, 10),
    ],
)
def test_heartbeats_are_neither_a_flood_nor_rare(announced, ping_s):
    """3 to 10 seconds, whatever a server announces."""
    assert clamped_ping_s(announced) == ping_s


def watch(watchdog, now_s, until_s, feed=lambda t: None):
    """Look as often as it wants; return when it called the connection dead, or None."""
    while now_s < until_s:
        feed(now_s)
        look_s = watchdog.look_again_s(now_s)
        if look_s == 0:
            return now_s
        now_s += look_s
    return None


@pytest.mark.parametrize("announced", ["0", "5", "10", "15", "30", "86400"])
def test_silence_is_noticed_within_15_seconds(announced):
    """As soon as one heartbeat was answered, for every interval a server may announce."""
    watchdog = Watchdog(clamped_ping_s(announced), 0)
    watchdog.feed(0.1, is_answer=True)
    dead_s = watch(watchdog, 0.1, 100)
    assert dead_s is not None
    assert dead_s - 0.1 <= 15


def test_a_server_that_never_answers_heartbeats_gets_three_intervals():
    """Nobody promised an answer; a quiet room is then not called dead at once."""
    watchdog = Watchdog(10, 0)
    watchdog.feed(1)
    assert watch(watchdog, 1, 100) == pytest.approx(31, abs=LOOK_S)


def test_a_quiet_room_raises_no_alarm_for_a_day():
    """Only heartbeat answers, up to 3 seconds late."""
    rng = Random(2)
    watchdog = Watchdog(10, 0)
    answers = iter(sorted(10 * n + rng.uniform(0, 3) for n in range(9000)))
    due = [next(answers)]

    def feed(now_s):
        while due[0] <= now_s:
            watchdog.feed(due[0], is_answer=True)
            due[0] = next(answers)

    assert watch(watchdog, 0, 86_400, feed) is None


def test_our_own_stall_is_not_the_servers_silence():
    """After a minute of standing still, what waits unread is read first."""
    watchdog = Watchdog(5, 0)
    watchdog.feed(0, is_answer=True)
    assert watchdog.look_again_s(0) == LOOK_S
    assert watchdog.look_again_s(60) > 0
    watchdog.feed(60.5)
    assert watch(watchdog, 61, 69) is None
    assert watch(watchdog, 69, 80) is not None


def test_a_stall_is_told_from_silence_by_how_late_the_look_is():
    """A second late or less is an ordinary loop, and the server's silence counts."""
    for late_s, is_dead in ((1.0, True), (1.01, False)):
        watchdog = Watchdog(5, 0)
        watchdog.feed(0, is_answer=True)
        assert watchdog.look_again_s(8) == LOOK_S
        assert (watchdog.look_again_s(9 + late_s) == 0) == is_dead
        assert watchdog.unseen_s(10) == 10


def test_after_a_stall_one_second_is_enough_to_read_what_waited():
    """Nothing was there: then it was the server after all."""
    watchdog = Watchdog(5, 0)
    watchdog.feed(0, is_answer=True)
    watchdog.look_again_s(0)
    assert watchdog.look_again_s(9.5) == 1.0, "due for half a second, and the look is 8.5 s late"
    assert watchdog.look_again_s(10.5) == 0.0


def test_the_first_look_may_come_late_as_well():
    """A loop that stood still right after the handshake, for exactly as long as the limit or longer."""
    watchdog = Watchdog(5, 2)
    assert watchdog.unseen_s(5) == 3
    assert watchdog.look_again_s(17) == 1.0
    assert Watchdog(5, 0).look_again_s(16.5) == 1.0
    assert Watchdog(5, 100).look_again_s(100) == LOOK_S


def test_the_last_look_is_taken_when_the_time_is_up():
    """Not a second later."""
    watchdog = Watchdog(5, 0)
    watchdog.feed(0, is_answer=True)
    assert watchdog.look_again_s(8.75) == 0.25
    assert watchdog.look_again_s(9.0) == 0.0
    assert watchdog.look_again_s(9.5) == 0.0, "never a negative time"


def room(kinds, minutes, *, at=0, silence=None, rng=None):
    """Feed a room with events per minute by kind; return the watcher and the end."""
    silence = silence or KindSilence()
    rng = rng or Random(1)
    for step in range(int(minutes * 60)):
        now_s = at + step
        silence.take([k for k, rate in kinds.items() if rng.random() < rate / 60], now_s)
    return silence, at + minutes * 60


def test_a_kind_that_stops_while_others_go_on_is_named():
    """Joins arrive, comments stopped 4 minutes ago, normal is 30 a minute."""
    silence, now_s = room({"comment": 30, "join": 40}, 10)
    assert silence.warnings(now_s) == []
    silence, now_s = room({"join": 40}, 4, at=now_s, silence=silence)
    (warning,) = silence.warnings(now_s)
    assert warning.kind == "comment"
    assert warning.silent_s == pytest.approx(240, abs=5)
    assert warning.normal_per_minute == pytest.approx(30, rel=0.25)
    silence.take(["comment"], now_s)
    assert silence.warnings(now_s) == []


def test_kinds_that_stopped_are_named_in_the_order_of_their_names():
    """Whichever was seen first."""
    silence = KindSilence()
    silence.connected(0)
    for at_s in range(0, 600, 2):
        silence.take(["share", "like", "comment"], at_s)
    silence.take(["join"] * 20, 650)
    assert [warning.kind for warning in silence.warnings(760)] == ["comment", "like", "share"]


def test_a_room_that_goes_quiet_as_a_whole_is_not_worth_a_warning():
    """Everybody listens to a song."""
    silence, now_s = room({"comment": 30, "join": 40}, 10)
    assert silence.warnings(now_s + 240) == []


def test_a_gap_is_not_held_against_a_kind():
    """After a reconnect the silence counts from there."""
    silence, now_s = room({"comment": 30, "join": 40}, 10)
    silence.connected(now_s + 600)
    silence.take(["join"] * 20, now_s + 601)
    assert silence.warnings(now_s + 602) == []


def steady(comments, others, *, every_s=6.0, stops_at=600.0, limits=None):
    """Return a watcher of a room with one comment per ``every_s`` until it stops, and others after."""
    silence = KindSilence(limits) if limits else KindSilence()
    silence.connected(0)
    for n in range(comments):
        silence.take(["comment"], stops_at - (comments - 1 - n) * every_s)
    for n in range(others):
        silence.take(["join"], stops_at + 11 + n)
    return silence


def test_a_kind_is_named_from_the_moment_that_twenty_of_it_are_missing():
    """And not before two minutes, whatever is missing: conversations pause."""
    silence = steady(121, 10, every_s=5.0)
    assert silence.warnings(719.9) == []
    (warning,) = silence.warnings(720)
    assert (warning.kind, warning.silent_s) == ("comment", 120)
    assert warning.normal_per_minute == pytest.approx(11.9)
    slow = steady(51, 10, every_s=12.0)
    assert slow.warnings(600 + 239) == []
    (warning,) = slow.warnings(600 + 240)
    assert warning.normal_per_minute == 5


def test_ten_others_show_that_the_room_goes_on():
    """Nine do not."""
    assert steady(101, 9).warnings(760) == []
    assert [w.kind for w in steady(101, 10).warnings(760)] == ["comment"]


def test_of_fewer_than_twenty_no_rate_is_called_normal():
    """Nineteen in two minutes may have been one excited viewer."""
    assert steady(19, 10, every_s=2.0).warnings(100_000) == []
    assert [w.kind for w in steady(20, 10, every_s=2.0).warnings(100_000)] == ["comment"]


def test_normal_is_what_the_last_ten_minutes_were():
    """A storm half an hour ago does not make an hour's calm suspicious."""
    silence = KindSilence()
    silence.connected(0)
    silence.take(["comment"] * 5000, 5)
    for at_s in range(1200, 3000, 30):
        silence.take(["comment", "join"], at_s)
    silence.take(["join"] * 20, 3100)
    assert silence.warnings(3300) == [], "330 s of silence at two a minute: eleven are missing"
    (warning,) = silence.warnings(3630)
    assert warning.normal_per_minute == pytest.approx(2)


def test_normal_of_a_young_recording_is_measured_over_its_own_time():
    """Sixty comments in the first three minutes are twenty a minute, not six."""
    silence = KindSilence()
    silence.connected(1000)
    for n in range(61):
        silence.take(["comment"], 1000 + 3 * n)
    silence.take(["join"] * 10, 1200)
    (warning,) = silence.warnings(1000 + 180 + 120)
    assert warning.normal_per_minute == pytest.approx(61 / 3)


def test_a_burst_at_the_beginning_is_not_normal():
    """Twenty greetings in ten seconds: two minutes are the least a rate is measured over."""
    silence = KindSilence()
    silence.connected(0)
    for n in range(30):
        silence.take(["comment"], n / 3)
    silence.take(["join"] * 10, 100)
    (warning,) = silence.warnings(10 + 120)
    assert warning.normal_per_minute == 15


def test_what_is_kept_of_a_room_is_bounded():
    """Twenty minutes of it, however long the live."""
    silence = KindSilence()
    for at_s in range(0, 100_000, 5):
        silence.take(["comment"], at_s)
    assert len(silence._all) <= 122


def test_rare_kinds_and_steady_rooms_raise_no_alarm():
    """100 hours of Poisson rooms with rates from 0.5 to 300 a minute."""
    rng = Random(9)
    for _ in range(100):
        kinds = {"comment": rng.choice([2, 30, 300]), "join": 40, "gift": rng.choice([0.5, 3])}
        silence, now_s = KindSilence(), 0.0
        for _ in range(6):
            silence, now_s = room(kinds, 10, at=now_s, silence=silence, rng=rng)
            assert silence.warnings(now_s) == []


def test_figures_count_what_was_wanted_and_had():
    """90 s connected, 10 s on the way, waiting for a live counts as neither."""
    stability = Stability()
    for now_s, state in [(0, S.RESOLVING), (1, S.CONNECTING), (2, S.CONNECTED)]:
        stability.moved(state, now_s)
    stability.lost(62, 14.0)
    stability.moved(S.RECONNECTING, 62)
    stability.reachable_again(66)
    stability.moved(S.CONNECTED, 70)
    stability.moved(S.WAITING, 100)
    figures = stability.figures(5000)
    assert figures["uptime_share"] == pytest.approx(0.9)
    assert (figures["outages"], figures["reconnects"], figures["success_rate"]) == (1, 1, 1.0)
    assert figures["detect_s_max"] == 14
    assert figures["back_s_p99"] == 4
    assert figures["score"] == round(60 * 0.9 + 25 + 15)


def test_the_score_is_what_its_formula_says():
    """60 x uptime share + 25 x success rate + 15 x speed, over random histories."""
    rng = Random(4)
    for _ in range(400):
        stability, now_s, up_s, down_s, backs = Stability(), 0.0, 0.0, 0.0, []
        given_up = 0
        stability.moved(S.CONNECTED, now_s)
        for _ in range(rng.randrange(1, 4)):
            stays_s, back_s = rng.uniform(1, 500), rng.choice([rng.uniform(0, 80), rng.uniform(4, 6)])
            now_s += stays_s
            stability.lost(now_s, None)
            stability.lost(now_s, None)  # told again with every failed attempt
            stability.moved(S.RECONNECTING, now_s)
            now_s += back_s
            if rng.random() < 0.7:
                backs.append(back_s)
            else:
                given_up += 1
                stability.moved(S.NEEDS_OPERATOR, now_s)
            stability.moved(S.CONNECTED, now_s)
            up_s, down_s = up_s + stays_s, down_s + back_s
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
    stability = Stability()
    stability.moved(S.CONNECTED, 10)
    figures = stability.figures(110)
    assert (figures["score"], figures["uptime_share"], figures["success_rate"]) == (100, 1.0, None)
    assert figures["meets_objective"] is True
    assert figures["connected_s"] == 100


def test_nineteen_of_twenty_meet_the_objective_and_eighteen_do_not():
    """95 % is 95 %."""
    for given_up, is_met in ((1, True), (2, False)):
        stability = Stability()
        for n in range(20):
            stability.lost(n, None)
            stability.moved(S.NEEDS_OPERATOR if n < given_up else S.CONNECTED, n)
        assert stability.figures(20)["meets_objective"] is is_met


def test_an_outage_that_ended_with_the_live_is_neither_success_nor_failure():
    """Nobody could have come back to it, and a later connection does not count as that."""
    for ends in (S.STOPPED, S.WAITING):
        stability = Stability()
        stability.moved(S.CONNECTED, 0)
        stability.lost(10, None)
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
    stability = Stability()
    for n in range(150):
        stability.lost(1000 * n, 0.5 + n)
        stability.moved(S.CONNECTED, 1000 * n + n)
    figures = stability.figures(10**6)
    assert [figures[f"detect_s_{name}"] for name in ("p50", "p99", "max")] == [75.5, 148.5, 149.5]
    assert [figures[f"back_s_{name}"] for name in ("p50", "p99", "max")] == [75, 148, 149]
    assert (figures["back_objective_s"], figures["success_objective"]) == (5.0, 0.95)


def test_percentiles_are_of_the_last_two_hundred():
    """A bad first hour fades."""
    stability = Stability()
    for n in range(300):
        long_s = {99: 100.0, 100: 50.0}.get(n, 1.0)
        stability.lost(1000 * n, long_s)
        stability.moved(S.CONNECTED, 1000 * n + long_s)
    figures = stability.figures(300_000)
    assert (figures["detect_s_max"], figures["back_s_max"]) == (50.0, 50.0)


def test_giving_up_costs_the_objective():
    """One outage of two ended with the operator: half is not 95 %."""
    stability = Stability()
    stability.moved(S.CONNECTED, 0)
    for ends in (S.CONNECTED, S.NEEDS_OPERATOR):
        stability.lost(100, None)
        stability.moved(S.RECONNECTING, 100)
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
    first = Stability()
    first.moved(S.CONNECTED, 0)
    first.lost(100, 2.0)
    first.moved(S.RECONNECTING, 100)
    first.moved(S.CONNECTED, 103)
    saved = json.loads(json.dumps(first.saved(160)))
    second = Stability()
    second.moved(S.RESOLVING, 1000)
    second.resume(saved, connected_s=40, away_s=60, now_s=1005)
    second.moved(S.CONNECTED, 1005)
    figures = second.figures(1005)
    assert (figures["connected_s"], figures["disconnected_s"]) == (100 + 57 + 40, 3 + 60)
    assert (figures["outages"], figures["reconnects"], figures["success_rate"]) == (2, 2, 1.0)
    assert (figures["detect_s_max"], figures["back_s_max"]) == (2.0, 5)


def test_who_died_without_a_connection_leaves_one_outage_not_two():
    """The outage that was running goes on in the next process."""
    first = Stability()
    first.moved(S.CONNECTED, 0)
    first.lost(10, None)
    first.moved(S.RECONNECTING, 10)
    second = Stability()
    second.moved(S.RESOLVING, 50)
    second.resume(first.saved(20), connected_s=999, away_s=30, now_s=52)
    second.moved(S.CONNECTED, 52)
    figures = second.figures(52)
    assert (figures["connected_s"], figures["disconnected_s"]) == (10, 10 + 30)
    assert (figures["outages"], figures["reconnects"]) == (1, 1)


def test_what_this_process_saw_outlives_what_it_took_over():
    """Two hundred times are kept, the newest."""
    second = Stability()
    second.lost(0, 50.0)
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
    second.lost(0, None)
    second.moved(S.RECONNECTING, 0)
    second.reachable_again(65)
    second.resume({"outages": 1}, connected_s=0, away_s=500, now_s=70)
    second.moved(S.CONNECTED, 70)
    assert second.figures(70)["back_s_max"] == 5


def test_times_that_cannot_be_take_nothing_away():
    """A clock that was set back between the two processes: neither up nor away for less than nothing."""
    saved = {"is_connected": True, "connected_s": 100.0, "disconnected_s": 7.0, "outages": 1, "given_up": 1}
    second = Stability()
    second.moved(S.CONNECTED, 0)
    second.moved(S.RECONNECTING, 10)
    second.resume(saved, connected_s=-5, away_s=-60, now_s=13)
    figures = second.figures(13)
    assert (figures["connected_s"], figures["disconnected_s"]) == (110, 10)
    assert (figures["outages"], figures["given_up"]) == (2, 1)


def test_what_is_saved_is_what_the_figures_are_made_of():
    """To the millisecond, with whether a connection stood."""
    stability = Stability()
    stability.lost(0, 1.23456)
    stability.moved(S.CONNECTED, 2.34567)
    saved = stability.saved(3)
    assert (saved["is_connected"], saved["detect_s"], saved["back_s"]) == (True, [1.235], [2.346])
    assert saved["connected_s"] == stability.figures(3)["connected_s"]
    stability.moved(S.WAITING, 4)
    assert stability.saved(5)["is_connected"] is False


@pytest.mark.parametrize(
    "saved",
    [None, [], {}, {"outages": -1, "connected_s": True, "back_s": "x"}, {"detect_s": [None, 1e300, {}]}],
)
def test_figures_that_make_no_sense_are_left_out(saved):
    """A damaged note does not stop a recording."""
    figures_of = Stability()
    figures_of.moved(S.CONNECTED, 0)
    figures_of.resume(saved, connected_s=-5, away_s=0, now_s=10)
    figures = figures_of.figures(10)
    assert figures["connected_s"] == 10
    assert figures["reconnects"] == 0
