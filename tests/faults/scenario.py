"""How a scenario of this folder runs and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tests.faults.studio import Studio

LIMIT_S = 120

Row = tuple[str, Mapping[str, Any]] | Any
"""A kind of fault and its parameters, or both in a `pytest.param`."""


def run(body: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(LIMIT_S):
            await body()

    asyncio.run(bounded())


def names(rows: Sequence[Row]) -> list[str]:
    """Return readable ids of rows."""
    plain = [getattr(row, "values", row) for row in rows]
    return [" ".join([kind, *(f"{k}={v}" for k, v in parameters.items())]) for kind, parameters in plain]


async def finish(room: Studio) -> None:
    """Let a fresh message pass, stop, and hear the oracle."""
    await room.fresh_message_passes()
    await room.finish()
    assert not (found := room.judge().violations()), found
