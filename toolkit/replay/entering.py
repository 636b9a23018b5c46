"""Getting to a place of a plan without playing what lies before it: unheard, but not forgotten."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from toolkit.bus.live_state import Earlier
from toolkit.model.plan import Plan
from toolkit.replay.ahead import Ahead
from toolkit.replay.priming import Primed
from toolkit.replay.tap import Tap

__all__ = ["enter"]

_YIELD_EVERY_FRAMES = 16
"""Controls and other tasks get their turn."""


async def enter(plan: Plan, reader: Ahead, tap: Tap, at_s: float, is_wanted: Callable[[], bool]) -> Earlier:
    """
    Stand before the first frame at a place, as somebody would who had played up to it.

    A plan that knows its figures is asked for them, and only what is just before the
    place is decoded. Any other plan is decoded from its beginning, and so is every one
    whose tap needs all of it.

    Args:
        plan: What is played.
        reader: Reads it; stands before the frame afterwards.
        tap: Is brought to that place.
        at_s: The place.
        is_wanted: Asked now and then; once it says no, nothing matters any more.

    Returns:
        What everything before the place adds up to.

    Raises:
        RecordingError: The plan cannot be read, or the tap cannot write.
    """
    earlier, begin_s, is_told = Earlier(), 0.0, False
    frame_no = seq = 1
    if at_s > 0 and not tap.needs_all and isinstance(plan, Primed):
        priming = await reader.call(lambda: plan.priming(at_s))
        earlier, begin_s, is_told = priming.earlier, priming.warm_up_s, True
        frame_no, seq = priming.frame_no, priming.seq
    await reader.open(begin_s)
    tap.restart(frame_no, seq)
    breaks = deque(one for one in plan.breaks if begin_s <= one.from_s < at_s)

    def lose_before(frame_s: float) -> None:
        while breaks and breaks[0].from_s < frame_s:
            stretch = breaks.popleft()
            tap.clock.move_to(stretch.from_s)
            tap.lose(stretch.cause)

    unheard = 0
    while is_wanted():
        if reader.is_dry:
            await reader.fill()
        if reader.next is None or reader.next.at_s >= at_s:
            break
        lose_before(reader.next.at_s)
        planned = reader.pop()
        tap.clock.move_to(planned.at_s)
        batch = tap.take(planned)
        reader.read_on()
        if not is_told:
            earlier.take(batch.events)
        unheard += 1
        if unheard % _YIELD_EVERY_FRAMES == 0:
            await asyncio.sleep(0)
    lose_before(at_s)
    return earlier
