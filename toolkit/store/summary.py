"""What `toolkit info` says of a recording to a person: a few lines, a line for each gap."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from toolkit.model.recording import Cause, RecordingState

__all__ = ["info_lines"]

GAPS_MAX = 50
"""`--json` has them all."""


def info_lines(info: Mapping[str, Any]) -> list[str]:
    """Return the lines, from what :meth:`RecordingsFolder.info` found."""
    counts = ", ".join(f"{count} {kind}" for kind, count in info["counts"].items() if count)
    gaps = info["gaps"]
    more = [f"  and {len(gaps) - GAPS_MAX} more gaps: see --json"] if len(gaps) > GAPS_MAX else []
    return [
        f"{info['id']}: {_standing(info)}, @{info['user']}",
        f"  {info['started_at']} to {info['ended_at'] or 'now'}",
        f"  {info['frames']} frames, {info['messages']} messages: {counts or 'nothing yet'}",
        f"  segments: {len(info['segments'])}, gaps: {len(gaps)}, duplicates: {info['duplicates']}, "
        f"quarantined: {info['quarantined']}",
        *_steadiness(info.get("stability")),
        *(_gap_line(gap) for gap in gaps[:GAPS_MAX]),
        *more,
    ]


def _standing(info: Mapping[str, Any]) -> str:
    """Return where a recording stands; "live" alone only while it goes on."""
    if info["state"] != RecordingState.LIVE or info["ended_at"] is None:
        return str(info["state"])
    if info["segments"][-1]["cause"] == Cause.STOPPED:
        return "stopped, not sealed yet"
    return "called ended, open for some minutes because the host may come back"


def _steadiness(stability: Mapping[str, Any] | None) -> list[str]:
    uptime = (stability or {}).get("uptime_share")
    if stability is None or not isinstance(uptime, float):
        return []
    return [
        f"  connected {uptime:.1%} of the time, {stability.get('outages', 0)} interruptions, "
        f"score {stability.get('score')} of 100"
    ]


def _gap_line(gap: Mapping[str, Any]) -> str:
    until = gap["ended_at"] or "nobody knows when"
    length = ""
    if gap["ended_at"]:
        passed = datetime.fromisoformat(gap["ended_at"]) - datetime.fromisoformat(gap["started_at"])
        length = f" ({passed.total_seconds():.0f} s)"
    back = f"; {gap['recovered_comments']} comments came back" if gap["recovered_comments"] else ""
    cause = gap["cause"].replace("_", " ")
    return f"  gap {gap['started_at']} to {until}{length}, {cause}: {_cost(gap['missed'])}{back}"


def _cost(missed: Mapping[str, Mapping[str, Any]]) -> str:
    if all(one["quality"] == "lost" for one in missed.values()):
        return "what was missed is not known"
    costs = []
    for kind, one in missed.items():
        if one["quality"] == "exact" and one["estimate"]:
            costs.append(f"{one['estimate']} {kind}")
        elif one["quality"] == "estimated" and one["high"] != 0:
            costs.append(f"about {one['estimate']} {kind} ({one['low']} to {one['high']})")
    return f"missed {', '.join(costs)}" if costs else "nothing is missing"
