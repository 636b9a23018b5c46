"""
One live, from the first dial to the sealed recording.

Carries out the supervisor's commands; each frame goes through the intake, which
journals it, publishes what it means, and only then has it acknowledged. Runs in one
asyncio loop; ``stop``, ``retry_now`` and ``status`` may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

from toolkit.bus.live_state import run_started
from toolkit.bus.memory import MemoryBus
from toolkit.capture.account import ConnectionAccount, reconnection_of
from toolkit.capture.intake import Intake
from toolkit.capture.kind_watch import KindWatch
from toolkit.capture.quota_file import QUOTA_FILE, load_quota, save_quota
from toolkit.capture.sealer import Sealer
from toolkit.capture.source import Source
from toolkit.capture.upkeep import Upkeep
from toolkit.clock import Clock, SteadyClock
from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.budget import SignBudget, SignLimits
from toolkit.connect.kind_silence import USUAL_LIMITS, SilenceLimits
from toolkit.connect.stimuli import (
    Command,
    Conclude,
    Dial,
    Down,
    Finish,
    Hangup,
    Probe,
    ProbeFailed,
    ProbeOk,
    Resolve,
    Retry,
    Start,
    Stimulus,
    Stop,
    Timer,
    Up,
    Wait,
)
from toolkit.connect.supervisor import Supervisor
from toolkit.errors import JournalNotWritten, RecordingError, ToolkitError
from toolkit.model.connection import ConnectionState
from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause, Outcome
from toolkit.store.folder import RecordingsFolder
from toolkit.store.resuming import LastStretch
from toolkit.store.writer import RecordingWriter

__all__ = ["Outcome", "Recorder", "Source"]

log = logging.getLogger("toolkit.recorder")

DISK_RETRY_S = 30.0
"""Wait after the disk refused a frame: each attempt costs a signature."""
INBOX_MAX = 64
"""Stimuli waiting for the supervisor. There is at most one connection, one timer and
one probe, so a handful is plenty."""
CLICKS_MAX = 16
"""Of those, how many may be there when an operator adds one more wish to dial."""
TICK_S = 1.0
"""Between looks at what nobody reports: a kind of event that has stopped."""
KNOWN_ROOM_ATTEMPTS = 2
"""Attempts that go straight to the room that was live; later ones look it up afresh."""


async def _assume_reachable() -> bool:
    return True


class Recorder:
    """Records one user's lives until told to stop or until there is nothing to record."""

    def __init__(
        self,
        user: str,
        *,
        folder: Path,
        bus: MemoryBus,
        clock: Clock,
        policy: BackoffPolicy,
        rng: Random,
        new_source: Callable[[], Source],
        keep_trying: bool = True,
        keep_waiting: bool = False,
        sign_limits: SignLimits | None = None,
        probe: Callable[[], Awaitable[bool]] = _assume_reachable,
        silence_limits: SilenceLimits = USUAL_LIMITS,
    ) -> None:
        """
        Prepare; nothing happens before :meth:`run`.

        Args:
            user: Whose lives, without the @.
            folder: Where recordings go. The caller holds its lock.
            bus: Where events and states are published.
            clock: Wall and monotonic time.
            policy: Waits between connection attempts.
            rng: Jitter of those waits.
            new_source: Makes a fresh connection for each attempt.
            keep_trying: Whether a first connection that fails is tried again, and a
                live that has not begun is waited for.
            keep_waiting: Whether, after a live has ended, the next one is waited for.
            sign_limits: Signatures that may be spent, counted in a file of the folder;
                None to count none.
            probe: Tells whether TikTok's live server can be reached.
            silence_limits: When a kind of event counts as having stopped.
        """
        self.user = user
        self._folder = folder
        self._bus = bus
        self._clock = clock
        self._new_source = new_source
        self._is_reachable = probe
        self._quota_file = folder / QUOTA_FILE if sign_limits is not None else None
        budget = SignBudget(sign_limits) if sign_limits is not None else SignBudget()
        if self._quota_file is not None:
            budget.restore(load_quota(self._quota_file), self._now_s(), clock.now_us())
        self._supervisor = Supervisor(
            policy, rng, keep_trying=keep_trying, keep_waiting=keep_waiting, budget=budget
        )
        self._account = ConnectionAccount(self._supervisor, clock)
        self._kinds = KindWatch(self._account, silence_limits)
        self._intake = Intake(bus, clock, self._kinds, self._account)
        self._inbox: asyncio.Queue[Stimulus] = asyncio.Queue(INBOX_MAX)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = threading.Lock()
        self._is_stopped_early = False
        self._is_over = False
        self._is_urged = False
        self._source: Source | None = None
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._probing: asyncio.Task[None] | None = None
        self._upkeep = Upkeep(bus, self._account)
        self._attempts = 0
        self._ticking: asyncio.TimerHandle | None = None
        self._sealer = Sealer(bus)
        self._interrupted: asyncio.Future[list[LastStretch]] | None = None
        self._writer: RecordingWriter | None = None
        self._sealing_at: asyncio.TimerHandle | None = None
        self._room_id = 0
        self._steady = SteadyClock(clock)
        self._ended_by: Cause | None = None
        self._recordings: list[str] = []

    # -- from any thread -------------------------------------------------

    def stop(self) -> None:
        """Stop recording, whatever state it is in. Returns at once."""
        with self._gate:
            self._is_stopped_early = self._loop is None
            self._send(Stop())

    def retry_now(self) -> bool:
        """
        Dial now instead of waiting, also after having given up.

        Returns:
            Whether it will be heard: not before :meth:`run`, and not after a stop.
        """
        with self._gate:
            is_stopped = self._supervisor.state is ConnectionState.STOPPED
            self._is_urged = not is_stopped and self._send(Retry())
            return self._is_urged

    @property
    def writer(self) -> RecordingWriter | None:
        """The recording being written, if there is one. One that may go on after its end is not."""
        return self._writer if self._sealing_at is None else None

    def status(self) -> dict[str, Any]:
        """Return where it stands, as the API and the sockets tell it."""
        writer = self.writer
        account = self._account.status()
        return {
            **account,
            "warnings": [*self._intake.warnings(), *account["warnings"]],
            "user": self.user,
            "room_id": str(self._room_id or ""),
            "recording": writer.id if writer else None,
        }

    # -- in the loop -----------------------------------------------------

    async def run(self, seconds: float | None = None) -> Outcome:
        """
        Record until the live ends, the time is up, or trying is hopeless.

        Args:
            seconds: Stop after this long; None for no limit.

        Returns:
            How it ended. Whatever was recorded is sealed by then.
        """
        with self._gate:
            self._loop = asyncio.get_running_loop()
            self._post(Stop() if self._is_stopped_early else Start())
        self._interrupted = self._loop.run_in_executor(
            None, RecordingsFolder(self._folder).interrupted, self._clock.now_us()
        )
        limit = None if seconds is None else self._loop.call_later(seconds, self._post, Stop())
        finish: Finish | None = None
        self._tick()
        try:
            while finish is None:
                finish = await self._until_finish()
                await self._hang_up()
                await self._finish_recording()
                # Who asked for another attempt while the recording was sealed gets it.
                finish = None if self._is_wanted_again() else finish
        finally:
            with self._gate:
                self._is_over = True
            if limit is not None:
                limit.cancel()
            _cancel(self._ticking)
            await self._hang_up()
            await self._finish_recording()
        last = self._account.last
        return Outcome(finish.cause, last.detail, tuple(self._recordings), tuple(self._sealer.unsealed))

    async def _until_finish(self) -> Finish:
        while True:
            finish: Finish | None = None
            stimulus = await self._inbox.get()
            if isinstance(stimulus, Retry):
                self._is_urged = False
            with self._account.lock:
                commands = self._supervisor.handle(stimulus, self._now_s())
            if isinstance(stimulus, Down) and stimulus.retry_after_s is not None:
                self._save_quota()
            self._announce()
            for command in commands:
                finish = await self._carry_out(command) or finish
            if finish is not None:
                return finish

    def _is_wanted_again(self) -> bool:
        """Return whether to go on after all; from here on nobody is heard if not."""
        with self._gate:
            wanted = self._is_urged and self._supervisor.state is ConnectionState.NEEDS_OPERATOR
            self._is_over = not wanted
            return wanted

    async def _carry_out(self, command: Command) -> Finish | None:
        assert self._loop is not None
        match command:
            case Resolve(attempt):
                await self._hang_up()
                # Looking whether a live has begun is no attempt to connect to it.
                self._attempts += self._supervisor.state is ConnectionState.RESOLVING
                self._source = self._new_source()
                self._work = self._loop.create_task(self._look_up(self._source, attempt))
            case Dial():
                # The look-up has reported and ends; two connections never overlap.
                await self._work_is_done()
                self._save_quota()
                self._intake.live_ended = False
                self._work = self._loop.create_task(self._connect(), name="toolkit-connection")
            case Wait(seconds):
                _cancel(self._timer)
                self._timer = self._loop.call_later(seconds, self._post, Timer())
            case Probe(seconds):
                _cancel(self._probing)
                self._probing = self._loop.create_task(self._probe_after(seconds))
            case Conclude(within_s):
                self._conclude(within_s)
            case Hangup():
                await self._hang_up()
            case Finish():
                return command
        return None

    async def _look_up(self, source: Source, attempt: int) -> None:
        known = self._room_id if self.writer is not None and attempt <= KNOWN_ROOM_ATTEMPTS else 0
        outcome = await source.resolve(known)
        if isinstance(outcome, Down):
            await source.close()
        await self._inbox.put(outcome)

    async def _connect(self) -> None:
        """One attempt, from signature to end; reports its end as a stimulus."""
        assert self._source is not None
        assert self._interrupted is not None
        # Whether there is something to go on with is known before the first frame comes.
        await asyncio.wait({self._interrupted})
        try:
            down = await self._source.listen(self._take_up, self._take_frame, self._take_late)
        except JournalNotWritten as error:
            # The frame was not acknowledged. What is wrong may be put right: then it goes on.
            log.error("%s. %s", error, error.hint)
            down = Down(Cause.INTERNAL, f"{error}. {error.hint}", retry_after_s=DISK_RETRY_S)
        except ToolkitError as error:
            # Ours: another connection would meet the same fault.
            log.error("recording stopped: %s. %s", error, error.hint)
            down = Down(Cause.INTERNAL, f"{error}. {error.hint}", hopeless=True)
        try:
            with contextlib.suppress(JournalNotWritten):  # Said when the segment is closed.
                self._intake.flush(self._writer)
            if self._intake.live_ended:
                down = Down(Cause.LIVE_ENDED, f"@{self.user} ended the live.")
            if self._writer is not None:
                self._close_segment(down.cause)
        finally:  # Unheard, it would count as connected for ever.
            await self._inbox.put(down)

    async def _probe_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._post(ProbeOk() if await self._is_reachable() else ProbeFailed())

    async def _work_is_done(self) -> None:
        if self._work is not None:
            await asyncio.wait({self._work})
            assert self._work.done(), "two connections at once"

    async def _hang_up(self) -> None:
        """End waits, look-up and connection; on return nothing is open."""
        _cancel(self._timer)
        _cancel(self._probing)
        if self._work is not None and not self._work.done():
            self._work.cancel()
        await self._work_is_done()
        self._work = None
        source, self._source = self._source, None
        if source is not None:
            await source.close()
        if self._writer is not None:
            self._close_segment(Cause.STOPPED)

    def _take_up(self, room_id: int) -> None:
        """Open a segment: of the recording we have, or of a new one for a new broadcast."""
        self._write_end()  # On a full disk it may be missing yet.
        if self._writer is not None and room_id != self._room_id:
            self._seal_later()
        self._keep_open()
        self._room_id = room_id
        if self._writer is None:
            self._steady = SteadyClock(self._clock)
            self._writer = self._continued(room_id) or self._begun()
            self._recordings.append(self._writer.id)
            self._bus.publish([run_started("live", self.user, self._writer.id)])
            self._kinds.begin()
            self._upkeep.begin(self._writer, self._steady)
        self._writer.open_segment(room_id, attempts=self._attempts)
        self._attempts = 0
        self._upkeep.edge(self._now_s())
        self._kinds.connected(self._now_s())
        self._post(Up())

    def _begun(self) -> RecordingWriter:
        writer = RecordingWriter.create(self._folder, self.user, clock=self._steady)
        if self._recordings:
            self._account.begin_anew()
        log.info("recording %s begins", writer.id)
        return writer

    def _continued(self, room_id: int) -> RecordingWriter | None:
        """Go on with the recording of this broadcast whose recorder died a moment ago, if there is one."""
        assert self._interrupted is not None
        now_us = self._clock.now_us()
        found = [last for last in self._interrupted.result() if last.continues(self.user, room_id, now_us)]
        if not found:
            return None
        self._interrupted.result().remove(found[-1])
        self._steady = SteadyClock(self._clock, set_s=found[-1].clock_set_s)
        try:
            writer = RecordingWriter.resume(self._folder, found[-1].id, clock=self._steady, last=found[-1])
        except RecordingError as error:
            log.error("recording %s cannot be continued: %s", found[-1].id, error)
            return None
        last_at = found[-1].last_at + round(found[-1].clock_set_s * 1e6)
        self._account.resume(writer.notes.get("stability", ""), last_at)
        log.info("recording %s goes on", writer.id)
        return writer

    def _take_frame(self, kind: FrameKind, data: bytes) -> list[bytes]:
        assert self._writer is not None
        return self._intake.take(self._writer, kind, data)

    def _take_late(self) -> list[bytes]:
        assert self._writer is not None
        return self._intake.look(self._writer)

    def _tick(self) -> None:
        """Look at what nobody reports."""
        assert self._loop is not None
        self._ticking = self._loop.call_later(TICK_S, self._tick)
        self._upkeep.look(self._now_s())
        # While frames wait, no kind of event is missing: it is not looked at yet.
        warnings = self._kinds.look(self._now_s()) if not self._intake.held else []
        if self._intake.has_news() or warnings:
            self._bus.publish([*(("warning", data) for data in warnings), ("status", self.status())])

    def _close_segment(self, cause: Cause) -> None:
        assert self._writer is not None
        self._kinds.disconnected()
        # On a full disk it is tried again, and what was the cause stays the cause.
        self._ended_by = self._ended_by or cause
        try:
            self._write_end()
        except ToolkitError as error:
            log.error("the end of the connection could not be journaled: %s", error)
        self._upkeep.edge(self._now_s())

    def _write_end(self) -> None:
        """Write that the last connection ended, and before that what still waits of it."""
        if self._writer is None or self._ended_by is None:
            return
        self._intake.flush(self._writer)
        self._writer.close_segment(self._ended_by)
        self._ended_by = None

    async def _finish_recording(self) -> None:
        self._seal_later()
        await self._sealer.done()

    def _conclude(self, within_s: float) -> None:
        """End the recording for all to see, and complete it once its host is no longer awaited."""
        assert self._loop is not None
        if self._writer is None:
            return
        self._intake.drop()
        self._upkeep.conclude()
        self._sealing_at = self._loop.call_later(within_s, self._seal_later)
        log.info("recording %s has ended; it goes on if its host is back soon", self._writer.id)
        self._bus.publish([("recording", {"id": self._writer.id, "state": "ended"})])

    def _keep_open(self) -> None:
        """Let a recording that had ended go on, if there is one."""
        _cancel(self._sealing_at)
        if self._sealing_at is not None and self._writer is not None:
            log.info("recording %s goes on: its host is back", self._writer.id)
        self._sealing_at = None

    def _seal_later(self) -> None:
        """Complete the recording, if there is one, while other things go on."""
        _cancel(self._sealing_at)
        self._sealing_at = None
        writer, self._writer = self._writer, None
        if writer is None:
            return
        self._intake.drop()
        self._ended_by = None
        self._upkeep.end()
        self._sealer.take(writer)

    # -- telling ---------------------------------------------------------

    def _now_s(self) -> float:
        return self._clock.mono_ns() / 1e9

    def _save_quota(self) -> None:
        if self._quota_file is not None:
            save_quota(self._quota_file, self._supervisor.budget.saved(self._now_s(), self._clock.now_us()))

    def _announce(self) -> None:
        for transition in self._supervisor.announce():
            self._account.take(transition)
            items: list[tuple[str, Any]] = [("status", self.status())]
            if (reconnection := reconnection_of(transition)) is not None:
                data = self._account.reconnection(transition)
                items.insert(0, (f"tiktok:reconnection:{reconnection}", data))
            self._bus.publish(items)

    def _send(self, stimulus: Stimulus) -> bool:
        """Hand a stimulus to the loop; return whether it is still there. Call with the gate held."""
        loop = self._loop
        if loop is None or self._is_over or loop.is_closed():
            return False
        loop.call_soon_threadsafe(self._post, stimulus)
        return True

    def _post(self, stimulus: Stimulus) -> None:
        if isinstance(stimulus, Retry) and self._inbox.qsize() >= CLICKS_MAX:
            self._is_urged = False
            log.warning("too many requests at once: one more attempt is under way already")
            return
        try:
            self._inbox.put_nowait(stimulus)
        except asyncio.QueueFull:
            log.warning("too many requests at once: %s ignored", type(stimulus).__name__)


def _cancel(work: asyncio.TimerHandle | asyncio.Task[None] | None) -> None:
    """Cancel what may still be to come; harmless when it is over."""
    if work is not None:
        work.cancel()
