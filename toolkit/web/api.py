"""``/api``: what programs ask and tell. JSON in and out; errors are ``{"error", "hint"}``."""

from __future__ import annotations

from typing import Any

from toolkit.errors import RecordingNotFound
from toolkit.model.recording import is_recording_id
from toolkit.replay.options import ReplayOptions
from toolkit.web.handler import BadRequest, NotFoundHandler, SurfaceHandler

__all__ = ["routes"]

_CHUNK_BYTES = 256 * 1024
_SEQ_DIGITS_MAX = 18


class StatusHandler(SurfaceHandler):
    """GET: where recorder, rehearsal and sockets stand."""

    def get(self) -> None:
        self.answer(self.surface.backend.status() | {"sockets": self.surface.hub.status()})


class ReconnectHandler(SurfaceHandler):
    """POST: dial TikTok now."""

    async def post(self) -> None:
        self.body()
        self.answer(await self.surface.in_worker(self.surface.backend.reconnect))


class StartHandler(SurfaceHandler):
    """POST ``{"user"}``: record."""

    async def post(self) -> None:
        user = self.body().get("user")
        if not isinstance(user, str) or not user.strip():
            raise BadRequest("Whose live?", hint='Send {"user": "name"}.')
        self.answer(await self.surface.in_worker(self.surface.backend.start_recording, user))


class StopHandler(SurfaceHandler):
    """POST: stop and seal the recording."""

    async def post(self) -> None:
        self.body()
        self.answer(await self.surface.in_worker(self.surface.backend.stop_recording))


class RecordingsHandler(SurfaceHandler):
    """GET: the recordings, newest first."""

    async def get(self) -> None:
        self.answer(await self.surface.in_worker(self.surface.backend.recordings))


class RecordingHandler(SurfaceHandler):
    """GET: one recording."""

    async def get(self, recording_id: str) -> None:
        backend = self.surface.backend
        self.answer(await self.surface.in_worker(backend.recording_info, _checked_id(recording_id)))


class EventsHandler(SurfaceHandler):
    """GET ``?since_seq=&table=``: rows of a recording as an Arrow IPC stream; messages by default."""

    async def get(self, recording_id: str) -> None:
        since_seq = self.get_query_argument("since_seq", "0")
        if not (since_seq.isascii() and since_seq.isdigit() and len(since_seq) <= _SEQ_DIGITS_MAX):
            raise BadRequest("since_seq must be a whole number, 0 or more.")
        table = self.get_query_argument("table", "messages")
        backend = self.surface.backend
        stream = await self.surface.in_worker(
            backend.events_arrow, _checked_id(recording_id), int(since_seq), table
        )
        self.set_header("Content-Type", "application/vnd.apache.arrow.stream")
        self.set_header("Content-Length", str(len(stream)))
        if self.request.method == "HEAD":
            return
        # In pieces: a slow reader holds one copy, not two.
        view = memoryview(stream)
        for start in range(0, len(view), _CHUNK_BYTES):
            self.write(bytes(view[start : start + _CHUNK_BYTES]))
            await self.flush()


class ReplayHandler(SurfaceHandler):
    """
    The rehearsal.

    GET ``?buckets=``: how far it is, and its timeline in so many stretches. POST
    ``{"action", ...}``: what :func:`toolkit.replay.options.carry_out` takes, ``stop``, or
    ``start`` with what ``/api/replay/start`` takes.
    """

    async def get(self) -> None:
        buckets = self.get_query_argument("buckets", "0")
        if not (buckets.isascii() and buckets.isdigit() and len(buckets) <= _SEQ_DIGITS_MAX):
            raise BadRequest("buckets must be a whole number, 0 or more.")
        self.answer(await self.surface.in_worker(self.surface.backend.replay, int(buckets)))

    async def post(self) -> None:
        body = self.body()
        if body.get("action") == "start":
            await _start_replay(self, body)
        else:
            self.answer(await self.surface.in_worker(self.surface.backend.control_replay, body))


class ReplayStartHandler(SurfaceHandler):
    """
    POST ``{"id"}``: play a sealed recording as a rehearsal.

    Optional: ``rate``, ``from``, ``until``, ``loop``, ``paused``, ``heal_gaps``, ``idle_max``,
    ``faults``.
    """

    async def post(self) -> None:
        await _start_replay(self, self.body())


class ReplayStopHandler(SurfaceHandler):
    """POST: stop the rehearsal."""

    async def post(self) -> None:
        self.body()
        self.answer(await self.surface.in_worker(self.surface.backend.stop_replay))


async def _start_replay(handler: SurfaceHandler, body: dict[str, Any]) -> None:
    recording_id = body.get("id")
    if not isinstance(recording_id, str):
        raise BadRequest("Which recording?", hint='Send {"id": "...", "rate": 1}.')
    options, surface = ReplayOptions.of(body), handler.surface
    begin = surface.backend.start_replay
    handler.answer(await surface.in_worker(begin, _checked_id(recording_id), options))


def _checked_id(recording_id: str) -> str:
    if not is_recording_id(recording_id):
        raise RecordingNotFound("No recording has such an id.", hint="GET /api/recordings lists them.")
    return recording_id


routes: list[tuple[str, Any]] = [
    (r"/api/tiktok/status", StatusHandler),
    (r"/api/tiktok/reconnect", ReconnectHandler),
    (r"/api/tiktok/start", StartHandler),
    (r"/api/tiktok/stop", StopHandler),
    (r"/api/recordings", RecordingsHandler),
    (r"/api/recordings/([^/]+)", RecordingHandler),
    (r"/api/recordings/([^/]+)/events\.arrow", EventsHandler),
    (r"/api/replay", ReplayHandler),
    (r"/api/replay/start", ReplayStartHandler),
    (r"/api/replay/stop", ReplayStopHandler),
    (r"/api(?:/.*)?", NotFoundHandler),
]
