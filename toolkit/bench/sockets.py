"""
Fan-out: one live, a real server, 1 to 1,000 sockets, and some of them never read.

The live is as busy as the busiest one seen at TikTok, so that the sockets are what
weighs. How the others fare when a tenth stops reading is measured in the same server,
one after the other, because only that can be compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from string import ascii_lowercase

from toolkit.bench.live import served_live
from toolkit.bench.machine import Figure
from toolkit.bus.notice import Notice
from toolkit.load.gauges import ProcessGauge
from toolkit.load.histogram import Histogram
from toolkit.load.listeners import Heard, Listeners
from toolkit.load.pipes import RemoteActor
from toolkit.model.event import Comment, User
from toolkit.show.moderation.blocklist import Blocklist
from toolkit.show.moderation.gate import Gate
from toolkit.show.moderation.ruling import Rules
from toolkit.simulator.language import LANGUAGES, comment_text

__all__ = ["measure"]

PROFILE = "busy"
SUBSCRIBERS = (1, 10, 100, 1_000)
STALLED_SHARE = 0.1
STALLED_KIB_MAX = 64.0
P99_CHANGE_PERCENT_MAX = 10.0
ROUNDS = 3
"""With and without those that never read, in turns: the machine's own moods even out."""
LISTED = 500
JUDGED = 20_000
"""Comments judged: a third of them is said more than once, as in a real room."""


def measure(seconds: float, subscribers: Sequence[int] = SUBSCRIBERS) -> Iterator[Figure]:
    """
    Yield latency from published to delivered, server CPU and memory per socket.

    Args:
        seconds: Length of each measurement.
        subscribers: How many sockets, growing.
    """
    yield _judging()
    with _served(subscribers[0]) as (listeners, gauge):
        yield _holding(listeners, gauge, max(subscribers), seconds)
    with _served(subscribers[0]) as (listeners, gauge):
        connected = subscribers[0]
        first_rss = gauge.look().rss_bytes
        for number in subscribers:
            connected = listeners.ask("add_readers", number - connected)
            yield from _fan_out(listeners, gauge, number, seconds)
        if connected > subscribers[0]:
            grown = (gauge.look().rss_bytes - first_rss) / 1024 / (connected - subscribers[0])
            yield Figure("sockets: memory per socket that reads", grown, "KiB")
        yield from _never_reading(listeners, connected, seconds)


@contextmanager
def _served(readers: int) -> Iterator[tuple[RemoteActor, ProcessGauge]]:
    """Have a live, a server that records it, and so many sockets that read."""
    with (
        served_live(PROFILE) as server,
        RemoteActor("socket clients", Listeners, server.port, readers, ["*"]) as listeners,
    ):
        yield listeners, ProcessGauge(server.pid)


def _judging() -> Figure:
    """Return what a long block list costs per comment that a public client gets, encoding left out."""
    rng = Random(5)
    words = ["".join(rng.choices(ascii_lowercase, k=6)) for _ in range(LISTED)]
    gate = Gate(
        Rules(blocklist=Blocklist([*words, *(f"*{word}*" for word in words[::10])], blocks_links=True))
    )
    comments = [_comment(rng, number) for number in range(1, JUDGED + 1)]
    began_s = time.process_time()
    for notice in comments:
        gate.public(notice)
    used_us = (time.process_time() - began_s) * 1e6 / JUDGED
    note = f"{LISTED} words, a tenth of them with stars, and links; nothing without a list"
    return Figure("sockets: judging a comment for public clients", used_us, "us of CPU", note=note)


def _comment(rng: Random, number: int) -> Notice:
    author = rng.randrange(400)
    user = User(author, f"viewer.{author}", f"Viewer {author}")
    text, language = comment_text(rng, rng.choice(LANGUAGES))
    comment = Comment(number, number, 0, 0, user, text, language, "", "", is_history=False)
    return Notice(number, Comment.kind, 0, comment)


def _fan_out(listeners: RemoteActor, gauge: ProcessGauge, number: int, seconds: float) -> Iterator[Figure]:
    gauge.look()
    latency, heard = _listen(listeners, seconds)
    used = gauge.look()
    p99 = (latency.percentile(99) or 0) / 1000
    note = f"{heard.notices / seconds:,.0f} notices/s in all, {heard.missed} missed"
    yield Figure(f"sockets: published to delivered p99, {number:,} sockets", p99, "ms", note=note)
    yield Figure(f"sockets: server CPU, {number:,} sockets", used.cpu * 100, "% of a core")


def _listen(listeners: RemoteActor, seconds: float) -> tuple[Histogram, Heard]:
    listeners.ask("heard")
    time.sleep(seconds)
    heard: Heard = listeners.ask("heard")
    return Histogram.of(heard.latency, heard.latency_max), heard


def _holding(listeners: RemoteActor, gauge: ProcessGauge, number: int, seconds: float) -> Figure:
    """
    Return what the server holds for each socket that never reads, what it keeps of the live included.

    In a server of its own: what others have left would be used again, and hide it.
    """
    before = gauge.look().rss_bytes
    listeners.ask("stall", number)
    _listen(listeners, seconds)
    grown = gauge.look().rss_bytes - before
    listeners.ask("unstall")
    return Figure(
        "sockets: memory per socket that never reads",
        grown / 1024 / number,
        "KiB",
        STALLED_KIB_MAX,
        at_most=True,
        note=f"growth of the server by {number:,} of them",
    )


def _never_reading(listeners: RemoteActor, connected: int, seconds: float) -> Iterator[Figure]:
    """Let a tenth of them never read, in turns with all reading, and see what it does to the others."""
    number = max(int(connected * STALLED_SHARE), 1)
    if connected <= number:
        return
    calm, stalled = Histogram(), Histogram()
    cut_off = 0
    for _ in range(ROUNDS):
        calm.merge(_listen(listeners, seconds)[0])
        listeners.ask("drop_readers", number)
        listeners.ask("stall", number)
        latency, heard = _listen(listeners, seconds)
        stalled.merge(latency)
        cut_off += heard.cut_off
        listeners.ask("unstall")
        listeners.ask("add_readers", number)
    calm_p99, stalled_p99 = (h.percentile(99) or 1 for h in (calm, stalled))
    yield Figure(
        f"sockets: p99 of the others when {number} of {connected:,} never read",
        (stalled_p99 / calm_p99 - 1) * 100,
        "% more",
        P99_CHANGE_PERCENT_MAX,
        at_most=True,
        note=f"{calm_p99 / 1000:.1f} ms without, {stalled_p99 / 1000:.1f} ms with; {cut_off} cut off",
    )
