"""Silence on the wire, silence of one kind, and the figures of it all."""

from random import Random

import pytest

from toolkit.connect.kind_silence import KindSilence
from toolkit.connect.stability import Stability
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
