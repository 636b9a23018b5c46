"""What the cards say about the connection: how steady it is, and what its gaps cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.dashboard.catalogue import milliseconds
from toolkit.dashboard.plain import plain

__all__ = ["connection", "gap_line", "gap_lines", "gap_spans", "warnings"]

GAPS_MAX = 30
"""Lines of the card. The details of a recording have more."""
WARNINGS_MAX = 5
KINDS = ("comment", "like", "join", "follow", "share", "gift", "diamond")


def connection(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return how steady the connection was; ``known`` is false before there was any."""
    stability, budget = status.get("stability"), status.get("sign_budget")
    if stability is None:
        return {"known": False}
    uptime, success = stability["uptime_share"], stability["success_rate"]
    return {
        "known": uptime is not None,
        "score": stability["score"],
        # Rounded to what is shown: finer would be sent again at every tick.
        "uptime": uptime and round(uptime, 4),
        "down_s": round(stability["disconnected_s"]),
        "outages": stability["outages"],
        "reconnects": stability["reconnects"],
        "given_up": stability["given_up"],
        "success": success and round(success, 3),
        "objective": stability["success_objective"],
        "meets": stability["meets_objective"],
        "detect": _times(stability, "detect"),
        "back": _times(stability, "back"),
        "back_objective_s": stability["back_objective_s"],
        "budget": [
            {key: window[key] for key in ("window", "limit", "left")}
            for window in (budget or {}).get("windows", ())
            if window["limit"]
        ],
        "held": bool(budget and budget["held"]),
    }


def _times(stability: Mapping[str, Any], what: str) -> list[float | None]:
    """Return median, 99th percentile and longest, seconds."""
    times = [stability[f"{what}_s_{rank}"] for rank in ("p50", "p99", "max")]
    return [None if time is None else round(time, 1) for time in times]


def warnings(status: Mapping[str, Any]) -> list[str]:
    """Return the sentences that the operator has to read now."""
    return [plain(str(one["text"])) for one in status.get("warnings", ())][:WARNINGS_MAX]


def gap_lines(gaps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest gaps, newest first."""
    return [gap_line(gap) for gap in reversed(gaps[-GAPS_MAX:])]


def gap_line(gap: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return one gap, from what ``toolkit info --json`` has of it.

    ``end`` is null while it lasts. ``missed`` names only kinds of which something may
    be missing; ``lost`` says that nothing is known of any.
    """
    missed = gap.get("missed") or {}
    lost = bool(missed) and all(one["quality"] == "lost" for one in missed.values())
    return {
        "id": gap.get("gap_id"),
        "at": milliseconds(gap.get("started_at")),
        "end": milliseconds(gap.get("ended_at")),
        "cause": str(gap.get("cause", "")),
        "attempts": gap.get("attempts", 0),
        "recovered": gap.get("recovered_comments", 0),
        "lost": lost,
        "missed": [
            {"kind": kind, **missed[kind]}
            for kind in KINDS
            if kind in missed and not lost and missed[kind]["high"] != 0
        ],
    }


def gap_spans(gaps: Sequence[Mapping[str, Any]]) -> list[tuple[float, float | None]]:
    """Return from when to when nothing was observed, epoch seconds; None while it lasts."""
    spans = []
    for gap in gaps:
        started_ms, ended_ms = milliseconds(gap["started_at"]), milliseconds(gap["ended_at"])
        if started_ms is not None:
            spans.append((started_ms / 1000, ended_ms / 1000 if ended_ms is not None else None))
    return spans
