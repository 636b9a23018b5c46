"""
One run: the parts are started, the load is held for a while, the evidence is collected.

Everything runs on this machine: simulator, server, socket clients and browsers, each
a process of its own. What they compete for is reported with the result.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.load.browsers import Browser
from toolkit.load.feeds import DEPTHS, Feed
from toolkit.load.gauges import ProcessGauge
from toolkit.load.histogram import Histogram
from toolkit.load.listeners import Heard, Listeners, Witnessed
from toolkit.load.pipes import RemoteActor
from toolkit.load.room import Room
from toolkit.load.server import Server, wait_for
from toolkit.load.stages import Evidence, Stages, Window, read_trace, trace_comments

__all__ = ["Load", "Measured", "Progress", "run"]

WARM_UP_S_MAX = 3.0
"""Caches, schemas and the first pages are not what a load test is about; no longer than the
measured time, though: a run of a second is there to see that it runs."""
PAINT_WITHIN_S = 60.0
"""For a browser to start on a busy machine and to show its first comment."""
SETTLE_WITHIN_S = 10.0
"""How long the last comments may take to the screens before they count as not painted."""
LOOK_EVERY_S = 1.0
_PAGE = "view=chat&ack=1&smooth=0"
"""Without smoothing: a few comments that come together are otherwise shown one by one, to
be read, which is a choice and no latency."""
_ASK_SCREENS_EVERY = 2
"""Looks. A page's paintings of four seconds are kept by the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """
    What is asked for.

    Attributes:
        name: What it is called in reports.
        room: Rates and mix, or a recording.
        seconds: Length of the measured time.
        depth: Where it comes in: one of :data:`~toolkit.load.feeds.DEPTHS`.
        subscribers: Sockets that read.
        never_reading: Sockets that do not.
        browsers: Pages of the overlay.
        chromium: The browser's path; empty where there are no pages.
        seed: The same seed has the same people and texts.
    """

    name: str
    room: Room
    seconds: float
    depth: str = "wire"
    subscribers: int = 10
    never_reading: int = 0
    browsers: int = 1
    chromium: str = ""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """
    A look at a run while it goes on.

    Attributes:
        at_s: Seconds of the measured time.
        messages: Messages sent so far.
        cpu: By process: share of a core.
        rss_bytes: By process.
        fan_out_p99_ms: Published to delivered over the last second; None for nothing.
        loop_lag_ms: Longest recent stall of the server's loop.
        projector_lag_ms: How far its database is behind.
        dropped: Notices that slow sockets have missed, by the server's own account.
        kicked: Sockets it has cut off.
    """

    at_s: float
    messages: int
    cpu: dict[str, float]
    rss_bytes: dict[str, int]
    fan_out_p99_ms: float | None
    loop_lag_ms: float
    projector_lag_ms: float
    dropped: int
    kicked: int


@dataclass(slots=True)
class Measured:
    """
    What came of it.

    Attributes:
        load: What was asked for.
        window: The measured time.
        stages: The way of every comment.
        looks: One per second.
        fan_out: Microseconds from published to delivered, over all sockets that read.
        heard: What those sockets heard in all.
        skipped: Per page: comments never shown because more came than fit.
        connections: Connections of the recorder; 1 unless it lost one.
        is_drained: Everything sent had been read when the live ended.
        server_start_s: From its start to its first answer.
        evidence: What the stages were read from.
    """

    load: Load
    window: Window
    stages: Stages
    looks: list[Progress]
    fan_out: Histogram
    heard: Heard
    skipped: list[int]
    connections: int
    is_drained: bool
    server_start_s: float
    evidence: Evidence


@dataclass(slots=True)
class _Rig:
    """The processes of one run, and what they have told so far."""

    load: Load
    folder: Path
    feed: Feed
    server: Server
    listeners: RemoteActor
    gauges: dict[str, list[ProcessGauge]]
    witnessed: list[Witnessed] = field(default_factory=list)
    screens: dict[int, dict[int, int]] = field(default_factory=dict)
    skipped: dict[int, int] = field(default_factory=dict)
    looks: list[Progress] = field(default_factory=list)
    fan_out: Histogram = field(default_factory=Histogram)
    heard: Heard = field(default_factory=Heard)


def run(load: Load, tell: Callable[[str], None], tell_progress: Callable[[Progress], None]) -> Measured:
    """
    Hold a load and measure. Blocks for its length and about half a minute more.

    Args:
        load: What is asked for.
        tell: Called with a few words on what is being done.
        tell_progress: Called once per second of the measured time.

    Raises:
        ServerError: A part could not be started, or died.
    """
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="toolkit-load-")))
        rig = _start(load, folder, exits, tell)
        tell("warming up")
        time.sleep(min(WARM_UP_S_MAX, load.seconds))
        window = _hold(rig, tell_progress)
        tell("the last comments arrive")
        _settle(rig, window)
        tell("the end, and what was recorded is sealed")
        is_drained = rig.feed.end(rig.server)
        _look(rig, window, tell_progress=None)
        tell("reading the evidence")
        evidence, connections = _evidence(rig)
    return Measured(
        load=load,
        window=window,
        stages=trace_comments(evidence, window),
        looks=rig.looks,
        fan_out=rig.fan_out,
        heard=rig.heard,
        skipped=[rig.skipped[client] for client in sorted(rig.skipped)],
        connections=connections,
        is_drained=is_drained,
        server_start_s=rig.server.started_s,
        evidence=evidence,
    )


# -- before ------------------------------------------------------------------


def _start(load: Load, folder: Path, exits: ExitStack, tell: Callable[[str], None]) -> _Rig:
    tell("making the load ready")
    # All of the time that it may have to last.
    feed = DEPTHS[load.depth](load.room, load.seed, load.seconds + WARM_UP_S_MAX + SETTLE_WITHIN_S * 2)
    settings = feed.prepare(exits, folder)
    tell("starting the server")
    server = exits.enter_context(Server(folder, {**settings, "TOOLKIT_TRACE": str(folder / "trace")}))
    tell("connecting sockets and pages")
    listeners = exits.enter_context(RemoteActor("socket clients", Listeners, server.port, load.subscribers))
    if load.never_reading:
        listeners.ask("stall", load.never_reading)
    url = f"{server.url}/overlay?{_PAGE}"
    browsers = [exits.enter_context(Browser(load.chromium, url)) for _ in range(load.browsers)]
    gauges = {
        "server": [ProcessGauge(server.pid)],
        **{name: [ProcessGauge(pid)] for name, pid in feed.pids.items()},
        "sockets": [ProcessGauge(listeners.pid)],
    }
    rig = _Rig(load, folder, feed, server, listeners, gauges)
    wait_for(lambda: _pages(rig) >= load.browsers, PAINT_WITHIN_S, "Every page is there")
    feed.begin(server)
    wait_for(lambda: _pages_painting(rig) >= load.browsers, PAINT_WITHIN_S, "Every page paints")
    if browsers:
        gauges["browsers"] = [ProcessGauge(browser.pid, with_children=True) for browser in browsers]
    return rig


def _pages(rig: _Rig) -> int:
    """Return how many pages are connected."""
    return sum(told["painted_seq"] is not None for told in rig.server.status()["sockets"])


def _pages_painting(rig: _Rig) -> int:
    """Return how many of them have painted something."""
    _ask_screens(rig)
    return sum(bool(frames) for frames in rig.screens.values())


# -- during ------------------------------------------------------------------


def _hold(rig: _Rig, tell_progress: Callable[[Progress], None]) -> Window:
    """Let the load run for its time, and look at it every second."""
    for gauges in rig.gauges.values():
        for gauge in gauges:
            gauge.look()
    rig.listeners.ask("heard")
    began_s, from_us = time.monotonic(), time.time_ns() // 1000
    window = Window(from_us, from_us + int(rig.load.seconds * 1e6))
    number = 0
    while (passed_s := time.monotonic() - began_s) < rig.load.seconds:
        number += 1
        time.sleep(max(min(number * LOOK_EVERY_S, rig.load.seconds) - passed_s, 0))
        _look(rig, window, tell_progress, asks_screens=number % _ASK_SCREENS_EVERY == 0)
    return window


def _look(
    rig: _Rig,
    window: Window,
    tell_progress: Callable[[Progress], None] | None,
    *,
    asks_screens: bool = True,
) -> None:
    heard: Heard = rig.listeners.ask("heard")
    rig.witnessed += rig.listeners.ask("witnessed")
    _add(rig, heard)
    if asks_screens:
        _ask_screens(rig)
    if tell_progress is None:
        return
    metrics = rig.server.metrics()
    usage = {name: [gauge.look() for gauge in gauges] for name, gauges in rig.gauges.items()}
    latency = Histogram.of(heard.latency, heard.latency_max)
    progress = Progress(
        at_s=(time.time_ns() // 1000 - window.from_us) / 1e6,
        messages=rig.feed.messages(),
        cpu={name: sum(u.cpu for u in used) for name, used in usage.items()},
        rss_bytes={name: sum(u.rss_bytes for u in used) for name, used in usage.items()},
        fan_out_p99_ms=latency.summary_ms()["p99_ms"],
        loop_lag_ms=metrics.get("toolkit_loop_lag_seconds", 0.0) * 1000,
        projector_lag_ms=metrics.get("toolkit_projector_lag_seconds", 0.0) * 1000,
        dropped=int(metrics.get("toolkit_socket_dropped_total", 0)),
        kicked=int(metrics.get("toolkit_socket_kicked_total", 0)),
    )
    rig.looks.append(progress)
    tell_progress(progress)


def _add(rig: _Rig, heard: Heard) -> None:
    """Add what was heard since the last look to what was heard in all."""
    rig.fan_out.merge(Histogram.of(heard.latency, heard.latency_max))
    total = rig.heard
    total.readers, total.stalled = heard.readers, heard.stalled
    total.notices += heard.notices
    total.missed += heard.missed
    total.lost_readers += heard.lost_readers
    total.cut_off += heard.cut_off
    total.error = heard.error or total.error


def _ask_screens(rig: _Rig) -> None:
    """Take in what the pages have painted since."""
    for told in rig.server.status()["sockets"]:
        if told["painted_seq"] is not None:
            frames = rig.screens.setdefault(told["client"], {})
            for seq, at_ms in told["paintings"]:
                frames.setdefault(seq, at_ms * 1000)
            rig.skipped[told["client"]] = told["skipped"]


# -- after -------------------------------------------------------------------


def _settle(rig: _Rig, window: Window) -> None:
    """Wait until the comments of the window are on every screen, or should have been."""
    deadline_s = time.monotonic() + SETTLE_WITHIN_S
    time.sleep(LOOK_EVERY_S)
    while time.monotonic() < deadline_s:
        _look(rig, window, tell_progress=None)
        late = [w.seq for w in rig.witnessed if w.published_at in window]
        if late and all(max(frames, default=0) >= late[-1] for frames in rig.screens.values()):
            return
        time.sleep(LOOK_EVERY_S / 2)


def _evidence(rig: _Rig) -> tuple[Evidence, int]:
    """Return what everybody knows, and over how many connections the load came."""
    traced = read_trace(rig.folder / "trace")
    sent, connections = rig.feed.sent(traced)
    evidence = Evidence(
        sent=sent,
        is_recorded=rig.feed.keeps,
        recorded=rig.feed.recorded(),
        traced=traced,
        witnessed={w.msg_id: w for w in rig.witnessed},
        paintings=[sorted(frames.items()) for _, frames in sorted(rig.screens.items())],
    )
    return evidence, connections
