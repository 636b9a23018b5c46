"""Leaderboards: exact in whatever order, weeks by the clocks of a place, kept and counted again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.assembly import new_show
from toolkit.bus.live_state import rehearsal_cleared, run_started
from toolkit.bus.memory import MemoryBus
from toolkit.cli import main
from toolkit.clock import ManualClock
from toolkit.config import load_settings
from toolkit.errors import SettingsError
from toolkit.model.event import Comment, User
from toolkit.show.conductor import Conductor
from toolkit.show.moderation.gate import Gate
from toolkit.show.moderation.ruling import Decided
from toolkit.show.part import ShowError
from toolkit.show.points.command import answers_of
from toolkit.show.points.leaderboard import Leaderboard
from toolkit.show.points.scorebook import ScoreBook
from toolkit.show.points.tally import Tally, round_of
from toolkit.show.points.weeks import WEEKDAYS, Weeks
from toolkit.show.question.quiz import Difficulty, Question, Round, Rules
from toolkit.show.rounds import RESULT, ROUNDS_FILE, RoundsLog
from toolkit.store.reader import open_recording
from toolkit.store.scores import SCORES_FILE, Scores

MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
SECOND = 1_000_000


def us(moment: datetime) -> int:
    """Return microseconds UTC."""
    return round(moment.timestamp() * 1e6)


NOW = us(MONDAY)


def result(
    number: int,
    user: int | None = 7,
    points: int = 20,
    *,
    name: str = "Ann",
    recording: str = "live-1",
    **more: Any,
) -> dict[str, Any]:
    """Return what the host announces; question ``number`` goes on air ``number`` half minutes from now."""
    opened_at = NOW + number * 30 * SECOND
    winner = None
    if user is not None:
        winner = {"user_id": str(user), "nickname": name, "handle": name.lower(), "avatar": True}
    return {
        "round": number, "question_id": f"q{number}", "text": "Capital?", "opened_at": opened_at,
        "decided_at": opened_at + 9 * SECOND, "winner": winner, "answer": "Paris", "points": points,
        "is_disputed": False, "void": False, "judged": False, "recording": recording,
    } | more  # fmt: skip


def won(rows: list[dict[str, Any]]) -> list[tuple[int, str, int, int, int]]:
    """Return rows in short: rank, user, points, wins, streak."""
    return [(row["rank"], row["user"]["user_id"], row["points"], row["wins"], row["streak"]) for row in rows]


def streaks_of(results: list[dict[str, Any]], *, by_live: bool) -> dict[str, int]:
    """Return the streak of everybody who has won something."""
    rows = Tally(map(round_of, results)).top(10, by_live=by_live)
    return {row["user"]["user_id"]: row["streak"] for row in rows}


# -- adding up ---------------------------------------------------------------


def test_ties_share_a_rank_and_the_next_has_its_place() -> None:
    """1, 2, 2, 4; among equals who has won more questions is named first, then the older number."""
    tally = Tally(round_of(result(n, user, points)) for n, user, points in (
        (1, 5, 30), (2, 6, 20), (3, 7, 10), (4, 7, 10), (5, 8, 5), (6, 9, 0),
    ))  # fmt: skip
    assert won(tally.top(10, by_live=False)) == [
        (1, "5", 30, 1, 0), (2, "7", 20, 2, 0), (2, "6", 20, 1, 0), (4, "8", 5, 1, 0), (5, "9", 0, 1, 1),
    ]  # fmt: skip


def test_a_judgement_corrects_what_was_given_exactly() -> None:
    """Void takes it back; somebody else gets it; judged again, it is as if nothing had been."""
    tally = Tally()
    steps: list[tuple[dict[str, Any], list[tuple[int, str, int, int, int]]]] = [
        (result(1), [(1, "7", 20, 1, 1)]),
        (result(1, void=True), []),
        (result(1, user=8, points=15), [(1, "8", 15, 1, 1)]),
        (result(1, user=None, points=0), []),
        (result(1), [(1, "7", 20, 1, 1)]),
        (result(1), [(1, "7", 20, 1, 1)]),
    ]
    for told, expected in steps:
        tally.put(round_of(told))
        assert won(tally.top(10, by_live=False)) == expected
        assert tally.players == len(expected)


def test_points_stay_with_a_viewer_whatever_they_are_called() -> None:
    """The name is that of the last win, in whatever order results come."""
    told = [result(2, name="New"), result(1, name="Old")]
    for order in (told, told[::-1]):
        (row,) = Tally(map(round_of, order)).top(10, by_live=True)
        assert (row["user"]["nickname"], row["user"]["handle"], row["points"]) == ("New", "new", 40)


def test_a_streak_in_a_live_is_of_questions_and_beyond_it_of_lives() -> None:
    """One that nobody won ends it; a void question is as if it had not been."""
    live = [result(1, 7), result(2, 7), result(3, 8, void=True), result(4, 7)]
    streaks = {
        row["user"]["user_id"]: row["streak"] for row in Tally(map(round_of, live)).top(10, by_live=False)
    }
    assert streaks == {"7": 3}
    assert streaks_of([*live, result(5, None, 0)], by_live=False) == {"7": 0}
    lives = [
        result(1, 7, recording="a"), result(2, 8, recording="b"), result(3, 7, recording="b"),
        result(4, 9, recording="b2", void=True), result(5, 7, recording="c"), result(6, 8, recording="c"),
    ]  # fmt: skip
    streaks = {
        row["user"]["user_id"]: row["streak"] for row in Tally(map(round_of, lives)).top(10, by_live=True)
    }
    assert streaks == {"7": 3, "8": 2}


_told = st.builds(
    result,
    st.integers(1, 6),
    st.none() | st.integers(1, 3),
    st.integers(0, 30),
    recording=st.sampled_from("ab"),
    name=st.sampled_from(["Ann", "Bob"]),
    void=st.booleans(),
)


@given(st.lists(_told, max_size=25), st.data())
def test_order_and_repetition_do_not_matter(told: list[dict[str, Any]], data: st.DataObject) -> None:
    """The last judgement of each round is what counts, added up from scratch."""
    last = {(one["recording"], one["round"]): one for one in told}
    one_by_one = Tally(map(round_of, told))
    shuffled = data.draw(st.permutations(list(last.values())))
    at_once = Tally(map(round_of, [*shuffled, *shuffled]))
    points: Counter[str] = Counter()
    wins: Counter[str] = Counter()
    for one in last.values():
        if one["winner"] is not None and not one["void"]:
            points[one["winner"]["user_id"]] += one["points"]
            wins[one["winner"]["user_id"]] += 1
    for by_live in (True, False):
        rows = one_by_one.top(10, by_live=by_live)
        assert rows == at_once.top(10, by_live=by_live)
        assert {row["user"]["user_id"]: row["points"] for row in rows} == {u: points[u] for u in wins}
        assert {row["user"]["user_id"]: row["wins"] for row in rows} == wins


@pytest.mark.parametrize(
    "wrong",
    [
        {"winner": "Ann"}, {"winner": {"user_id": "x"}}, {"points": "many"}, {"points": -1},
        {"points": 10**9},
        {"opened_at": None}, {"opened_at": -5}, {"decided_at": 10**30}, {"points": 1e999},
    ],
)  # fmt: skip
def test_what_is_no_result_is_refused(wrong: dict[str, Any]) -> None:
    """Half a line of a log, and numbers out of range."""
    with pytest.raises(ValueError, match=r"out of range|no result|without a number|invalid literal"):
        round_of(result(1) | wrong)


def test_names_are_cut_to_what_can_be_sent_and_stored() -> None:
    """Lone surrogates and ten times the length."""
    kept = round_of(result(1, name="\ud800" + "x" * 500))
    assert (len(kept.nickname), len(kept.handle)) == (40, 24)
    assert kept.nickname.encode()


# -- weeks ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "begins", "week", "hours"),
    [
        ("Europe/Paris", "monday", "2026-03-23", 167),  # clocks go forward on the last day
        ("Europe/Paris", "monday", "2026-10-19", 169),  # and back
        ("Europe/Paris", "sunday", "2026-03-29", 167),  # on the first day, two hours in
        ("Europe/Paris", "sunday", "2026-10-25", 169),
        ("Asia/Beirut", "sunday", "2026-03-29", 167),  # at midnight: the day begins at one
        ("America/Havana", "sunday", "2026-11-01", 169),  # one o'clock comes twice
        ("UTC", "thursday", "2026-03-26", 168),
        ("Asia/Kathmandu", "saturday", "2026-03-28", 168),
    ],
)
def test_a_week_ends_where_the_next_begins_also_when_clocks_change(
    zone: str, begins: str, week: str, hours: int
) -> None:
    """No instant belongs to two weeks or to none."""
    weeks = Weeks(begins, zone)
    noon = us(datetime.fromisoformat(week).replace(hour=12, tzinfo=ZoneInfo(zone)))
    assert weeks.first_day(noon).isoformat() == week
    end = weeks.next_at(noon)
    assert weeks.first_day(end - 1).isoformat() == week
    assert weeks.first_day(end) == weeks.first_day(noon) + timedelta(days=7)
    start = weeks.next_at(noon - 7 * 86_400 * SECOND)
    assert weeks.first_day(start).isoformat() == week
    assert weeks.first_day(start - 1) == weeks.first_day(noon) - timedelta(days=7)
    assert (end - start) // SECOND == hours * 3600


@given(
    st.sampled_from(
        ["Europe/Paris", "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "America/Havana"]
    ),
    st.sampled_from(WEEKDAYS),
    st.integers(us(datetime(2020, 1, 1, tzinfo=UTC)), us(datetime(2035, 1, 1, tzinfo=UTC))),
)
def test_the_next_week_is_always_ahead_and_never_skipped(zone: str, begins: str, at: int) -> None:
    """In every place, at every instant."""
    weeks = Weeks(begins, zone)
    end = weeks.next_at(at)
    assert at < end <= at + (7 * 24 + 1) * 3600 * SECOND
    assert weeks.first_day(end - 1) == weeks.first_day(at)
    assert weeks.first_day(end) == weeks.first_day(at) + timedelta(days=7)


def test_without_a_place_it_is_where_this_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own clocks, when they change too."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    try:
        here, there = Weeks("sunday"), Weeks("sunday", "Europe/Paris")
        for hours in range(0, 366 * 24, 5):
            at = NOW + hours * 3600 * SECOND
            assert (here.first_day(at), here.next_at(at)) == (there.first_day(at), there.next_at(at))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_day_or_a_place_that_does_not_exist_is_said_at_the_start() -> None:
    """Both at once, with what there is."""
    wrong = {"TOOLKIT_WEEK_BEGINS": "montag", "TOOLKIT_TIME_ZONE": "../../etc/passwd"}
    with pytest.raises(SettingsError, match=r"monday(.|\n)*Europe/Paris"):
        load_settings(wrong)
    assert (
        load_settings({"TOOLKIT_WEEK_BEGINS": "Sunday", "TOOLKIT_TIME_ZONE": "Asia/Tokyo"}).week_begins
        == "sunday"
    )


# -- the part --------------------------------------------------------------------


class Board:
    """The leaderboard on a real bus, with its book of points where there is a folder."""

    def __init__(self, folder: Path | None = None, *, now: int = NOW) -> None:
        self.clock = ManualClock(now)
        self.bus = MemoryBus(clock=self.clock)
        self.book = ScoreBook(folder) if folder is not None else None
        weeks = Weeks("monday", "Europe/Paris")
        part = Leaderboard(weeks) if self.book is None else Leaderboard(weeks, self.book.earlier)
        parts: list[Any] = [_Announcer(), part]
        keepers = {} if self.book is None else {RESULT: [self.book.put]}
        self.show = Conductor(self.bus, parts, clock=self.clock, folder=folder, keepers=keepers)

    def run(self, kind: str, recording: str = "live-1") -> None:
        """Begin a run."""
        self.bus.publish([run_started(kind, "demo", recording)], rehearsal=kind == "rehearsal")
        self.state()

    def decide(self, *results: dict[str, Any]) -> dict[str, Any]:
        """Have the host announce results; return the boards."""
        for told in results:
            self.show.command({"action": "host.decide", "result": told})
        return self.state()

    def state(self) -> dict[str, Any]:
        """Return the boards once everything is taken in."""
        for _ in range(2):
            self.clock.advance(0.3)
            self.show.step()
        return self.show.state()["leaderboard"]

    def loaded(self, until: Any) -> dict[str, Any]:
        """Wait until what was kept has been read."""
        assert self.book is not None
        until(lambda: self.book is not None and self.book.earlier() is not None)
        return self.state()

    def close(self) -> None:
        """End with everything written."""
        self.state()
        self.show.stop()
        if self.book is not None:
            self.book.close()


class _Announcer:
    """Stands where the host stands: announces the results it is told."""

    name = "host"
    actions = frozenset({"host.decide"})
    version = 0

    def __init__(self) -> None:
        self.edges: list[tuple[str, dict[str, Any]]] = []

    def take(self, notice: Any, now: int) -> None:
        """Hear nothing."""

    def tick(self, now: int) -> None:
        """Nothing is due."""

    def command(self, action: str, values: Any, now: int) -> None:
        """Announce."""
        self.edges.append((RESULT, values["result"]))

    def state(self) -> dict[str, Any]:
        """Nothing to show."""
        return {}

    def outbox(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was decided."""
        edges, self.edges = self.edges, []
        return edges

    def saved(self) -> None:
        """Nothing."""

    def restore(self, saved: Any) -> None:
        """Nothing."""


@pytest.fixture
def until() -> Any:
    """Return a function that waits on a condition, with a deadline."""

    def wait(condition: Any) -> None:
        pause = threading.Event()
        for _ in range(2000):
            if condition():
                return
            pause.wait(0.01)
        raise AssertionError("not within 20 s")

    return wait


def test_the_live_begins_anew_with_each_recording_and_goes_on_after_a_restart(
    tmp_path: Path, until: Any
) -> None:
    """All time keeps everything, whoever restarts whatever."""
    board = Board(tmp_path)
    board.run("live", "live-1")
    board.decide(result(1), result(2, 8, 30))
    board.close()
    again = Board(tmp_path)
    again.run("live", "live-1")
    state = again.loaded(until)
    assert won(state["live"]) == [(1, "8", 30, 1, 1), (2, "7", 20, 1, 0)]
    again.run("live", "live-2")
    state = again.decide(result(1, 7, 5, recording="live-2"))
    assert won(state["live"]) == [(1, "7", 5, 1, 1)]
    assert won(state["all"]) == [(1, "8", 30, 1, 0), (2, "7", 25, 2, 2)]
    assert state["players"] == 2
    again.close()


def test_a_rehearsal_has_a_board_of_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    """Neither in the week nor on the disk; gone when it is cleared."""
    board = Board(tmp_path)
    board.run("live")
    board.decide(result(1))
    board.run("rehearsal", "live-1")
    state = board.decide(result(9, 8, 30))
    assert won(state["live"]) == [(1, "8", 30, 1, 1)]
    assert won(state["all"]) == won(state["week"]) == [(1, "7", 20, 1, 1)]
    board.bus.publish([rehearsal_cleared()])
    state = board.state()
    assert state["live"] == []
    assert won(state["all"]) == [(1, "7", 20, 1, 1)]
    board.close()
    assert len(Scores(tmp_path / SCORES_FILE).rounds()) == 1


def test_the_week_begins_anew_at_its_moment_and_not_before() -> None:
    """On Monday at midnight in Paris, while nobody does anything."""
    board = Board()
    board.run("live")
    state = board.decide(result(1))
    assert state["week_begins"] == "2026-11-16"
    midnight = us(datetime(2026, 11, 23, tzinfo=ZoneInfo("Europe/Paris")))
    board.clock.advance((midnight - board.clock.now_us()) / 1e6 - 2)
    assert won(board.state()["week"]) == [(1, "7", 20, 1, 1)]
    board.clock.advance(2)
    state = board.state()
    assert (state["week"], state["week_begins"]) == ([], "2026-11-23")
    assert won(state["live"]) == won(state["all"]) == [(1, "7", 20, 1, 1)]


def test_emptying_the_board_of_the_live_takes_nobodys_points(tmp_path: Path, until: Any) -> None:
    """It stays empty after a restart; another live's is not touched."""
    board = Board(tmp_path)
    board.run("live")
    board.decide(result(-5))
    board.show.command({"action": "leaderboard.reset", "scope": "live"})
    state = board.decide(result(1, 8))
    assert won(state["live"]) == [(1, "8", 20, 1, 1)]
    assert len(state["all"]) == 2
    with pytest.raises(ShowError):
        board.show.command({"action": "leaderboard.reset", "scope": "all"})
    board.close()
    again = Board(tmp_path)
    again.run("live")
    assert won(again.loaded(until)["live"]) == [(1, "8", 20, 1, 1)]
    again.close()


def test_the_boards_fit_into_a_notice_whatever_people_are_called() -> None:
    """At most 12 KiB."""
    board = Board()
    board.run("live")
    state = board.decide(*(result(n, n, n, name="𝓆" * 40) for n in range(1, 16)))
    assert len(state["all"]) == 10
    assert len(json.dumps(state, ensure_ascii=False).encode()) < 12 * 1024


# -- kept --------------------------------------------------------------------------


def test_what_was_logged_and_not_written_is_written_later(tmp_path: Path, until: Any) -> None:
    """As after a kill between the two: the log has it, the file gets it with the next result."""
    log = RoundsLog(tmp_path / ROUNDS_FILE)
    for told in (result(1), result(2, 8), result(2, 9)):
        log.append(told)
    Scores(tmp_path / SCORES_FILE).put([round_of(result(1, points=99))])
    board = Board(tmp_path)
    board.run("live")
    state = board.loaded(until)
    assert [(row["user"]["user_id"], row["points"]) for row in state["all"]] == [("7", 20), ("9", 20)]
    board.decide(result(3))
    board.close()
    assert [(one.user_id, one.points) for one in Scores(tmp_path / SCORES_FILE).rounds()] == [
        (7, 20),
        (9, 20),
        (7, 20),
    ]


def test_a_file_that_somebody_holds_open_delays_nobody_and_gets_everything_later(
    tmp_path: Path, until: Any
) -> None:
    """A notebook, say: in another process, as DuckDB's lock is."""
    scores = Scores(tmp_path / SCORES_FILE)
    scores.put([round_of(result(1))])
    hold = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(scores.path)]
    book = ScoreBook(tmp_path, retry_s=0.05)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == "open\n"
        for number in range(1, 4):
            book.put(result(number, 8))
        until(lambda: book.earlier() is not None)
        holder.stdin.close()
        holder.wait(20)
    until(lambda: [one.user_id for one in scores.rounds()] == [8, 8, 8])
    book.close()


def test_a_damaged_file_is_set_aside_and_made_again(tmp_path: Path, until: Any) -> None:
    """From the log of rounds; nobody loses a point."""
    log = RoundsLog(tmp_path / ROUNDS_FILE)
    log.append(result(1))
    (tmp_path / SCORES_FILE).write_bytes(b"damaged" * 999)
    board = Board(tmp_path)
    board.run("live")
    assert won(board.loaded(until)["all"]) == [(1, "7", 20, 1, 1)]
    board.decide(result(2))
    board.close()
    assert len(Scores(tmp_path / SCORES_FILE).rounds()) == 2
    assert (tmp_path / (SCORES_FILE + ".unreadable")).read_bytes().startswith(b"damaged")


def test_the_show_of_a_process_keeps_points_and_decisions(tmp_path: Path, until: Any) -> None:
    """As it is put together: a right answer, its points, and a message that is hidden."""
    settings = load_settings({}, recordings=tmp_path)
    clock, gate = ManualClock(NOW), Gate()
    bus = MemoryBus(clock=clock)
    show = new_show(settings, bus, clock, gate)

    def say(text: str, user: int, msg: int) -> None:
        author = User(user, f"u{user}", f"U{user}")
        now = clock.now_us()
        bus.publish([("comment", Comment(msg, msg, now, now, author, text, "en", "", "", is_history=False))])
        show.step()

    bus.publish([run_started("live", "demo", "rec-1"), ("status", {"connected": True})])
    show.command({"action": "moderation.hide_user", "user_id": "5"})
    show.command({"action": "question.ask", "text": "Capital of France?", "answers": ["Paris"]})
    clock.advance(2)
    say("paris", 5, 1)
    clock.advance(0.2)
    say("Paris", 6, 2)
    clock.advance(5)
    show.step()
    show.step()
    show.command({"action": "moderation.hide_message", "msg_id": "1"})
    show.step()
    (row,) = show.state()["leaderboard"]["live"]
    assert (row["user"]["user_id"], row["rank"], row["wins"]) == ("6", 1, 1)
    assert gate.public_show(show.state())["leaderboard"]["live"] == [row]
    show.stop()
    scores = Scores(settings.show_folder / SCORES_FILE)
    until(lambda: [one.user_id for one in scores.rounds()] == [6])
    decisions = (settings.show_folder / "moderation" / "rec-1.jsonl").read_text().splitlines()
    assert [json.loads(line)["decision"] for line in decisions] == ["hide_user", "hide_message"]


# -- the command line ----------------------------------------------------------------


def played(recording_id: str) -> list[dict[str, Any]]:
    """Return rounds as they would have been decided on air, of questions that the sample answers."""
    told = []
    with open_recording(recording_id) as recording:
        answers = list(answers_of(recording, Decided()))
        words = Counter(answer.text.casefold() for answer in answers if answer.text.isalpha())
        for number, (word, _) in enumerate(words.most_common(3), 1):
            question = Question(
                id=f"q{number}", text=f"Say {word}", accepted=(word,), difficulty=Difficulty.EASY
            )
            opened_at = answers[0].received_at + number * 5 * SECOND
            asked = Round(question, opened_at, Rules())
            for answer in answers:
                asked.take(answer)
            decided = asked.decide(asked.decides_at)
            assert decided is not None
            who = decided.winner
            key: dict[str, Any] = {"accepted": [word], "choices": [], "wrong": []}
            key |= {"difficulty": "easy", "seconds": 30.0, "points": 0}
            told.append(
                result(number, None if who is None else who.user_id, decided.points, recording=recording_id)
                | {
                    "opened_at": opened_at,
                    "decided_at": decided.decided_at,
                    "key": key,
                    "question_id": question.id,
                }
            )
    return told


def test_a_round_played_again_knows_which_answers_were_delayed(folder: Path) -> None:
    """The comments of the minute before are looked at, so the outcome is that of the whole recording."""
    with open_recording("sample") as recording:
        answers = list(answers_of(recording, Decided()))
        since = answers[0].received_at + 70 * SECOND
        assert list(answers_of(recording, Decided(), since=since)) == [
            answer for answer in answers if answer.received_at >= since
        ]
    assert any(answer.lag_us > SECOND / 2 for answer in answers if answer.received_at >= since)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a show that the command line looks into."""
    monkeypatch.setenv("TOOLKIT_SHOW", str(tmp_path / "show"))
    monkeypatch.setenv("TOOLKIT_RECORDINGS", str(tmp_path))
    return tmp_path / "show"


def verb(capsys: Any, *arguments: str, code: int = 0) -> Any:
    """Run `toolkit leaderboard` and return its JSON."""
    assert main(["leaderboard", "--json", *arguments]) == code
    return json.loads(capsys.readouterr().out)


def test_rebuilding_plays_the_rounds_again_and_tells_where_they_differ(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the log; a recording that is there is the judge, one that is gone is counted."""
    told = played("sample")
    assert any(one["winner"] for one in told)
    log = RoundsLog(folder / ROUNDS_FILE)
    for one in told:
        log.append(one)
    log.append(result(1, recording="gone") | {"key": told[0]["key"]})
    # Where the sample is bundled, as any recording that is still in the folder.
    from toolkit.bundled import SAMPLE_ID, folder_of

    monkeypatch.setenv("TOOLKIT_RECORDINGS", str(folder_of(SAMPLE_ID, folder)))
    recount = verb(capsys, "--rebuild")
    assert (recount["rounds"], recount["checked"], recount["without_recording"]) == (4, 3, 1)
    assert recount["differences"] == []
    assert len(Scores(folder / SCORES_FILE).rounds()) == 4
    winner = next(one for one in told if one["winner"])
    log.append(winner | {"winner": winner["winner"] | {"user_id": "999"}})
    log.append(told[-1] | {"judged": True, "winner": None, "points": 0})
    recount = verb(capsys, "--rebuild", code=1)
    assert recount["judged"] == 1
    (difference,) = recount["differences"]
    assert difference["kept"]["user_id"] == "999"
    assert difference["counted"] == {"user_id": winner["winner"]["user_id"], "points": winner["points"]}
    assert main(["leaderboard", "--rebuild"]) == 1
    assert "user 999 with" in capsys.readouterr().out


def test_the_boards_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the file, from the log where there is no file, and names that a terminal would obey are tamed."""
    assert verb(capsys, "--scope", "all") == []
    log = RoundsLog(folder / ROUNDS_FILE)
    log.append(result(1))
    assert won(verb(capsys)["all"]) == [(1, "7", 20, 1, 1)]
    Scores(folder / SCORES_FILE).put([round_of(result(2, 8, 30, name="\x1b[31mred\n", recording="live-2"))])
    boards = verb(capsys)
    assert won(boards["live"]) == [(1, "8", 30, 1, 1)]
    assert len(boards["all"]) == 2
    assert main(["leaderboard"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "[31mred" in shown
    assert "Last live" in shown


def test_nothing_to_rebuild_from_is_said_and_destroys_nothing(folder: Path, capsys: Any) -> None:
    """The log may be gone while the points are there."""
    Scores(folder / SCORES_FILE).put([round_of(result(1))])
    assert main(["leaderboard", "--rebuild"]) == 1
    assert "no rounds" in capsys.readouterr().err
    with duckdb.connect(str(folder / SCORES_FILE), read_only=True) as connection:
        assert connection.sql("SELECT count(*) FROM rounds").fetchall() == [(1,)]
