"""Which comments were delayed."""

from __future__ import annotations

from random import Random

import pytest

from toolkit.show.question.travel import LAG_US_MAX, REMEMBERED_US, Travel

S = 1_000_000
BEGAN = 1_700_000_000 * S


def after_a_chat(*, skew_s: float, seed: int = 1, seconds: int = 40) -> Travel:
    """Return what is known after a chat whose comments take 0.3 to 1.5 s, our clock ahead by ``skew_s``."""
    travel, rng = Travel(), Random(seed)
    for second in range(seconds):
        took_s = rng.uniform(0.3, 1.5)
        written = BEGAN + round((second - took_s) * S)
        travel.lag_us(written, BEGAN + round((second + skew_s) * S))
    return travel


@pytest.mark.parametrize("skew_s", [0.0, -12.0, 3_600.0])
def test_a_delayed_comment_is_known_however_far_the_clocks_are_apart(skew_s: float) -> None:
    """Only the difference of two times on the way counts, so a recorder's wrong clock does not."""
    arrived = BEGAN + round((41 + skew_s) * S)
    delayed = after_a_chat(skew_s=skew_s).lag_us(BEGAN + round((41 - 2.2) * S), arrived)
    usual = after_a_chat(skew_s=skew_s).lag_us(BEGAN + round((41 - 0.5) * S), arrived)
    assert 1.2 * S < delayed <= LAG_US_MAX and usual < 0.2 * S


def test_without_a_past_or_a_time_nothing_is_held_against_a_comment() -> None:
    """The first one of a live, and those that have no time of TikTok's."""
    assert Travel().lag_us(BEGAN - 9 * S, BEGAN) == 0
    travel = after_a_chat(skew_s=0)
    assert (travel.lag_us(None, BEGAN), travel.lag_us(0, BEGAN), travel.lag_us(BEGAN, 0)) == (0, 0, 0)


def test_a_clock_that_is_set_costs_no_more_than_the_longest_delay_and_only_for_a_minute() -> None:
    """Forwards everybody seems late for a while, backwards nobody does."""
    travel = after_a_chat(skew_s=0)
    now = BEGAN + 41 * S
    assert travel.lag_us(now - S, now + 30 * S) == LAG_US_MAX
    now += 31 * S + REMEMBERED_US
    travel.lag_us(now - S, now + 30 * S)
    assert travel.lag_us(now - S, now + 30 * S) == 0
    assert travel.lag_us(now - S, now - 300 * S) == 0


def test_a_stall_and_one_wrong_time_do_not_change_what_is_fast() -> None:
    """When a connection stalls the next hundred comments come late together; they are late all the same."""
    travel = after_a_chat(skew_s=0)
    travel.lag_us(BEGAN + 3_600 * S, BEGAN + 40 * S)
    lags = [travel.lag_us(BEGAN + 39 * S + n, BEGAN + 41 * S + n) for n in range(100)]
    assert all(1 * S < lag < 1.7 * S for lag in lags), lags[:3]
