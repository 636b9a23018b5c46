"""
The gift catalogue and the rhythm of a streak.

Only type 1 can be streaked: one message per delivered tap, ``repeat_count``
cumulative, and a last message with ``repeat_end`` some three seconds after the
last tap. Types 2 and 4 arrive once, with ``repeat_end`` 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from random import Random

__all__ = ["CATALOGUE", "ROSE", "STREAKABLE", "Gift", "Tap", "choose_gift", "streak_taps"]

STREAKABLE = 1
"""TikTok's type of the gifts that are tapped in streaks."""


@dataclass(frozen=True, slots=True)
class Gift:
    """
    One entry of the catalogue.

    Attributes:
        gift_id: TikTok's number; invented but for the rose.
        name: What viewers see.
        diamonds: Price of one.
        kind: TikTok's gift type: 1 streakable, 2 large, 4 small and single.
    """

    gift_id: int
    name: str
    diamonds: int
    kind: int


@dataclass(frozen=True, slots=True)
class Tap:
    """
    One message of a streak.

    Attributes:
        after_ms: Milliseconds after the streak's first message.
        repeat_count: Cumulative count.
        is_end: The closing message.
    """

    after_ms: float
    repeat_count: int
    is_end: bool


ROSE = Gift(5655, "Rose", 1, STREAKABLE)
_HEART = Gift(7934, "Heart Me", 1, 4)

CATALOGUE = (
    ROSE,
    _HEART,
    *(
        Gift(60_000 + number, name, diamonds, kind)
        for number, (name, diamonds, kind) in enumerate(
            [
                ("Paper Boat", 1, 1), ("Morning Tea", 1, 1), ("Little Comet", 1, 1), ("Lemon Slice", 1, 1),
                ("Warm Scarf", 5, 1), ("Pocket Radio", 5, 1), ("Blue Kite", 9, 1), ("Sunflower Field", 10, 1),
                ("Bread Basket", 1, 4), ("High Five", 1, 4), ("Tiny Ghost", 1, 4), ("Good Night", 5, 4),
                ("Cat Nap", 10, 4), ("Cloud Nine", 15, 4), ("Rain Boots", 20, 4), ("Paint Box", 30, 4),
                ("Old Lantern", 30, 2), ("Glass Marble", 49, 2), ("River Raft", 88, 2), ("Confetti Rain",
                 100, 2),
                ("Tin Robot", 99, 2), ("Night Train", 199, 2), ("Hot Air Balloon", 299, 2), ("Jazz Trio",
                 399, 2),
                ("Snow Globe", 450, 2), ("Fox Parade", 500, 2), ("Sea Cave", 699, 2), ("Clock Tower", 899, 2),
                ("Northern Lights", 1000, 2), ("Paper Dragon", 1500, 2), ("Moon Garden", 2999, 2),
                ("Crystal Fjord", 5000, 2), ("Flying Island", 10_000, 2), ("Silver Comet", 20_000, 2),
                ("Whole Galaxy", 39_999, 2),
            ]
        )
    ),
)  # fmt: skip

_ONE_DIAMOND_TAPS = CATALOGUE[2:6]
_OTHER_TAPS = CATALOGUE[6:10]
_SINGLE_LARGE = CATALOGUE[18:26]

# Of the gifts, not of their messages. Long streaks are almost all roses, which
# brings roses to 77 % and one-diamond gifts to 95 % of the messages.
_CHOICES = ("rose", "one", "heart", "other", "large")
_CHOICE_WEIGHTS = (66, 20, 5, 6, 3)

_TAPS_LONG_SHARE, _TAPS_PAIR_SHARE = 0.1, 0.06
_TAPS_LONG_MEAN, _TAPS_MAX = 20, 45
_TAP_MEDIAN_S, _TAP_SIGMA = 0.64, 1.0
_TAP_S_MIN, _TAP_S_MAX = 0.1, 2.5
_JUMP_SHARE = 0.15
_END_S = (2.6, 3.9, 3.3)


def choose_gift(rng: Random) -> Gift:
    """Return what a viewer gives, as often as viewers give it."""
    choice = rng.choices(_CHOICES, _CHOICE_WEIGHTS)[0]
    if choice == "rose":
        return ROSE
    if choice == "heart":
        return _HEART
    pool = {"one": _ONE_DIAMOND_TAPS, "other": _OTHER_TAPS, "large": _SINGLE_LARGE}[choice]
    return rng.choice(pool)


def streak_taps(rng: Random, gift: Gift) -> list[Tap]:
    """Return the messages of one gift: its taps and, if it can be streaked, its end."""
    if gift.kind != STREAKABLE:
        return [Tap(0.0, 1, False)]
    taps = [Tap(0.0, 1, False)]
    for _ in range(_tap_count(rng, gift) - 1):
        pause_s = min(max(rng.lognormvariate(log(_TAP_MEDIAN_S), _TAP_SIGMA), _TAP_S_MIN), _TAP_S_MAX)
        step = rng.randint(2, 5) if rng.random() < _JUMP_SHARE else 1
        taps.append(Tap(taps[-1].after_ms + pause_s * 1000, taps[-1].repeat_count + step, False))
    last = taps[-1]
    taps.append(Tap(last.after_ms + rng.triangular(*_END_S) * 1000, last.repeat_count, True))
    return taps


def _tap_count(rng: Random, gift: Gift) -> int:
    roll = rng.random()
    if gift is ROSE and roll < _TAPS_LONG_SHARE:
        return min(3 + int(rng.expovariate(1 / _TAPS_LONG_MEAN)), _TAPS_MAX)
    if roll < _TAPS_LONG_SHARE + _TAPS_PAIR_SHARE:
        return rng.choice((2, 2, 3))
    return 1
