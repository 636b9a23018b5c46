"""
Plays a plan: its frames, at their times, through the live's decoder.

Open loop: each frame has one moment at which it is due. A frame that is late is
played at once and its lateness counted; nothing waits for a slow reader, and nothing
is skipped, doubled or reordered, whatever the controls do.

A seek ends one run and begins another: figures start from zero, are brought to what
they are at that place without announcing each event, and go on from there. So what
is shown at a place does not depend on how one got there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from toolkit.bus.live_state import Earlier, run_started
from toolkit.bus.memory import MemoryBus
from toolkit.errors import ReplayError
from toolkit.model.connection import ConnectionState
from toolkit.model.event import Batch
from toolkit.model.plan import Plan, PlannedFrame
from toolkit.observe import trace
from toolkit.replay.ahead import Ahead
from toolkit.replay.clock import UNLIMITED, PlayerClock, SystemTime, Time
from toolkit.replay.connection import announce, status_notice
from toolkit.replay.course import Course, Cue, Stop
from toolkit.replay.entering import enter
from toolkit.replay.lateness import Lateness
from toolkit.replay.progress import PlayerState, Progress
from toolkit.replay.tap import LiveTap, Tap

__all__ = ["RATE_MAX", "RATE_MIN", "Player"]

log = logging.getLogger("toolkit.replay")

RATE_MIN, RATE_MAX = 0.1, 1000.0
"""From slow motion to an hour in under four seconds. Beyond it there is only
:data:`~toolkit.replay.clock.UNLIMITED`: as fast as this machine can."""
BURST_FRAMES_MAX = 1_000_000
PROGRESS_EVERY_S = 1.0


@dataclass(slots=True)
class _Burst:
    """What is to be played at once, whatever the clock says. One of the three."""

    frames: int = 0
    kind: str = ""
    until_s: float = -math.inf

    def wants(self, at_s: float) -> bool:
        return self.frames > 0 or bool(self.kind) or at_s <= self.until_s

    def played(self, batch: Batch) -> None:
        self.frames -= 1
        if self.kind and any(event.kind == self.kind for event in batch.events):
            self.kind = ""


class Player:
    """
    One replay of one plan. Use a new one for each.

    :meth:`run` belongs to one loop. Controls come from any thread and hold from the
    moment they return: after :meth:`pause` not one more frame leaves. Never control
    it from a callback of the bus that another thread runs: it would wait for itself.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        bus: MemoryBus,
        time: Time | None = None,
        rate: float = 1.0,
        loops: bool = False,
        is_paused: bool = False,
        tap: Tap | None = None,
        prime: Callable[[Earlier], None] | None = None,
        cues: Iterable[Cue] = (),
    ) -> None:
        """
        Prepare.

        Args:
            plan: What to play.
            bus: Where its events are published, marked as a rehearsal.
            time: When a frame is due; the machine's time if not given.
            rate: Speed: :data:`RATE_MIN` to :data:`RATE_MAX`, or ``UNLIMITED``.
            loops: Begin again at the end.
            is_paused: Wait for :meth:`resume` before the first frame.
            tap: Where frames go in; a :class:`LiveTap` if not given.
            prime: Takes the figures of what was jumped over, such as ``LiveState.prime``.
            cues: Controls by place.

        Raises:
            ReplayError: The rate is out of range.
        """
        self.plan = plan
        self._bus = bus
        self._time = time or SystemTime()
        self._tap = tap or LiveTap(self._time)
        self._prime = prime
        self._clock = PlayerClock(self._time.mono_ns(), rate=_checked_rate(rate), is_paused=is_paused)
        self._loops = loops
        self._course = Course(plan, cues)
        self._burst: _Burst | None = None
        self._target_s: float | None = 0.0
        self._jump_no = 0
        self._why = "start"
        self._has_begun = False
        self._state = PlayerState.PLAYING
        self._frames = self._events = self._rounds = 0
        self._late = Lateness()
        self._told_ns = -(2**63)
        self._lock = threading.RLock()
        self._settled = threading.Event()
        self._reader: Ahead | None = None
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- controls, from any thread -----------------------------------------

    def pause(self) -> Progress:
        """Stand still. Not one more frame leaves after this returns."""
        with self._control() as now_ns:
            self._clock.pause(now_ns)
        return self.progress()

    def resume(self) -> Progress:
        """Go on from where it stands."""
        with self._control() as now_ns:
            self._clock.resume(now_ns)
        return self.progress()

    def set_rate(self, rate: float) -> Progress:
        """
        Go on at another speed.

        Raises:
            ReplayError: It is out of range.
        """
        rate = _checked_rate(rate)
        with self._control() as now_ns:
            self._clock.set_rate(rate, now_ns)
        return self.progress()

    def set_loop(self, loops: bool) -> Progress:
        """Begin again at the end, or end there."""
        with self._control():
            self._loops = loops
        return self.progress()

    def seek(self, to_s: float) -> Progress:
        """
        Go to a place, playing or paused as it was; beyond the ends means at the ends.

        What was playing stops at once; the figures there take a moment, see :meth:`settle`.

        Raises:
            ReplayError: It is no number.
        """
        if not math.isfinite(to_s):
            raise ReplayError(f"{to_s} is no place in a replay.", hint="Give seconds from its beginning.")
        with self._control():
            self._jump_to(to_s, "seek")
        return self.progress()

    def skip(self, by_s: float) -> Progress:
        """Go forward by so many seconds, or back by a negative number."""
        with self._control():
            return self.seek(self._position_s() + by_s)

    def play_next(self, kind: str = "") -> Progress:
        """
        While paused, play one frame; with a kind of event, all up to the next frame that has one.

        Raises:
            ReplayError: It is not paused.
        """
        with self._control():
            if not self._clock.is_paused:
                raise ReplayError("Only a paused replay plays one frame at a time.", hint="Pause it first.")
            self._want(_Burst(kind=kind) if kind else _Burst(frames=1))
        return self.progress()

    def burst(self, *, frames: int = 0, seconds: float = 0.0) -> Progress:
        """
        Play the next frames, or the next seconds, all at once, then go on as before from there.

        Raises:
            ReplayError: Neither, both, or too many.
        """
        if (frames > 0) == (seconds > 0) or frames > BURST_FRAMES_MAX or not math.isfinite(seconds):
            raise ReplayError(
                "A burst has a number of frames or of seconds.", hint=f"At most {BURST_FRAMES_MAX:,} frames."
            )
        with self._control():
            self._want(_Burst(frames=frames) if frames else _Burst(until_s=self._position_s() + seconds))
        return self.progress()

    def stop(self) -> None:
        """End it. Not one more frame leaves after this returns; harmless when repeated."""
        with self._lock:
            if self._state is PlayerState.PLAYING:
                self._end(PlayerState.STOPPED)
        self._rouse()

    def settle(self, timeout_s: float) -> bool:
        """Wait until a seek has arrived and a burst is out, or the replay has ended; say whether."""
        return self._settled.wait(timeout_s)

    def progress(self) -> Progress:
        """Return how far it is."""
        with self._lock:
            state = self._state
            if state is PlayerState.PLAYING and self._clock.is_paused:
                state = PlayerState.PAUSED
            return Progress(
                self.plan.name,
                state,
                self._clock.rate,
                self._position_s(),
                self.plan.duration_s,
                self._frames,
                self._events,
                self._loops,
                self._rounds,
                self._target_s is not None and self._why != "start",
                self._course.lost is None,
                self._late.as_dict(),
            )

    @contextlib.contextmanager
    def _control(self) -> Iterator[int]:
        """Hold the player for a control; the clock stands where playing stands, not where it is due."""
        with self._lock:
            if self._state is not PlayerState.PLAYING:
                raise ReplayError("The replay is over.", hint="Start it again.")
            now_ns = self._time.mono_ns()
            if self._target_s is None:
                self._clock.move_to(self._position_s(), now_ns)
            yield now_ns
            self._told_ns = -(2**63)
        self._rouse()

    def _rouse(self) -> None:
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            # A loop that has just ended needs no waking.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(wake.set)

    # -- playing, in the loop ----------------------------------------------

    async def run(self) -> Progress:
        """
        Play to the end, or until stopped.

        Raises:
            RecordingError: What is played cannot be read, or not be written.
        """
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._reader = reader = Ahead(self.plan)
        log.info("replay of %s begins at %gx", self.plan.name, self._clock.rate)
        try:
            while self._state is PlayerState.PLAYING:
                if self._target_s is not None:
                    await self._jump(reader)
                elif reader.is_dry:
                    await reader.fill()
                else:
                    await self._time.wait(self._step(reader), self._wake)
        finally:
            with self._lock:
                self._end(PlayerState.STOPPED)
                closing = [self._status(ConnectionState.IDLE), run_started("none", "", "")]
                self._bus.publish([self._told(), *closing], rehearsal=True)
            await reader.close()
            log.info("replay of %s %s after %d frames", self.plan.name, self._state.value, self._frames)
        return self.progress()

    def _step(self, reader: Ahead) -> int | None:
        """Do the next thing if it is due; return when to look again, None for not before a control."""
        with self._lock:
            if self._state is not PlayerState.PLAYING or self._target_s is not None or reader.is_dry:
                return self._time.mono_ns()
            now_ns = self._time.mono_ns()
            if now_ns - self._told_ns >= PROGRESS_EVERY_S * 1e9:
                self._told_ns = now_ns
                self._bus.publish([self._told()], rehearsal=True)
            at_s, stop = self._course.upcoming(reader.next)
            is_wanted = self._is_wanted(at_s, now_ns)
            due_ns = None if is_wanted else self._clock.due_ns(at_s)
            if not is_wanted:
                if due_ns is None:
                    return None
                if due_ns > now_ns:
                    if reader.next is not None:
                        self._tap.prepare(reader.next)
                    return min(due_ns, self._told_ns + round(PROGRESS_EVERY_S * 1e9))
            if is_wanted or math.isinf(self._clock.rate):
                self._clock.move_to(max(at_s, self._clock.position_s(now_ns)), now_ns)
                due_ns = None
            self._tap.clock.move_to(at_s)
            match stop:
                case Stop.FRAME:
                    self._play(reader.pop(), due_ns)
                    reader.read_on()
                case Stop.LOST | Stop.REGAINED:
                    self._pass_edge()
                case Stop.CUE:
                    self._course.take_cue().act(self)
                case Stop.END:
                    self._reach_end()
            return now_ns

    def _is_wanted(self, at_s: float, now_ns: int) -> bool:
        """Return whether a burst takes in what is at ``at_s``; ends the burst where it does not."""
        burst = self._burst
        if burst is None:
            return False
        if burst.wants(at_s):
            return True
        self._clock.move_to(max(self._clock.position_s(now_ns), burst.until_s), now_ns)
        self._burst = None
        self._settled.set()
        return False

    def _play(self, planned: PlannedFrame, due_ns: int | None) -> None:
        """Send a frame the way a live frame goes."""
        sent_ns = self._time.mono_ns()
        batch = self._tap.take(planned)
        self._frames += 1
        self._events += len(batch.events)
        if self._burst is not None:
            self._burst.played(batch)
        if due_ns is not None:
            now_ns = self._time.mono_ns()
            self._late.take(now_ns - due_ns)
            trace.note("due", batch.frame_no, now_ns - due_ns)
            trace.note("played", batch.frame_no, now_ns - sent_ns)
        if batch.events:
            items = [(event.kind, event) for event in batch.events]
            self._bus.publish(items, rehearsal=True, recorded_at=planned.occurred_at)

    def _pass_edge(self) -> None:
        """Lose the connection, or have it back."""
        edge = self._course.pass_edge()
        if edge.is_lost:
            self._tap.lose(edge.stretch.cause)
        self._bus.publish(announce(edge, self._time.now_us()), rehearsal=True)

    def _reach_end(self) -> None:
        self._burst = None
        if self._loops and self._frames:
            self._rounds += 1
            self._jump_to(0.0, "loop")
        else:
            self._end(PlayerState.FINISHED)

    # -- jumping -----------------------------------------------------------

    def _jump_to(self, to_s: float, why: str) -> None:
        """Have the loop go to a place; until then nothing is played."""
        self._target_s = min(max(to_s, 0.0), self.plan.duration_s)
        self._jump_no += 1
        self._why = why
        self._burst = None
        self._settled.clear()

    async def _jump(self, reader: Ahead) -> None:
        """Go to the place that is wanted by now. When another is wanted meanwhile, begin again."""
        with self._lock:
            target_s, jump_no = self._target_s, self._jump_no
            from_s = self._clock.position_s(self._time.mono_ns())
        assert target_s is not None
        if not self._has_begun:
            await reader.open(0.0)
            self._has_begun = True
            if reader.next is not None:
                self._tap.clock.begin(reader.next)

        def is_wanted() -> bool:
            return self._jump_no == jump_no and self._state is PlayerState.PLAYING

        earlier = await enter(self.plan, reader, self._tap, target_s, is_wanted)
        with self._lock:
            if not is_wanted():
                return
            self._course.enter(target_s)
            self._announce_jump(from_s, target_s)
            if self._prime is not None:
                self._prime(earlier)
            self._clock.move_to(target_s, self._time.mono_ns())
            self._target_s = None
            if self._burst is None:
                self._settled.set()

    def _announce_jump(self, from_s: float, to_s: float) -> None:
        state = ConnectionState.CONNECTED if self._course.lost is None else ConnectionState.RECONNECTING
        notices = [run_started("rehearsal", "", self.plan.name), self._status(state)]
        if self._why != "start":
            told = {"recording": self.plan.name, "from_s": round(from_s, 3), "to_s": round(to_s, 3)}
            notices.insert(0, ("replay:seek", told | {"why": self._why}))
        self._bus.publish(notices, rehearsal=True)

    # -- small parts -------------------------------------------------------

    def _position_s(self) -> float:
        """Return the place it has reached: behind schedule it is the next frame's."""
        if self._target_s is not None:
            return self._target_s
        position_s = min(self._clock.position_s(self._time.mono_ns()), self.plan.duration_s)
        coming = self._reader.next if self._reader is not None else None
        return min(position_s, coming.at_s) if coming is not None else position_s

    def _want(self, burst: _Burst) -> None:
        self._burst = burst
        self._settled.clear()

    def _end(self, state: PlayerState) -> None:
        if self._state is PlayerState.PLAYING:
            self._clock.move_to(self._position_s(), now_ns := self._time.mono_ns())
            self._clock.pause(now_ns)
            self._state = state
        self._settled.set()

    def _status(self, state: ConnectionState) -> tuple[str, dict[str, object]]:
        return status_notice(state, self._time.now_us(), self._course.lost)

    def _told(self) -> tuple[str, dict[str, object]]:
        return "replay", self.progress().as_dict()


def _checked_rate(rate: float) -> float:
    if RATE_MIN <= rate <= RATE_MAX or rate == UNLIMITED:
        return rate
    raise ReplayError(
        f"The speed must be from {RATE_MIN:g} to {RATE_MAX:g}, or max; it is {rate:g}.",
        hint="1 is the speed of the live.",
    )
