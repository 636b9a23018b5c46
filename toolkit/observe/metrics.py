"""
Figures for Prometheus, pulled when somebody asks.

The hot path counts in plain integers of its own; nothing here is touched per
event. Labels come from fixed sets only, never from a viewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["METRICS", "Readings", "render"]

Readings = Mapping[str, "float | Mapping[str, float]"]
"""Value by metric name; a mapping by label value where the metric has a label."""


@dataclass(frozen=True, slots=True)
class _Definition:
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]
    help: str
    label: str = ""


METRICS: dict[str, _Definition] = {
    "toolkit_connected": _Definition(GaugeMetricFamily, "1 while connected to the live"),
    "toolkit_reconnect_attempts": _Definition(GaugeMetricFamily, "Attempts since the last stable connection"),
    "toolkit_degraded": _Definition(GaugeMetricFamily, "1 while connected and not well"),
    "toolkit_outages": _Definition(CounterMetricFamily, "Connections lost, or not reached at first"),
    "toolkit_reconnects": _Definition(CounterMetricFamily, "Outages that ended in a connection"),
    "toolkit_connected_seconds": _Definition(
        CounterMetricFamily, "Time connected, up to the last thing heard"
    ),
    "toolkit_disconnected_seconds": _Definition(
        CounterMetricFamily, "Time a connection was wanted and there was none, or a dead one"
    ),
    "toolkit_stability_score": _Definition(GaugeMetricFamily, "Stability of the connection, 0 to 100"),
    "toolkit_uptime_share": _Definition(
        GaugeMetricFamily, "Connected, of the time a connection was wanted, 0 to 1"
    ),
    "toolkit_reconnect_success_rate": _Definition(
        GaugeMetricFamily,
        "Outages that ended in a connection, of those that ended, 0 to 1; 0.95 is the objective",
    ),
    "toolkit_detect_seconds": _Definition(
        GaugeMetricFamily, "Last frame to the moment its loss was noticed", "quantile"
    ),
    "toolkit_back_seconds": _Definition(
        GaugeMetricFamily, "From when the network was back to connected", "quantile"
    ),
    "toolkit_gaps": _Definition(GaugeMetricFamily, "Gaps of the current recording"),
    "toolkit_signatures_used": _Definition(GaugeMetricFamily, "Signatures spent in a window", "window"),
    "toolkit_signatures_left": _Definition(GaugeMetricFamily, "Signatures left in a window", "window"),
    "toolkit_events": _Definition(CounterMetricFamily, "Events of the current run", "kind"),
    "toolkit_frames": _Definition(CounterMetricFamily, "Frames journaled in the current recording"),
    "toolkit_messages": _Definition(CounterMetricFamily, "Messages in the current recording"),
    "toolkit_duplicates": _Definition(CounterMetricFamily, "Messages dropped as already seen"),
    "toolkit_quarantined": _Definition(CounterMetricFamily, "Frames and messages that could not be read"),
    "toolkit_journal_bytes": _Definition(GaugeMetricFamily, "Size of the journal"),
    "toolkit_projector_lag_seconds": _Definition(
        GaugeMetricFamily, "Age of the oldest row not in the database"
    ),
    "toolkit_viewers": _Definition(GaugeMetricFamily, "Viewers now, TikTok's figure"),
    "toolkit_diamonds": _Definition(CounterMetricFamily, "Diamonds observed in the current run"),
    "toolkit_bus_notices": _Definition(CounterMetricFamily, "Notices published on the bus"),
    "toolkit_socket_clients": _Definition(GaugeMetricFamily, "Open sockets: overlays and API subscribers"),
    "toolkit_socket_sent": _Definition(CounterMetricFamily, "Notices sent to sockets"),
    "toolkit_socket_dropped": _Definition(CounterMetricFamily, "Notices a slow socket missed"),
    "toolkit_socket_kicked": _Definition(CounterMetricFamily, "Sockets closed because they did not read"),
    "toolkit_disk_free_bytes": _Definition(GaugeMetricFamily, "Free space where recordings go"),
    "toolkit_loop_lag_seconds": _Definition(GaugeMetricFamily, "Longest recent stall of the server's loop"),
    "toolkit_rehearsal": _Definition(GaugeMetricFamily, "1 while a rehearsal plays"),
    "toolkit_dashboard_pages": _Definition(GaugeMetricFamily, "Pages of the dashboard that are open"),
}
"""Every metric there is, by name. Counters get the suffix ``_total`` when shown."""


class _Pulled(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        for name, definition in METRICS.items():
            if name not in self._readings:
                continue
            value = self._readings[name]
            family = definition.kind(
                name, definition.help, labels=[definition.label] if definition.label else None
            )
            if isinstance(value, Mapping):
                for label, number in value.items():
                    family.add_metric([label], number)
            else:
                family.add_metric([], value)
            yield family


def render(readings: Readings) -> bytes:
    """Return the readings in Prometheus' text format, with the process's own (CPU, memory)."""
    unknown = readings.keys() - METRICS.keys()
    assert not unknown, unknown
    registry = CollectorRegistry()
    registry.register(_Pulled(readings))
    ProcessCollector(registry=registry)
    return generate_latest(registry)
