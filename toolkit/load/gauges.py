"""CPU and memory of processes, and what the server says of itself."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessGauge", "Usage", "read_metrics"]

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """
    What a process used between two looks.

    Attributes:
        cpu: Share of one core; 1.0 is all of it, more is possible.
        rss_bytes: Memory it holds now.
    """

    cpu: float
    rss_bytes: int


class ProcessGauge:
    """CPU and memory of one process, with its children if wanted."""

    def __init__(self, pid: int, *, with_children: bool = False) -> None:
        self._pid = pid
        self._with_children = with_children
        self._cpu_s, _ = self._read()
        self._at_s = time.monotonic()

    def look(self) -> Usage:
        """Return what it used since the last look."""
        cpu_s, rss_bytes = self._read()
        now_s = time.monotonic()
        # A child that has ended takes its share with it.
        used = max(cpu_s - self._cpu_s, 0.0) / max(now_s - self._at_s, 1e-6)
        self._cpu_s, self._at_s = cpu_s, now_s
        return Usage(used, rss_bytes)

    def _read(self) -> tuple[float, int]:
        pids = _family(self._pid) if self._with_children else [self._pid]
        readings = [_read_proc(pid) if _PROC.is_dir() else _read_ps(pid) for pid in pids]
        return sum(cpu_s for cpu_s, _ in readings), sum(rss for _, rss in readings)


def _family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    parents: dict[int, int] = {}
    if _PROC.is_dir():
        for folder in _PROC.glob("[0-9]*"):
            fields = _stat_of(int(folder.name))
            if fields:
                parents[int(folder.name)] = int(fields[1])
    else:
        listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False)
        for line in listed.stdout.splitlines():
            child, parent = line.split()
            parents[int(child)] = int(parent)
    family = [pid]
    for known in family:
        family += [child for child, parent in parents.items() if parent == known]
    return family


def _stat_of(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` from the state on; empty if it has ended."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    # The name before stands in brackets and may hold anything.
    return text.rpartition(")")[2].split()


def _read_proc(pid: int) -> tuple[float, int]:
    fields = _stat_of(pid)
    if not fields:
        return 0.0, 0
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def _read_ps(pid: int) -> tuple[float, int]:
    shown = subprocess.run(
        ["ps", "-o", "time=,rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    if len(shown) != 2:
        return 0.0, 0
    seconds = 0.0
    for part in shown[0].replace("-", ":").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds, int(shown[1]) * 1024


def read_metrics(text: str) -> dict[str, float]:
    """Return the figures without a label of an answer of ``/metrics``."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value and not name.startswith("#") and "{" not in name:
            found[name] = float(value)
    return found
