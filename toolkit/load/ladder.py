"""The knee of a ladder of rates: the last one that holds, and what saturates beyond it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

__all__ = ["find_knee"]

FULL_CORE_PERCENT = 85.0
"""Mean CPU of a process that has one thread which matters: beyond it, it waits for itself."""
FULL_MACHINE_SHARE = 0.9
LOOP_LAG_MS = 100.0
_WAY = ("sent", "received", "published", "delivered", "painted")
"""Stages one after the other; the database is filled beside them."""
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
        ``missed``: which; ``saturated``: what was at its limit there; ``slowest_step``:
        the two stages between which most of the time passes there;
        ``sentence``: all of it in words.
    """
    broken = next((report for report in reports if not report["ok"]), None)
    held = [report["load"]["comments_per_s"] for report in reports if report["ok"]]
    knee: dict[str, Any] = {
        "holds": max(held, default=None),
        "breaks": broken["load"]["comments_per_s"] if broken else None,
        "missed": [o["name"] for o in broken["objectives"] if not o["ok"]] if broken else [],
        "saturated": saturated(broken or reports[-1]),
        "slowest_step": slowest_step(broken or reports[-1]),
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


def slowest_step(report: Mapping[str, Any]) -> list[str]:
    """Return the two stages between which the median comment spends most of its time; none without stages."""
    reached = [
        (name, report["stages"][name]["p50_ms"])
        for name in _WAY
        if report["stages"].get(name, {}).get("p50_ms") is not None
    ]
    steps = [(after - before, [one, other]) for (one, before), (other, after) in pairwise(reached)]
    return max(steps)[1] if steps else []


def _sentence(knee: Mapping[str, Any]) -> str:
    if knee["breaks"] is None:
        return f"Every objective held up to {knee['holds']:g} comments/s; the knee is beyond."
    held = f"up to {knee['holds']:g} comments/s" if knee["holds"] is not None else "at no rate"
    full = " and ".join(knee["saturated"])
    at_limit = (
        f"At its limit there: {full}." if full else "No process is full there: it is one burst's own length."
    )
    step = (
        f" Most of the time passes from {' to '.join(knee['slowest_step'])}." if knee["slowest_step"] else ""
    )
    missed = ", ".join(knee["missed"])
    return f"Every objective held {held}; at {knee['breaks']:g} {missed} did not. {at_limit}{step}"
