"""
HTTP and WebSocket of the simulated TikTok, on one loopback port.

The same port plays the website, the webcast API, the signing service and the
push server. ``/sim/*`` is not TikTok: it steers the simulator and reads its
ledger, for tests in another process.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import tornado.httpserver
import tornado.iostream
import tornado.netutil
import tornado.web
import tornado.websocket

from toolkit.clock import Clock, SystemClock
from toolkit.model.frame import Message
from toolkit.simulator import pages
from toolkit.simulator.broadcast import Batch, Broadcast
from toolkit.simulator.faults import Cut, Outgoing
from toolkit.simulator.ledger import Connection, Ledger, Pushed
from toolkit.simulator.profile import TrafficProfile, profile_named
from toolkit.simulator.traffic import Traffic
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import DecodeError, message_class

__all__ = ["Simulator", "SimulatorThread"]

HOST = "127.0.0.1"
PING_INTERVAL_S = 15
INCOMING_BYTES_MAX = 64 * 1024
"""A client sends heartbeats and acknowledgements, a few hundred bytes each."""
BODY_BYTES_MAX = 1024 * 1024
QUEUED_FRAMES_MAX = 512
"""Six minutes of bursts. A client further behind is closed, as TikTok would."""
LEDGER_PAGE_MAX = 100_000
CLOSE_AFTER_END_S = 1.0
"""Time for a client to read the end of the live before we hang up."""
WATCH_PATH = "/webcast/im/push/v2/"

_COMMENT_CHARS_MAX = 500
_HANDLE_CHARS_MAX = 64
_METHOD_CHARS_MAX = 100
_CLOSE_NORMAL, _CLOSE_TOO_SLOW = 1000, 1013


class Simulator:
    """
    A local TikTok with one live user, who broadcasts from :meth:`start` on.

    All methods must be called from the loop it was started in; other threads
    use :class:`SimulatorThread`.

    Attributes:
        user: Who is live. ``offline_user`` exists and is not; nobody else exists.
        ledger: What was sent, and what each connection got.
        outgoing: The last station before the sockets; replace it to bring faults.
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
        outgoing: Outgoing | None = None,
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
            outgoing: What becomes of each frame; None lets all through.
        """
        self.profile = profile_named(profile) if isinstance(profile, str) else profile
        self.seed = seed
        self.user = user
        self.offline_user = offline_user
        self.ledger = Ledger()
        self.outgoing = outgoing or Outgoing()
        self.history_in_fetch = history_in_fetch
        self._port = port
        self._room_id = room_id
        self._speed = speed
        self._messages = messages
        self._seconds = seconds
        self._clock = clock or SystemClock()
        self._broadcasts: dict[int, Broadcast] = {}
        self._broadcast: Broadcast | None = None
        self._running: asyncio.Task[None] | None = None
        self._server: tornado.httpserver.HTTPServer | None = None
        self._sockets: set[_Push] = set()
        self._log_id = 0

    # -- life ---------------------------------------------------------------

    async def start(self) -> None:
        """
        Listen, and begin the broadcast.

        Raises:
            OSError: The port is taken.
        """
        assert self._server is None, "started twice"
        sockets = tornado.netutil.bind_sockets(self._port, HOST)
        self._port = sockets[0].getsockname()[1]
        self._server = tornado.httpserver.HTTPServer(self._application(), max_buffer_size=BODY_BYTES_MAX)
        self._server.add_sockets(sockets)
        self.go_live()

    async def stop(self) -> None:
        """Hang up on everybody and stop listening. The ledger stays."""
        await self._stop_broadcast()
        for socket in list(self._sockets):
            socket.abort()
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
            self._server = None

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

    def go_live(self) -> int:
        """Begin a broadcast, with a room id of its own, and return that id."""
        assert self._broadcast is None or not self._broadcast.is_live, "still live"
        start_ms = self._clock.now_us() // 1000
        room_id, self._room_id = self._room_id, None
        traffic = Traffic(self.profile, self.seed, start_ms, room_id=room_id)
        while traffic.room_id in self._broadcasts:
            traffic = Traffic(self.profile, self.seed, start_ms, room_id=traffic.room_id + 1)
        self._broadcast = Broadcast(
            traffic, self.ledger, self._clock, self._speed, self._messages, self._seconds
        )
        self._broadcasts[traffic.room_id] = self._broadcast
        self._running = asyncio.create_task(self._broadcast.run())
        return traffic.room_id

    async def end_live(self) -> None:
        """End the live as TikTok does: say so, then close the connections."""
        if self._broadcast is not None:
            self._broadcast.end()
        await self._stop_broadcast()

    def pause(self) -> None:
        """Announce that the host paused."""
        self.broadcast.control(1)

    def resume(self) -> None:
        """Announce that the host is back."""
        self.broadcast.control(2)

    def say(self, user: str, text: str) -> int:
        """Have a viewer comment, and return the msg_id."""
        return self.broadcast.say(user, text).msg_id

    def inject(self, method: str, payload: bytes, msg_id: int = 0) -> None:
        """Broadcast any payload under any type, as it is."""
        self.broadcast.send([Message(method, msg_id, payload)])

    def drop_connections(self) -> int:
        """Cut every open connection without a word; return how many."""
        sockets = list(self._sockets)
        for socket in sockets:
            socket.abort()
        return len(sockets)

    def state(self) -> dict[str, Any]:
        """Return where everything stands, as JSON."""
        broadcast = self.broadcast
        return {
            "user": self.user,
            "room_id": str(self.room_id),
            "is_live": broadcast.is_live,
            "profile": self.profile.name,
            "comments_per_s": self.profile.comments_per_s,
            "others_per_s": self.profile.others_per_s,
            "seed": self.seed,
            "messages": self.ledger.total,
            "comments": broadcast.comments,
            "connections": len(self._sockets),
            "connections_total": len(self.ledger.connections),
            "bursts": broadcast.lateness.bursts,
            "bursts_late": broadcast.lateness.late,
            "worst_late_ms": round(broadcast.lateness.worst_ms, 1),
        }

    # -- for the handlers ---------------------------------------------------

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

    def attach(self, socket: _Push) -> None:
        """Keep a socket."""
        self._sockets.add(socket)

    def detach(self, socket: _Push) -> None:
        """Forget a socket."""
        self._sockets.discard(socket)

    async def _stop_broadcast(self) -> None:
        if self._running is None:
            return
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        self._running = None

    def _application(self) -> tornado.web.Application:
        return tornado.web.Application(
            [
                (r"/@([^/]+)/live", _LivePage),
                (r"/api-live/user/room/?", _UserRoom),
                (r"/webcast/room/check_alive/?", _CheckAlive),
                (r"/webcast/room/info/?", _RoomInfo),
                (r"/webcast/room/info_by_user/?", _RoomInfo),
                (r"/webcast/gift/list/?", _GiftList),
                (r"/webcast/fetch/?", _Fetch),
                (r"/webcast/rate_limits/?", _RateLimits),
                (r"/webcast/sign_url/?", _SignUrl),
                (WATCH_PATH + "?", _Push),
                (r"/sim/state", _State),
                (r"/sim/ledger", _LedgerPage),
                (r"/sim/([a-z-]+)", _Steer),
            ],
            simulator=self,
            websocket_max_message_size=INCOMING_BYTES_MAX,
            log_function=lambda handler: None,
        )


# -- the web side -----------------------------------------------------------


class _Handler(tornado.web.RequestHandler):
    @property
    def simulator(self) -> Simulator:
        simulator: Simulator = self.settings["simulator"]
        return simulator

    @property
    def now_ms(self) -> int:
        return self.simulator.now_us() // 1000

    def int_argument(self, name: str, default: int = 0) -> int:
        text = self.get_query_argument(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else default


class _LivePage(_Handler):
    def get(self, user: str) -> None:
        self.finish(pages.live_page(self.simulator.room_of(user)))


class _UserRoom(_Handler):
    def get(self) -> None:
        self.finish(pages.user_room(self.simulator.room_of(self.get_query_argument("uniqueId", ""))))


class _CheckAlive(_Handler):
    def get(self) -> None:
        room_ids = self.get_query_argument("room_ids", "")[:4000].split(",")
        self.finish(pages.check_alive(room_ids, self.simulator.live_rooms(), self.now_ms))


class _RoomInfo(_Handler):
    def get(self) -> None:
        user = self.get_query_argument("unique_id", "")
        room = (
            self.simulator.room_of(user) if user else self.simulator.room_by_id(self.int_argument("room_id"))
        )
        self.finish(pages.room_info(room, self.now_ms))


class _GiftList(_Handler):
    def get(self) -> None:
        self.finish(pages.gift_list(self.now_ms))


class _RateLimits(_Handler):
    def get(self) -> None:
        self.finish(pages.rate_limits(self.now_ms))


class _SignUrl(_Handler):
    def post(self) -> None:
        body = _json_object(self.request.body)
        self.finish(pages.signed_url(str((body or {}).get("url", ""))))


class _Fetch(_Handler):
    """The signing service: where to connect, and the first fetch result."""

    def get(self) -> None:
        simulator = self.simulator
        user = self.get_query_argument("unique_id", "")
        room = simulator.room_of(user) if user else None
        room_id = room.room_id if room else self.int_argument("room_id")
        broadcast = simulator.broadcast_by_id(room_id)
        if broadcast is None:
            self.set_status(404)
            self.finish({"code": 404, "message": "There is no such room."})
            return
        messages = broadcast.history() if simulator.history_in_fetch else []
        self.set_header("Content-Type", "application/protobuf")
        self.set_header("X-Set-TT-Cookie", f"ttwid=simulated{room_id}; Path=/; HttpOnly")
        self.set_header("X-Agent-Id", "simulator")
        self.finish(
            encode_fetch_result(
                messages,
                cursor=broadcast.cursor(self.now_ms, messages),
                internal_ext=f"fetch_time:{self.now_ms}|start_time:0|seq:1|next_cursor:0",
                is_first=True,
                push_server=f"ws://{HOST}:{simulator.port}{WATCH_PATH}",
                route_params={"imprp": "simulated", "wrss": "simulated"},
                now_ms=self.now_ms,
            )
        )


# -- the push server --------------------------------------------------------


class _Push(tornado.websocket.WebSocketHandler):
    """
    One connection of one client.

    Frames are queued by the broadcast and written by a task of this connection,
    so a slow client delays nobody else.
    """

    _connection: Connection | None = None
    _broadcast: Broadcast | None = None
    _writer: asyncio.Task[None] | None = None

    @property
    def simulator(self) -> Simulator:
        simulator: Simulator = self.settings["simulator"]
        return simulator

    def prepare(self) -> None:
        text = self.get_query_argument("room_id", "")
        room_id = int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else 0
        self._broadcast = self.simulator.broadcast_by_id(room_id)
        if self._broadcast is None:
            # TikTok refuses a handshake with status 200 and a reason in a header.
            self.set_header("Handshake-Msg", "ROOM_NOT_FOUND")
            self.finish()
            return
        self.set_header("Handshake-Options", f"ping-interval={PING_INTERVAL_S}")
        self.set_header("Handshake-Status", "0")

    def open(self, *args: str, **kwargs: str) -> None:
        assert self._broadcast is not None
        simulator = self.simulator
        self._queue: deque[tuple[int, str, bytes, Sequence[Message]]] = deque()
        self._wake = asyncio.Event()
        self._is_finishing = False
        self._seq_id = 0
        self._frame_no = 0
        connections = simulator.ledger.connections
        number = connections[-1].connection_id + 1 if connections else 1
        self._connection = Connection(number, self._broadcast.traffic.room_id, simulator.now_us())
        connections.append(self._connection)
        simulator.attach(self)
        self._replay(self._broadcast)
        self._writer = asyncio.create_task(self._write())

    def _replay(self, broadcast: Broadcast) -> None:
        """Send what TikTok repeats to whoever comes in, and all there is if the live is over."""
        assert self._connection is not None
        history = broadcast.join(self)
        self._connection.history = [message.msg_id for message in history]
        if not broadcast.is_live:
            assert broadcast.final is not None
            self._enqueue(0, "msg", broadcast.body([broadcast.final], 0), [broadcast.final])
            self.finish_watching()
        elif history and not self.simulator.history_in_fetch:
            self._enqueue(0, "msg", broadcast.body(history, 0), history)

    # What the broadcast calls.

    def push(self, batch: Batch) -> None:
        """Queue a batch for this connection."""
        self._enqueue(batch.batch_no, "msg", batch.body, batch.messages)

    def finish_watching(self) -> None:
        """Close once everything queued is out."""
        self._is_finishing = True
        self._wake.set()

    def _enqueue(
        self, batch_no: int, payload_type: str, body: bytes, messages: Sequence[Message] = ()
    ) -> None:
        if len(self._queue) >= QUEUED_FRAMES_MAX:
            self.close(_CLOSE_TOO_SLOW, "too slow")
            return
        self._queue.append((batch_no, payload_type, body, messages))
        self._wake.set()

    async def _write(self) -> None:
        with contextlib.suppress(tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
            while True:
                while self._queue:
                    await self._write_one(*self._queue.popleft())
                if self._is_finishing:
                    # A client that reads the end of the live hangs up by itself.
                    await asyncio.sleep(CLOSE_AFTER_END_S)
                    self.close(_CLOSE_NORMAL)
                    return
                self._wake.clear()
                await self._wake.wait()

    async def _write_one(
        self, batch_no: int, payload_type: str, body: bytes, messages: Sequence[Message]
    ) -> None:
        assert self._connection is not None
        log_id = 0
        if payload_type == "msg":
            self._seq_id += 1
            log_id = self.simulator.next_log_id()
            ids = [message.msg_id for message in messages]
            self._connection.push(Pushed(log_id, self._seq_id, batch_no, ids, self.simulator.now_us()))
        frame = encode_push_frame(
            body,
            payload_type=payload_type,
            seq_id=self._seq_id,
            log_id=log_id,
            compress=False,
            # The body was compressed once for all connections.
            headers={"compress_type": "gzip"} if payload_type == "msg" else None,
        )
        self._frame_no += 1
        for step in self.simulator.outgoing.plan(self._connection.connection_id, self._frame_no, frame):
            if isinstance(step, Cut):
                self._cut(step)
                return
            if step.delay_s:
                await asyncio.sleep(step.delay_s)
            await self.write_message(step.data, binary=True)

    def _cut(self, cut: Cut) -> None:
        if cut.code is None:
            self.abort()
        else:
            self.close(cut.code, cut.reason)

    def abort(self) -> None:
        """Drop the TCP connection without a word."""
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            self.ws_connection.stream.close()

    # What the client sends.

    def on_message(self, message: str | bytes) -> None:
        assert self._connection is not None
        if isinstance(message, str):
            return
        try:
            frame = message_class("WebcastPushFrame").FromString(message)
        except DecodeError:
            self.close(1002, "not a push frame")
            return
        if frame.payload_type == "ack":
            self._connection.acknowledge(frame.log_id, self.simulator.now_us())
        elif frame.payload_type == "hb":
            self._connection.heartbeats += 1
            self._enqueue(0, "hb", frame.payload)
        elif frame.payload_type == "im_enter_room":
            self._connection.entered = True
            self._enqueue(0, "im_enter_room_resp", b"")

    def on_close(self) -> None:
        self.simulator.detach(self)
        if self._broadcast is not None:
            self._broadcast.leave(self)
        if self._connection is not None:
            self._connection.closed_at = self.simulator.now_us()
            self._connection.close_code = self.close_code
        if self._writer is not None:
            self._writer.cancel()


# -- steering ---------------------------------------------------------------


class _SimHandler(_Handler):
    def prepare(self) -> None:
        # Whoever has an Origin is a web page, and a rebound name has another Host.
        name = self.request.host_name
        if "Origin" in self.request.headers or name not in ("127.0.0.1", "localhost"):
            self.set_status(403)
            self.finish({"error": "not for web pages"})


class _State(_SimHandler):
    def get(self) -> None:
        self.finish(self.simulator.state())


class _LedgerPage(_SimHandler):
    def get(self) -> None:
        limit = min(self.int_argument("limit", LEDGER_PAGE_MAX), LEDGER_PAGE_MAX)
        self.finish(self.simulator.ledger.as_json(self.int_argument("since"), limit))


class _Steer(_SimHandler):
    async def post(self, verb: str) -> None:
        body = _json_object(self.request.body or b"{}")
        action = getattr(self, f"_do_{verb}", None)
        if action is None or body is None:
            self.set_status(404 if action is None else 400)
            self.finish(
                {"error": f"no such verb: {verb}" if action is None else "the body is not a JSON object"}
            )
            return
        try:
            self.finish(await action(body))
        except ValueError as error:
            self.set_status(400)
            self.finish({"error": str(error)})

    async def _do_end(self, body: dict[str, Any]) -> dict[str, Any]:
        await self.simulator.end_live()
        return self.simulator.state()

    async def _do_live(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self.simulator.broadcast.is_live:
            self.simulator.go_live()
        return self.simulator.state()

    async def _do_pause(self, body: dict[str, Any]) -> dict[str, Any]:
        self._live().pause()
        return self.simulator.state()

    async def _do_resume(self, body: dict[str, Any]) -> dict[str, Any]:
        self._live().resume()
        return self.simulator.state()

    async def _do_drop(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"dropped": self.simulator.drop_connections()}

    async def _do_say(self, body: dict[str, Any]) -> dict[str, Any]:
        user, text = body.get("user", "visitor"), body.get("text")
        if not isinstance(user, str) or not isinstance(text, str):
            raise ValueError("say needs text, and user if given must be text")
        return {"msg_id": str(self._live().say(user[:_HANDLE_CHARS_MAX], text[:_COMMENT_CHARS_MAX]))}

    async def _do_inject(self, body: dict[str, Any]) -> dict[str, Any]:
        method, payload, msg_id = body.get("method"), body.get("payload"), body.get("msg_id", 0)
        if not isinstance(method, str) or not isinstance(payload, str) or not isinstance(msg_id, int | str):
            raise ValueError("inject needs method, payload (base64) and may have msg_id")
        if not (method.isascii() and 0 < len(method) <= _METHOD_CHARS_MAX):
            raise ValueError(f"method is 1 to {_METHOD_CHARS_MAX} ASCII characters")
        number = int(msg_id)
        if not 0 <= number < 1 << 63:
            raise ValueError("msg_id is 0 to 2^63 - 1")
        try:
            data = base64.b64decode(payload, validate=True)
        except binascii.Error as error:
            raise ValueError(f"payload is not base64: {error}") from error
        self._live().inject(method, data, number)
        return {"messages": self.simulator.ledger.total}

    def _live(self) -> Simulator:
        if not self.simulator.broadcast.is_live:
            raise ValueError("the live has ended")
        return self.simulator


def _json_object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


# -- a thread of its own ----------------------------------------------------


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
        asyncio.run_coroutine_threadsafe(self.simulator.start(), self._loop).result()
        return self.simulator

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it and wait for its thread."""
        asyncio.run_coroutine_threadsafe(self.simulator.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, action: Callable[[], Any]) -> Any:
        """Run ``action`` in the simulator's loop and return what it returns; awaits a coroutine."""

        async def run() -> Any:
            result = action()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
