"""
The composition root: everything one process runs, put together once.

The server's loop answers pages and sockets; the recorder and a rehearsal each have
a thread and a loop of their own, so a slow page cannot delay a frame. The App is a
singleton of the process, kept outside our own modules: ``panel serve --dev``
imports those again, and a second recorder must not start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from toolkit import garbage
from toolkit.assembly import new_recorder, new_show
from toolkit.background import EXIT_WITHIN_S, Background, Worker, end_all
from toolkit.bundled import SAMPLE_ID, folder_of
from toolkit.bus.live_state import NO_RUN, LiveState, Snapshot, run_started
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import event_data
from toolkit.capture.account import idle_status
from toolkit.capture.recorder import Outcome, Recorder
from toolkit.clock import Clock, SystemClock
from toolkit.config import Settings, load_settings
from toolkit.errors import INTERRUPTED, RecordingBusy, RecordingError, ServerError, ToolkitError
from toolkit.model.recording import is_handle
from toolkit.observe import logs, trace
from toolkit.replay.clock import SystemTime
from toolkit.replay.options import ReplayOptions
from toolkit.replay.rehearsal import Rehearsal
from toolkit.show.look.faces import Faces
from toolkit.show.look.presets import Presets
from toolkit.show.moderation.gate import Gate
from toolkit.store.folder import RecordingsFolder
from toolkit.store.following import Following
from toolkit.store.intent import Intent
from toolkit.vitals import Vitals

__all__ = ["App", "get_app"]

log = logging.getLogger("toolkit.app")

_SINGLETON = "toolkit._app"
_LOOP_PROBE_S = 0.25
_LAST_WAIT_S = 2.0
"""For threads that outlast a stop, such as a listing of the folder."""
_NOTHING: dict[str, Any] = {
    "comments": [], "questions": [], "viewers": None, "likes_total": 0, "diamonds": 0,
    "totals": {}, "gaps": [],
}  # fmt: skip


def get_app(settings: Settings | None = None) -> App:
    """
    Return this process's App, made at the first call.

    Args:
        settings: Used when it is made; read from the environment by default.

    Raises:
        SettingsError: The environment holds a setting out of range.
    """
    app: Any = sys.modules.get(_SINGLETON)
    if app is None or app.pid != os.getpid():
        app = App(settings or load_settings())
        sys.modules[_SINGLETON] = app
    return app  # type: ignore[no-any-return]  # stored under a module's name on purpose


class App:
    """
    One process: settings, bus, live state, recorder, rehearsal.

    Methods may be called from any thread unless they say otherwise.

    Attributes:
        pid: The process it was made in.
        settings: As read at the start.
        bus: Where everything is announced.
        live_state: Figures of the current run.
        folder: The recordings.
        gate: What the public may see.
        show: Questions, alerts, goals ... and what the operator asks of them.
        faces: Pictures of viewers, and where to have them from.
        presets: Options and styles of the overlay under a name.
        rehearsal: What is played, if anything is.
        refusal: Why this process must not record (another one owns the folder);
            empty if it may.
        pages_open: Pages of the dashboard that stand in a browser; they count themselves.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.pid = os.getpid()
        self.settings = settings
        self.clock = clock or SystemClock()
        self.bus = MemoryBus(clock=self.clock)
        self.live_state = LiveState(self.bus)
        self.folder = RecordingsFolder(settings.recordings)
        self.gate = Gate()
        self.show = new_show(settings, self.bus, self.clock, self.gate)
        self.faces = Faces(self.bus, settings.show_folder / "avatars", self.clock)
        self.presets = Presets(settings.show_folder / "presets.json", self.bus)
        self.refusal = ""
        self.pages_open = 0
        self._lock = threading.RLock()
        self._recorder: Recorder | None = None
        self._recorder_thread: Background | None = None
        self._user = settings.username
        self._is_stop_wanted = False
        self._refusal_hint = ""
        self.rehearsal = Rehearsal(self.bus, self.live_state, SystemTime())
        self._intent = Intent(settings.recordings)
        self._healed = threading.Event()
        self._leaving = threading.Event()
        self._following = Following()
        self._started = False
        self._signals = 0
        self._loop_lag_s = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self.replay_at_start: tuple[str, ReplayOptions] | None = None
        """Recording and options of a rehearsal that begins with the server."""
        self.on_stop: list[Callable[[], None]] = []
        """Called in the server's loop when it stops, such as closing sockets."""
        self.screens: Callable[[], list[dict[str, Any]]] = list
        """The overlay's open pages and what they say of themselves; call in the server's loop."""

    # -- life ------------------------------------------------------------

    def ensure_started(self) -> None:
        """Start what the settings ask for. Call in the server's loop; repeated calls do nothing."""
        if self._started:
            return
        self._started = True
        logs.configure(self.settings.log_level, self.settings.log_format)
        self._trace()
        garbage.leave_alone_what_is_imported()
        self._catch_signals()
        self._keep(self._probe_loop())
        self._own_folder()
        self.show.start(keeps=not self.refusal)
        Worker("toolkit-start", self._begin_then_heal, ask_to_end=self._leaving.set)

    def _trace(self) -> None:
        if self.settings.trace is not None:
            try:
                trace.start(self.settings.trace)
            except OSError as error:
                log.error("no trace: %s cannot be written: %s", self.settings.trace, error.strerror)

    def _own_folder(self) -> None:
        try:
            self.folder.lock()
        except RecordingBusy as error:
            self.refusal, self._refusal_hint = f"{error}.", "Stop that process, then restart this server."
            log.warning("%s This server shows recordings and does not record.", self.refusal)
        except RecordingError as error:
            self.refusal, self._refusal_hint = f"{error}.", error.hint
            log.error("%s %s", error, error.hint)

    def _begin_then_heal(self) -> None:
        # A live does not wait for yesterday's recording; healing leaves alone what is
        # being recorded.
        user, keep = self.settings.username, None
        if not self.refusal:
            now_us = self.clock.now_us()
            # Killed in the middle of a recording: it goes on, whoever had started it.
            if (lost := self._intent.user) and self.folder.resumable(lost, None, now_us):
                user = lost
            keep = self.folder.resumable(user, None, now_us) if user else None
        try:
            if self.replay_at_start is not None:
                self.start_replay(*self.replay_at_start)
            elif user and not self.refusal:
                self.start_recording(user)
        except ToolkitError as error:
            log.error("%s %s", error, error.hint)
        try:
            if not self.refusal:
                for healed in self.folder.heal(keep=keep, is_leaving=self._leaving.is_set):
                    log.info("healed: %s", healed)
        except ToolkitError as error:
            log.error("healing: %s %s", error, error.hint)
        finally:
            self._healed.set()

    def _catch_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread() or "ipykernel" in sys.modules:
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Replaces Bokeh's own handler, which does not wait for tasks.
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(INTERRUPTED)
        log.info("stopping; a second signal exits at once")
        # Now, not with the recorder: after an exit at once the next start would go on with it.
        self._intent.drop()
        self._keep(self._stop_then_exit())

    async def _stop_then_exit(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self.stop()
            await loop.run_in_executor(None, end_all, _LAST_WAIT_S)
        finally:
            loop.call_soon(loop.stop)

    async def stop(self) -> None:
        """Stop rehearsal and recording, seal, close sockets. Bounded by :data:`EXIT_WITHIN_S`."""
        await asyncio.get_running_loop().run_in_executor(None, self.stop_now)
        for callback in self.on_stop:
            callback()

    def stop_now(self) -> None:
        """Stop rehearsal and recording and wait until the recording is sealed. Blocks."""
        self._leaving.set()
        with self._lock:
            self.stop_replay()
            self.stop_recording()
            thread = self._recorder_thread
        if thread is not None:
            thread.join(EXIT_WITHIN_S)
            if thread.is_alive():
                log.error("the recording is not sealed yet; the next start completes it")
        self.show.stop()
        self._following.close()
        self.folder.unlock()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in this loop and keep the reference that asyncio does not keep."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _probe_loop(self) -> None:
        """Measure how late this loop runs its timers: what every page and socket feels."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(_LOOP_PROBE_S)
            late_s = time.monotonic() - before - _LOOP_PROBE_S
            # The worst recent stall, fading within about ten seconds.
            self._loop_lag_s = max(late_s, self._loop_lag_s * 0.93)

    # -- recording -------------------------------------------------------

    def start_recording(self, user: str) -> dict[str, Any]:
        """
        Record ``user`` from now on. A rehearsal that plays is stopped, and cleared from all screens.

        Raises:
            ServerError: Another user is being recorded, or this process may not record.
        """
        user = user.strip().removeprefix("@")
        if not is_handle(user):
            raise ServerError("That is not a TikTok user name.", hint="Give the @name from the profile page.")
        with self._lock:
            if self.refusal:
                raise ServerError(self.refusal, hint=self._refusal_hint)
            if self.is_recording:
                taken = f"@{self._user} is being recorded already."
                raise ServerError(taken, hint="Stop that recording first.")
            self.rehearsal.reset()
            self._recorder, self._user, self._is_stop_wanted = None, user, False
            self._intent.keep(user)
            self._recorder_thread = Background(
                "toolkit-recorder", lambda: self._record(user), ask_to_end=self._ask_recorder_to_end
            )
        return self.status()

    async def _record(self, user: str) -> Outcome:
        recorder = new_recorder(
            user, self.settings, self.bus, self.clock, keep_waiting=self.settings.keep_waiting
        )
        self._recorder = recorder
        if self._is_stop_wanted:
            # Stopped while TikTokLive was being imported, before there was anything to stop.
            recorder.stop()
        try:
            return await recorder.run()
        finally:
            self._intent.drop()
            self.bus.publish([run_started("none", user, "")])
            # What was kept for it to go on with, if it was another broadcast's.
            self.folder.heal(is_leaving=self._leaving.is_set)

    def _ask_recorder_to_end(self) -> None:
        self._leaving.set()
        self.stop_recording()

    def stop_recording(self) -> dict[str, Any]:
        """Stop and seal. Returns at once; the state tells when it is sealed."""
        self._is_stop_wanted = True
        self._intent.drop()
        recorder = self._recorder
        if recorder is not None:
            recorder.stop()
        return self.status()

    def reconnect(self) -> dict[str, Any]:
        """
        Dial now instead of waiting; start again if it had given up or ended. May block while it seals.

        Returns:
            The status, with ``dialled``: False where a connection stands, or nobody is recorded.
        """
        recorder, thread, status = self._recorder, self._recorder_thread, self.status()
        if recorder is None or (self.is_recording and status["connected"]):
            return status | {"dialled": False}
        if not (self.is_recording and recorder.retry_now()):
            if thread is not None:
                thread.join(EXIT_WITHIN_S)
            return self.start_recording(recorder.user) | {"dialled": True}
        return self.status() | {"dialled": True}

    @property
    def is_recording(self) -> bool:
        """Whether a recorder is at work: connected, trying to connect, or sealing."""
        return self._recorder_thread is not None and self._recorder_thread.is_alive()

    # -- rehearsal -------------------------------------------------------

    def start_replay(self, recording_id: str, options: ReplayOptions) -> dict[str, Any]:
        """
        Play a sealed recording into dashboard and overlay, marked as a rehearsal. Blocks while it is read.

        Raises:
            ServerError: A live is being recorded.
            ReplayError: The rate is out of range, or nothing is left to play.
            RecordingError: There is no such recording, or it is not sealed.
        """
        plan = options.plan(self._folder_of(recording_id).path_of(recording_id))
        with self._lock:
            self._refuse_while_recording()
            return self.rehearsal.start(plan, options)

    def control_replay(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """
        Pause, resume, seek, change speed ... of the rehearsal; see ``toolkit/replay/rehearsal.py``.

        Raises:
            ServerError: A live is being recorded.
            ReplayError: It means nothing, or there is nothing to control.
        """
        with self._lock:
            if values.get("action") != "stop":
                self._refuse_while_recording()
            self.rehearsal.control(values)
        return self.rehearsal.settled()

    def replay(self, buckets: int = 0) -> dict[str, Any]:
        """
        Return ``{"rehearsal", "timeline"}``: how far it is, and what a transport bar draws. May block.

        Args:
            buckets: Stretches of the timeline; 0 for none.

        Raises:
            ReplayError: Too many.
            RecordingError: The recording is damaged.
        """
        timeline = self.rehearsal.timeline(buckets) if buckets else None
        return {"rehearsal": self.rehearsal.progress(), "timeline": timeline}

    def stop_replay(self) -> dict[str, Any]:
        """Stop the rehearsal, if one plays, and wait for its last event."""
        with self._lock:
            return self.rehearsal.stop()

    @property
    def is_rehearsing(self) -> bool:
        """Whether a rehearsal plays, or stands paused."""
        return self.rehearsal.is_on

    def _refuse_while_recording(self) -> None:
        if self.is_recording:
            raise ServerError(
                "A live is being recorded: a rehearsal would mix with it on screen.",
                hint="Stop the recording first.",
            )

    # -- telling ---------------------------------------------------------

    def figures(self) -> Snapshot:
        """Return the figures of the current run."""
        return self.live_state.snapshot(self.clock.now_us())

    def status(self) -> dict[str, Any]:
        """Return where recorder and rehearsal stand."""
        recorder = self._recorder
        status = recorder.status() if recorder is not None else idle_status(self.settings.username)
        thread = self._recorder_thread
        if recorder is None and self.is_recording:
            status["state"] = status["reconnectionState"]["state"] = "connecting"
        if thread is not None and thread.error is not None:
            status["detail"] = str(thread.error)
        status["may_record"] = not self.refusal
        status["refusal"] = self.refusal
        status["is_recording"] = self.is_recording
        status["rehearsal"] = self.rehearsal.progress()
        return status

    def snapshot(self) -> dict[str, Any]:
        """Return what somebody who joins late has to know."""
        figures = self.figures()
        told: dict[str, Any] = {"run": figures.run, "status": self.status(), "show": self.show.state()}
        if figures.is_rehearsed and figures.run == NO_RUN:
            # An overlay that is opened now would show them without the ribbon.
            return told | _NOTHING
        return told | {
            "comments": [{"seq": seq, "data": event_data(event)} for seq, event in figures.comments[-50:]],
            "questions": [{"seq": seq, "data": event_data(event)} for seq, event in figures.questions[-20:]],
            "viewers": figures.viewers,
            "likes_total": figures.likes_total,
            "diamonds": figures.diamonds,
            "totals": figures.totals,
            "gaps": figures.gaps[-20:],
        }

    def recordings(self) -> list[dict[str, Any]]:
        """Return the recordings of the folder, newest first, and the bundled sample."""
        listed = self.folder.list()
        if all(recording["id"] != SAMPLE_ID for recording in listed):
            listed += [r for r in self._folder_of(SAMPLE_ID).list() if r["id"] == SAMPLE_ID]
        return listed

    def recording_info(self, recording_id: str) -> dict[str, Any]:
        """
        Return what is known of one recording; blocks while it reads.

        Raises:
            RecordingError: There is none under that id, or it is damaged.
        """
        return self._folder_of(recording_id).info(recording_id)

    def _folder_of(self, recording_id: str) -> RecordingsFolder:
        path = folder_of(recording_id, self.settings.recordings)
        return self.folder if path == self.settings.recordings else RecordingsFolder(path)

    def events_arrow(self, recording_id: str, since_seq: int, table: str = "messages") -> bytes:
        """
        Return the rows of a table after message ``since_seq`` as an Arrow IPC stream; blocks.

        Works while it is being recorded.

        Raises:
            RecordingError: There is no such recording or table.
        """
        folder = self._folder_of(recording_id).path
        return self._following.arrow_after(recording_id, folder, since_seq, table)

    def readiness(self) -> dict[str, dict[str, Any]]:
        """Return each check with whether it passes and a sentence."""
        return self._vitals().readiness()

    def readings(self) -> dict[str, float | dict[str, float]]:
        """Return the figures that Prometheus may ask for."""
        return self._vitals().readings()

    def _vitals(self) -> Vitals:
        writer = self._recorder.writer if self._recorder else None
        return Vitals(
            folder=self.settings.recordings,
            refusal=self.refusal,
            is_healed=self._healed.is_set(),
            loop_lag_s=self._loop_lag_s,
            status=self.status(),
            figures=self.figures(),
            written=writer.counts() if writer else None,
            bus_seq=self.bus.seq,
            is_rehearsing=self.is_rehearsing,
            pages_open=self.pages_open,
        )
