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

    def readiness(self) -> dict[str, dict[str, Any]]:
        """Return each check: ``ok`` and one sentence of ``detail``."""
        free_bytes, lag_s = self._disk_free_bytes(), self._projector_lag_s()
        needs_operator = self.status["state"] == "needs_operator"
        return {
            "recordings": self._folder_check(),
            "healed": {"ok": self.is_healed, "detail": "Interrupted recordings have been looked after."},
            "disk": {"ok": free_bytes >= DISK_FREE_BYTES_MIN, "detail": f"{free_bytes / 1e9:.1f} GB free."},
            "projector": {"ok": lag_s <= PROJECTOR_LAG_S_MAX, "detail": f"{lag_s:.1f} s behind."},
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
            "toolkit_events": {kind: float(count) for kind, count in self.figures.totals.items()},
            "toolkit_diamonds": self.figures.diamonds,
            "toolkit_bus_notices": self.bus_seq,
            "toolkit_disk_free_bytes": self._disk_free_bytes(),
            "toolkit_loop_lag_seconds": self.loop_lag_s,
            "toolkit_rehearsal": float(self.is_rehearsing),
            "toolkit_projector_lag_seconds": self._projector_lag_s(),
        }
        readings |= self._connection_readings()
        if self.figures.viewers is not None:
            readings["toolkit_viewers"] = self.figures.viewers
        if self.written is not None:
            readings |= {
                "toolkit_frames": self.written.frames,
                "toolkit_messages": self.written.messages,
                "toolkit_duplicates": self.written.duplicates,
                "toolkit_quarantined": self.written.quarantined,
                "toolkit_journal_bytes": self.written.journal_bytes,
            }
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
            names = {"score": "toolkit_stability_score", "back_s_p99": "toolkit_back_seconds"}
            readings |= {name: stability[key] for key, name in names.items() if stability[key] is not None}
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

    def _projector_lag_s(self) -> float:
        return self.written.lag.ms / 1000 if self.written is not None else 0.0

    def _disk_free_bytes(self) -> int:
        folder = self.folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free
