"""
The rehearsal of a process: at most one replay, in a thread of its own, under control.

A replay that has ended keeps its plan: a seek or a resume plays it again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from toolkit.background import EXIT_WITHIN_S, Background
from toolkit.bus.live_state import LiveState, rehearsal_cleared
from toolkit.bus.memory import MemoryBus
from toolkit.errors import ReplayError, ToolkitError
from toolkit.model.plan import Plan
from toolkit.replay.clock import Time
from toolkit.replay.options import ReplayOptions, carry_out, read_flag
from toolkit.replay.player import Player
from toolkit.replay.priming import Charted, Mendable
from toolkit.replay.progress import PlayerState

__all__ = ["Rehearsal"]

BUCKETS_MAX = 2_000
"""More stretches than a transport bar has pixels."""
_SETTLE_S = 5.0
"""How long a control waits to be carried out before it tells how far it is."""
_AGAIN = ("seek", "resume")


class Rehearsal:
    """Plays into one bus. Methods may be called from any thread."""

    def __init__(self, bus: MemoryBus, live_state: LiveState, time: Time) -> None:
        self._bus, self._live_state, self._time = bus, live_state, time
        self._lock = threading.RLock()
        self._player: Player | None = None
        self._thread: Background | None = None
        self._options = ReplayOptions()
        self._drawn: dict[int, dict[str, Any]] = {}
        self._meanwhile: dict[str, Any] | None = None

    @property
    def is_on(self) -> bool:
        """Whether something plays, or stands paused."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def error(self) -> ToolkitError | None:
        """Why the last replay failed; None if it did not."""
        return self._thread.error if self._thread is not None else None

    def start(self, plan: Plan, options: ReplayOptions) -> dict[str, Any]:
        """Play a plan. What plays is stopped."""
        with self._lock:
            self.stop()
            self._options = options
            self._drawn = {}
            return self._begin(plan, is_paused=options.is_paused)

    def control(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """
        Pause, resume, seek ...: see :func:`~toolkit.replay.options.carry_out`; and more.

        ==========  ===============================================
        ``gaps``    ``heal``: whether gaps are cut to nothing; goes on from where it is
        ``stop``    end it; its figures stay on screen
        ``reset``   end it, and clear what it has left on dashboard and overlay
        ==========  ===============================================

        Raises:
            ReplayError: It means nothing, or there is nothing to control.
        """
        with self._lock:
            match values.get("action"):
                case "stop":
                    return self.stop()
                case "reset":
                    return self.reset()
            if self._player is None:
                raise ReplayError("Nothing plays.", hint="Start a rehearsal first.")
            if not self.is_on and values.get("action") in _AGAIN:
                self._begin_again(self._player)
            if values.get("action") == "gaps":
                return self._mend(self._player, read_flag("heal", values.get("heal")))
            return carry_out(self._player, values).as_dict()

    def settled(self) -> dict[str, Any]:
        """Return how far it is once the last control is carried out, or after some seconds."""
        player = self._player
        if player is None:
            return {"state": PlayerState.STOPPED.value}
        player.settle(_SETTLE_S)
        return player.progress().as_dict()

    def stop(self) -> dict[str, Any]:
        """Stop what plays, and wait for its last event."""
        with self._lock:
            if self._player is None:
                return {"state": PlayerState.STOPPED.value}
            self._player.stop()
            if self._thread is not None and self._thread is not threading.current_thread():
                self._thread.join(EXIT_WITHIN_S)
            return self._player.progress().as_dict()

    def reset(self) -> dict[str, Any]:
        """Stop, and take off all screens what a rehearsal has left there. A live's figures stay."""
        with self._lock:
            stopped = self.stop()
            self._player = None
            self._bus.publish([rehearsal_cleared()], rehearsal=True)
            return stopped

    def progress(self) -> dict[str, Any] | None:
        """Return how far it is, and whether gaps are healed; None while nothing plays."""
        if (told := self._meanwhile) is not None:
            return told
        player = self._player
        if player is None or not self.is_on:
            return None
        return player.progress().as_dict() | {"heal_gaps": self._options.heals_gaps}

    def timeline(self, buckets: int) -> dict[str, Any] | None:
        """
        Return what a transport bar draws of what plays; None while nothing does. Blocks.

        Raises:
            RecordingError: The recording is damaged.
            ReplayError: Too many buckets, or none.
        """
        if not 1 <= buckets <= BUCKETS_MAX:
            raise ReplayError(f"buckets must be from 1 to {BUCKETS_MAX}.")
        player = self._player
        if player is None or not self.is_on or not isinstance(player.plan, Charted):
            return None
        if buckets not in self._drawn:
            drawn = player.plan.timeline(buckets).as_dict()
            self._drawn = {buckets: drawn}
        return self._drawn[buckets]

    def _mend(self, player: Player, heals_gaps: bool) -> dict[str, Any]:
        """Play the same with its gaps cut to nothing, or as they were, from the same message on."""
        if not isinstance(player.plan, Mendable):
            raise ReplayError(f"{player.plan.name} has no gaps that could be cut.")
        plan, was = player.plan.mended(heals_gaps), player.progress()
        to_s = plan.place_like(player.plan, was.position_s)
        # It goes on: nobody is to see it end in between.
        self._meanwhile = self.progress()
        try:
            self.stop()
            self._drawn = {}
            self._options = replace(self._options, heals_gaps=heals_gaps, rate=was.rate, loops=was.loops)
            return self._begin(plan, is_paused=was.state is not PlayerState.PLAYING, from_s=to_s)
        finally:
            self._meanwhile = None

    def _begin_again(self, player: Player) -> None:
        was = player.progress()
        self._options = replace(self._options, rate=was.rate, loops=was.loops)
        self._begin(player.plan, is_paused=False)

    def _begin(self, plan: Plan, *, is_paused: bool, from_s: float = 0.0) -> dict[str, Any]:
        self._player = player = Player(
            plan,
            bus=self._bus,
            time=self._time,
            rate=self._options.rate,
            loops=self._options.loops,
            is_paused=is_paused,
            prime=self._live_state.prime,
        )
        if from_s > 0:
            player.seek(from_s)
        self._thread = Background("toolkit-rehearsal", player.run, ask_to_end=player.stop)
        return player.progress().as_dict()
