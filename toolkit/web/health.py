"""``/healthz``, ``/readyz``, ``/metrics``: for the programs that watch this one."""

from __future__ import annotations

from toolkit.observe import metrics
from toolkit.web.handler import SurfaceHandler

__all__ = ["routes"]


class HealthHandler(SurfaceHandler):
    """GET: the process answers."""

    def get(self) -> None:
        self.answer({"ok": True})


class ReadyHandler(SurfaceHandler):
    """GET: 200 when every check passes, else 503; each check with a sentence."""

    def get(self) -> None:
        checks = self.surface.backend.readiness()
        ok = all(check["ok"] for check in checks.values())
        self.set_status(200 if ok else 503)
        self.answer({"ok": ok, "checks": checks})


class MetricsHandler(SurfaceHandler):
    """GET: figures in Prometheus' text format."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(metrics.render({**self.surface.backend.readings(), **self.surface.hub.readings()}))


routes = [(r"/healthz", HealthHandler), (r"/readyz", ReadyHandler), (r"/metrics", MetricsHandler)]
