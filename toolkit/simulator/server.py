"""
The simulated TikTok on one loopback port, and a thread to run it in.

The same port plays the website, the webcast API, the signing service and the
push server, so three settings with one address point a real client here.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

import tornado.httpserver
import tornado.netutil
import tornado.web

from toolkit.clock import Clock, SystemClock
from toolkit.model.frame import Message
from toolkit.simulator import pages
from toolkit.simulator.acts import ACTS
from toolkit.simulator.broadcast import CONTROL_PAUSED, CONTROL_RESUMED, Broadcast
from toolkit.simulator.damage import Cut
from toolkit.simulator.fault_plan import FaultPlan
from toolkit.simulator.faults import Area, Fault
from toolkit.simulator.injector import Injector
from toolkit.simulator.ledger import Ledger
from toolkit.simulator.playback import Playback, look_until
from toolkit.simulator.profile import TrafficProfile, profile_named
from toolkit.simulator.push import PushSocket
from toolkit.simulator.routes import routes
from toolkit.simulator.traffic import Traffic

__all__ = ["Simulator", "SimulatorThread"]

HOST = "127.0.0.1"
INCOMING_BYTES_MAX = 64 * 1024
"""A client sends heartbeats and acknowledgements, a few hundred bytes each."""
BODY_BYTES_MAX = 1024 * 1024
CALL_TIMEOUT_S = 60.0
ROOM_IDS_MAX = 1 << 24
"""Messages of one broadcast: a room that goes on gives its messages other ids."""
_RESET = Cut(resets=True)


class Simulator:
    """
    A local TikTok with one live user, who broadcasts from :meth:`start` on.

    All methods must be called from the loop it was started in; other threads
    use :class:`SimulatorThread`.

    Attributes:
        user: Who is live. ``offline_user`` exists and is not; nobody else exists.
        ledger: What was sent, and what each connection got.
        faults: Which frames and answers meet one; :meth:`throw` brings them.
        held: Set when those whose requests are never answered have waited enough.
        playback: What is broadcast in place of made-up traffic; None for that.
        gate: While it is not set, WebSocket handshakes wait for their answer.
    """

    def __init__(
        self,
        profile: TrafficProfile | str = "typical",
        seed: int = 1,
        user: str = "demo",
        port: int = 0,
        room_id: int | None = None,
        *,
        offline_user: str = "offline",
        speed: float = 1.0,
        messages: int | None = None,
        seconds: float | None = None,
        history_in_fetch: bool = False,
        clock: Clock | None = None,
        plan: FaultPlan | None = None,
        playback: Playback | None = None,
    ) -> None:
        """
        Args:
            profile: A preset's name or a profile of your own.
            seed: The same seed has the same people and texts.
            user: The @name that is live.
            port: Port on 127.0.0.1; 0 takes a free one.
            room_id: Id of the first broadcast; None derives one from the start.
            offline_user: A @name that exists and is not live.
            speed: How fast the live's clock runs.
            messages: The live ends after so many messages; None for never.
            seconds: The live ends after so many seconds; None for never.
            history_in_fetch: Replay comments in the signer's answer rather than in the
                first push. Which of the two TikTok does has not been observed.
            clock: Wall clock for the stamps.
            plan: What goes wrong, and when; None for nothing.
            playback: What is broadcast in place of made-up traffic. Its plan names the
                rooms, its clock is the fault plan's too, and the live ends with it.
        """
        self.profile = profile_named(profile) if isinstance(profile, str) else profile
        self.seed = seed
        self.user = user
        self.offline_user = offline_user
        self.ledger = Ledger()
        self.history_in_fetch = history_in_fetch
        self._port = port
        self._room_id = room_id
        self._speed = speed
        self._messages = messages
        self._seconds = seconds
        self.playback = playback
        self._clock = clock or SystemClock()
        self.faults = Injector(plan or FaultPlan(), self._clock)
        self.faults.on_due = self.throw
        self._plan_task: asyncio.Task[None] | None = None
        self._down_task: asyncio.Task[None] | None = None
        self._broadcasts: dict[int, Broadcast] = {}
        self._broadcast: Broadcast | None = None
        self._running: asyncio.Task[None] | None = None
        self._server: tornado.httpserver.HTTPServer | None = None
        self._sockets: set[PushSocket] = set()
        self._log_id = 0
        self.held: set[asyncio.Event] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    # -- life ---------------------------------------------------------------

    async def start(self) -> None:
        """
        Listen, and begin the broadcast.

        Raises:
            OSError: The port is taken.
            RecordingError: What is to be broadcast cannot be read.
        """
        assert self._server is None, "started twice"
        self.listen()
        if self.playback is not None:
            await self.playback.open(self)
            self._running = asyncio.create_task(self._play(self.playback))
            return
        self.go_live()
        self._plan_task = asyncio.create_task(self._carry_out_plan())

    async def stop(self) -> None:
        """Hang up on everybody and stop listening. The ledger stays."""
        for task in (self._plan_task, self._down_task):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await self._stop_broadcast()
        self.gate.set()
        await self.hang_up()

    async def wait_ended(self) -> None:
        """Return when the present broadcast has ended."""
        if self._running is not None:
            await asyncio.wait([self._running])

    # -- what tests and people do with it -----------------------------------

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def base_url(self) -> str:
        """Where it is, such as ``http://127.0.0.1:8765``."""
        return f"http://{HOST}:{self._port}"

    @property
    def broadcast(self) -> Broadcast:
        """The present or last broadcast."""
        assert self._broadcast is not None, "not started"
        return self._broadcast

    @property
    def room_id(self) -> int:
        """Id of the present or last broadcast."""
        return self.broadcast.traffic.room_id

    def environment(self) -> dict[str, str]:
        """Return the environment that points the toolkit here."""
        return {
            "TIKTOK_APP_URL": self.base_url,
            "TIKTOK_WEBCAST_URL": f"{self.base_url}/webcast",
            "TIKTOK_SIGN_URL": self.base_url,
        }

    def go_live(self, room_id: int = 0) -> int:
        """
        Begin a broadcast and return the id of its room.

        Args:
            room_id: A room that was on the air before and goes on; 0 for another one.
        """
        room_id, self._room_id = room_id or self._room_id or 0, None
        if self.playback is not None:
            # What is played goes on in another room.
            return self.open_room()
        self.open_room(room_id)
        self._running = asyncio.create_task(self.broadcast.run())
        return self.room_id

    def open_room(self, room_id: int = 0, start_ms: int | None = None) -> int:
        """
        Begin a broadcast that nobody runs yet, and return its id.

        Args:
            room_id: Its id; 0 derives one. It may have been on the air before.
            start_ms: When it began, milliseconds UTC; None is now.
        """
        assert self._broadcast is None or not self._broadcast.is_live, "still live"
        start_ms = self._clock.now_us() // 1000 if start_ms is None else start_ms
        before = self._broadcasts.get(room_id)
        first_id = 0 if before is None else before.traffic.first_id + ROOM_IDS_MAX
        traffic = Traffic(self.profile, self.seed, start_ms, room_id=room_id or None, first_id=first_id)
        while not room_id and traffic.room_id in self._broadcasts:
            traffic = Traffic(self.profile, self.seed, start_ms, room_id=traffic.room_id + 1)
        self._broadcast = Broadcast(
            traffic, self.ledger, self._clock, self._speed, self._messages, self._seconds
        )
        self._broadcasts[traffic.room_id] = self._broadcast
        return traffic.room_id

    async def end_live(self) -> None:
        """End the live as TikTok does: say so, then close the connections."""
        if self._broadcast is not None:
            self._broadcast.end()
        await self._stop_broadcast()

    async def wait_gone(self, seconds: float) -> None:
        """Return when nobody is connected any more, or after a while: a reset loses what was not read."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await look_until(lambda: all(socket.is_frozen for socket in self._sockets))

    def pause(self) -> None:
        """Announce that the host paused."""
        self.broadcast.control(CONTROL_PAUSED)

    def resume(self) -> None:
        """Announce that the host is back."""
        self.broadcast.control(CONTROL_RESUMED)

    def say(self, user: str, text: str) -> int:
        """Have a viewer comment, and return the msg_id."""
        return self.broadcast.say(user, text).msg_id

    def inject(self, method: str, payload: bytes, msg_id: int = 0) -> None:
        """Broadcast any payload under any type, as it is."""
        self.broadcast.send([Message(method, msg_id, payload)])

    def drop_connections(self) -> int:
        """Cut every open connection without a word; return how many."""
        return self.cut_connections(Cut())

    def throw(self, fault: Fault) -> None:
        """Let a fault happen: now, or to the next frames or answers it is about."""
        self.faults.thrown.append(fault)
        act = ACTS.get(fault.kind)
        if act is None:
            self.faults.arm(fault)
        elif self.broadcast.is_live or fault.area is not Area.ROOM:
            act(self, fault)

    def cut_connections(self, cut: Cut) -> int:
        """End every open connection in one way; return how many."""
        sockets = list(self._sockets)
        for socket in sockets:
            socket.cut(cut)
        return len(sockets)

    def freeze_connections(self) -> None:
        """Keep every open connection and do nothing more with it."""
        for socket in list(self._sockets):
            socket.freeze()

    def unacknowledged(self) -> int:
        """Return how many frames the open connections have not acknowledged yet."""
        return sum(socket.unacknowledged for socket in self._sockets)

    def go_down(self, seconds: float) -> None:
        """Reset every connection and close the port; be back on it after a while."""
        if self._down_task is None or self._down_task.done():
            self._down_task = asyncio.create_task(self._be_down(seconds))

    def state(self) -> dict[str, Any]:
        """Return where everything stands, as JSON."""
        broadcast = self.broadcast
        lateness = self.playback.lateness if self.playback is not None else broadcast.lateness
        return {
            "user": self.user,
            "room_id": str(self.room_id),
            "is_live": broadcast.is_live,
            **(self.playback.state() if self.playback is not None else self._room_state()),
            "messages": self.ledger.total,
            "comments": broadcast.comments,
            "connections": len(self._sockets),
            "connections_total": len(self.ledger.connections),
            "bursts": lateness.bursts,
            "bursts_late": lateness.late,
            "worst_late_ms": round(lateness.worst_ms, 1),
        }

    def _room_state(self) -> dict[str, Any]:
        return {
            "profile": self.profile.name,
            "comments_per_s": self.profile.comments_per_s,
            "others_per_s": self.profile.others_per_s,
            "seed": self.seed,
        }

    # -- for the routes ---------------------------------------------------

    def room_of(self, user: str) -> pages.Room | None:
        """Return a user's room; None if there is no such user."""
        if user == self.offline_user:
            return pages.Room(user, 0, 6_800_000_000_000_000_001, False, 0, 0)
        if user != self.user:
            return None
        return self.room_by_id(self.room_id)

    def room_by_id(self, room_id: int) -> pages.Room | None:
        """Return a room that is or was; None if there never was one with that id."""
        broadcast = self._broadcasts.get(room_id)
        if broadcast is None:
            return None
        traffic = broadcast.traffic
        return pages.Room(
            self.user,
            traffic.room_id,
            traffic.host_id,
            broadcast.is_live,
            self.profile.viewers,
            traffic.start_ms // 1000,
        )

    def broadcast_by_id(self, room_id: int) -> Broadcast | None:
        """Return a broadcast that is or was."""
        return self._broadcasts.get(room_id)

    def live_rooms(self) -> frozenset[int]:
        """Return the ids of the rooms that are live."""
        return frozenset(room_id for room_id, broadcast in self._broadcasts.items() if broadcast.is_live)

    def now_us(self) -> int:
        """Return the wall clock, microseconds UTC."""
        return self._clock.now_us()

    def next_log_id(self) -> int:
        """Return a log_id that no other frame has."""
        self._log_id += 1
        return 7_500_000_000_000_000_000 + self._log_id

    def attach(self, socket: PushSocket) -> None:
        """Keep a socket."""
        self._sockets.add(socket)

    def detach(self, socket: PushSocket) -> None:
        """Forget a socket."""
        self._sockets.discard(socket)

    def listen(self) -> None:
        """Accept connections; does nothing where it does already."""
        if self._server is not None:
            return
        sockets = tornado.netutil.bind_sockets(self._port, HOST)
        self._port = sockets[0].getsockname()[1]
        self._server = tornado.httpserver.HTTPServer(self._application(), max_buffer_size=BODY_BYTES_MAX)
        self._server.add_sockets(sockets)

    async def hang_up(self, cut: Cut | None = _RESET) -> None:
        """
        Stop listening, and end every connection.

        Args:
            cut: How they end; None keeps the sockets and does nothing more with them.
        """
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        for waiting in list(self.held):
            waiting.set()
        if cut is None:
            self.freeze_connections()
        else:
            self.cut_connections(cut)
        if server is not None:
            await server.close_all_connections()

    async def _be_down(self, seconds: float) -> None:
        await self.hang_up()
        await asyncio.sleep(seconds)
        self.listen()

    async def _play(self, playback: Playback) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await playback.run(self)
        except TimeoutError:
            self.broadcast.end()

    async def _carry_out_plan(self) -> None:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        for at_s, fault in self.faults.plan.timed():
            await asyncio.sleep(max(start_s + at_s - loop.time(), 0))
            self.throw(fault)

    async def _stop_broadcast(self) -> None:
        if self._running is None:
            return
        running, self._running = self._running, None
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            # A broadcast that died of our own fault says so here.
            running.result()

    def _application(self) -> tornado.web.Application:
        return tornado.web.Application(
            routes,
            simulator=self,
            websocket_max_message_size=INCOMING_BYTES_MAX,
            log_function=lambda handler: None,
        )


class SimulatorThread:
    """
    A simulator in a thread and loop of its own, as a context manager.

    ``simulator`` may be read from outside; what changes it goes through
    :meth:`call`, which runs in its loop.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def __enter__(self) -> Simulator:
        """Start it; it listens when this returns."""
        self._thread.start()
        try:
            self.call(self.simulator.start)
        except BaseException:
            self._close()
            raise
        return self.simulator

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it and wait for its thread."""
        try:
            self.call(self.simulator.stop)
        finally:
            self._close()

    def call(self, action: Callable[[], Any]) -> Any:
        """Run ``action`` in the simulator's loop and return what it returns; awaits a coroutine."""

        async def run() -> Any:
            result = action()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(CALL_TIMEOUT_S)

    def _close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
