"""
A live in time: a seeded stream of bursts, as TikTok delivers them.

TikTok does not push messages one by one: a burst of everything that happened,
then 0.52 to 0.82 s of silence. Inside a burst order follows create_time only
roughly. Everything here is a function of profile, seed and start: no I/O, no
wall clock, so the same three give the same bytes.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from toolkit.model.frame import Message
from toolkit.simulator import notices
from toolkit.simulator.audience import Audience, Viewer
from toolkit.simulator.gifts import Tap, choose_gift, streak_taps
from toolkit.simulator.language import LANGUAGES, comment_text, question_text
from toolkit.simulator.messages import Desk
from toolkit.simulator.profile import MESSAGES_PER_START, TrafficProfile

__all__ = ["Burst", "Traffic"]

_BURST_EVERY_MS = (570, 870, 810)
"""Lower and upper bound, mode: silences of 0.52 to 0.82 s, and 50 ms that a burst takes."""
_DELIVERY_MS = (120, 640, 300)
"""create_time to push: lower and upper bound, mode."""
_DISORDER_MS = 330
"""Sigma of the order within a burst: 36 to 47 % of neighbours end up out of order."""
_UNEVEN_PERIOD_MS = 60_000

_MENTION_SHARE = 0.2
_EMOTE_ONLY_SHARE = 0.005
_RECENT_COMMENTS_MAX = 64
_LIKES_MAX = 15
_FULL_LIKE_SHARE = 0.6
_LIKES_SEEN = (0.05, 0.23)
"""Delivered likes as a share of the true ones."""
_LIKE_JITTER_MAX = 800
_ENTRIES_PER_JOIN = (2, 6)
_RANKED = 16
_BATTLE_S, _BATTLE_STEP_S = 180, 4
_POLL_S, _POLL_STEP_S = 60, 6
_HOST_NUMBER = -1
_OUTSIDE_ID = 1 << 31

_POLLS = (
    ("What do we paint next?", ("the harbour", "the old tree")),
    ("Which lamp is nicer?", ("the green one", "the red one", "both")),
    ("¿Qué canción toco ahora?", ("la lenta", "la rápida")),
)
_CAPTIONS = (
    "so today we are going to finish the blue one", "thank you so much for the roses",
    "let me read your questions",
    "I will show it again in a minute", "welcome everybody who just came in",
    "that is a really good question",
)  # fmt: skip
_UNMAPPED = (
    "WebcastLinkScreenChangeMessage", "WebcastHashtagMessage", "WebcastRoomStickerMessage",
    "WebcastSubscriptionGuideMessage", "WebcastInRoomBannerRefreshMessage", "WebcastMoonGardenMessage",
    "WebcastLanternParadeMessage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Burst:
    """
    What TikTok pushes at one moment.

    Attributes:
        at_ms: When, milliseconds since 1970 UTC on the live's own clock.
        messages: In the order of delivery; empty when nothing happened.
    """

    at_ms: int
    messages: list[Message]


class Traffic:
    """
    The messages of one live, burst after burst, without end.

    Attributes:
        profile: The kind of room.
        start_ms: When the live began, milliseconds since 1970 UTC.
        room_id: The broadcast's id.
        host_id: The host's user id.
        first_id: Where the ids of its messages begin.
    """

    def __init__(
        self,
        profile: TrafficProfile,
        seed: int,
        start_ms: int,
        *,
        room_id: int | None = None,
        first_id: int = 0,
    ) -> None:
        """
        Args:
            profile: The kind of room.
            seed: The same seed, profile and start give the same bytes.
            start_ms: When the live begins, milliseconds since 1970 UTC.
            room_id: The broadcast's id; None derives one from seed and start.
            first_id: Above the ids of what was there before in a room that goes on.
        """
        self.profile = profile
        self.start_ms = start_ms
        self._rng = rng = Random(f"traffic:{seed}")
        self._audience = Audience(seed, profile.viewers)
        self._host = self._audience.viewer(_HOST_NUMBER)
        self.host_id = self._host.user_id
        self.room_id = room_id or (start_ms // 1000 << 32 | rng.randrange(1 << 31))
        self.first_id = first_id
        self._desk = Desk(rng, self.room_id, self.host_id, first_id=first_id)
        # What is put in from outside must not change what comes by itself.
        self._outside = Desk(
            Random(f"outside:{seed}"), self.room_id, self.host_id, first_id=_OUTSIDE_ID + first_id
        )
        self._at_ms = self._seen_until_ms = float(start_ms)
        self._next_uneven_ms = 0.0
        self._uneven = 1.0
        self._agenda: list[tuple[float, int, Callable[[int], None]]] = []
        self._entries = 0
        self._ready: list[tuple[float, int, Message]] = []
        self._recent: deque[tuple[Message, Viewer]] = deque(maxlen=_RECENT_COMMENTS_MAX)
        self._tally = _Tally(rng, profile.viewers)
        self._starts = self._start_table(profile)
        self._plan_first(float(start_ms))

    def next_burst(self) -> Burst:
        """Return the next burst; ``at_ms`` grows by 0.57 to 0.87 s each time."""
        self._at_ms += self._rng.triangular(*_BURST_EVERY_MS)
        # What was created too recently is still on its way inside TikTok.
        horizon_ms = max(self._seen_until_ms, self._at_ms - self._rng.triangular(*_DELIVERY_MS))
        while self._agenda[0][0] <= horizon_ms:
            due_ms, _, act = heapq.heappop(self._agenda)
            act(int(due_ms))
        self._seen_until_ms = horizon_ms
        messages = [message for _, _, message in sorted(self._ready)]
        self._ready.clear()
        return Burst(int(self._at_ms), messages)

    def say(self, handle: str, text: str, at_ms: int) -> Message:
        """Return a comment that somebody outside puts into a viewer's mouth."""
        viewer = self._audience.named(handle)
        return self._outside.comment(at_ms, viewer, text, viewer.language.code)

    def control(self, action: int, at_ms: int) -> Message:
        """Return the message that the live paused (1), resumed (2) or ended (3)."""
        return notices.control(self._outside, at_ms, action)

    def invented(self, number: int, at_ms: int) -> Message:
        """Return a message of a type that exists nowhere; ``number`` is part of its name."""
        return notices.unmapped(self._outside, at_ms, f"WebcastInvented{number}Message", number)

    # -- the agenda ---------------------------------------------------------

    def _at(self, due_ms: float, act: Callable[[int], None]) -> None:
        self._entries += 1
        heapq.heappush(self._agenda, (due_ms, self._entries, act))

    def _emit(self, created_ms: float, message: Message, not_before: float = 0.0) -> float:
        """Queue a message for the next burst; return its place in the order of delivery."""
        place = max(created_ms + self._rng.gauss(0, _DISORDER_MS), not_before)
        self._entries += 1
        self._ready.append((place, self._entries, message))
        return place

    def _start_table(self, profile: TrafficProfile) -> dict[str, float]:
        """Return how often each kind starts, per second; counts and weights worked out once."""
        viewer_counts_per_s = 2 / sum(profile.viewer_count_s)
        budget = max(profile.others_per_s - viewer_counts_per_s, 0.0)
        whole = sum(profile.mix.values())
        return {
            kind: budget * share / whole / MESSAGES_PER_START.get(kind, 1)
            for kind, share in profile.mix.items()
        }

    def _plan_first(self, start_ms: float) -> None:
        others_per_s = sum(self._starts.values())
        kinds = list(self._starts)
        weights = list(accumulate(self._starts.values()))
        actions = [getattr(self, f"_{kind}") for kind in kinds]

        def start_other(now_ms: int) -> None:
            self._rng.choices(actions, cum_weights=weights)[0](now_ms)

        surge = self.profile.surge
        peaks = (surge.comments, surge.others) if surge else (1.0, 1.0)
        self._repeat(start_ms, self.profile.comments_per_s, self._comment, peaks[0])
        self._repeat(start_ms, others_per_s, start_other, peaks[1])
        if self.profile.others_per_s:
            self._at(start_ms, self._viewer_count)

    def _repeat(self, now_ms: float, rate_per_s: float, act: Callable[[int], None], peak: float) -> None:
        """Act at random moments with a mean rate that drifts from minute to minute, and may surge."""
        if rate_per_s <= 0:
            self._at(float("inf"), act)
            return

        due_ms = now_ms

        def again(_: int) -> None:
            nonlocal due_ms
            act(int(due_ms))
            due_ms += self._rng.expovariate(rate_per_s * self._factor(due_ms, peak)) * 1000
            self._at(due_ms, again)

        due_ms += self._rng.expovariate(rate_per_s) * 1000
        self._at(due_ms, again)

    def _factor(self, now_ms: float, peak: float) -> float:
        sigma = self.profile.unevenness
        if sigma and now_ms >= self._next_uneven_ms:
            self._next_uneven_ms = now_ms + _UNEVEN_PERIOD_MS
            # The mean of a log-normal is exp(mu + sigma^2 / 2): keep it at 1.
            self._uneven = self._rng.lognormvariate(-sigma * sigma / 2, sigma)
        surge = self.profile.surge
        if surge is None:
            return self._uneven
        return self._uneven * (1 + (peak - 1) * surge.height((now_ms - self.start_ms) / 1000))

    # -- what people do -----------------------------------------------------

    def _comment(self, now_ms: int) -> None:
        rng = self._rng
        viewer = self._audience.talker(rng)
        if rng.random() < _EMOTE_ONLY_SHARE:
            message = self._desk.comment(now_ms, viewer, "", "", emote_id=str(7_000_000 + rng.randrange(40)))
        else:
            mention = rng.choice(self._recent)[1] if self._recent and rng.random() < _MENTION_SHARE else None
            text, language = comment_text(rng, viewer.language, mention.handle if mention else "")
            message = self._desk.comment(now_ms, viewer, text, language, mention=mention)
        self._recent.append((message, viewer))
        self._emit(now_ms, message)

    def _gift(self, now_ms: int) -> None:
        rng = self._rng
        viewer, gift = self._audience.supporter(rng), choose_gift(rng)
        last_place = 0.0
        counted = 0

        def deliver(tap: Tap) -> Callable[[int], None]:
            def act(due_ms: int) -> None:
                nonlocal last_place, counted
                self._tally.give(viewer, gift.diamonds * (tap.repeat_count - counted))
                counted = tap.repeat_count
                message = self._desk.gift(due_ms, viewer, gift, tap, group_id=now_ms)
                # Within a streak TikTok keeps the order.
                last_place = self._emit(due_ms, message, not_before=last_place)

            return act

        for tap in streak_taps(rng, gift):
            self._at(now_ms + tap.after_ms, deliver(tap))

    def _like(self, now_ms: int) -> None:
        rng = self._rng
        count = _LIKES_MAX if rng.random() < _FULL_LIKE_SHARE else rng.randint(1, _LIKES_MAX - 1)
        self._tally.likes += int(count / rng.uniform(*_LIKES_SEEN))
        # TikTok's own total wobbles: it is not monotone.
        total = self._tally.likes - rng.randrange(min(_LIKE_JITTER_MAX, self._tally.likes // 50) + 1)
        self._emit(now_ms, self._desk.like(now_ms, self._audience.supporter(rng), count, total))

    def _join(self, now_ms: int) -> None:
        self._tally.enter(self._rng)
        self._emit(now_ms, self._desk.join(now_ms, self._audience.visitor(), self._tally.viewers))

    def _follow(self, now_ms: int) -> None:
        self._tally.followers += 1
        viewer = self._audience.somebody(self._rng)
        self._emit(now_ms, self._desk.follow(now_ms, viewer, self._tally.followers))

    def _share(self, now_ms: int) -> None:
        self._tally.shares += 1
        viewer = self._audience.somebody(self._rng)
        self._emit(now_ms, self._desk.share(now_ms, viewer, self._tally.shares))

    def _emote(self, now_ms: int) -> None:
        viewer = self._audience.talker(self._rng)
        self._emit(now_ms, self._desk.emote(now_ms, viewer, str(7_000_000 + self._rng.randrange(40))))

    def _question(self, now_ms: int) -> None:
        rng = self._rng
        viewer = self._audience.talker(rng)
        question_id = self._desk.issue_id("WebcastQuestionNewMessage", now_ms)
        text = question_text(rng, viewer.language)
        self._emit(now_ms, self._desk.question(now_ms, viewer, question_id, text))
        # The host takes it up, then puts it away; both travel as types no schema knows.
        selected_ms = now_ms + rng.uniform(10_000, 60_000)
        if rng.random() < 0.6:
            self._later_unmapped(selected_ms, "WebcastQuestionSelectedMessage", question_id)
            ending = rng.choice(("WebcastQuestionSlideDownMessage", "WebcastQuestionDeleteMessage"))
            self._later_unmapped(selected_ms + rng.uniform(10_000, 40_000), ending, question_id)

    def _subscription(self, now_ms: int) -> None:
        months = self._rng.choice((1, 1, 1, 2, 3, 6, 12))
        self._emit(now_ms, self._desk.subscription(now_ms, self._audience.supporter(self._rng), months))

    def _barrage(self, now_ms: int) -> None:
        level = self._rng.randint(5, 40)
        self._emit(now_ms, self._desk.barrage(now_ms, self._audience.supporter(self._rng), level))

    # -- what the room does -------------------------------------------------

    def _viewer_count(self, now_ms: int) -> None:
        top = self._tally.top(_RANKED)
        message = notices.viewer_count(self._desk, now_ms, self._tally.viewers, self._tally.entries, top)
        self._emit(now_ms, message)
        self._at(now_ms + self._rng.uniform(*self.profile.viewer_count_s) * 1000, self._viewer_count)

    def _mic(self, now_ms: int) -> None:
        self._emit(now_ms, notices.link_mic(self._desk, now_ms, self._tally.diamonds))

    def _ticket(self, now_ms: int) -> None:
        self._emit(now_ms, notices.fan_ticket(self._desk, now_ms, self._tally.diamonds))

    def _rank(self, now_ms: int) -> None:
        self._tally.place = max(1, self._tally.place + self._rng.choice((-1, 0, 0, 0, 1)))
        countdown_s = 604_800 - now_ms // 1000 % 604_800
        self._emit(now_ms, notices.rank(self._desk, now_ms, self._tally.place, countdown_s))

    def _goal(self, now_ms: int) -> None:
        supporters = self._tally.top(5) or [(self._audience.supporter(self._rng), 1)]
        progress, target = self._tally.diamonds, (self._tally.diamonds // 1000 + 1) * 1000
        self._emit(now_ms, notices.goal(self._desk, now_ms, progress, target, supporters))

    def _envelope(self, now_ms: int) -> None:
        sender, diamonds = self._audience.supporter(self._rng), self._rng.choice((20, 50, 100, 500))
        envelope_id = self._desk.issue_id("WebcastEnvelopeMessage", now_ms)

        def show(is_new: bool) -> Callable[[int], None]:
            def act(due_ms: int) -> None:
                message = notices.envelope(self._desk, due_ms, envelope_id, sender, diamonds, is_new=is_new)
                self._emit(due_ms, message)

            return act

        show(True)(now_ms)
        self._at(now_ms + 90_000, show(False))

    def _poll(self, now_ms: int) -> None:
        title, choices = self._rng.choice(_POLLS)
        poll_id = self._desk.issue_id("WebcastPollMessage", now_ms)
        votes = dict.fromkeys(choices, 0)

        def show(stage: int) -> Callable[[int], None]:
            def act(due_ms: int) -> None:
                if stage != notices.POLL_START:
                    for choice in choices:
                        votes[choice] += self._rng.randrange(1 + self.profile.viewers // 50 + 2)
                self._emit(due_ms, notices.poll(self._desk, due_ms, poll_id, stage, title, votes))

            return act

        show(notices.POLL_START)(now_ms)
        for after_s in range(_POLL_STEP_S, _POLL_S, _POLL_STEP_S):
            self._at(now_ms + after_s * 1000, show(notices.POLL_UPDATE))
        self._at(now_ms + _POLL_S * 1000 + 2000, show(notices.POLL_END))

    def _battle(self, now_ms: int) -> None:
        rng = self._rng
        rival_id = self._audience.somebody(rng).user_id
        battle_id = self._desk.issue_id("WebcastLinkMicBattle", now_ms)
        scores = {self.host_id: 0, rival_id: 0}

        def show(action: int) -> Callable[[int], None]:
            def act(due_ms: int) -> None:
                message = notices.battle(self._desk, due_ms, battle_id, action, _BATTLE_S, scores)
                self._emit(due_ms, message)

            return act

        def score(due_ms: int) -> None:
            for host_id in scores:
                scores[host_id] += rng.randrange(40)
            supporter = self._audience.supporter(rng)
            self._emit(due_ms, notices.battle_scores(self._desk, due_ms, battle_id, scores, supporter))

        show(notices.BATTLE_OPEN)(now_ms)
        for after_s in range(_BATTLE_STEP_S, _BATTLE_S, _BATTLE_STEP_S):
            self._at(now_ms + after_s * 1000, score)
        self._at(now_ms + _BATTLE_S * 1000 + 2000, show(notices.BATTLE_FINISH))

    def _caption(self, now_ms: int) -> None:
        self._tally.sentences += 1
        text = self._rng.choice(_CAPTIONS)
        self._emit(now_ms, notices.caption(self._desk, now_ms, self._tally.sentences, text))

    def _notice(self, now_ms: int) -> None:
        self._emit(now_ms, notices.filtered_notice(self._desk, now_ms))

    def _intro(self, now_ms: int) -> None:
        text = "Welcome! We paint lamps tonight, ask me anything."
        self._emit(now_ms, self._desk.intro(now_ms, self._host, text, LANGUAGES[0]))

    def _pin(self, now_ms: int) -> None:
        if self._recent:
            comment, _ = self._rng.choice(self._recent)
            self._emit(now_ms, notices.pin(self._desk, now_ms, comment, self._host))

    def _deletion(self, now_ms: int) -> None:
        if self._recent:
            comment, viewer = self._rng.choice(self._recent)
            user_ids = [viewer.user_id] if self._rng.random() < 0.2 else []
            self._emit(now_ms, notices.deletion(self._desk, now_ms, [comment.msg_id], user_ids))

    def _unmapped(self, now_ms: int) -> None:
        self._later_unmapped(now_ms, self._rng.choice(_UNMAPPED), self._rng.randrange(1 << 30))

    def _later_unmapped(self, due_ms: float, method: str, number: int) -> None:
        def act(at_ms: int) -> None:
            viewer = self._audience.somebody(self._rng)
            self._emit(at_ms, notices.unmapped(self._desk, at_ms, method, number, viewer))

        self._at(due_ms, act)


class _Tally:
    """What the room has counted so far."""

    def __init__(self, rng: Random, viewers: int) -> None:
        self.viewers = viewers
        self._viewers_usual = viewers
        self.entries = int(viewers * rng.uniform(8, 20))
        self.likes = int(viewers * rng.uniform(50, 150))
        self.followers = int(viewers * rng.uniform(20, 200))
        self.shares = viewers * 2
        self.diamonds = viewers * 3
        self.place = rng.randint(10, 90)
        self.sentences = 0
        self._given: dict[int, tuple[Viewer, int]] = {}

    def enter(self, rng: Random) -> None:
        """Count a delivered join: several people enter for each one told, as many leave."""
        self.entries += rng.randint(*_ENTRIES_PER_JOIN)
        drift = (self._viewers_usual - self.viewers) / self._viewers_usual
        self.viewers = max(1, self.viewers + (1 if rng.random() < 0.5 + drift else -1))

    def give(self, viewer: Viewer, diamonds: int) -> None:
        """Count diamonds for a supporter and for the room."""
        self.diamonds += diamonds
        self._given[viewer.user_id] = (viewer, self._given.get(viewer.user_id, (viewer, 0))[1] + diamonds)

    def top(self, count: int) -> list[tuple[Viewer, int]]:
        """Return the best supporters with what they gave, best first."""
        return heapq.nlargest(count, self._given.values(), key=lambda entry: (entry[1], entry[0].user_id))
