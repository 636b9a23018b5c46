"""The result as one HTML page that needs nothing else: tables, plots, light and dark."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.load.plots import lines_plot, nines_axis, time_axis

__all__ = ["as_html"]

_STYLE = """
:root { color-scheme: light dark; --ink: #16181d; --soft: #5b6270; --line: #d9dde5; --ground: #fff;
  --card: #f6f7f9; --ok: #12733c; --bad: #b3261e;
  --c0: #2563c9; --c1: #c2570c; --c2: #0f8a6d; --c3: #8a3ffc; --c4: #b3261e; --c5: #6b7280; --c6: #a16207; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #9aa3b2; --line: #333a47;
  --ground: #12151b; --card: #1a1f28; --ok: #58c98a; --bad: #ff8a80;
  --c0: #7db0ff; --c1: #f0a060; --c2: #58cfae; --c3: #bf9bff; --c4: #ff8a80; --c5: #a4acb9; --c6: #e0b650; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 820px; margin: 32px auto; padding: 0 20px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 8px; }
h3 { font-size: 15px; margin: 24px 0 4px; } p { margin: 4px 0; color: var(--soft); }
.verdict { font-weight: 600; } .ok { color: var(--ok); } .bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: 8px 0; }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--line); font-weight: 400; }
th { color: var(--soft); font-size: 13px; } th:first-child, td:first-child { text-align: left; }
section.run { border-top: 2px solid var(--line); margin-top: 40px; padding-top: 12px; }
svg { width: 100%; height: auto; background: var(--card); border-radius: 6px; margin: 4px 0 8px; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
svg .grid { stroke: var(--line); } svg line.limit { stroke: var(--bad); stroke-dasharray: 5 4; }
svg text.limit { fill: var(--bad); paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
""" + "".join(
    f"polyline.s{n} {{ stroke: var(--c{n}); }} svg text.s{n} {{ fill: var(--c{n}); font-weight: 600; }}\n"
    for n in range(7)
)
_PLOTTED = ("sent", "journaled", "published", "delivered", "painted")
"""Stages whose lines can be told apart; received is journaled within a millisecond, and
the database is behind on purpose."""
_COLUMNS = (
    ("count", "comments"),
    ("p50_ms", "p50"),
    ("p95_ms", "p95"),
    ("p99_ms", "p99"),
    ("p99_9_ms", "p99.9"),
    ("max_ms", "max"),
)


def as_html(reports: Sequence[Mapping[str, Any]], knee: Mapping[str, Any] | None = None) -> str:
    """
    Return one page for one run, or for the runs of a ladder.

    Args:
        reports: As :func:`toolkit.load.report.new_report` makes them.
        knee: What the ladder found; None for a single run.
    """
    ok = all(report["ok"] for report in reports)
    title = "Load test: " + ", ".join(report["name"] for report in reports)
    body = "".join(
        [
            f"<h1>{_text(title)}</h1>",
            f"<p>{_text(_machine(reports[0]['machine']))}</p>" if reports else "",
            "" if knee is None else _ladder(reports, knee),
            *(_run(report) for report in reports),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{'passed' if ok else 'FAILED'}: {_text(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _text(value: object) -> str:
    return html.escape(str(value))


def _number(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _machine(machine: Mapping[str, Any]) -> str:
    packages = machine["packages"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"toolkit {packages['tiktok-live-toolkit']}, TikTokLive {packages['TikTokLive']}, "
        f"duckdb {packages['duckdb']}, tornado {packages['tornado']}"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in heads)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _mark(ok: bool) -> str:
    return '<span class="ok">holds</span>' if ok else '<span class="bad">missed</span>'


def _run(report: Mapping[str, Any]) -> str:
    load = report["load"]
    verdict = (
        '<span class="verdict ok">Every objective holds.</span>'
        if report["ok"]
        else '<span class="verdict bad">An objective was missed.</span>'
    )
    return "".join(
        [
            f'<section class="run"><h2>{_text(report["name"])}</h2>',
            f"<p>{verdict} {load['comments_per_s']:g} comments/s and {load['others_per_s']:g} other "
            f"messages/s for {load['seconds']:g} s, {_text(load['depth'])} depth; "
            f"{load['subscribers']} sockets that read, {load['never_reading']} that never do, "
            f"{load['browsers']} pages. "
            f"Begun {_text(report['started_at'][:19])} UTC.</p>",
            _objectives(report),
            "<h3>Every comment of the measured time, milliseconds since it was due</h3>",
            _stages(report),
            _percentiles(report),
            "<h3>Until it was on screen, by second</h3>"
            if load["browsers"]
            else "<h3>Delivered, by second</h3>",
            _over_time(report),
            "<h3>CPU, percent of a core</h3>",
            _looks(report, "cpu_percent", "%"),
            "<h3>Memory, MB</h3>",
            _looks(report, "rss_mb", "MB"),
            _processes(report),
            "</section>",
        ]
    )


def _objectives(report: Mapping[str, Any]) -> str:
    rows = [
        [
            _text(objective["name"]),
            "not measured" if objective["value"] is None else f"{objective['value']:,.6g}",
            f"{objective['limit']:,g}",
            _mark(objective["ok"]),
        ]
        for objective in report["objectives"]
    ]
    return _table(["objective", "measured", "at most", ""], rows)


def _stages(report: Mapping[str, Any]) -> str:
    rows = [["scheduled", _number(report["scheduled"]), *([""] * (len(_COLUMNS) - 1))]]
    rows += [
        [_text(name), *(_number(stage[column]) for column, _ in _COLUMNS)]
        for name, stage in report["stages"].items()
    ]
    loss = report["loss"]
    kept = (
        f"Of {loss['sent']:,} messages of all kinds {loss['acked']:,} were acknowledged; "
        f"{loss['lost']:,} of those are not in the recording."
        if report["load"]["depth"] == "wire"
        else f"{loss['sent']:,} messages of all kinds were played. What is played is not recorded."
    )
    return _table(["stage", *(word for _, word in _COLUMNS)], rows) + f"<p>{kept}</p>"


def _percentiles(report: Mapping[str, Any]) -> str:
    series = {
        name: [(share, ms) for share, ms in report["curves"][name] if ms is not None]
        for name in _PLOTTED
        if name in report["curves"]
    }
    return lines_plot(series, nines_axis(), "ms", limit=_limit(report))


def _limit(report: Mapping[str, Any]) -> float | None:
    names = ("painted_p99_ms", "delivered_p99_ms")
    limits = {objective["name"]: float(objective["limit"]) for objective in report["objectives"]}
    return next((limits[name] for name in names if name in limits), None)


def _over_time(report: Mapping[str, Any]) -> str:
    rows = report["by_second"]
    series = {
        word: [(row["second"], row[column]) for row in rows if row[column] is not None]
        for column, word in (("p50_ms", "p50"), ("p99_ms", "p99"))
    }
    return lines_plot(series, time_axis(report["load"]["seconds"]), "ms", limit=_limit(report))


def _looks(report: Mapping[str, Any], column: str, unit: str) -> str:
    looks = report["looks"]
    names = looks[-1][column] if looks else {}
    series = {name: [(look["at_s"], look[column][name]) for look in looks] for name in names}
    return lines_plot(series, time_axis(report["load"]["seconds"]), unit)


def _processes(report: Mapping[str, Any]) -> str:
    rows = [
        [
            _text(name),
            *(
                _number(used[column])
                for column in (
                    "cpu_percent_mean",
                    "cpu_percent_max",
                    "rss_mb_first",
                    "rss_mb_last",
                    "rss_mb_max",
                )
            ),
        ]
        for name, used in report["processes"].items()
    ]
    return _table(["process", "CPU % mean", "CPU % max", "MB at first", "MB at last", "MB at most"], rows)


def _ladder(reports: Sequence[Mapping[str, Any]], knee: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{report['load']['comments_per_s']:g}",
            _number(report["stages"]["delivered"]["p99_ms"]),
            _number(report["stages"].get("painted", {}).get("p99_ms")),
            _number(report["processes"]["server"]["cpu_percent_mean"]),
            _number(report["loss"]["lost"]),
            _mark(report["ok"]),
        ]
        for report in reports
    ]
    heads = ["comments/s", "delivered p99 ms", "painted p99 ms", "server CPU %", "lost", ""]
    return f"<h2>The ladder</h2><p>{_text(knee['sentence'])}</p>" + _table(heads, rows)
