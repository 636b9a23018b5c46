"""What each card says: from figures and status to plain data, without Panel and without markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.bus.live_state import Snapshot
from toolkit.dashboard.catalogue import SAMPLE_ID
from toolkit.dashboard.plain import plain
from toolkit.dashboard.steadiness import warnings
from toolkit.model.event import Comment, User

__all__ = ["HUES", "comment_row", "control", "gifters", "header", "name_of", "run_of", "totals"]

NAME_CHARS_MAX = 48
HUES = 12
"""Colours of the round with a viewer's initial."""


def name_of(user: User | None) -> str:
    """Return what a viewer is called; empty when nothing is known."""
    if user is None:
        return ""
    return plain(user.nickname, NAME_CHARS_MAX) or plain(user.handle, NAME_CHARS_MAX)


def _hue(user: User | None) -> int:
    return user.user_id % HUES if user is not None else 0


def comment_row(seq: int, comment: Comment, *, first: bool) -> dict[str, Any]:
    """Return one line of the feed. ``id`` is the notice's number, so a line sent twice shows once."""
    user = comment.user
    badges = {
        "moderator": user is not None and user.is_moderator,
        "subscriber": user is not None and user.is_subscriber,
        "first": first and not comment.is_history,
        "history": comment.is_history,
    }
    return {
        "id": seq,
        # As text: browsers round numbers of that size.
        "msg": str(comment.msg_id),
        "user": str(user.user_id) if user is not None else "",
        "name": name_of(user),
        "handle": plain(user.handle, NAME_CHARS_MAX) if user else "",
        "text": plain(comment.text),
        "badges": [name for name, shown in badges.items() if shown],
        "verified": user is not None and user.is_verified,
        "at": (comment.occurred_at or comment.received_at) // 1000,
        "hue": _hue(user),
    }


def header(figures: Snapshot, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return the strip at the top: where the connection stands and what is on screen."""
    reconnection = status["reconnectionState"]
    next_at = reconnection["nextAttemptAt"]
    rehearsal = status["rehearsal"]
    run = run_of(figures, status)
    told, now = warnings(status), phase(status)
    return {
        "phase": "degraded" if now == "connected" and told else now,
        "attempt": reconnection["attempt"],
        "attempts_max": reconnection["maxAttempts"],
        "next_at": next_at // 1000 if next_at else None,
        "run": run,
        "user": plain(status["user"] or figures.user or "", NAME_CHARS_MAX) if not rehearsal else "",
        "recording": plain(figures.recording, 80),
        "started_at": figures.started_at // 1000 if figures.started_at and run == "live" else None,
        # To a tenth of a second: finer would be sent again at every tick and means nothing.
        "delay_s": round(figures.delay_ms / 1000, 1)
        if figures.delay_ms is not None and run == "live"
        else None,
        **_steadiness({} if rehearsal else status),
        "warnings": told,
        "rehearsal": rehearsal
        and {
            "recording": plain(rehearsal["recording"], 80),
            "rate": rehearsal["rate"],
        },
        "active": bool(figures.totals),
    }


def _steadiness(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return how steady the connection was, and signatures left; None where they are not counted."""
    stability, budget = status.get("stability") or {}, status.get("sign_budget") or {}
    left = [window["left"] for window in budget.get("windows", ()) if window["limit"]]
    return {
        "outages": stability.get("outages", 0),
        "down_s": round(stability.get("disconnected_s", 0)),
        "signatures_left": min(left, default=None),
    }


def run_of(figures: Snapshot, status: Mapping[str, Any]) -> str:
    """Return ``live`` or ``rehearsal`` while one is on, ``none`` for figures of what has ended."""
    return figures.run if status["is_recording"] or status["rehearsal"] else "none"


def phase(status: Mapping[str, Any]) -> str:
    """Return where things stand, in one word that the words table knows."""
    state: str = status["state"]
    if status["rehearsal"]:
        return "rehearsal"
    if state == "stopped":
        if status["is_recording"]:
            return "saving"
        return {"live_ended": "ended", "offline": "offline"}.get(status["cause"] or "", "stopped")
    if state == "needs_operator" and status["cause"] == "offline":
        return "offline"
    return state


def control(status: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what may be started and stopped, and the last word on why something ended."""
    now = phase(status)
    own = [row for row in found if row["id"] != SAMPLE_ID]
    playable = [row for row in found if row["state"] == "sealed"]
    return {
        "phase": now,
        "first": not own and not status["user"] and now == "idle",
        "user": plain(status["user"] or "", NAME_CHARS_MAX),
        "detail": plain(status["detail"] or "", 300),
        "cause": status["cause"],
        "refusal": plain(status["refusal"], 300),
        "is_recording": status["is_recording"],
        "rehearsal": status["rehearsal"] and plain(status["rehearsal"]["recording"], 80),
        "playable": [{"id": r["id"], "user": r["user"], "at": r["started_at"]} for r in playable],
        "sample": SAMPLE_ID if any(r["id"] == SAMPLE_ID for r in playable) else None,
    }


def totals(figures: Snapshot) -> dict[str, Any]:
    """Return the figures of the tiles. Rates to one decimal: they are means over ten seconds."""
    counts, rates = figures.totals, figures.rates
    return {
        "viewers": figures.viewers,
        "viewers_peak": figures.viewers_peak,
        "comments": counts.get("comment", 0),
        "comments_rate": round(rates.get("comment", 0.0), 1),
        "likes": figures.likes_total,
        "likes_rate": round(60 * rates.get("like", 0.0)),
        "diamonds": figures.diamonds,
        "gifts": figures.gifts,
        "gifts_rate": round(60 * rates.get("gift", 0.0)),
        "follows": counts.get("follow", 0),
        "follows_rate": round(60 * rates.get("follow", 0.0)),
        "joins": counts.get("join", 0),
        "joins_rate": round(60 * rates.get("join", 0.0)),
        "shares": counts.get("share", 0),
        "shares_rate": round(60 * rates.get("share", 0.0)),
    }


def gifters(figures: Snapshot) -> list[dict[str, Any]]:
    """Return the top givers, most diamonds first."""
    return [
        {"name": name_of(g.user), "gifts": g.gifts, "diamonds": g.diamonds, "hue": _hue(g.user)}
        for g in figures.gifters
    ]
