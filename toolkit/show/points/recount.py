"""
``toolkit leaderboard``: the boards from what is kept, and all of it counted again.

What counts is the log of rounds, as it was decided on air or judged by the operator. Where
the recording of a live is still there, each of its rounds is played again with the same
rules from the comments in it, and what comes out differently is said; it is the operator's
to judge, so nothing is changed by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit.errors import RecordingError, ToolkitError
from toolkit.show.moderation.decisions import Decisions
from toolkit.show.moderation.ruling import Decided
from toolkit.show.points.command import answers_of, unobserved_in
from toolkit.show.points.leaderboard import boards_of
from toolkit.show.points.scorebook import rounds_of_log
from toolkit.show.points.tally import Row, Tally, round_of
from toolkit.show.points.weeks import Weeks
from toolkit.show.question.quiz import Difficulty, Question, Result, Round, Rules
from toolkit.show.rounds import ROUNDS_FILE, read_rounds
from toolkit.store.reader import Recording, open_recording
from toolkit.store.scores import SCORES_FILE, KeptRound, Scores

__all__ = ["Recount", "board_lines", "boards", "rebuild"]

POINTS_APART_MAX = 1
"""On air the bonus for speed is counted from the moment at which the show heard of the
answer, some milliseconds after it was received."""


@dataclass(frozen=True, slots=True)
class Difference:
    """
    One round that comes out otherwise from the recording.

    Attributes:
        recording: Id of the live.
        opened_at: When it went on air, microseconds UTC.
        question: Its text.
        kept: Who won on air, and how many points: (user id or 0, points).
        counted: The same from the recording.
    """

    recording: str
    opened_at: int
    question: str
    kept: tuple[int, int]
    counted: tuple[int, int]


@dataclass(slots=True)
class Recount:
    """
    What counting again has shown.

    Attributes:
        rounds: In the log.
        checked: Of these, played again from their recordings.
        judged: By hand, so the clock's opinion does not matter.
        without_recording: Whose recording is gone, or cannot be read.
        differences: What comes out otherwise.
    """

    rounds: int = 0
    checked: int = 0
    judged: int = 0
    without_recording: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether everything that could be checked came out the same."""
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        told = [asdict(one) for one in self.differences]
        for one in told:
            for name in ("kept", "counted"):
                user_id, points = one[name]
                one[name] = {"user_id": str(user_id) if user_id else None, "points": points}
        figures = {name: getattr(self, name) for name in self.__slots__ if name != "differences"}
        return figures | {"differences": told}

    def lines(self) -> list[str]:
        """Return it in sentences."""
        head = (
            f"{self.rounds} rounds; {self.checked} played again from their recordings, "
            f"{self.judged} judged by hand, {self.without_recording} without a recording; "
            f"{len(self.differences)} come out otherwise"
        )
        return [head, *(_line(one) for one in self.differences)]


def boards(folder: Path, weeks: Weeks, now: int) -> dict[str, Any]:
    """
    Return the boards of the folder of a show; "live" is the last live with a question.

    Raises:
        RecordingError: The file of the points cannot be read, and there is no log either.
    """
    rounds = _kept(folder)
    last = max(rounds, key=lambda one: one.opened_at, default=None)
    begins = weeks.first_day(now)
    return boards_of(
        Tally(one for one in rounds if last is not None and one.recording == last.recording),
        Tally(one for one in rounds if weeks.first_day(one.opened_at) == begins),
        Tally(rounds),
        begins.isoformat(),
    )


def _kept(folder: Path) -> Sequence[KeptRound]:
    logged = rounds_of_log(folder / ROUNDS_FILE)
    try:
        kept = Scores(folder / SCORES_FILE).rounds()
    except RecordingError:
        # Damaged, or a server writes just now: the log has it all.
        if not logged:
            raise
        return logged
    return list(({one.key: one for one in kept} | {one.key: one for one in logged}).values())


def board_lines(boards: Mapping[str, Any], scope: str | None) -> list[str]:
    """Return boards as lines for a terminal."""
    titles = {"live": "Last live", "week": f"Week of {boards['week_begins']}", "all": "All time"}
    lines: list[str] = []
    for name in titles if scope is None else (scope,):
        rows = [_row(row) for row in boards[name]] or ["     nobody has won anything"]
        lines += ["", titles[name], *rows]
    return lines[1:]


def rebuild(folder: Path, recordings: Path) -> Recount:
    """
    Make the points again from the log of rounds, and compare with the recordings.

    Raises:
        ToolkitError: There is no log to make them from.
        RecordingError: The new file cannot be written.
    """
    path = folder / ROUNDS_FILE
    try:
        lines = read_rounds(path)
    except OSError as error:
        raise ToolkitError(f"{path} cannot be read: {error.strerror}.", hint="See to the file.") from None
    rounds = rounds_of_log(path)
    if not rounds:
        raise ToolkitError(
            f"There are no rounds in {path}.", hint="A question that is asked in a live makes the first."
        )
    scores = Scores(folder / SCORES_FILE)
    scores.replace(rounds)
    return _compared(lines, recordings, Decisions(folder))


def _compared(lines: Sequence[Mapping[str, Any]], recordings: Path, decisions: Decisions) -> Recount:
    recount = Recount()
    by_recording: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        by_recording.setdefault(str(line.get("recording", "")), []).append(line)
    for recording_id, told in by_recording.items():
        recount.rounds += len(told)
        by_hand = [line for line in told if line.get("judged") is True or line.get("void") is True]
        recount.judged += len(by_hand)
        rest = [line for line in told if line not in by_hand]
        try:
            with open_recording(recording_id, recordings) as recording:
                found = list(_differing(recording, rest, recording_id, decisions))
        except (RecordingError, ValueError):
            recount.without_recording += len(rest)
            continue
        recount.checked += len(rest)
        recount.differences += found
    return recount


def _differing(
    recording: Recording, lines: Sequence[Mapping[str, Any]], recording_id: str, decisions: Decisions
) -> Iterator[Difference]:
    unobserved = unobserved_in(recording)
    for line in lines:
        kept = round_of(line)
        # Who was hidden later had still won.
        decided = decisions.of(recording_id, until=kept.decided_at)
        result = _played_again(recording, line, decided, unobserved)
        winner_id = result.winner.user_id if result.winner is not None else 0
        if winner_id != kept.winner_id or abs(result.points - kept.points) > POINTS_APART_MAX:
            before, after = (kept.winner_id, kept.points), (winner_id, result.points)
            yield Difference(kept.recording, kept.opened_at, kept.question, before, after)


def _played_again(
    recording: Recording,
    line: Mapping[str, Any],
    decided: Decided,
    unobserved: Sequence[tuple[int, int]],
) -> Result:
    asked = Round(_question(line), int(line["opened_at"]), Rules())
    for answer in answers_of(recording, decided, since=asked.opened_at, until=asked.closes_at):
        asked.take(answer)
    if any(begin < asked.closes_at and end > asked.opened_at for begin, end in unobserved):
        asked.dispute()
    result = asked.decide(asked.decides_at)
    assert result is not None, line
    return result


def _question(line: Mapping[str, Any]) -> Question:
    """Return the question of a line of the log; raise ValueError if it does not say which."""
    try:
        key = line["key"]
        return Question(
            id=str(line["question_id"]),
            text=str(line["text"]),
            accepted=tuple(map(str, key["accepted"])),
            choices=tuple(map(str, key["choices"])),
            wrong=tuple(map(str, key["wrong"])),
            difficulty=Difficulty(key["difficulty"]),
            seconds=float(key["seconds"]),
            points=int(key["points"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no question: {error}") from None


def _row(row: Row) -> str:
    user = row["user"]
    name = user["nickname"] or user["handle"] or user["user_id"]
    streak = f", {row['streak']} in a row" if row["streak"] > 1 else ""
    return f"{row['rank']:>3}. {name}: {row['points']} points, {row['wins']} won{streak}"


def _line(one: Difference) -> str:
    def told(outcome: tuple[int, int]) -> str:
        user_id, points = outcome
        return f"user {user_id} with {points} points" if user_id else "nobody"

    return f"{one.recording}: {one.question}: {told(one.kept)} on air, {told(one.counted)} by the recording"
