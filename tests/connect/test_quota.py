"""Signatures: the budget, its memory, and what refusals say about the time to wait."""

import json
import time
from random import Random

import pytest

from toolkit.connect.breaker import CircuitBreaker
from toolkit.connect.budget import HOLD_S_MAX, SignBudget, SignLimits
from toolkit.connect.rate_limit import named_wait_s

WALL_US = 1_700_000_000_000_000
WALL_S = WALL_US // 1_000_000


def spent(limits, *times):
    """Return a budget with signatures spent."""
    budget = SignBudget(limits)
    for at_s in times:
        budget.spend(at_s)
    return budget


def test_each_window_slides():
    """Two a minute: the third goes when the first is a minute old, the fourth after the second."""
    budget = spent(SignLimits(minute=2, hour=0, day=0), 0, 10)
    assert budget.wait_s(20) == 40
    budget.spend(60)
    assert budget.wait_s(61) == 9
    minute, hour, _ = budget.use(61)
    assert (minute.used, minute.left, minute.reset_s) == (2, 0, 9)
    assert (hour.used, hour.left) == (3, None)


def test_the_narrowest_window_decides():
    """Minute, hour and day hold together."""
    budget = spent(SignLimits(minute=2, hour=3, day=4), 0, 100, 200)
    assert budget.wait_s(210) == 3390
    budget.spend(3600)
    assert budget.wait_s(3700) == 82_700


def test_a_hold_is_never_shortened_and_never_longer_than_an_hour():
    """A header is broken, not strict, when it says more."""
    budget = SignBudget()
    budget.hold(500, 0)
    budget.hold(5, 0)
    assert budget.wait_s(100) == 400
    budget.hold(1e12, 0)
    assert budget.wait_s(0) == 3600


def test_to_be_asked_to_wait_for_nothing_is_no_wait():
    """Nor is a time that has passed."""
    budget = SignBudget()
    budget.hold(0, 10)
    budget.hold(-5, 10)
    assert budget.wait_s(10) == budget.hold_s(10) == 0.0


def test_a_restart_remembers_what_was_spent_and_what_was_asked():
    """Through JSON, with another monotonic clock and ten minutes between."""
    budget = spent(SignLimits(), 0, 1, 2, 3)
    budget.hold(1800, 3)
    text = json.dumps(budget.saved(3, WALL_US))
    later = SignBudget(SignLimits())
    later.restore(json.loads(text), 77_777, WALL_US + 600_000_000)
    assert later.use(77_777)[1].used == 4
    assert later.hold_s(77_777) == pytest.approx(1200)


def test_what_is_kept_over_a_restart_is_wall_time_and_a_version():
    """Other versions read this file: spent ones of a day, and a hold that still runs."""
    budget = spent(SignLimits(), 0, 10)
    assert budget.saved(100, WALL_US) == {
        "version": 1,
        "spent_at": [WALL_US - 100_000_000, WALL_US - 90_000_000],
        "hold_until": 0,
    }
    budget.hold(30, 100)
    saved = budget.saved(86_405, WALL_US)
    assert (saved["spent_at"], saved["hold_until"]) == ([WALL_US - 86_395_000_000], 0)
    assert budget.saved(110, WALL_US)["hold_until"] == WALL_US + 20_000_000


def test_a_memory_in_disorder_is_put_in_order():
    """The window's oldest decides when there is room, wherever it stands in the file."""
    budget = SignBudget(SignLimits(minute=2, hour=0, day=0))
    budget.restore({"spent_at": [WALL_US - 10_000_000, WALL_US - 50_000_000]}, 1000, WALL_US)
    assert budget.wait_s(1000) == pytest.approx(10)
    assert budget.use(1000)[0].reset_s == pytest.approx(10)


def test_what_is_a_day_old_is_forgotten_over_a_restart():
    """And what is a moment younger is not."""
    budget = SignBudget(SignLimits())
    day_us = 86_400_000_000
    budget.restore({"spent_at": [WALL_US - day_us, WALL_US - day_us + 1_000_000]}, 5, WALL_US)
    assert budget.use(5)[2].used == 1


def test_a_hold_that_has_passed_holds_nothing():
    """The recorder was down for longer than it was asked to wait."""
    budget = SignBudget(SignLimits())
    budget.restore({"hold_until": WALL_US - 1}, 0, WALL_US)
    budget.restore({"hold_until": WALL_US}, 0, WALL_US)
    assert budget.hold_s(0) == budget.wait_s(0) == 0.0
    budget.restore({"hold_until": WALL_US + 5_000_000}, 0, WALL_US)
    assert budget.hold_s(1) == 4.0


def test_an_untouched_budget_says_so():
    """Nothing used, all left, nothing to wait for; no limit is not the same as none left."""
    uses = SignBudget(SignLimits(minute=4, hour=0, day=90)).use(0)
    assert [(u.window, u.limit, u.used, u.left, u.reset_s) for u in uses] == [
        ("minute", 4, 0, 4, 0.0),
        ("hour", 0, 0, None, 0.0),
        ("day", 90, 0, 90, 0.0),
    ]


def test_more_than_the_limit_leaves_nothing():
    """Limits may have been lowered since they were spent."""
    budget = SignBudget(SignLimits(minute=2, hour=0, day=0))
    budget.restore({"spent_at": [WALL_US - n for n in range(1, 6)]}, 0, WALL_US)
    minute, *_ = budget.use(0)
    assert (minute.used, minute.left) == (5, 0)
    assert budget.wait_s(0) == pytest.approx(60)


def test_the_breakers_rest_is_over_when_a_person_says_so():
    """At once, and for one dial only."""
    breaker = CircuitBreaker()
    assert breaker.wait_s(0) == 0.0
    for _ in range(3):
        breaker.failed(0)
    assert breaker.wait_s(0) == 30
    assert not breaker.let_through(29)
    breaker.rest_is_over()
    assert breaker.wait_s(0) == 0
    assert breaker.let_through(0)
    assert not breaker.let_through(0)


def test_a_past_that_is_forgiven_holds_nothing():
    """The live ended while the breaker was open: the next one is dialled at once."""
    breaker = CircuitBreaker()
    for _ in range(3):
        breaker.failed(0)
    breaker.lasted()
    assert (breaker.failures, breaker.wait_s(1)) == (0, 0)
    assert breaker.let_through(1)


def test_the_defaults_stay_below_the_public_service():
    """5 a minute, 30 an hour, 100 a day were seen to be allowed without a key."""
    limits = SignLimits()
    assert (limits.minute < 5, limits.hour < 30, limits.day < 100) == (True, True, True)
    budget, now_s, dials = SignBudget(limits), 0.0, []
    while now_s < 86_400:
        budget.spend(now_s)
        dials.append(now_s)
        now_s += budget.wait_s(now_s)
    assert sum(at_s < 60 for at_s in dials) == 4
    assert sum(at_s < 3600 for at_s in dials) == 25
    assert len(dials) == 90


def test_a_wall_clock_that_was_set_back_makes_nothing_free():
    """What seems to lie in the future was spent just now."""
    text = spent(SignLimits(), 0, 1, 2, 3).saved(3, WALL_US)
    later = SignBudget(SignLimits())
    later.restore(text, 0, WALL_US - 3_600_000_000)
    assert later.wait_s(0) == 60


def test_a_damaged_memory_is_survived():
    """Whatever is in the file, there is a budget, and no wait beyond an hour for it."""
    for saved in (
        None,
        [],
        "x",
        {},
        {"spent_at": 3},
        {"spent_at": [None, "a", -1, 1e300, True, {}, 10**30], "hold_until": "soon"},
        {"spent_at": [WALL_US] * 3, "hold_until": 1 << 61},
    ):
        budget = SignBudget(SignLimits())
        budget.restore(saved, 0, WALL_US)
        assert 0 <= budget.wait_s(0) <= HOLD_S_MAX


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "42"}, 42),
        ({"retry-after": " 42 "}, 42),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "999999999"}, 3600),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "９"}, None),
        ({"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60),
        ({"Retry-After": "Tue, 14 Nov 2017 22:14:20 GMT"}, None),
        ({"Retry-After": "Tue, 14 Nov 99999 22:14:20 GMT"}, None),
        ({"RateLimit-Reset": "17"}, 17),
        ({"X-RateLimit-Reset": str(WALL_S + 90)}, 90),
        ({"X-RateLimit-Reset": str((WALL_S + 90) * 1000)}, 90),
        ({"X-RateLimit-Reset": str(WALL_S - 90)}, None),
        ({"RateLimit-Reset": "9" * 40}, None),
        ({"Retry-After": "0.5", "RateLimit-Reset": "0.5"}, 1),
        ({"Retry-After": "7" + " " * 80}, 7),
        ({"Retry-After": "0" * 63 + "7"}, 7),
        ({"Retry-After": "0" * 64 + "7"}, None),
        ({"RateLimit-Reset": "0"}, 1),
        ({"X-Rate-Limit-Reset": "12"}, 12),
        ({"X-RateLimit-Reset": "999999999"}, 3600),
        ({"X-RateLimit-Reset": str((WALL_S - 90) * 1000)}, None),
        ({"X-RateLimit-Reset": str(WALL_S)}, None),
        ({"X-RateLimit-Reset": "60000000000"}, 3600),
        ({"X-RateLimit-Reset": "1000000000"}, None),
        ({"X-RateLimit-Reset": "100000000000000"}, None),
        ({"RateLimit": "limit=5, remaining=0"}, None),
        ({"RateLimit": "limit=5; t=21"}, 21),
        ({"RateLimit": "limit=5, reset=soon"}, None),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:20 GMT"}, None),
        ({"Retry-After": "Tue, 14 Nov 2023 22:14:20"}, 60),
        ({"Retry-After": "Tue, 14 Nov 2023 23:14:20 +0100"}, 60),
        ({"Retry-After": "3", "RateLimit-Reset": "4", "RateLimit": "reset=5"}, 5),
        ({"RateLimit": "limit=5, remaining=0, reset=17"}, 17),
        ({"RateLimit": '"default";r=0;t=18'}, 18),
        ({"Retry-After": "5", "RateLimit-Reset": "60"}, 60),
        ({"Retry-After": "60", "RateLimit-Reset": "5"}, 60),
        ({"Retry-After": "x", "RateLimit-Reset": "", "RateLimit-Remaining": "0"}, None),
    ],
)
def test_headers_in_any_mix_name_a_wait_between_a_second_and_an_hour(headers, wait_s):
    """The longest that makes sense; None where none does."""
    found = named_wait_s(headers, WALL_US)
    assert found == (None if wait_s is None else pytest.approx(wait_s))


def test_a_date_without_a_zone_is_universal_time(monkeypatch):
    """Wherever the recorder runs."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert named_wait_s({"Retry-After": "Tue, 14 Nov 2023 22:14:20"}, WALL_US) == pytest.approx(60)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_date_a_moment_ahead_is_a_wait():
    """Half a second, of which the least wait is made."""
    headers = {"Retry-After": "Tue, 14 Nov 2023 22:13:20 GMT"}
    assert named_wait_s(headers, WALL_US - 500_000) == 1
    assert named_wait_s(headers, WALL_US + 1) is None


def test_no_header_can_raise_or_name_an_absurd_wait():
    """Ten thousand made-up ones."""
    rng = Random(5)
    names = ["Retry-After", "RateLimit-Reset", "X-RateLimit-Reset", "RateLimit"]
    letters = "0123456789.-+eE:, =;GMTué\x00\n\ud800"
    for _ in range(10_000):
        headers = {name: "".join(rng.choices(letters, k=rng.randrange(12))) for name in names}
        wait_s = named_wait_s(headers, WALL_US)
        assert wait_s is None or 1 <= wait_s <= 3600
