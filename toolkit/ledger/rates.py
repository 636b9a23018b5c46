"""
How much usually happens, and how sure that is: what was missed is estimated with it.

Counts per ten seconds, kept for the first and the last ten minutes of a connected
stretch. Comments and gifts come in waves: their rate drifts from minute to minute
(60-second counts of real lives vary 1.6 to 10 times as much as chance alone), so a
prediction is a negative binomial whose width comes from three things: chance, the
drift, and how little was observed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, lgamma, log, log1p, sqrt
from statistics import NormalDist

__all__ = ["BIN_US", "Activity", "Prediction", "Sample", "predict"]

BIN_US = 10_000_000
"""A dozen bursts: shorter bins would mostly count how TikTok delivers."""
KEEP_BINS = 60
"""Ten minutes on each side of a gap: longer would mix in another mood of the room."""

DRIFT_US = 90_000_000
"""How long a rate stays about the same; a longer gap averages over several moods."""
DRIFT_PRIOR, DRIFT_PRIOR_MINUTES = 0.2, 3
"""Relative variance of a minute's rate before anything is known (real lives: 0.05 to
0.6), and the minutes of observation it weighs as much as."""

CLUMPS_USUAL = {"gift": 15.0, "diamond": 120.0}
"""Variance over mean of the counts: one streak in ten has some twenty taps, one gift in
thirty costs hundreds. Everything else comes one by one."""
CLUMPS_WEIGHT = 5

TAIL = 0.01
"""Left out on each side. The promise is 95 %, the rest is for what the model simplifies."""
_MINUTE_BINS = 6
_EXACT_MEAN_MAX = 400.0
_EXACT_STEPS_MAX = 60_000
_RULE_SHAPE_MIN = 0.5
"""Below it the rule of thumb says too little for an upper bound, at last nothing at all."""
_WILD_MAX = 8.0
"""More than 99 % of any gamma with a shape below that is below this."""
_HALVINGS, _SERIES_TERMS = 50, 60


@dataclass(frozen=True, slots=True)
class Sample:
    """
    What happened in a piece of observed time.

    Attributes:
        us: Its length, microseconds.
        count: How many.
    """

    us: int
    count: int


class Activity:
    """Counts of several kinds over one connected stretch, in bins of ten seconds."""

    def __init__(self, started_at: int) -> None:
        self._started_at = started_at
        self._ended_at = started_at
        self._bins: dict[int, dict[str, int]] = {}

    def reach(self, now_us: int) -> None:
        """Say that somebody listened until ``now_us``."""
        self._ended_at = max(self._ended_at, now_us)

    def add(self, kind: str, count: int, now_us: int) -> None:
        """Count something."""
        number = max(0, now_us - self._started_at) // BIN_US
        counts = self._bins.get(number)
        if counts is None:
            counts = self._bins[number] = {}
            # The newest are the last that will be asked for, the first ten minutes stay.
            for old in [n for n in self._bins if KEEP_BINS <= n < number - KEEP_BINS]:
                del self._bins[old]
        counts[kind] = counts.get(kind, 0) + count

    def first(self, kind: str) -> list[Sample]:
        """Return the samples of the first ten minutes."""
        return self._samples(kind, 0, min(KEEP_BINS, self._bins_total()))

    def last(self, kind: str) -> list[Sample]:
        """Return the samples of the last ten minutes."""
        total = self._bins_total()
        return self._samples(kind, max(0, total - KEEP_BINS), total)

    def _bins_total(self) -> int:
        return -(-(self._ended_at - self._started_at) // BIN_US)

    def _samples(self, kind: str, start: int, stop: int) -> list[Sample]:
        length = self._ended_at - self._started_at
        return [
            Sample(min(BIN_US, length - number * BIN_US), self._bins.get(number, {}).get(kind, 0))
            for number in range(start, stop)
        ]


@dataclass(frozen=True, slots=True)
class Prediction:
    """
    How much happened while nobody listened.

    Attributes:
        estimate: The most that can be said in one figure.
        low: At least so many, in 39 of 40 cases or more.
        high: At most so many, likewise.
    """

    estimate: float
    low: int
    high: int


def predict(samples: Sequence[Sample], target_us: int, kind: str) -> Prediction | None:
    """
    Return what a stretch brought, judged by what surrounds it.

    Args:
        samples: What was observed around it.
        target_us: How long nobody listened.
        kind: Of what; gifts come in streaks, and few of them carry most diamonds.

    Returns:
        The prediction; None without any observed time.
    """
    observed_us = sum(sample.us for sample in samples)
    if observed_us <= 0:
        return None
    count = sum(sample.count for sample in samples)
    share = target_us / observed_us
    # Half an event more: that nothing was seen does not mean that nothing can happen.
    mean = (count + 0.5) * share
    clumps = _clumping(samples, CLUMPS_USUAL.get(kind, 1.0))
    drift = _drift(samples, clumps)
    moods = 1 / max(1.0, target_us / DRIFT_US) + 1 / max(1.0, observed_us / DRIFT_US)
    variance = clumps * mean + mean * mean * (drift * moods + clumps / (count + 1))
    low, high = _interval(mean, variance)
    return Prediction(count * share, low, high)


def _clumping(samples: Sequence[Sample], usual: float) -> float:
    """Return variance over mean from one bin to the next, at least 1, drawn towards what is usual."""
    whole = [sample.count for sample in samples if sample.us == BIN_US]
    total = sum(whole)
    if len(whole) < 2 or not total:
        return usual
    steps = sum((a - b) ** 2 for a, b in itertools.pairwise(whole))
    seen = steps / 2 / (len(whole) - 1) / (total / len(whole))
    # A single large gift is rare: until many were seen, their absence proves nothing.
    busy = sum(1 for count in whole if count)
    return max(1.0, (CLUMPS_WEIGHT * usual + busy * seen) / (CLUMPS_WEIGHT + busy))


def _drift(samples: Sequence[Sample], clumps: float) -> float:
    """Return the relative variance of the rate from minute to minute, drawn towards what is usual."""
    whole = [sample.count for sample in samples if sample.us == BIN_US]
    minutes = [
        sum(whole[i : i + _MINUTE_BINS]) for i in range(0, len(whole) - _MINUTE_BINS + 1, _MINUTE_BINS)
    ]
    weight = float(DRIFT_PRIOR_MINUTES)
    drift = DRIFT_PRIOR * weight
    if minutes and sum(minutes):
        mean = sum(minutes) / len(minutes)
        spread = sum((n - mean) ** 2 for n in minutes) / max(1, len(minutes) - 1)
        # In a quiet room chance hides the drift: such minutes weigh less.
        worth = len(minutes) * min(1.0, mean * DRIFT_PRIOR / clumps)
        drift += worth * max(0.0, spread - clumps * mean) / (mean * mean)
        weight += worth
    return drift / weight


def _interval(mean: float, variance: float) -> tuple[int, int]:
    if mean <= 0:
        return 0, 0
    if mean > _EXACT_MEAN_MAX or mean + 12 * sqrt(variance) > _EXACT_STEPS_MAX:
        return floor(_gamma_quantile(mean, variance, TAIL)), ceil(_gamma_quantile(mean, variance, 1 - TAIL))
    return _exact_interval(mean, variance)


def _exact_interval(mean: float, variance: float) -> tuple[int, int]:
    """Return the quantiles of a negative binomial by adding up its terms."""
    # Without extra variance it is a Poisson: the limit of a large shape.
    shape = min(mean * mean / max(variance - mean, 1e-9), 1e9)
    odds = mean / (mean + shape)
    term = exp(-shape * log1p(mean / shape))
    total, low, number = term, None, 0
    while True:
        if low is None and total > TAIL:
            low = number
        if total >= 1 - TAIL or number >= _EXACT_STEPS_MAX:
            return low or 0, number
        term *= odds * (shape + number) / (number + 1)
        number += 1
        total += term


def _gamma_quantile(mean: float, variance: float, share: float) -> float:
    """Return a quantile of a gamma by the cube-root rule of Wilson and Hilferty."""
    shape = mean * mean / variance
    if shape < _RULE_SHAPE_MIN:
        return mean / shape * _wild_quantile(shape, share)
    root = 1 - 1 / (9 * shape) + NormalDist().inv_cdf(share) / (3 * sqrt(shape))
    return mean * max(0.0, root) ** 3


def _wild_quantile(shape: float, share: float) -> float:
    """Return a quantile of a gamma of scale 1 and a small shape by halving its series."""
    low, high = 0.0, _WILD_MAX
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        term = total = 1 / shape
        for number in range(1, _SERIES_TERMS):
            term *= middle / (shape + number)
            total += term
        below = total * exp(shape * log(middle) - middle - lgamma(shape))
        low, high = (middle, high) if below < share else (low, middle)
    return high
