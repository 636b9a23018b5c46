"""A simulator that misbehaves and a real recorder, in one test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from tests.faults.oracle import Verdict, judge
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice
from toolkit.capture.options import SourceOptions
from toolkit.capture.reachability import is_reachable
from toolkit.capture.recorder import Outcome, Recorder
from toolkit.capture.tiktok_source import TikTokSource
from toolkit.clock import Clock, SystemClock
from toolkit.connect.backoff import BackoffPolicy
from toolkit.simulator.faults import Fault, Value
from toolkit.simulator.ledger import Connection
from toolkit.simulator.server import Simulator

QUICK = BackoffPolicy(base_s=0.05, ceiling_s=0.2, attempts_max=30)
DEADLINE_S = 40.0
RECORDERS = ("policy", "api_key", "keep_trying", "host", "sign_limits")
"""Arguments of :func:`studio` that are the recorder's."""
SPEED = 4.0
"""A burst every 0.2 s instead of every 0.8 s."""


class Studio:
    """
    One simulator, one recorder, and what both said.

    Use as an async context manager: what runs is stopped at its end.

    Attributes:
        simulator: TikTok.
        recorder: Ours, with the real TikTokLive client.
        notices: What the bus carried so far.
        outcome: How recording ended; None while it runs.
    """

    def __init__(
        self,
        folder: Path,
        simulator: Simulator,
        *,
        policy: BackoffPolicy = QUICK,
        api_key: str = "",
        host: str = "127.0.0.1",
        clock: Clock | None = None,
        **recorder: Any,
    ) -> None:
        self.folder, self.simulator = folder, simulator
        self.notices: list[Notice] = []
        self.outcome: Outcome | None = None
        self._bus = MemoryBus()
        self._heard = self._bus.subscribe(notices_max=1_000_000)
        self._policy, self._api_key, self._arguments = policy, api_key, recorder
        self._host, self._clock = host, clock or SystemClock()
        self._recording: asyncio.Task[Outcome] | None = None

    async def __aenter__(self) -> Studio:
        """Start the simulator and the recorder."""
        await self.simulator.start()
        clock = self._clock
        where = {
            name: url.replace("127.0.0.1", self._host) for name, url in self.simulator.environment().items()
        }
        options = SourceOptions(
            app_url=where["TIKTOK_APP_URL"],
            webcast_url=where["TIKTOK_WEBCAST_URL"],
            sign_url=where["TIKTOK_SIGN_URL"],
            sign_api_key=self._api_key,
        )
        self.recorder = Recorder(
            "demo",
            folder=self.folder,
            bus=self._bus,
            clock=clock,
            policy=self._policy,
            rng=Random(1),
            new_source=lambda: TikTokSource(options, "demo", clock),
            probe=lambda: is_reachable(options.webcast_url),
            **self._arguments,
        )
        self._recording = asyncio.create_task(self.recorder.run())
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Stop both."""
        try:
            await self.finish()
        finally:
            await self.simulator.stop()

    async def finish(self) -> Outcome:
        """Stop recording, if it has not ended by itself, and return how it ended."""
        assert self._recording is not None
        if self.outcome is None:
            self.recorder.stop()
            async with asyncio.timeout(DEADLINE_S):
                self.outcome = await self._recording
        return self.outcome

    async def until(self, condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait for a condition; fail by name, with what the recorder says of itself."""
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline_s
        while not condition():
            assert loop.time() < end, f"waited {deadline_s:g} s for {what}: {self.recorder.status()}"
            await asyncio.sleep(0.01)

    async def until_connected(self, number: int = 1, frames: int = 2) -> Connection:
        """Wait for the ``number``-th connection and some acknowledged frames; return it."""
        connections = self.simulator.ledger.connections
        await self.until(lambda: len(connections) >= number, f"connection {number}")
        await self.until(lambda: connections[-1].acked >= frames, f"{frames} acknowledgements")
        return connections[-1]

    def assert_never_lost(self) -> None:
        """Fail, with what ended each segment, if there was more than one connection."""
        told = [notice.data["detail"] for notice in self.heard() if notice.type == "status"]
        assert len(self.simulator.ledger.connections) == 1, told

    async def until_spent(self) -> None:
        """Wait until every armed fault has happened."""
        await self.until(lambda: not self.simulator.faults.state()["armed"], "the faults to happen")

    def throw(self, kind: str, **parameters: Value) -> None:
        """Let something go wrong."""
        self.simulator.throw(Fault.of(kind, **parameters))

    async def fresh_message_passes(self) -> None:
        """
        Say something nobody said before, until the bus has it.

        Again each second: what is said into a dying connection is honestly lost.
        """
        loop, texts = asyncio.get_running_loop(), set[str]()
        next_s = loop.time()

        def is_heard() -> bool:
            nonlocal next_s
            if loop.time() >= next_s:
                next_s += 1.0
                texts.add(text := f"fresh {self.simulator.now_us()}")
                self.simulator.say("tavis", text)
            return any(getattr(notice.data, "text", "") in texts for notice in self.heard())

        await self.until(is_heard, "a fresh comment")

    def heard(self) -> list[Notice]:
        """Return everything the bus carried so far."""
        self.notices += self._heard.take()
        return self.notices

    def states(self) -> list[str]:
        """Return the states announced so far."""
        return [notice.data["state"] for notice in self.heard() if notice.type == "status"]

    def calls(self, route: str) -> int:
        """Return how often a route was asked."""
        return sum(call.route == route for call in self.simulator.ledger.calls)

    def recordings(self) -> list[Path]:
        """Return the sealed recordings, oldest first."""
        assert self.outcome is not None
        assert self.outcome.unsealed == (), self.outcome.unsealed
        return [self.folder / f"{recording}.duckdb" for recording in self.outcome.recordings]

    def judge(self) -> Verdict:
        """Return the oracle's verdict."""
        return judge(self.simulator.ledger, self.recordings())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the first recording."""
        with duckdb.connect(str(self.recordings()[0]), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def studio(folder: Path, **simulator: Any) -> Studio:
    """Return a studio in a typical room in which four times as much happens."""
    recorder = {key: simulator.pop(key) for key in RECORDERS if key in simulator}
    return Studio(folder, Simulator("typical", speed=SPEED, **simulator), **recorder)
