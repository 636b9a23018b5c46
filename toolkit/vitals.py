"""What a running server says of its health: readiness, check by check, and metric readings."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.bus.live_state import Snapshot
from toolkit.store.writer import WriterCounts

__all__ = ["Vitals"]

DISK_FREE_BYTES_MIN = 200 * 1024 * 1024
"""An hour of the busiest room seen takes about 150 MB."""
PROJECTOR_LAG_S_MAX = 10.0
"""The database is written four times a second; beyond this it does not keep up."""
LOOP_LAG_S_MAX = 1.0
"""A stall that a person at the dashboard feels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """
    Signs of life at one moment.

    Attributes:
        folder: Where recordings go.
        refusal: Why this process must not record; empty if it may.
        is_healed: Interrupted recordings have been looked after.
        loop_lag_s: Longest recent stall of the server's loop, seconds.
        status: Where recorder and rehearsal stand.
        figures: Figures of the current run.
        written: Where the recording stands that is being written; None for none.
        bus_seq: Notices published.
        is_rehearsing: A rehearsal plays.
        pages_open: Pages of the dashboard.
    """

    folder: Path
    refusal: str
    is_healed: bool
    loop_lag_s: float
    status: dict[str, Any]
    figures: Snapshot
    written: WriterCounts | None
    bus_seq: int
    is_rehearsing: bool
    pages_open: int

    def readiness(self) -> dict[str, dict[str, Any]]:
        """Return each check: ``ok`` and one sentence of ``detail``."""
        needs_operator = self.status["state"] == "needs_operator"
        return {
            "recordings": self._folder_check(),
            "healed": {"ok": self.is_healed, "detail": "Interrupted recordings have been looked after."},
            "disk": self._disk_check(),
            "projector": self._projector_check(),
            "connection": {"ok": not needs_operator, "detail": self.status["detail"] or self.status["state"]},
            "loop": {
                "ok": self.loop_lag_s <= LOOP_LAG_S_MAX,
                "detail": f"Longest recent stall {self.loop_lag_s * 1000:.0f} ms.",
            },
        }

    def readings(self) -> dict[str, float | dict[str, float]]:
        """Return the value of each metric that is known now; see :mod:`toolkit.observe.metrics`."""
        readings: dict[str, float | dict[str, float]] = {
            "toolkit_connected": float(self.status["connected"]),
            "toolkit_reconnect_attempts": self.status["reconnectionState"]["attempt"],
            "toolkit_bus_notices": self.bus_seq,
            "toolkit_disk_free_bytes": self._disk_free_bytes(),
            "toolkit_loop_lag_seconds": self.loop_lag_s,
            "toolkit_rehearsal": float(self.is_rehearsing),
            "toolkit_dashboard_pages": self.pages_open,
            "toolkit_projector_lag_seconds": self._projector_lag_s(),
        }
        readings |= self._connection_readings()
        # A graph of a live never shows what was rehearsed.
        if not self.figures.is_rehearsed:
            readings |= self._room_readings()
        if self.written is not None:
            readings |= {
                "toolkit_frames": self.written.frames,
                "toolkit_messages": self.written.messages,
                "toolkit_duplicates": self.written.duplicates,
                "toolkit_quarantined": self.written.quarantined,
                "toolkit_journal_bytes": self.written.journal_bytes,
            }
        return readings

    def _room_readings(self) -> dict[str, float | dict[str, float]]:
        readings: dict[str, float | dict[str, float]] = {
            "toolkit_events": {kind: float(count) for kind, count in self.figures.totals.items()},
            "toolkit_diamonds": self.figures.diamonds,
            "toolkit_gaps": self.figures.gaps[-1]["gap_id"] if self.figures.gaps else 0,
        }
        if self.figures.viewers is not None:
            readings["toolkit_viewers"] = self.figures.viewers
        return readings

    def _connection_readings(self) -> dict[str, float | dict[str, float]]:
        readings: dict[str, float | dict[str, float]] = {"toolkit_degraded": float(self.status["degraded"])}
        stability, budget = self.status["stability"], self.status["sign_budget"]
        if stability is not None:
            readings |= {
                "toolkit_outages": stability["outages"],
                "toolkit_reconnects": stability["reconnects"],
                "toolkit_connected_seconds": stability["connected_s"],
                "toolkit_disconnected_seconds": stability["disconnected_s"],
            }
            names = {
                "score": "toolkit_stability_score",
                "uptime_share": "toolkit_uptime_share",
                "success_rate": "toolkit_reconnect_success_rate",
            }
            readings |= {name: stability[key] for key, name in names.items() if stability[key] is not None}
            for what in ("back", "detect"):
                ranks = {"0.5": "p50", "0.99": "p99", "1": "max"}
                times = {share: stability[f"{what}_s_{rank}"] for share, rank in ranks.items()}
                readings[f"toolkit_{what}_seconds"] = {k: t for k, t in times.items() if t is not None}
        if budget is not None:
            windows = budget["windows"]
            readings["toolkit_signatures_used"] = {w["window"]: w["used"] for w in windows}
            readings["toolkit_signatures_left"] = {
                w["window"]: w["left"] for w in windows if w["left"] is not None
            }
        return readings

    def _folder_check(self) -> dict[str, Any]:
        if self.refusal:
            return {"ok": False, "detail": self.refusal}
        if not os.access(self.folder, os.W_OK):
            return {"ok": False, "detail": f"{self.folder} cannot be written any more."}
        return {"ok": True, "detail": "The folder is ours and writable."}

    def _disk_check(self) -> dict[str, Any]:
        for warning in self.status["warnings"]:
            if warning["kind"] == "disk":
                return {"ok": False, "detail": warning["text"]}
        if self.written is not None and self.written.write_error:
            return {"ok": False, "detail": f"Frames are not written: {self.written.write_error}."}
        free_bytes = self._disk_free_bytes()
        detail = f"{free_bytes / 1e9:.1f} GB free."
        if free_bytes < DISK_FREE_BYTES_MIN:
            detail = (
                f"Only {free_bytes / 1e6:.0f} MB free: an hour of a busy live takes about 150. Make space."
            )
            return {"ok": False, "detail": detail}
        return {"ok": True, "detail": detail}

    def _projector_check(self) -> dict[str, Any]:
        """Whether the database keeps up. The journal has everything, so nothing is lost if not."""
        lag_s = self._projector_lag_s()
        if self.written is not None and self.written.lag.gave_up:
            why = "It fell too far behind; what is missing in it is brought in when the recording is sealed."
            return {"ok": False, "detail": why}
        if self.written is not None and self.written.lag.error:
            why = self.written.lag.error
            return {"ok": False, "detail": f"The database cannot be written and is tried again: {why}."}
        return {"ok": lag_s <= PROJECTOR_LAG_S_MAX, "detail": f"{lag_s:.1f} s behind."}

    def _projector_lag_s(self) -> float:
        return self.written.lag.ms / 1000 if self.written is not None else 0.0

    def _disk_free_bytes(self) -> int:
        folder = self.folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free
