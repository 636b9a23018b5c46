"""
What the dashboard shows: rates, totals, recent comments. Kept once per process.

It taps the bus, so its cost is paid once per event whoever looks, and a page only
copies figures. A new run (a live, a rehearsal) starts from zero: the two never mix.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice
from toolkit.ledger.gifts import ENTRIES_MAX, GiftLedger
from toolkit.ledger.tombstones import Scope, Tombstone, tombstones_of
from toolkit.model.event import Comment, Deletion, Event, Gift, Like, Question, User, ViewerCount

__all__ = ["NO_RUN", "Earlier", "Gifter", "LiveState", "Snapshot", "rehearsal_cleared", "run_started"]

HISTORY_S = 600
"""How far back the rate charts reach."""
RECENT_COMMENTS = 200
RECENT_QUESTIONS = 50
RATE_WINDOW_S = 10
"""Rates are the mean over this many whole seconds: TikTok delivers in bursts every
0.75 s, so a shorter window flickers between nothing and double."""
GAPS_MAX = 100
"""Newest gaps kept; the recording has them all."""
WITHDRAWN_MAX = 1_000
"""Withdrawn message ids remembered: a notice may overtake the comment it withdraws."""
NO_RUN = "none"


@dataclass(slots=True)
class Gifter:
    """Diamonds of one giver, as far as they were observed."""

    user: User
    diamonds: int = 0
    gifts: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    A copy of the figures at one moment.

    Attributes:
        version: Grows with every change; equal versions mean equal figures.
        run: ``live``, ``rehearsal`` or ``none``.
        run_seq: Number of the notice that began what is counted here; 0 before the
            first. Another number means other figures: forget what was shown.
        user: Whose live it is; empty in a rehearsal.
        recording: Id of what is recorded or played; empty before the first run.
        started_at: When the run began on our wall clock, microseconds UTC; None
            before the first.
        totals: Events by kind since the run began.
        rates: Events per second by kind over the last :data:`RATE_WINDOW_S`.
        history: Per second, oldest first: (epoch second, comments, all events).
        viewers: Newest viewer count; None before the first.
        viewers_peak: Largest so far.
        viewers_total: Entries since the live began, TikTok's figure.
        likes_total: The room's own like count.
        diamonds: Diamonds given, running combos included.
        gifts: Gifts given, each tap of a combo counted.
        gifters: Top givers, most diamonds first.
        comments: Newest comments with the number of their notice, oldest first;
            without those that TikTok withdrew.
        firsts: Numbers of those that were their author's first in this run.
        chatters: People who commented.
        questions: Newest Q&A questions, oldest first; without those that were withdrawn.
        delay_ms: Median time from TikTok's clock to ours over recent comments;
            None when unknown. Includes the error of both clocks.
        gaps: The newest gaps of the recording as they were announced, oldest first.
        is_rehearsed: These are a rehearsal's figures, also when it has ended.
    """

    version: int
    run: str
    run_seq: int
    user: str
    recording: str
    started_at: int | None
    totals: dict[str, int]
    rates: dict[str, float]
    history: list[tuple[int, int, int]]
    viewers: int | None
    viewers_peak: int
    viewers_total: int
    likes_total: int
    diamonds: int
    gifts: int
    gifters: list[Gifter]
    comments: list[tuple[int, Comment]]
    firsts: frozenset[int]
    chatters: int
    questions: list[tuple[int, Question]]
    delay_ms: float | None
    gaps: list[dict[str, Any]]
    is_rehearsed: bool


@dataclass(slots=True)
class _Figures:
    run_seq: int = 0
    user: str = ""
    recording: str = ""
    started_at: int | None = None
    is_rehearsed: bool = False
    totals: Counter[str] = field(default_factory=Counter)
    seconds: dict[int, Counter[str]] = field(default_factory=dict)
    viewers: int | None = None
    viewers_peak: int = 0
    viewers_total: int = 0
    likes_total: int = 0
    diamonds: int = 0
    gifts: int = 0
    gifters: dict[int, Gifter] = field(default_factory=dict)
    ledger: GiftLedger = field(default_factory=lambda: GiftLedger(entries_max=ENTRIES_MAX))
    withdrawn: deque[int] = field(default_factory=lambda: deque(maxlen=WITHDRAWN_MAX))
    comments: deque[tuple[int, Comment]] = field(default_factory=lambda: deque(maxlen=RECENT_COMMENTS))
    chatters: set[int] = field(default_factory=set)
    firsts: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_COMMENTS))
    questions: deque[tuple[int, Question]] = field(default_factory=lambda: deque(maxlen=RECENT_QUESTIONS))
    delays_us: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_COMMENTS))
    gaps: dict[int, dict[str, Any]] = field(default_factory=dict)
    recorded_s: int | None = None

    def take(self, number: int, event: Event, now_us: int) -> None:
        """Take in what an event means beyond its being counted."""
        match event:
            case Comment():
                if event.msg_id not in self.withdrawn:
                    self.comments.append((number, event))
                if event.user is not None and event.user.user_id not in self.chatters:
                    self.chatters.add(event.user.user_id)
                    self.firsts.append(number)
            case Gift():
                self._take_gift(event, now_us)
            case Deletion():
                self._withdraw(event)
            case Like():
                # Not monotone: interleaved series of co-hosts differ by little, so
                # the largest is the room's best-known total.
                self.likes_total = max(self.likes_total, event.total)
            case ViewerCount() if event.viewers > 0:
                self.viewers = event.viewers
                self.viewers_peak = max(self.viewers_peak, event.viewers)
                self.viewers_total = max(self.viewers_total, event.viewers_total)
            case Question() if event.msg_id not in self.withdrawn:
                self.questions.append((number, event))

    def measure(self, comment: Comment) -> None:
        """Take in how long a comment took that was delivered as it was written."""
        if comment.occurred_at is not None:
            self.delays_us.append(comment.received_at - comment.occurred_at)

    def _take_gift(self, gift: Gift, now_us: int) -> None:
        # On TikTok's clock: a rehearsal at another speed settles the same streaks.
        count = self.ledger.take(gift, gift.occurred_at or now_us)
        self.diamonds += count * gift.diamonds
        self.gifts += count
        if gift.user is not None:
            gifter = self.gifters.setdefault(gift.user.user_id, Gifter(gift.user))
            gifter.user = gift.user
            gifter.diamonds += count * gift.diamonds
            gifter.gifts += count

    def _withdraw(self, deletion: Deletion) -> None:
        stones = list(tombstones_of(deletion))
        self.withdrawn.extend(stone.target_id for stone in stones if stone.scope is Scope.MESSAGE)
        _drop(self.comments, stones)
        _drop(self.questions, stones)


class LiveState:
    """The figures of the current run. Reads and writes from any thread."""

    def __init__(self, bus: MemoryBus) -> None:
        self._lock = threading.Lock()
        self._version = 0
        self._run = NO_RUN
        self._figures = _Figures()
        bus.tap(self._take)

    def snapshot(self, now_us: int, *, top: int = 10) -> Snapshot:
        """
        Return a copy of the figures.

        Args:
            now_us: Our wall clock, microseconds UTC: where the rate window ends. In a
                rehearsal it ends where the recording is.
            top: How many givers.
        """
        now_s = now_us // 1_000_000
        with self._lock:
            f = self._figures
            now_s = now_s if f.recorded_s is None else f.recorded_s
            gifters = sorted(f.gifters.values(), key=lambda g: -g.diamonds)[:top]
            return Snapshot(
                self._version,
                self._run,
                f.run_seq,
                f.user,
                f.recording,
                f.started_at,
                dict(f.totals),
                _rates(f.seconds, now_s),
                _history(f.seconds, now_s),
                f.viewers,
                f.viewers_peak,
                f.viewers_total,
                f.likes_total,
                f.diamonds,
                f.gifts,
                [Gifter(g.user, g.diamonds, g.gifts) for g in gifters],
                list(f.comments),
                frozenset(f.firsts),
                len(f.chatters),
                list(f.questions),
                sorted(f.delays_us)[len(f.delays_us) // 2] / 1000 if f.delays_us else None,
                list(f.gaps.values()),
                f.is_rehearsed,
            )

    def prime(self, earlier: Earlier) -> None:
        """
        Replace the figures of the current run by what somebody has missed who enters it late.

        Rates and their history begin with what follows. ``earlier`` is used up.
        """
        with self._lock:
            figures, run = earlier._figures, self._figures
            figures.run_seq, figures.user, figures.recording = run.run_seq, run.user, run.recording
            figures.started_at, figures.is_rehearsed = run.started_at, run.is_rehearsed
            figures.totals = Counter(earlier.totals)
            self._figures = figures
            self._version += 1

    def _take(self, notices: list[Notice]) -> None:
        with self._lock:
            for notice in notices:
                if isinstance(notice.data, Event):
                    self._count(notice, notice.data)
                elif notice.type == "gap":
                    self._take_gap(notice.data)
                elif notice.type == "run":
                    self._take_run(notice.seq, notice.at, notice.data)
            self._version += 1

    def _take_run(self, number: int, at: int, run: dict[str, Any]) -> None:
        self._run = run["kind"]
        # The end of a run leaves its figures on screen.
        if self._run != NO_RUN:
            self._figures = _Figures(number, run["user"], run["recording"], at, self._run == "rehearsal")
        elif run.get("clear") and self._figures.is_rehearsed:
            self._figures = _Figures(number)

    def _take_gap(self, gap: dict[str, Any]) -> None:
        gaps = self._figures.gaps
        gaps[gap["gap_id"]] = gap
        while len(gaps) > GAPS_MAX:
            del gaps[next(iter(gaps))]

    def _count(self, notice: Notice, event: Event) -> None:
        f = self._figures
        f.totals[notice.type] += 1
        # A rehearsal is told on the recording's clock, whatever its speed: as the comments are.
        second = (notice.recorded_at or notice.at) // 1_000_000
        f.recorded_s = second if notice.recorded_at else None
        bucket = f.seconds.get(second)
        if bucket is None:
            bucket = f.seconds[second] = Counter()
            for old in [s for s in f.seconds if s < second - HISTORY_S]:
                del f.seconds[old]
        bucket[notice.type] += 1
        if isinstance(event, Comment) and not (event.is_history or notice.rehearsal):
            f.measure(event)
        f.take(notice.seq, event, notice.at)


class Earlier:
    """
    What a run adds up to before the place at which somebody enters it.

    Attributes:
        totals: Events by kind.
    """

    def __init__(self, chatters: Iterable[int] = ()) -> None:
        """
        Begin with nothing.

        Args:
            chatters: Ids of people who commented before anything that :meth:`take` is given.
        """
        self.totals: dict[str, int] = {}
        self._figures = _Figures(chatters=set(chatters))
        # Below every number of a bus, in order.
        self._next_number = -(2**31)

    def take(self, events: Iterable[Event]) -> None:
        """Take in events, in order."""
        for event in events:
            self.totals[event.kind] = self.totals.get(event.kind, 0) + 1
            self._figures.take(self._next_number, event, event.received_at)
            self._next_number += 1


_Said = TypeVar("_Said", Comment, Question)


def _drop(kept: deque[tuple[int, _Said]], stones: list[Tombstone]) -> None:
    left = [item for item in kept if not _is_withdrawn(item[1], stones)]
    if len(left) < len(kept):
        kept.clear()
        kept.extend(left)


def _is_withdrawn(said: Comment | Question, stones: list[Tombstone]) -> bool:
    user_id = said.user.user_id if said.user is not None else None
    return any(
        stone.target_id == (said.msg_id if stone.scope is Scope.MESSAGE else user_id) for stone in stones
    )


def _rates(seconds: dict[int, Counter[str]], now_s: int) -> dict[str, float]:
    window: Counter[str] = Counter()
    for second in range(now_s - RATE_WINDOW_S, now_s):
        window.update(seconds.get(second, Counter()))
    return {kind: count / RATE_WINDOW_S for kind, count in window.items()}


def _history(seconds: dict[int, Counter[str]], now_s: int) -> list[tuple[int, int, int]]:
    """Return whole seconds only: the running one would always dip."""
    if not seconds:
        return []
    first = max(min(seconds), now_s - HISTORY_S)
    empty: Counter[str] = Counter()
    return [
        (second, (bucket := seconds.get(second, empty))["comment"], bucket.total())
        for second in range(first, now_s)
    ]


def run_started(kind: str, user: str, recording_id: str) -> tuple[str, dict[str, Any]]:
    """Return the notice that starts a run: everything counted begins at zero with it."""
    return "run", {"kind": kind, "user": user, "recording": recording_id}


def rehearsal_cleared() -> tuple[str, dict[str, Any]]:
    """Return the notice that takes off all screens what a rehearsal has left there."""
    return "run", run_started(NO_RUN, "", "")[1] | {"clear": True}
