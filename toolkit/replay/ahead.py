"""Reads a plan ahead of its player, in a thread of its own: a disk must not make a frame late."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from toolkit.model.plan import Plan, PlannedFrame

__all__ = ["Ahead"]

_FRAMES_MAX = 64
_MESSAGES_MAX = 1_000
"""Read at a time: about 1.5 MB. Twice that is in memory."""

T = TypeVar("T")


class Ahead:
    """
    The frames of a plan, some of them read before they are asked for.

    For one loop; the plan is read in one other thread. Close it when done.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="toolkit-replay-reader")
        self._frames: deque[PlannedFrame] = deque()
        self._source: Iterator[PlannedFrame] = iter(())
        self._coming: asyncio.Future[list[PlannedFrame]] | None = None
        self._is_exhausted = True
        self._untouched_at_s: float | None = None
        """Where it was opened, as long as nothing was taken."""

    async def open(self, from_s: float) -> None:
        """
        Stand before the first frame at ``from_s`` or later, and read on from there.

        Raises:
            RecordingError: The plan cannot be read.
        """
        if from_s == self._untouched_at_s:
            return
        before = await self._let_go()
        self._source = self._plan.frames(from_s)
        self._is_exhausted = False
        await self.fill()
        self._untouched_at_s = from_s
        # Afterwards: a file that is still open is opened again at a fifth of the cost.
        await self._close(before)

    @property
    def next(self) -> PlannedFrame | None:
        """The next frame; None when it is still to be read, or there is none. From any thread."""
        try:
            return self._frames[0]
        except IndexError:
            return None

    @property
    def is_dry(self) -> bool:
        """Whether :meth:`fill` has to be called before :attr:`next` tells anything."""
        return not self._frames and not self._is_exhausted

    def pop(self) -> PlannedFrame:
        """Return the next frame and go on. Call :meth:`read_on` once it has been played."""
        self._untouched_at_s = None
        return self._frames.popleft()

    def read_on(self) -> None:
        """
        Have more frames read, if few are left.

        Not while a frame is due: the thread that reads and the one that plays take turns of
        5 ms each, which would be that frame's lateness.
        """
        if len(self._frames) < _FRAMES_MAX // 2:
            self._fetch()

    async def fill(self) -> None:
        """
        Wait until the next frame is there, or known not to be.

        Raises:
            RecordingError: The plan cannot be read.
        """
        self._fetch()
        if self._coming is not None and not self._frames:
            await asyncio.shield(self._coming)
            self._collect()

    async def call(self, work: Callable[[], T]) -> T:
        """Run something else in the thread that reads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        """Stop reading and let go of the plan."""
        try:
            await self._close(await self._let_go())
        finally:
            self._pool.shutdown(wait=True)

    def _fetch(self) -> None:
        self._collect()
        if self._coming is None and not self._is_exhausted:
            loop = asyncio.get_running_loop()
            self._coming = loop.run_in_executor(self._pool, _some_of, self._source)

    def _collect(self) -> None:
        if self._coming is not None and self._coming.done():
            coming, self._coming = self._coming, None
            found = coming.result()
            self._is_exhausted = not found
            self._frames.extend(found)

    async def _let_go(self) -> Iterator[PlannedFrame]:
        """Forget what was read, and return what it was read from."""
        coming, self._coming = self._coming, None
        if coming is not None:
            await asyncio.wait({coming})
            coming.exception()
        source, self._source = self._source, iter(())
        self._untouched_at_s = None
        self._frames.clear()
        self._is_exhausted = True
        return source

    async def _close(self, source: Iterator[PlannedFrame]) -> None:
        # A generator that has a file open closes it in the thread that opened it.
        close = getattr(source, "close", None)
        if close is not None:
            await self.call(close)


def _some_of(source: Iterator[PlannedFrame]) -> list[PlannedFrame]:
    found: list[PlannedFrame] = []
    messages = 0
    for frame in source:
        found.append(frame)
        messages += len(frame.messages)
        if len(found) >= _FRAMES_MAX or messages >= _MESSAGES_MAX:
            break
    return found
