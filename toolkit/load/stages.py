"""
The way of each comment, from the moment it was due: sent, received, journaled,
projected, published, delivered, painted.

Every source knows a part: the simulator when a message was due and sent, the
recording when it was received and in which frame, the server's trace when that frame
was journaled and projected, a socket client when a comment was published and
delivered, the browsers when its number was on screen. All of them read the wall
clock of one machine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.load.histogram import Histogram
from toolkit.load.listeners import Witnessed
from toolkit.load.source import SentMessage
from toolkit.observe import trace
from toolkit.store.reader import open_recording

__all__ = [
    "STAGES",
    "Evidence",
    "Loss",
    "Stages",
    "Window",
    "read_frames_of",
    "read_recording",
    "read_trace",
    "trace_comments",
]

STAGES = ("sent", "received", "journaled", "projected", "published", "delivered", "painted")
"""What happens to a comment, each timed from when it was due."""
_KEEPING = ("received", "journaled", "projected")


@dataclass(frozen=True, slots=True)
class Window:
    """The measured time: due at ``from_us`` or after, before ``until_us``. Microseconds UTC."""

    from_us: int
    until_us: int

    def __contains__(self, at_us: int) -> bool:
        """Return whether a moment is in it."""
        return self.from_us <= at_us < self.until_us

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.until_us - self.from_us) / 1e6


@dataclass(slots=True)
class Evidence:
    """
    What everybody knows of one run.

    Attributes:
        sent: What was sent.
        is_recorded: Whether it was to be recorded.
        recorded: By message id: when it was received, microseconds UTC, and its frame.
        traced: By stage and frame: when the frame had passed it.
        witnessed: What came out of a socket, by message id.
        paintings: Per page: number and microseconds UTC, both growing.
    """

    sent: Sequence[SentMessage] = ()
    is_recorded: bool = True
    recorded: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    traced: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    witnessed: Mapping[int, Witnessed] = field(default_factory=dict)
    paintings: Sequence[Sequence[tuple[int, int]]] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """
    What did not get where it was promised to be.

    Attributes:
        sent: Messages sent, over the whole run.
        acked: Of these, acknowledged by it.
        lost: Acknowledged and not in the recording. The one that must never be.
        unacked: Never acknowledged, though somebody was to.
        unpublished: Comments of the window, in the recording (or played) and not published.
        unpainted: Comments of the window, published and never passed by every page.
    """

    sent: int
    acked: int
    lost: int
    unacked: int
    unpublished: int
    unpainted: int


@dataclass(slots=True)
class Stages:
    """
    How many comments of the window passed each stage, and how late.

    Attributes:
        scheduled: Comments due in the window.
        latency: By stage: microseconds from when they were due.
        loss: What is missing.
        by_second: One row per second of the window: ``second``, ``comments`` due, and
            p50 and p99 of the last stage that was measured, in milliseconds.
    """

    scheduled: int
    latency: dict[str, Histogram]
    loss: Loss
    by_second: list[dict[str, Any]]


def read_recording(path: Path) -> dict[int, tuple[int, int]]:
    """Return by message id when it was received, microseconds UTC, and in which frame."""
    with open_recording(path) as recording:
        rows = recording.sql("SELECT msg_id, epoch_us(received_at), frame_no FROM messages").rows()
    return {msg_id: (received_at, frame_no) for msg_id, received_at, frame_no in rows}


def read_frames_of(path: Path) -> list[tuple[int, str, int]]:
    """Return (message id, type, frame) of every message of a recording, in order."""
    with open_recording(path) as recording:
        return recording.sql("SELECT msg_id, method, frame_no FROM messages ORDER BY seq").rows()


def read_trace(path: Path) -> dict[str, dict[int, int]]:
    """Return by stage and frame when the frame had passed it; empty where nothing was traced."""
    traced: dict[str, dict[int, int]] = {}
    if path.exists():
        for stage, frame_no, at in trace.read(path):
            # The first time counts: what is projected again was there before.
            traced.setdefault(stage, {}).setdefault(frame_no, at)
    return traced


def trace_comments(evidence: Evidence, window: Window) -> Stages:
    """Follow every comment of the window through what was seen of it."""
    left_out = () if evidence.is_recorded else _KEEPING
    latency = {stage: Histogram() for stage in STAGES if stage not in left_out}
    entered = "received" if evidence.is_recorded else "sent"
    seconds: dict[int, Histogram] = {}
    screens = [_Screen(frames) for frames in evidence.paintings]
    scheduled = unpublished = unpainted = 0
    for message in evidence.sent:
        if not message.is_comment or message.due_at not in window:
            continue
        scheduled += 1
        passed = _passed(message, evidence, screens)
        for stage, at in passed.items():
            latency[stage].record(at - message.due_at)
        unpublished += entered in passed and "published" not in passed
        unpainted += bool(screens) and "published" in passed and "painted" not in passed
        last = passed.get("painted") or passed.get("delivered")
        second = (message.due_at - window.from_us) // 1_000_000
        if last is not None:
            seconds.setdefault(second, Histogram()).record(last - message.due_at)
    loss = _loss(evidence, unpublished, unpainted)
    return Stages(scheduled, latency, loss, [_row(s, seconds[s]) for s in sorted(seconds)])


def _passed(message: SentMessage, evidence: Evidence, screens: Iterable[_Screen]) -> dict[str, int]:
    """Return each stage that a comment has passed, and when."""
    passed = {"sent": message.sent_at}
    recorded = evidence.recorded.get(message.msg_id)
    if recorded is not None:
        passed["received"], frame_no = recorded
        for stage, frames in evidence.traced.items():
            if stage in _KEEPING and frame_no in frames:
                passed[stage] = frames[frame_no]
    witnessed = evidence.witnessed.get(message.msg_id)
    if witnessed is not None:
        passed["published"], passed["delivered"] = witnessed.published_at, witnessed.delivered_at
        painted = [screen.painted_at(witnessed.seq) for screen in screens]
        # On screen is what the slowest page shows.
        if painted and None not in painted:
            passed["painted"] = max(at for at in painted if at is not None)
    return passed


def _loss(evidence: Evidence, unpublished: int, unpainted: int) -> Loss:
    acked = [message for message in evidence.sent if message.is_acked]
    lost = sum(message.msg_id not in evidence.recorded for message in acked)
    sent = len(evidence.sent)
    unacked = sent - len(acked) if evidence.is_recorded else 0
    return Loss(sent, len(acked), lost, unacked, unpublished, unpainted)


def _row(second: int, latency: Histogram) -> dict[str, Any]:
    summary = latency.summary_ms()
    return {
        "second": second,
        "comments": latency.count,
        "p50_ms": summary["p50_ms"],
        "p99_ms": summary["p99_ms"],
    }


class _Screen:
    """When one page had painted everything up to a number."""

    def __init__(self, frames: Sequence[tuple[int, int]]) -> None:
        self._seqs = [seq for seq, _ in frames]
        self._ats = [at for _, at in frames]

    def painted_at(self, seq: int) -> int | None:
        index = bisect_left(self._seqs, seq)
        return self._ats[index] if index < len(self._ats) else None
