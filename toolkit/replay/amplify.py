"""
More of the same live: N times the viewers, in the bursts in which it really came.

Every viewer gets copies who do what he does, at the moments when he does it, under
names, ids and words of their own; what the room itself says is said once, its totals
grown accordingly. A copy keeps its id throughout, so a streak of gifts stays a streak
and somebody who writes a lot has copies who write a lot. A function of the plan, the
factor and the seed: each frame is made from itself alone, so any part can be played.

What TikTok withdraws by id is withdrawn from the original viewer only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from random import Random

from toolkit.errors import ReplayError
from toolkit.model.frame import Message
from toolkit.model.plan import Break, Plan, PlannedFrame
from toolkit.replay.variation import vary
from toolkit.simulator.audience import invented_names
from toolkit.wire.rewrite import (
    PEOPLE_METHODS,
    Person,
    actor_of,
    give_people,
    open_message,
    remap_ids,
    scale_totals,
    seal_message,
    shift_times,
)
from toolkit.wire.schema import ProtoMessage

__all__ = ["FACTOR_MAX", "MESSAGES_PER_FRAME_MAX", "amplify"]

FACTOR_MAX = 10_000.0
"""Beyond it even a small room is larger than what a machine can send."""
MESSAGES_PER_FRAME_MAX = 400
"""A larger burst is pushed in several frames: TikTokLive refuses more than 1 MiB."""
TEXTS_MAX = 2_000
"""Comments per language from which copies borrow their words."""
_NAMES_CACHED = 100_000

_COMMENT = "WebcastChatMessage"
_PLACES_SIGMA = 4.0
"""How far a copy's message strays from the original's place in the burst, in messages of
the original: a third of neighbours in a real burst are out of order."""
_JITTER_MS = range(-400, 100)
"""TikTok's clock of a copy against the original's: one burst gathers about as much."""
_LEVELS = frozenset({"viewers"})
"""Totals that go up and down; they grow as a whole, the others by what they rise."""


def amplify(
    plan: Plan, *, factor: float | None = None, comments_per_s: float | None = None, seed: int = 1
) -> Plan:
    """
    Return a plan in which N times as many viewers do what those of ``plan`` do.

    Reads the plan once to know its viewers: about a second per 50,000 messages.

    Args:
        plan: What it is made from; its times, bursts and breaks stay.
        factor: How many times the viewers; below 1 some of them are left out.
        comments_per_s: In place of a factor: the mean rate of comments, breaks left out.
        seed: The same plan, factor and seed give the same bytes.

    Raises:
        ReplayError: The factor is out of range, or the plan has no comments to grow from.
        RecordingError: What it is read from is damaged.
    """
    if not isfinite(plan.duration_s):
        raise ReplayError(f"{plan.name} has no end, so it has no rate.", hint="Choose a part of it.")
    assert (factor is None) != (comments_per_s is None), "say either factor or comments_per_s"
    survey = _survey(plan)
    if comments_per_s is not None:
        if not survey.comments or not survey.observed_s:
            raise ReplayError(
                f"{plan.name} has no comments, so there is nothing to grow {comments_per_s:g} a second from.",
                hint="Choose another recording, or a preset.",
            )
        factor = comments_per_s / (survey.comments / survey.observed_s)
    assert factor is not None
    if not 0 < factor <= FACTOR_MAX:
        raise ReplayError(
            f"{plan.name} cannot be made {factor:g} times as large.",
            hint=f"Choose a factor above 0, and at most {FACTOR_MAX:g}.",
        )
    return _Amplified(plan, factor, seed, survey)


@dataclass(slots=True)
class _Survey:
    """What is known of a plan before it is amplified."""

    comments: int = 0
    observed_s: float = 0.0
    by_viewer: Counter[int] = field(default_factory=Counter)
    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    first_totals: dict[str, int] = field(default_factory=dict)


def _survey(plan: Plan) -> _Survey:
    found = _Survey(observed_s=plan.duration_s - sum(b.until_s - b.from_s for b in plan.breaks))

    def note(name: str, value: int) -> int:
        found.first_totals.setdefault(name, value)
        return value

    for frame in plan.frames():
        for message in frame.messages:
            parsed = open_message(message)
            if parsed is None:
                continue
            scale_totals(message.method, parsed, note)
            if message.method == _COMMENT:
                found.comments += 1
                found.by_viewer[parsed.user.id] += 1
                texts = found.texts[parsed.content_language]
                if parsed.content and len(texts) < TEXTS_MAX:
                    texts.append(parsed.content)
    return found


def _copies(survey: _Survey, factor: float, seed: int) -> Mapping[int, int]:
    """
    Return how many copies of each commenting viewer there are, the viewer himself included.

    Everybody has as many, but for a part of the viewers, chosen so that the rate of
    comments is met, who have one more.
    """
    base = int(factor)
    copies = dict.fromkeys(survey.by_viewer, base)
    missing = round((factor - base) * survey.comments)
    viewers = sorted(survey.by_viewer)
    Random(f"copies:{seed}").shuffle(viewers)
    for viewer in viewers:
        written = survey.by_viewer[viewer]
        if written <= missing:
            copies[viewer] += 1
            missing -= written
    return copies


class _Amplified:
    """See :func:`amplify`."""

    def __init__(self, plan: Plan, factor: float, seed: int, survey: _Survey) -> None:
        self.name = f"{plan.name} x{factor:.3g}"
        self.duration_s = plan.duration_s
        self.breaks: Sequence[Break] = plan.breaks
        self._plan, self._factor, self._seed = plan, factor, seed
        self._copies = _copies(survey, factor, seed)
        self._texts, self._first_totals = dict(survey.texts), survey.first_totals
        self._person = lru_cache(_NAMES_CACHED)(self._new_person)

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        """Yield the frames; a burst too large for one push is several at the same moment."""
        for frame in self._plan.frames(from_s):
            messages = self._burst(frame)
            for start in range(0, len(messages) or 1, MESSAGES_PER_FRAME_MAX):
                part = messages[start : start + MESSAGES_PER_FRAME_MAX]
                # TikTok's own count of frames would have doubles and holes.
                yield replace(frame, messages=part, push_seq=0)

    def _burst(self, frame: PlannedFrame) -> list[Message]:
        """Return the messages of a frame and those of the copies, in the order of delivery."""
        rng = Random(f"burst:{self._seed}:{frame.segment_id}:{frame.at_s:.6f}")
        placed: list[tuple[float, int, Message]] = []
        # What one copy does keeps its order.
        last_places: dict[tuple[int, int], float] = {}
        for place, message in enumerate(frame.messages):
            for actor, copy, made in self._made_of(message):
                at = place + rng.gauss(0, _PLACES_SIGMA)
                if actor:
                    at = last_places[actor, copy] = max(at, last_places.get((actor, copy), at))
                placed.append((at, len(placed), made))
        return [message for _, _, message in sorted(placed, key=lambda item: item[:2])]

    def _made_of(self, message: Message) -> Iterator[tuple[int, int, Message]]:
        """Yield (viewer, number of the copy, message)."""
        parsed = open_message(message)
        if parsed is None:
            yield 0, 0, message
            return
        is_changed = scale_totals(message.method, parsed, self._grown)
        actor = actor_of(message.method, parsed) if message.method in PEOPLE_METHODS else None
        if actor is None:
            yield 0, 0, seal_message(message, parsed) if is_changed else message
            return
        payload = parsed.SerializeToString(deterministic=True) if is_changed else message.payload
        original = replace(message, payload=payload)
        for copy in range(self._number(actor.id)):
            yield actor.id, copy, self._copied(original, copy) if copy else original

    def _copied(self, message: Message, copy: int) -> Message:
        parsed = open_message(message)
        assert parsed is not None
        method = message.method
        actor = actor_of(method, parsed)
        assert actor is not None
        number = self._hash(message.msg_id, copy)
        # The same for all that one copy does: a streak must not overtake itself.
        shift_times(method, parsed, _JITTER_MS[self._hash(actor.id, -copy) % len(_JITTER_MS)])
        if method == _COMMENT:
            self._say_otherwise(parsed, Random(number))
        give_people(method, parsed, lambda user: self._person(user.id, copy))
        remap_ids(method, parsed, lambda number: _in_the_range_of_ids(self._hash(number, copy)))
        return seal_message(message, parsed, _in_the_range_of_ids(number))

    def _say_otherwise(self, parsed: ProtoMessage, rng: Random) -> None:
        # Emotes and mentions stand at places of the text.
        if not (parsed.emotes or parsed.mention_users or parsed.HasField("at_user")):
            parsed.content = vary(parsed.content, self._texts.get(parsed.content_language, ()), rng)

    def _number(self, user_id: int) -> int:
        number = self._copies.get(user_id)
        if number is not None:
            return number
        base = int(self._factor)
        return base + (Random(f"number:{self._seed}:{user_id}").random() < self._factor - base)

    def _grown(self, name: str, value: int) -> int:
        if name in _LEVELS:
            return max(round(value * self._factor), 1)
        first = self._first_totals.get(name, value)
        return first + round((value - first) * self._factor)

    def _new_person(self, user_id: int, copy: int) -> Person:
        number = self._hash(user_id, copy)
        handle, nickname = invented_names(Random(number))
        return Person(_in_the_range_of_ids(number), handle, nickname)

    def _hash(self, number: int, copy: int) -> int:
        """Return 64 bits that no other number or copy has, for all that is likely."""
        text = f"{self._seed}:{copy}:{number}"
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _in_the_range_of_ids(number: int) -> int:
    """Return an id as large as TikTok's: 19 digits, below 2^63."""
    return (1 << 62) | (number >> 2)
