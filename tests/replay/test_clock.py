"""Where a replay stands, whatever the controls do."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from toolkit.replay.clock import UNLIMITED, PlayerClock, SystemTime, VirtualTime

NS = 1_000_000_000
RATES = st.one_of(st.floats(0.1, 1000), st.sampled_from([0.1, 1.0, 4.0, 1000.0]))
CONTROLS = st.lists(
    st.tuples(
        st.integers(0, 10 * NS),  # nanoseconds until the control
        st.one_of(
            st.sampled_from(["pause", "resume"]).map(lambda name: (name, None)),
            RATES.map(lambda rate: ("rate", rate)),
            st.floats(0, 10_000).map(lambda to_s: ("move", to_s)),
        ),
    ),
    max_size=40,
)


def control(clock: PlayerClock, name: str, value: float | None, now_ns: int) -> None:
    """Carry out a control that was drawn."""
    match name:
        case "pause":
            clock.pause(now_ns)
        case "resume":
            clock.resume(now_ns)
        case "rate":
            clock.set_rate(value, now_ns)
        case "move":
            clock.move_to(value, now_ns)


@given(CONTROLS, st.floats(0, 20_000))
def test_a_place_is_due_at_the_first_moment_at_which_it_is_reached(controls, place_s):
    """Not a nanosecond early, and late by no more than rounding."""
    clock, now_ns = PlayerClock(0), 0
    for wait_ns, (name, value) in controls:
        now_ns += wait_ns
        control(clock, name, value, now_ns)
    due_ns = clock.due_ns(place_s)
    if clock.is_paused:
        assert due_ns is None
        return
    assert clock.position_s(due_ns) >= place_s - 1e-9
    assert clock.position_s(due_ns - 2) <= place_s + 1e-9


@given(CONTROLS)
def test_only_a_move_makes_it_jump(controls):
    """Pause, resume and another rate leave it where it is; time alone moves it, and only forward."""
    clock, now_ns = PlayerClock(0), 0
    for wait_ns, (name, value) in controls:
        before_s, paused = clock.position_s(now_ns), clock.is_paused
        now_ns += wait_ns
        reached_s = clock.position_s(now_ns)
        assert reached_s == before_s if paused else reached_s >= before_s
        control(clock, name, value, now_ns)
        if name == "move":
            assert abs(clock.position_s(now_ns) - value) < 1e-9
        else:
            assert clock.position_s(now_ns) == reached_s


@given(st.lists(st.integers(1, NS), min_size=1, max_size=300), RATES)
def test_controls_that_change_nothing_add_up_to_nothing(waits_ns, rate):
    """Hundreds of them leave it within a microsecond of one line: there is no drift."""
    clock, now_ns = PlayerClock(0, rate=rate), 0
    for wait_ns in waits_ns:
        now_ns += wait_ns
        clock.set_rate(rate, now_ns)
        clock.pause(now_ns)
        clock.resume(now_ns)
    assert abs(clock.position_s(now_ns) - now_ns * rate / NS) < 1e-6


def test_without_a_limit_everything_is_due_and_nothing_moves_by_itself():
    """Whoever plays moves it along."""
    clock = PlayerClock(5, rate=UNLIMITED)
    assert clock.due_ns(1e6) == 5
    assert clock.position_s(10**12) == 0.0
    clock.move_to(7.0, 10**12)
    clock.set_rate(1.0, 2 * 10**12)
    assert clock.position_s(2 * 10**12 + NS) == 8.0


def test_virtual_time_is_there_at_once():
    """An hour takes no time; without an end it waits to be woken, as everybody does."""

    async def wait() -> VirtualTime:
        virtual, wake = VirtualTime(), asyncio.Event()
        await virtual.wait(3600 * NS, wake)
        asyncio.get_running_loop().call_soon(wake.set)
        await virtual.wait(None, wake)
        assert not wake.is_set()
        return virtual

    started = time.monotonic()
    virtual = asyncio.run(wait())
    assert (virtual.mono_ns(), virtual.now_us() - virtual.wall_us) == (3600 * NS, 3600 * 1_000_000)
    assert time.monotonic() - started < 5


def test_real_time_is_waited_for_and_can_be_cut_short():
    """Never early; a wake-up ends it."""

    async def wait() -> tuple[int, int]:
        real, wake = SystemTime(), asyncio.Event()
        until_ns = real.mono_ns() + 20_000_000
        await real.wait(until_ns, wake)
        early_ns = until_ns - real.mono_ns()
        asyncio.get_running_loop().call_later(0.01, wake.set)
        await real.wait(real.mono_ns() + 3600 * NS, wake)
        return early_ns, real.mono_ns()

    started_ns = time.monotonic_ns()
    early_ns, ended_ns = asyncio.run(wait())
    assert early_ns <= 0
    assert ended_ns - started_ns < 60 * NS
