"""
Alerts: gifts, followers, shares, subscribers, raids and winners, on screen one after the other.

What is shown when is the line-up's (:mod:`toolkit.show.audience.lineup`). This part knows what
an event means:

- A combo of taps is one alert. It may be on screen while the combo runs and is updated
  in place; it is final when TikTok says so, or after 10 s without a tap. What is tapped
  after it has left the screen is shown when the combo is over, once.
- Nobody is announced twice within ten minutes for following, sharing or subscribing.
- Nothing older than 30 s is announced: after a reconnect, what happened before stays
  where it is, in the recording. TikTok's clock and ours may be apart by any amount, so
  an event is old by how much later it is than usual.
"""

from __future__ import annotations

import statistics
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.ledger.gifts import GiftEntry, GiftLedger, GiftState
from toolkit.ledger.tombstones import Scope, tombstones_of
from toolkit.model.event import (
    Comment,
    Deletion,
    Event,
    Follow,
    Gift,
    Join,
    Like,
    Share,
    Subscription,
    User,
)
from toolkit.show.audience.bursts import WINDOW_S, Bursts
from toolkit.show.audience.lineup import AGE_MAX_US, BATCHED, KINDS, Alert, Lineup
from toolkit.show.part import NAME_CHARS_MAX, ShowError, user_data
from toolkit.show.request import read_choice, read_flag, read_whole
from toolkit.show.run import Runs

__all__ = ["Alerts"]

SETTLE_US = 10_000_000
"""Silence after which a combo is over for the screen. Its end comes within 3.9 s and 2 s
of delivery; the ledger goes on counting what comes later, and that is shown too."""
STREAKS_MAX = 1_000
LEDGER_MAX = 5_000
AGAIN_US = 600_000_000
SEEN_MAX = 5_000
WON_MAX = 50
DELAYS_MAX = 50
DELAYS_MIN = 5
"""Fewer tell nothing of how late is usual."""
MINIMUM_MAX = 1_000_000
TOLD_MAX = 5
TEXT_CHARS_MAX = 120
JOIN_SUBSCRIBED = 3

_SAMPLES: dict[str, dict[str, Any]] = {
    "gift": {"gift": "Rose", "count": 5, "diamonds": 5},
    "follow": {},
    "share": {},
    "subscribe": {},
    "raid": {"count": 40},
    "winner": {"text": "Paris", "points": 20},
}
_SAMPLE_USER = user_data(User(0, handle="test", nickname="Test"))


@dataclass(slots=True)
class _Streak:
    """A combo that runs, its alert, and when it was tapped last."""

    entry: GiftEntry
    alert: Alert
    tapped_at: int


class Alerts:
    """The part ``alert``."""

    name = "alert"
    actions = frozenset(
        f"alert.{action}" for action in ("test", "pause", "mute", "skip", "replay", "clear", "minimum")
    )

    def __init__(self, *, lets_through: Callable[[Event], bool] = lambda _event: True) -> None:
        """
        Begin with nothing to show.

        Args:
            lets_through: Whether what somebody did may be shown.
        """
        self.version = 1
        self._lets_through = lets_through
        self._runs = Runs()
        self._number = 0
        self._minimum = 0
        self._is_muted = False
        self._is_connected = True
        self.lineup = Lineup()
        """What is shown and waits, with what was counted."""
        self._bursts = {"join": Bursts("join"), "follow": Bursts("follow")}
        self._empty()

    def _empty(self) -> None:
        is_paused, self.lineup = self.lineup.is_paused, Lineup()
        self.lineup.is_paused = is_paused
        self._ledger = GiftLedger(entries_max=LEDGER_MAX)
        self._streaks: OrderedDict[int, _Streak] = OrderedDict()
        self._seen: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._delays_us: deque[int] = deque(maxlen=DELAYS_MAX)
        self._raid: tuple[Alert, int] | None = None
        self._won: OrderedDict[str, dict[str, Any] | None] = OrderedDict()
        for bursts in self._bursts.values():
            bursts.begin()

    # -- what happens ------------------------------------------------------

    def take(self, notice: Notice, now: int) -> None:
        """Take in what somebody did, a result, a withdrawal, the connection, a new run."""
        match notice.data:
            case Gift() as gift:
                self._give(gift, now, self._is_old(notice, gift, now))
            case Follow() | Share() | Subscription() | Join() as event:
                self._come(notice, event, now)
            case Deletion() as deletion:
                self._withdraw(deletion, now)
            case Mapping() as data:
                self._hear(notice, data, now)
        if isinstance(notice.data, Join | Like | Comment):
            self._measure(notice.data)

    def _hear(self, notice: Notice, data: Mapping[str, Any], now: int) -> None:
        if self._runs.take(notice):
            self._empty()
            self.version += 1
        elif notice.type == "show:result":
            self._win(data, now, is_old=now - notice.at > AGE_MAX_US)
        elif notice.type in ("status", "missed"):
            is_connected = notice.type == "missed" or bool(data.get("connected"))
            if notice.type == "missed" or is_connected != self._is_connected:
                # Nobody has listened for a while: what is usual is learned anew.
                for bursts in self._bursts.values():
                    bursts.begin()
            self._is_connected = is_connected

    def tick(self, now: int) -> int | None:
        """Show what is due, settle combos that have ended in silence."""
        while self._streaks:
            streak = next(iter(self._streaks.values()))
            if streak.tapped_at <= now < streak.tapped_at + SETTLE_US:
                break
            self._end(streak, now)
        has_changed, due = self.lineup.advance(now)
        if has_changed:
            self.version += 1
        moments = [due, *(s.tapped_at + SETTLE_US for s in list(self._streaks.values())[:1])]
        return min((moment for moment in moments if moment is not None), default=None)

    def _offer(self, alert: Alert, now: int) -> None:
        self.lineup.offer(alert, now)
        self.version += 1

    def _new(self, kind: str, user: User | None, now: int, **values: Any) -> Alert:
        self._number += 1
        return Alert(str(self._number), kind, None if user is None else user_data(user), now, **values)

    # -- how old -----------------------------------------------------------

    def _measure(self, event: Event) -> None:
        if event.occurred_at is not None and not (isinstance(event, Comment) and event.is_history):
            self._delays_us.append(event.received_at - event.occurred_at)

    def _is_old(self, notice: Notice, event: Event, now: int) -> bool:
        """Return whether it happened too long ago: before a reconnect, or while we did not look."""
        if now - notice.at > AGE_MAX_US:
            return True
        if event.occurred_at is None:
            return False
        usual_us = statistics.median(self._delays_us) if len(self._delays_us) >= DELAYS_MIN else 0
        return event.received_at - event.occurred_at - usual_us > AGE_MAX_US

    # -- gifts -------------------------------------------------------------

    def _give(self, gift: Gift, now: int, is_old: bool) -> None:
        added = self._ledger.take(gift, now)
        entry = self._ledger.entry_of(gift)
        if entry is None:
            # Out of memory's bounds at once; cannot be told from others any more.
            self.lineup.gifts_dropped += added
            return
        streak = self._streaks.get(id(entry))
        if streak is None:
            if not added:
                return
            if is_old or not self._lets_through(gift):
                self.lineup.gifts_dropped += added
                return
            streak = _Streak(entry, self._new("gift", gift.user, now), now)
            self._streaks[id(entry)] = streak
            self._bound_streaks(now)
        streak.alert.owed += added
        self._tell(streak, now)
        if entry.state is GiftState.FINAL:
            self._end(streak, now)
        elif added:
            streak.tapped_at = now
            self._streaks.move_to_end(id(entry))

    def _tell(self, streak: _Streak, now: int) -> None:
        """Bring an alert up to what the ledger says; show it once it is worth it."""
        entry, alert = streak.entry, streak.alert
        alert.gift, alert.gift_id = entry.gift_name[:NAME_CHARS_MAX], entry.gift_id
        alert.count, alert.diamonds = entry.count, entry.count * max(0, entry.diamonds)
        alert.is_final = entry.state is not GiftState.RUNNING
        is_new = alert.shown_at == 0 and not self.lineup.holds(alert)
        if alert.is_skipped:
            return
        if is_new and alert.diamonds >= self._minimum:
            self._offer(alert, now)
        elif not is_new:
            self.lineup.update(alert, now)
            self.version += 1

    def _end(self, streak: _Streak, now: int) -> None:
        """Let go of a combo: nothing more is expected of it."""
        del self._streaks[id(streak.entry)]
        alert = streak.alert
        alert.is_final = True
        if self.lineup.holds(alert):
            self.lineup.update(alert, now)
        elif alert.owed and alert.shown_at and not alert.is_skipped:
            # It has left the screen before it was over: the rest is shown now, under its name.
            alert.at = now
            self._offer(alert, now)
        else:
            self.lineup.gifts_dropped += alert.owed
            alert.owed = 0
        self.version += 1

    def _bound_streaks(self, now: int) -> None:
        while len(self._streaks) > STREAKS_MAX:
            self._end(next(iter(self._streaks.values())), now)

    # -- people ------------------------------------------------------------

    def _come(self, notice: Notice, event: Follow | Share | Subscription | Join, now: int) -> None:
        kind = "subscribe" if isinstance(event, Subscription) else event.kind
        if isinstance(event, Follow | Join):
            # On the recording's clock: a rehearsal at four times the speed is no raid.
            self._watch(kind, notice.recorded_at or notice.at, now)
        if isinstance(event, Join):
            if event.action != JOIN_SUBSCRIBED:
                return
            kind = "subscribe"
        if self._is_old(notice, event, now) or self._is_again(kind, event.user, now):
            return
        if self._lets_through(event):
            self._offer(self._new(kind, event.user, now), now)

    def _is_again(self, kind: str, user: User | None, now: int) -> bool:
        if user is None:
            return False
        key = kind, user.user_id
        last = self._seen.pop(key, None)
        self._seen[key] = now
        while len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        return last is not None and abs(now - last) < AGAIN_US

    def _watch(self, kind: str, at: int, now: int) -> None:
        """Look for a burst; the alert counts on while more come."""
        if self._raid is not None and kind == self._raid[0].topic and at < self._raid[1]:
            alert = self._raid[0]
            if self.lineup.holds(alert):
                alert.count += 1
                self.lineup.update(alert, now)
                self.version += 1
        burst = self._bursts[kind].take(at)
        if burst is not None:
            alert = self._new("raid", None, now, count=burst.count, topic=kind)
            self._raid = alert, at + WINDOW_S * 1_000_000
            self._offer(alert, now)

    # -- winners and withdrawals ---------------------------------------------

    def _win(self, result: Mapping[str, Any], now: int, *, is_old: bool) -> None:
        """Announce a winner; once more only if the operator has made another one."""
        topic = f"{result.get('recording')!s:.80}:{result.get('opened_at')!s:.20}"
        winner = _winner(result.get("winner"))
        if result.get("void"):
            winner = None
        if winner == self._won.get(topic):
            return
        self.lineup.withdraw(lambda alert: alert.kind == "winner" and alert.topic == topic, now)
        self.version += 1
        self._won[topic] = winner
        while len(self._won) > WON_MAX:
            self._won.popitem(last=False)
        if winner is None or is_old:
            return
        alert = self._new("winner", None, now, topic=topic)
        answer, points = result.get("answer"), result.get("points")
        alert.user = winner
        alert.text = answer[:TEXT_CHARS_MAX] if isinstance(answer, str) else ""
        alert.points = points if isinstance(points, int) and 0 <= points <= 10**9 else 0
        self._offer(alert, now)

    def _withdraw(self, deletion: Deletion, now: int) -> None:
        users = {str(stone.target_id) for stone in tombstones_of(deletion) if stone.scope is Scope.USER}

        def is_theirs(alert: Alert) -> bool:
            return alert.user is not None and alert.user["user_id"] in users

        for alert in [*self.lineup.waiting, *([self.lineup.current] if self.lineup.current else [])]:
            if is_theirs(alert) and alert.kind in BATCHED and alert.merged > 1:
                alert.user = None
                self.version += 1
        if users and self.lineup.withdraw(is_theirs, now):
            self.version += 1

    # -- what the operator asks --------------------------------------------

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """
        Do what the operator asks.

        Raises:
            ShowError: It means nothing, or nothing now.
        """
        match action:
            case "alert.test":
                kind = read_choice(values, "kind", KINDS)
                alert = self._new(kind, None, now, is_test=True, is_wanted=True, **_SAMPLES[kind])
                alert.user = None if kind == "raid" else _SAMPLE_USER
                self._offer(alert, now)
            case "alert.pause":
                self.lineup.pause(read_flag(values, "on"), now)
            case "alert.mute":
                self._is_muted = read_flag(values, "on")
            case "alert.minimum":
                self._minimum = read_whole(values, "diamonds", 0, MINIMUM_MAX)
            case "alert.skip":
                if self.lineup.current is None:
                    raise ShowError("No alert is on screen.", hint="There is nothing to skip.")
                self.lineup.skip(now)
            case "alert.replay":
                self._replay(now)
            case "alert.clear":
                self.lineup.clear(now)
        self.version += 1

    def _replay(self, now: int) -> None:
        alert = self.lineup.last or self.lineup.current
        if alert is None:
            raise ShowError("No alert was on screen yet.", hint="Try one with a test.")
        self._number += 1
        again = replace(alert, id=str(self._number), at=now, owed=0, shown_at=0)
        again.is_final = again.is_wanted = True
        again.is_skipped = False
        self._offer(again, now)

    # -- what is told and kept ---------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what is on screen, and what comes."""
        lineup = self.lineup
        return {
            "current": None if lineup.current is None else lineup.current.told(),
            "waiting": len(lineup.waiting),
            "queue": [
                {"id": alert.id, "kind": alert.kind, "user": alert.user} for alert in lineup.next()[:TOLD_MAX]
            ],
            "is_paused": lineup.is_paused,
            "is_muted": self._is_muted,
            "minimum": self._minimum,
            "dropped": lineup.dropped,
        }

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return nothing: the state says it all."""
        return ()

    def saved(self) -> dict[str, Any]:
        """Return the settings: an alert is no news after a restart."""
        return {
            "is_paused": self.lineup.is_paused,
            "is_muted": self._is_muted,
            "minimum": self._minimum,
            "number": self._number,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up settings; what cannot be read stays as it is."""
        for action, values in (
            ("alert.pause", {"on": saved.get("is_paused")}),
            ("alert.mute", {"on": saved.get("is_muted")}),
            ("alert.minimum", {"diamonds": saved.get("minimum")}),
        ):
            try:
                self.command(action, values, 0)
            except ShowError:
                continue
        number = saved.get("number")
        # A screen that stayed must not take a new alert for one that it had.
        if isinstance(number, int) and 0 <= number < 2**53:
            self._number = number


def _winner(user: Any) -> dict[str, Any] | None:
    """Return a viewer of a result, checked: it came over the bus."""
    if not isinstance(user, Mapping):
        return None
    texts = {name: user.get(name) for name in ("user_id", "nickname", "handle")}
    told: dict[str, Any] = {
        name: text[:NAME_CHARS_MAX] if isinstance(text, str) else "" for name, text in texts.items()
    }
    return told | {"avatar": bool(user.get("avatar"))}
