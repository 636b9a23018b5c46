"""Silence on the wire, and silence of one kind."""

from random import Random

import pytest

from toolkit.connect.kind_silence import KindSilence
from toolkit.connect.watchdog import LOOK_S, Watchdog, clamped_ping_s


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
