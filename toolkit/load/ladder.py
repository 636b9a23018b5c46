"""The knee of a ladder of rates: the last one that holds, and what saturates beyond it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["find_knee"]

FULL_CORE_PERCENT = 85.0
"""Mean CPU of a process that has one thread which matters: beyond it, it waits for itself."""
FULL_MACHINE_SHARE = 0.9
LOOP_LAG_MS = 100.0
_WORDS = {
    "server": "the server's process",
    "simulator": "the simulator, which is the load and not what is measured",
    "sockets": "the socket clients, which are the load and not what is measured",
    "browsers": "the browsers",
}


def find_knee(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """
    Return where the ladder ends.

    Args:
        reports: Of its runs, in the order of their rates.

    Returns:
        ``holds``: the highest rate at which every objective held, None for none;
        ``breaks``: the first at which one did not, None if all held;
        ``missed``: which; ``saturated``: what was at its limit there;
        ``sentence``: all of it in words.
    """
    broken = next((report for report in reports if not report["ok"]), None)
    held = [report["load"]["comments_per_s"] for report in reports if report["ok"]]
    knee: dict[str, Any] = {
        "holds": max(held, default=None),
        "breaks": broken["load"]["comments_per_s"] if broken else None,
        "missed": [o["name"] for o in broken["objectives"] if not o["ok"]] if broken else [],
        "saturated": saturated(broken or reports[-1]),
    }
    return knee | {"sentence": _sentence(knee)}


def saturated(report: Mapping[str, Any]) -> list[str]:
    """Return in words what was at its limit in a run; empty if nothing was."""
    processes = report["processes"]
    found = [
        f"{_WORDS[name]} ({used['cpu_percent_mean']:.0f} % of a core)"
        for name, used in processes.items()
        if used["cpu_percent_mean"] >= FULL_CORE_PERCENT and name != "browsers"
    ]
    total = sum(used["cpu_percent_mean"] for used in processes.values())
    cores = report["machine"]["cores"] or 1
    if total >= cores * 100 * FULL_MACHINE_SHARE:
        found.append(f"the machine ({total:.0f} % of {cores} cores)")
    lag_ms = max((look["loop_lag_ms"] for look in report["looks"]), default=0.0)
    if lag_ms >= LOOP_LAG_MS:
        found.append(f"the server's loop (stalled for {lag_ms:.0f} ms)")
    return found


def _sentence(knee: Mapping[str, Any]) -> str:
    if knee["breaks"] is None:
        return f"Every objective held up to {knee['holds']:g} comments/s; the knee is beyond."
    held = f"up to {knee['holds']:g} comments/s" if knee["holds"] is not None else "at no rate"
    at_limit = " and ".join(knee["saturated"]) or "nothing that is measured here"
    return (
        f"Every objective held {held}; at {knee['breaks']:g} {', '.join(knee['missed'])} did not. "
        f"At its limit there: {at_limit}."
    )
