"""The result of a run: one JSON object, the same as JUnit XML, and lines for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from toolkit.load.histogram import Histogram
from toolkit.load.objectives import Limits, Verdict, judge
from toolkit.load.page import as_html
from toolkit.load.run import Measured, Progress
from toolkit.observe.machine import machine

__all__ = ["as_junit", "keep", "lines", "new_report"]

FORMAT_VERSION = 1
_CURVE = (0, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.9, 99.99, 100)
_STAGE_LIMITS = {"painted_p99_ms": "painted", "delivered_p99_ms": "delivered", "sent_p99_ms": "sent"}


def new_report(measured: Measured, limits: Limits) -> dict[str, Any]:
    """Return a run as JSON data, judged."""
    stages = {name: latency.summary_ms() for name, latency in measured.stages.latency.items()}
    if not measured.load.browsers:
        del stages["painted"]
    verdicts = judge(_judged(measured, stages), limits)
    return {
        "format_version": FORMAT_VERSION,
        "ok": all(verdict.ok for verdict in verdicts),
        "name": measured.load.name,
        "load": _load(measured),
        "started_at": datetime.fromtimestamp(measured.window.from_us / 1e6, UTC).isoformat(),
        "machine": machine(),
        "scheduled": measured.stages.scheduled,
        "stages": stages,
        "curves": {name: _curve(measured.stages.latency[name]) for name in stages},
        "throughput": {
            "comments_per_s": round((stages["delivered"]["count"] or 0) / measured.window.seconds, 1),
            "notices_per_s_all_sockets": round(measured.fan_out.count / measured.window.seconds, 1),
        },
        "loss": asdict(measured.stages.loss),
        "fan_out": measured.fan_out.summary_ms(),
        "sockets": _sockets(measured),
        "pages": {"number": measured.load.browsers, "never_shown": measured.skipped},
        "recorder": {"connections": measured.connections, "is_drained": measured.is_drained},
        "server_start_s": round(measured.server_start_s, 2),
        "processes": _processes(measured.looks),
        "objectives": [asdict(verdict) for verdict in verdicts],
        "by_second": measured.stages.by_second,
        "looks": [_look(look) for look in measured.looks],
    }


def _curve(latency: Histogram) -> list[tuple[float, float | None]]:
    """Return latency by percentile, in milliseconds, for a plot."""
    values = latency.percentiles(_CURVE)
    return [
        (share, None if us is None else round(us / 1000, 2)) for share, us in zip(_CURVE, values, strict=True)
    ]


def _load(measured: Measured) -> dict[str, Any]:
    load, seconds = measured.load, measured.window.seconds
    # A recording tells its rates by being played.
    others = sum(not s.is_comment and s.due_at in measured.window for s in measured.evidence.sent)
    return {
        "comments_per_s": load.room.comments_per_s or round(measured.stages.scheduled / seconds, 1),
        "others_per_s": load.room.others_per_s or round(others / seconds, 1),
        "room": load.room.name,
        "depth": load.depth,
        "seconds": load.seconds,
        "subscribers": load.subscribers,
        "never_reading": load.never_reading,
        "browsers": load.browsers,
        "seed": load.seed,
    }


def _judged(measured: Measured, stages: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the figures that objectives are about."""
    judged: dict[str, float | None] = {
        limit: stages[stage]["p99_ms"] for limit, stage in _STAGE_LIMITS.items() if stage in stages
    }
    loss = measured.stages.loss
    judged |= {
        "fan_out_p99_ms": measured.fan_out.summary_ms()["p99_ms"],
        "unpublished_max": loss.unpublished,
        "missed_max": measured.heard.missed,
        "lost_readers_max": measured.heard.lost_readers,
        "server_rss_mb": max((look.rss_bytes["server"] for look in measured.looks), default=0) / 1e6,
    }
    if measured.evidence.is_recorded:
        judged |= {"lost_max": loss.lost, "unacked_max": loss.unacked}
    if measured.load.browsers:
        judged["unpainted_max"] = loss.unpainted
    return judged


def _sockets(measured: Measured) -> dict[str, Any]:
    heard = measured.heard
    return {
        "reading": heard.readers,
        "never_reading": heard.stalled,
        "missed": heard.missed,
        "lost_readers": heard.lost_readers,
        "cut_off": heard.cut_off,
        "error": heard.error,
    }


def _processes(looks: Sequence[Progress]) -> dict[str, dict[str, float]]:
    """Return by process its mean and highest CPU, percent of a core, and its memory in MB."""
    found = {}
    for name in looks[-1].cpu if looks else ():
        cpu = [look.cpu[name] * 100 for look in looks]
        rss = [look.rss_bytes[name] / 1e6 for look in looks]
        found[name] = {
            "cpu_percent_mean": round(sum(cpu) / len(cpu), 1),
            "cpu_percent_max": round(max(cpu), 1),
            "rss_mb_first": round(rss[0], 1),
            "rss_mb_last": round(rss[-1], 1),
            "rss_mb_max": round(max(rss), 1),
        }
    return found


def _look(look: Progress) -> dict[str, Any]:
    return {
        "at_s": round(look.at_s, 2),
        "messages": look.messages,
        "cpu_percent": {name: round(cpu * 100, 1) for name, cpu in look.cpu.items()},
        "rss_mb": {name: round(rss / 1e6, 1) for name, rss in look.rss_bytes.items()},
        "fan_out_p99_ms": look.fan_out_p99_ms,
        "loop_lag_ms": round(look.loop_lag_ms, 1),
        "projector_lag_ms": round(look.projector_lag_ms, 1),
        "dropped": look.dropped,
        "kicked": look.kicked,
    }


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return the result for a terminal."""
    load = report["load"]
    shown = [
        f"{report['name']}: {load['comments_per_s']:g} comments/s and {load['others_per_s']:g} others/s "
        f"for {load['seconds']:g} s, {load['subscribers']} sockets, {load['never_reading']} that never read, "
        f"{load['browsers']} pages",
        "",
        f"{'':12}{'comments':>10}{'p50':>9}{'p95':>9}{'p99':>9}{'p99.9':>9}{'max':>9}   ms since due",
        f"{'scheduled':12}{report['scheduled']:>10,}",
        *(_stage_line(name, stage) for name, stage in report["stages"].items()),
        "",
        _loss_line(report),
        *(
            f"{name:10} {used['cpu_percent_mean']:6.1f} % of a core, at most "
            f"{used['cpu_percent_max']:.0f} %; {used['rss_mb_last']:,.0f} MB"
            for name, used in report["processes"].items()
        ),
        "",
    ]
    return [*shown, *(Verdict(**objective).line() for objective in report["objectives"])]


def _loss_line(report: Mapping[str, Any]) -> str:
    loss = report["loss"]
    if report["load"]["depth"] == "inside":
        return f"messages: {loss['sent']:,} played; what is played is not recorded"
    return f"messages: {loss['sent']:,} sent, {loss['acked']:,} acknowledged, {loss['lost']} of those lost"


def _stage_line(name: str, stage: Mapping[str, Any]) -> str:
    columns = ("p50_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms")
    values = "".join(f"{'-' if stage[c] is None else format(stage[c], ',.1f'):>9}" for c in columns)
    return f"{name:12}{stage['count']:>10,}{values}"


def as_junit(reports: Iterable[Mapping[str, Any]]) -> str:
    """Return runs as JUnit XML: a suite for each, a case for each of its objectives."""
    suites = ElementTree.Element("testsuites", name="toolkit load-test")
    for report in reports:
        objectives = report["objectives"]
        failures = sum(not objective["ok"] for objective in objectives)
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=report["name"],
            tests=str(len(objectives)),
            failures=str(failures),
            timestamp=report["started_at"],
            time=str(report["load"]["seconds"]),
        )
        for objective in objectives:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"load-test.{report['name']}", name=objective["name"]
            )
            if not objective["ok"]:
                ElementTree.SubElement(case, "failure", message=Verdict(**objective).line())
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def keep(
    folder: Path,
    result: Mapping[str, Any],
    reports: Sequence[Mapping[str, Any]],
    knee: Mapping[str, Any] | None,
) -> list[Path]:
    """
    Write ``load-test.json``, ``.xml`` (JUnit) and ``.html`` into a folder; return their paths.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "load-test.json": json.dumps(result, indent=2) + "\n",
        "load-test.xml": as_junit(reports),
        "load-test.html": as_html(reports, knee),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in texts]
