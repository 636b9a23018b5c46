"""
The HTTP side: TikTok's pages and API, the signing service, and the steering wheel.

``/sim/*`` is not TikTok: it reads the ledger and steers the simulator, for tests
in another process and for people with curl. Web pages are kept out of it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

import tornado.web

from toolkit.errors import SettingsError
from toolkit.simulator import pages
from toolkit.simulator.faults import KINDS, Area, Fault, parse_fault
from toolkit.simulator.push import WATCH_PATH, PushSocket
from toolkit.simulator.refusals import Answer, page_answer, room_under, sign_answer
from toolkit.wire.encode import encode_fetch_result

if TYPE_CHECKING:
    from toolkit.simulator.server import Simulator

__all__ = ["routes"]

HOST_NAMES = ("127.0.0.1", "localhost")
LEDGER_PAGE_MAX = 100_000
_COMMENT_CHARS_MAX = 500
_HANDLE_CHARS_MAX = 64
_METHOD_CHARS_MAX = 100


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


class _Faulty(_Handler):
    """An answer that a fault can spoil."""

    def initialize(self) -> None:
        self._gone = asyncio.Event()

    def on_connection_close(self) -> None:
        self._gone.set()

    def meet(self, area: Area, route: str) -> Fault | None:
        """Return the fault that this answer meets, and note the call."""
        where = "alive" if route == "alive" else "pages"
        fault = self.simulator.faults.take(area, where)
        self.simulator.ledger.note_call(self.simulator.now_us(), route, fault.kind if fault else "")
        return fault

    async def spoil(self, fault: Fault, answer: Answer | None) -> bool:
        """Answer as a fault wants it; False if it leaves that to us."""
        if fault.kind.endswith("-hangs"):
            self.simulator.held.add(self._gone)
            await self._gone.wait()
            self.simulator.held.discard(self._gone)
            # Finishing would be an answer.
            self.detach().close()
            return True
        if fault.kind.endswith("-slow"):
            await asyncio.sleep(fault.number("seconds"))
        if answer is None:
            return False
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(answer.body)
        return True


class _LivePage(_Faulty):
    async def get(self, user: str) -> None:
        fault = self.meet(Area.PAGE, "page")
        if fault is None or not await self.spoil(fault, page_answer(fault)):
            self.finish(pages.live_page(room_under(fault, self.simulator.room_of(user))))


class _UserRoom(_Faulty):
    async def get(self) -> None:
        fault = self.meet(Area.PAGE, "api")
        if fault is None or not await self.spoil(fault, page_answer(fault)):
            user = self.get_query_argument("uniqueId", "")
            self.finish(pages.user_room(room_under(fault, self.simulator.room_of(user))))


class _CheckAlive(_Faulty):
    async def get(self) -> None:
        fault = self.meet(Area.PAGE, "alive")
        if fault is not None and await self.spoil(fault, page_answer(fault)):
            return
        room_ids = self.get_query_argument("room_ids", "")[:4000].split(",")
        # A fault that shows another room shows none that is live.
        live = frozenset[int]() if fault is not None else self.simulator.live_rooms()
        self.finish(pages.check_alive(room_ids, live, self.now_ms))


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


class _Fetch(_Faulty):
    """The signing service: where to connect, and the first fetch result."""

    async def get(self) -> None:
        simulator = self.simulator
        fault = self.meet(Area.SIGN, "sign")
        if fault is not None and await self.spoil(fault, sign_answer(fault)):
            return
        kind = fault.kind if fault is not None else ""
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
        if kind != "sign-no-cookies":
            self.set_header("X-Set-TT-Cookie", f"ttwid=simulated{room_id}; Path=/; HttpOnly")
        self.set_header("X-Agent-Id", "simulator")
        self.finish(
            encode_fetch_result(
                messages,
                cursor="" if kind == "sign-no-cursor" else broadcast.cursor(self.now_ms, messages),
                internal_ext=f"fetch_time:{self.now_ms}|start_time:0|seq:1|next_cursor:0",
                is_first=True,
                push_server=self._push_server(fault),
                route_params={"imprp": "simulated", "wrss": "simulated"},
                now_ms=self.now_ms,
            )
        )

    def _push_server(self, fault: Fault | None) -> str:
        if fault is not None and fault.kind == "sign-no-push-server":
            return ""
        if fault is not None and fault.kind == "sign-push-server":
            return fault.text("address")
        return f"ws{self.simulator.base_url.removeprefix('http')}{WATCH_PATH}"


class _SimHandler(_Handler):
    def prepare(self) -> None:
        # Whoever has an Origin is a web page, and a rebound name has another Host.
        name = self.request.host_name
        if "Origin" in self.request.headers or name not in HOST_NAMES:
            self.set_status(403)
            self.finish({"error": "not for web pages"})


class _State(_SimHandler):
    def get(self) -> None:
        self.finish(self.simulator.state())


class _Faults(_SimHandler):
    """What can go wrong, what waits to, and what did."""

    def get(self) -> None:
        kinds = {
            name: {
                "area": kind.area.value,
                "summary": kind.summary,
                "parameters": {key: parameter.default for key, parameter in kind.parameters.items()},
            }
            for name, kind in KINDS.items()
        }
        self.finish({**self.simulator.faults.state(), "kinds": kinds})


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

    async def _do_fault(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            fault = parse_fault(body)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        self.simulator.throw(fault)
        return {"thrown": fault.as_json()}

    async def _do_calm(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"cleared": self.simulator.faults.clear()}

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


routes = [
    (r"/@([^/]+)/live", _LivePage),
    (r"/api-live/user/room/?", _UserRoom),
    (r"/webcast/room/check_alive/?", _CheckAlive),
    (r"/webcast/room/info/?", _RoomInfo),
    (r"/webcast/room/info_by_user/?", _RoomInfo),
    (r"/webcast/gift/list/?", _GiftList),
    (r"/webcast/fetch/?", _Fetch),
    (r"/webcast/rate_limits/?", _RateLimits),
    (r"/webcast/sign_url/?", _SignUrl),
    (WATCH_PATH + "?", PushSocket),
    (r"/sim/state", _State),
    (r"/sim/ledger", _LedgerPage),
    (r"/sim/faults", _Faults),
    (r"/sim/([a-z-]+)", _Steer),
]
