"""
One live, from the first dial to the sealed recording.

Carries out the supervisor's commands, and for every frame does three things in
this order: journal it, hand TikTokLive something to acknowledge, publish what it
means. Runs in one asyncio loop; ``stop``, ``retry_now`` and ``status`` may be
called from any thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

from toolkit.bus.live_state import run_started
from toolkit.bus.memory import MemoryBus
from toolkit.capture.options import KEPT_METHODS
from toolkit.clock import Clock
from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.supervisor import (
    Command,
    Dial,
    Down,
    Finish,
    Hangup,
    Retry,
    Start,
    Stimulus,
    Stop,
    Supervisor,
    Timer,
    Up,
    Wait,
)
from toolkit.errors import ToolkitError
from toolkit.model.connection import ConnectionState, Transition
from toolkit.model.event import Control
from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause
from toolkit.store.writer import RecordingWriter, SealReport
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_stub

__all__ = ["Outcome", "Recorder", "Source"]

log = logging.getLogger("toolkit.recorder")

INBOX_MAX = 64
"""Stimuli waiting for the supervisor. There is at most one connection and one timer,
so a handful is plenty; operators who click faster than that lose clicks."""
_ENDED, _SUSPENDED = 3, 4


class Source(Protocol):
    """One connection attempt: TikTok in production, a script in a test of the recorder alone."""

    async def listen(
        self, on_up: Callable[[int], None], on_frame: Callable[[FrameKind, bytes], bytes]
    ) -> Down:
        """Connect and stay; see :class:`toolkit.capture.tiktok_source.TikTokSource`."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How a recorder's work ended.

    Attributes:
        cause: Why it ended.
        detail: One sentence for the operator; empty when there is nothing to add.
        recordings: Ids of what was recorded, oldest first; empty if it never connected.
        unsealed: Ids among them that could not be sealed: the next start heals them.
    """

    cause: Cause
    detail: str
    recordings: tuple[str, ...]
    unsealed: tuple[str, ...]


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
            keep_trying: Whether a first connection that fails is tried again.
        """
        self.user = user
        self._folder = folder
        self._bus = bus
        self._clock = clock
        self._new_source = new_source
        self._supervisor = Supervisor(policy, rng, keep_trying=keep_trying)
        self._inbox: asyncio.Queue[Stimulus] = asyncio.Queue(INBOX_MAX)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writer: RecordingWriter | None = None
        self._room_id = 0
        self._live_ended = False
        self._recordings: list[str] = []
        self._unsealed: list[str] = []
        self._status_lock = threading.Lock()
        self._last = Transition(ConnectionState.IDLE, ConnectionState.IDLE)
        self._last_at = clock.now_us()

    # -- from any thread -------------------------------------------------

    def stop(self) -> None:
        """Stop recording, whatever state it is in. Returns at once."""
        self._send(Stop())

    def retry_now(self) -> None:
        """Dial now instead of waiting. Does nothing unless a wait is on."""
        self._send(Retry())

    @property
    def writer(self) -> RecordingWriter | None:
        """The recording being written, if there is one."""
        return self._writer

    def status(self) -> dict[str, Any]:
        """Return where it stands, as the API and the sockets tell it."""
        with self._status_lock:
            last, at = self._last, self._last_at
        writer = self._writer
        next_at = at + int(last.wait_s * 1e6) if last.wait_s is not None else None
        return {
            "state": last.state.value,
            "connected": last.state is ConnectionState.CONNECTED,
            "since": at,
            "user": self.user,
            "room_id": str(self._room_id or ""),
            "recording": writer.id if writer else None,
            "cause": last.cause.value if last.cause else None,
            "detail": last.detail,
            "reconnectionState": {
                "state": last.state.value,
                "attempt": last.attempt,
                "maxAttempts": last.attempts_max,
                "nextAttemptAt": next_at,
                "cause": last.cause.value if last.cause else None,
            },
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
        self._loop = asyncio.get_running_loop()
        limit = None if seconds is None else self._loop.call_later(seconds, self._post, Stop())
        self._post(Start())
        finish: Finish | None = None
        try:
            while finish is None:
                stimulus = await self._inbox.get()
                commands = self._supervisor.handle(stimulus, self._clock.mono_ns() / 1e9)
                self._announce()
                for command in commands:
                    finish = await self._carry_out(command) or finish
        finally:
            if limit is not None:
                limit.cancel()
            await self._hang_up()
            await self._finish_recording(finish.cause if finish else Cause.STOPPED)
        return Outcome(finish.cause, self._last.detail, tuple(self._recordings), tuple(self._unsealed))

    async def _carry_out(self, command: Command) -> Finish | None:
        assert self._loop is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        match command:
            case Dial():
                self._dialling = self._loop.create_task(self._connect(), name="toolkit-connection")
            case Wait(seconds):
                self._timer = self._loop.call_later(seconds, self._post, Timer())
            case Hangup():
                await self._hang_up()
            case Finish():
                return command
        return None

    async def _connect(self) -> None:
        """One attempt, from dial to end; reports its end as a stimulus."""
        self._live_ended = False
        try:
            down = await self._new_source().listen(self._take_up, self._take_frame)
        except ToolkitError as error:
            # Ours, such as a full disk: the frame was not acknowledged, and
            # another connection would meet the same fault.
            log.error("recording stopped: %s", error)
            down = Down(Cause.INTERNAL, str(error), hopeless=True)
        if self._live_ended:
            down = Down(Cause.LIVE_ENDED, f"@{self.user} ended the live.")
        if self._writer is not None:
            self._close_segment(down.cause)
        await self._inbox.put(down)

    async def _hang_up(self) -> None:
        task, self._dialling = self._dialling, None
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.wait({task})
        if self._writer is not None:
            self._close_segment(Cause.STOPPED)

    def _take_up(self, room_id: int) -> None:
        """Open a segment: of the recording we have, or of a new one for a new broadcast."""
        if self._writer is not None and room_id != self._room_id:
            self._seal_later(self._writer)
            self._writer = None
        self._room_id = room_id
        if self._writer is None:
            self._writer = RecordingWriter.create(self._folder, self.user, clock=self._clock)
            self._recordings.append(self._writer.id)
            log.info("recording %s begins", self._writer.id)
            self._bus.publish([run_started("live", self.user, self._writer.id)])
        self._writer.open_segment(room_id)
        self._post(Up())

    def _take_frame(self, kind: FrameKind, data: bytes) -> bytes:
        writer = self._writer
        assert writer is not None
        # On return the frame is in the journal. Only then may the stub, and with
        # it the acknowledgement, leave this function.
        frame = writer.write(kind, data)
        decoded = decode_frame(data, kind)
        batch = writer.take(frame, decoded)
        if batch.events:
            self._bus.publish([(event.kind, event) for event in batch.events])
            for event in batch.events:
                if isinstance(event, Control) and event.action in (_ENDED, _SUSPENDED):
                    self._live_ended = True
        return encode_stub(decoded, KEPT_METHODS)

    def _close_segment(self, cause: Cause) -> None:
        assert self._writer is not None
        try:
            self._writer.close_segment(cause)
        except ToolkitError as error:
            log.error("the end of the connection could not be journaled: %s", error)

    async def _finish_recording(self, cause: Cause) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        self._bus.publish([("recording", {"id": writer.id, "state": "sealing"})])
        assert self._loop is not None
        # Sealing reads everything back and compares: seconds for a long live.
        await self._loop.run_in_executor(None, self._seal, writer)
        self._bus.publish([("recording", {"id": writer.id, "state": self._state_of(writer)})])

    def _seal_later(self, writer: RecordingWriter) -> None:
        assert self._loop is not None
        self._loop.run_in_executor(None, self._seal, writer)

    def _seal(self, writer: RecordingWriter) -> None:
        try:
            report: SealReport = writer.seal()
            log.info("recording %s sealed: %d messages", writer.id, report.messages)
        except ToolkitError as error:
            self._unsealed.append(writer.id)
            log.error("recording %s could not be sealed: %s", writer.id, error)

    def _state_of(self, writer: RecordingWriter) -> str:
        return "interrupted" if writer.id in self._unsealed else "sealed"

    # -- telling ---------------------------------------------------------

    def _announce(self) -> None:
        for transition in self._supervisor.announce():
            with self._status_lock:
                self._last, self._last_at = transition, self._clock.now_us()
            log.info(
                "connection %s%s%s",
                transition.state.value,
                f": {transition.detail}" if transition.detail else "",
                f" Next attempt in {transition.wait_s:.0f} s." if transition.wait_s is not None else "",
            )
            status = self.status()
            items = [("status", status)]
            if (reconnection := _reconnection(transition)) is not None:
                items.insert(0, (f"tiktok:reconnection:{reconnection}", status["reconnectionState"]))
            self._bus.publish(items)

    def _send(self, stimulus: Stimulus) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._post, stimulus)

    def _post(self, stimulus: Stimulus) -> None:
        try:
            self._inbox.put_nowait(stimulus)
        except asyncio.QueueFull:
            log.warning("too many requests at once: %s ignored", type(stimulus).__name__)


def _reconnection(transition: Transition) -> str | None:
    """Return what a transition means for whoever waits for the connection to return."""
    if transition.state is ConnectionState.RECONNECTING:
        return "started"
    if transition.state is ConnectionState.CONNECTED and transition.attempt > 0:
        return "success"
    if transition.state is ConnectionState.NEEDS_OPERATOR and transition.attempt > 0:
        return "failed"
    return None
