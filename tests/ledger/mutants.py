"""
Grades the tests of the ledger: faults planted in it, which they have to find.

Each mutant is one replacement in the text of a module, made in memory; the files
stay as they are. A mutant that survives shows what nobody watches.

    python tests/ledger/mutants.py
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import toolkit

PACKAGE = Path(toolkit.__file__).parent / "ledger"
TESTS = Path(__file__).parent
SECONDS_MAX = 120

# ruff: noqa: E501  (a mutant is one line, however long the line it changes)
MUTANTS: list[tuple[str, str, str]] = [
    # each gift once
    ("gifts", "added = max(0, _count(gift) - entry.count)", "added = _count(gift)"),
    ("gifts", "added = max(0, _count(gift) - entry.count)", "added = _count(gift) - entry.count"),
    ("gifts", "entry.count += added", "entry.count = _count(gift)"),
    ("gifts", "if now_us - seen_at < SETTLE_US:", "if now_us - seen_at <= SETTLE_US:"),
    ("gifts", "SETTLE_US = 30_000_000", "SETTLE_US = 3_000_000_000"),
    ("gifts", "self._running = OrderedDict.fromkeys(self._running, now_us)", "pass"),
    ("gifts", "            self._running.move_to_end(key)\n", "            pass\n"),
    ("gifts", "            self._running[key] = now_us\n            self._running.move", "            self._running.move"),
    ("gifts", "self._running.pop(key, None)\n        elif", "pass\n        elif"),
    ("gifts", "entry.state = GiftState.FINAL", "pass"),
    ("gifts", "return user_id, gift.gift_id, gift.group_id, 0", "return user_id, gift.gift_id, 0, 0"),
    ("gifts", "return user_id, gift.gift_id, gift.group_id, 0", "return 0, gift.gift_id, gift.group_id, 0"),
    ("gifts", "return user_id, gift.gift_id, gift.msg_id, 1 if gift.msg_id else -gift.seq", "return user_id, gift.gift_id, gift.msg_id, 1"),
    ("gifts", "return max(gift.repeat_count, 1)", "return gift.repeat_count"),
    ("gifts", "and gift.occurred_at > entry.occurred_at", "and True"),
    ("gifts", "                self.regained += added\n", "                pass\n"),
    ("gifts", "(gift.gift_type == _TYPE_UNKNOWN and gift.group_id != 0)", "False"),
    ("gifts", "return self._grow(key, entry, gift, now_us, segment_id) if is_streak else 0", "return self._grow(key, entry, gift, now_us, segment_id) if is_streak else 1"),
    # what was withdrawn
    ("tombstones", "comment.seq < self._users", "comment.seq > self._users"),
    ("tombstones", "max(self._users.get(stone.target_id, 0), stone.seq)", "stone.seq"),
    ("tombstones", "if 0 < target_id <= _ID_MAX:", "if 0 <= target_id:"),
    ("tombstones", ")[:TARGETS_MAX]:", "):"),
    # the time from TikTok to us
    ("replayed", "if len(self._delays) >= DELAYS_MIN else None", "if self._delays else None"),
    ("replayed", "< self._opened_at - LATE_US", "< batch.received_at"),
    ("replayed", "self._usual_us = self._meter.usual_us()", "pass"),
    ("replayed", "is_opening = batch.received_at - self._opened_at <= OPENING_US", "is_opening = True"),
    # TikTok's own totals
    ("counters", "return end - start - seen_before - seen_after", "return end - start - seen_after"),
    ("counters", "return end - start - seen_before - seen_after", "return end - start - seen_before"),
    ("counters", "return self._older_max or min(values) - 1, len(values)", "return min(values) - 1, len(values)"),
    ("counters", "if now_us - self._head_at <= DISORDER_US:", "if True:"),
    ("counters", "DISORDER_US = 5_000_000", "DISORDER_US = 0"),
    ("counters", "if self.last is None or value >= self.last:", "if True:"),
    ("counters", "self.wobble * 3 // 2", "0"),
    ("counters", "int(self.peak * WOBBLE_SHARE) + 1", "WOBBLE_MAX"),
    ("counters", "near = [s for s in self.series if abs(total - s.peak) <= _reach(now_us - s.last_at)]", "near = self.series"),
    ("counters", "own.last, own.last_at = total, now_us", "own.last_at = now_us"),
    ("counters", "if len(self.series) >= SERIES_MAX:", "if False:"),
    ("counters", "low = min(b.first - a.last - max(a.margin, b.margin) for a, b in pairs)", "low = best[1].first - best[0].last"),
    ("counters", "late = [s for s in self.series if self._last_at - s.last_at <= SERIES_QUIET_US]", "late = self.series"),
    ("counters", "early = [s for s in self.series if s.first_at - self._first_at <= SERIES_QUIET_US]", "early = self.series"),
    # how much usually happens
    ("rates", "mean = (count + 0.5) * share", "mean = count * share"),
    ("rates", "share = target_us / observed_us", "share = observed_us / target_us if target_us else 0"),
    ("rates", "moods = 1 / max(1.0, target_us / DRIFT_US)", "moods = 1.0"),
    ("rates", "TAIL = 0.01", "TAIL = 0.2"),
    ("rates", "mean * mean * (drift * moods + clumps / (count + 1))", "0.0"),
    ("rates", "clumps = _clumping(samples, CLUMPS_USUAL.get(kind, 1.0))", "clumps = 1.0"),
    ("rates", "return drift / weight", "return 0.0"),
    ("rates", "return mean * max(0.0, root) ** 3", "return mean * max(0.0, root) ** 2"),
    ("rates", "if KEEP_BINS <= n < number - KEEP_BINS]", "if n < number - KEEP_BINS]"),
    ("rates", "min(BIN_US, length - number * BIN_US)", "BIN_US"),
    # what a stretch keeps
    ("stretches", "if now_us - self.first_at <= OPENING_US:", "if True:"),
    ("stretches", "            self.repeats += batch.duplicates\n", "            pass\n"),
    ("stretches", "                self.replays.append(comment.occurred_at)\n            return\n", "                self.replays.append(comment.occurred_at)\n"),
    ("stretches", "        if gifts.regained > regained:", "        if False:"),
    ("stretches", "self.first_occurred_at is None:", "True:"),
    ("stretches", "max(self.last_occurred_at or 0, occurred_at)", "occurred_at"),
    ("stretches", "self.last_at = max(self.last_at, now_us)", "pass"),
    # where a gap lies and what it cost
    ("gaps", "if is_last and segment.cause in _ORDERLY:", "if segment.cause in _ORDERLY or is_last:"),
    ("gaps", "found.append(replace(segment, ended_at=min(last_at, segment.ended_at)))", "found.append(segment)"),
    ("gaps", "max(after.started_at, started_at) if after else None", "after.started_at if after else None"),
    ("gaps", "and segments[-1].cause not in _ORDERLY:", ":"),
    ("gaps", "REPLAYED_COMMENTS = 6", "REPLAYED_COMMENTS = 3"),
    ("gaps", "is_reached = len(mine) < len(new.replays) or (", "is_reached = ("),
    ("gaps", "return _bounded(found.estimate - less, found.low - less, found.high - less)", "return _bounded(found.estimate, found.low, found.high)"),
    ("gaps", "bare_us = min(max(0, min(mine) - started_at), self._length_us)", "bare_us = self._length_us"),
    ("gaps", "started_at = self.gap.started_at - (usual_us or 0)", "started_at = self.gap.started_at"),
    ("gaps", "if old is self.before[-1] and new is self.after[0]:", "if True:"),
    ("gaps", "if grown < 0:", "if False:"),
    ("gaps", "share = min(1.0, self._length_us / silent_us) if silent_us > 0 else 1.0", "share = 1.0"),
    ("gaps", "- seen - new.regained_diamonds", "- seen"),
    ("gaps", "seen += sum(cost for at, cost in new.early_gifts if at <= end)", "pass"),
    ("gaps", "if at > start)", ")"),
    ("gaps", "edge += under_way.high", "edge = 0"),
    ("gaps", "less=self.after[0].regained_gifts", "less=0"),
]  # fmt: skip


class Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module of the ledger from changed text."""

    def __init__(self, module: str, text: str) -> None:
        self._name, self._text = f"toolkit.ledger.{module}", text

    def find_spec(self, fullname, path=None, target=None):
        """Claim the module."""
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == self._name else None

    def exec_module(self, module):
        """Run the changed text."""
        exec(compile(self._text, f"<mutant of {self._name}>", "exec"), module.__dict__)


def changed(number: int) -> tuple[str, str]:
    """Return the module of a mutant and its changed text."""
    module, old, new = MUTANTS[number]
    text = (PACKAGE / f"{module}.py").read_text("utf-8")
    assert old in text, f"mutant {number} of {module} finds nothing to change: {old}"
    return module, text.replace(old, new, 1)


def run_tests(number: int) -> int:
    """Run the tests against a mutant, in this process; return pytest's verdict."""
    import pytest

    sys.meta_path.insert(0, Planted(*changed(number)))
    options = ["-q", "-x", "--no-header", "-p", "no:cacheprovider", str(TESTS), "-k"]
    # The simulated lives take longest, so they come last, and the cheapest will do.
    return int(
        pytest.main([*options, "not truth_is_known"]) or pytest.main([*options, "truth_is_known and small"])
    )


def is_killed(number: int) -> bool:
    """Return whether the tests fail, or do not end, against a mutant."""
    command = [sys.executable, __file__, "--one", str(number)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> int:
    """Grade, and tell which survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=int, help="run the tests against this mutant alone")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    if asked.one is not None:
        return run_tests(asked.one)
    started = time.monotonic()
    for number in range(len(MUTANTS)):
        changed(number)
    with ThreadPoolExecutor(asked.jobs) as pool:
        killed = list(pool.map(is_killed, range(len(MUTANTS))))
    for number, is_dead in enumerate(killed):
        if not is_dead:
            print(f"survived: {number} {MUTANTS[number]}")
    print(f"{sum(killed)} of {len(killed)} killed in {time.monotonic() - started:.0f} s")
    return 0 if sum(killed) >= 0.95 * len(killed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
