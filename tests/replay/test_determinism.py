"""
The same recording and the same controls by place put out the same: one hash, at every speed.

Twenty replays of a fault run in the suite; ``REPLAYS=1000 pytest tests/replay/test_determinism.py``
does as many as the promise says (half a second of processor time each).
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from tests.replay.conftest import Watched
from toolkit.replay.clock import UNLIMITED, SystemTime
from toolkit.replay.course import Cue
from toolkit.replay.digest import tables_digest
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.replay.tap import ScratchTap

REPLAYS = int(os.environ.get("REPLAYS", "20"))
RATES = (1.0, 10.0, UNLIMITED, 0.1, 1000.0)


def recorded_again(plan: Any, folder: Path, **options: Any) -> tuple[str, str, Path]:
    """Replay into a scratch recording; return both hashes and the file."""
    tap = ScratchTap(folder, "again")
    watched = Watched(plan, tap=tap, **options).run()
    report = tap.seal()
    assert report is not None
    return watched.digest.hexdigest(), tables_digest(report.path), report.path


@pytest.mark.timeout(120 + 30 * REPLAYS)
def test_a_fault_run_replayed_gives_one_hash(fault_run, tmp_path):
    """Messages and tables, at 1x, 10x, in slow motion and without a limit."""
    plan = RecordingPlan(fault_run)
    assert len(plan.breaks) >= 2
    found = set()
    for number in range(REPLAYS):
        folder = tmp_path / str(number)
        bus, tables, path = recorded_again(plan, folder, rate=RATES[number % len(RATES)])
        found.add((bus, tables))
        assert len(found) == 1, f"replay {number} of {path}"
        path.unlink()


def test_the_hash_does_not_depend_on_the_machines_time(fault_run):
    """Really waiting, with everything that is late, gives what virtual time gives."""
    plan = RecordingPlan(fault_run, idle_max_s=0.2)
    virtual = Watched(plan).run()
    real = Watched(plan, time=SystemTime(), rate=20.0).run()
    assert real.player.progress().late["count"] == real.player.progress().frames
    assert real.digest.hexdigest() == virtual.digest.hexdigest()


def test_a_replay_recorded_again_is_the_recording(fault_run, tmp_path):
    """Every typed row but for our own clocks, every segment and gap."""
    _, _, again = recorded_again(RecordingPlan(fault_run), tmp_path)
    with duckdb.connect() as connection:
        for name, path in (("a", fault_run), ("b", again)):
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        for table, columns in {
            "messages": "* EXCLUDE received_at",
            "comments": "* EXCLUDE received_at",
            "gifts": "* EXCLUDE received_at",
            "joins": "* EXCLUDE received_at",
            "gift_ledger": "* EXCLUDE (started_at, ended_at)",
            "segments": "segment_id, room_id",
            "gaps": "gap_id, cause, recovered_comments, last_frame_no, first_frame_no, counters",
        }.items():
            a, b = (
                connection.execute(f"SELECT {columns} FROM {name}.{table} ORDER BY ALL").fetchall()
                for name in "ab"
            )
            assert a, table
            assert a == b, table


def controls(seed: int, duration_s: float) -> list[Cue]:
    """Return what somebody restless does, by place."""
    rng = Random(seed)
    there_s = rng.uniform(0, duration_s)
    acts = [
        lambda p: p.seek(there_s),
        lambda p: p.skip(-3),
        lambda p: p.skip(1),
        lambda p: p.burst(frames=20),
        lambda p: p.burst(seconds=2),
        lambda p: (p.pause(), p.play_next("gift"), p.resume()),
    ]
    return [Cue(rng.uniform(0, duration_s), rng.choice(acts)) for _ in range(6)]


@pytest.mark.parametrize("seed", range(2))
def test_the_same_controls_by_place_give_the_same_hash(fault_run, seed):
    """At every speed; other controls give another."""
    plan = RecordingPlan(fault_run)
    cues = controls(seed, plan.duration_s)
    found = {Watched(plan, rate=rate, cues=cues).run().digest.hexdigest() for rate in RATES[:3]}
    assert len(found) == 1
    assert found != {Watched(plan).run().digest.hexdigest()}


def test_however_one_got_to_the_end_the_tables_are_the_same(fault_run, tmp_path):
    """A scratch recording of a replay with seeks is the one without."""
    plan = RecordingPlan(fault_run)
    straight = recorded_again(plan, tmp_path / "straight")[1]
    cues = [
        Cue(plan.duration_s * 0.7, lambda p: p.skip(-plan.duration_s * 0.4)),
        Cue(plan.duration_s * 0.5, lambda p: p.seek(plan.duration_s * 0.9)),
    ]
    assert recorded_again(plan, tmp_path / "restless", cues=cues)[1] == straight
    assert len(list((tmp_path / "restless").iterdir())) == 1


def test_what_is_different_has_another_hash(by_hand, fault_run, tmp_path):
    """A hash that never changes would prove nothing."""
    plan = by_hand(20)
    whole = Watched(plan).run().digest.hexdigest()
    swapped = by_hand(20)
    swapped.times_s[3:5] = swapped.times_s[4], swapped.times_s[3]
    assert whole != Watched(by_hand(19)).run().digest.hexdigest()
    assert whole == Watched(by_hand(20)).run().digest.hexdigest()
    _, before, path = recorded_again(RecordingPlan(fault_run), tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "UPDATE comments SET text = text || ' ' WHERE seq = (SELECT max(seq) FROM comments)"
        )
    assert tables_digest(path) != before


def test_a_player_without_a_thread_pool_left_behind(by_hand):
    """Every reader is closed with its player."""
    import threading

    before = threading.active_count()
    for _ in range(3):
        asyncio.run(Watched(by_hand(5)).player.run())
    assert threading.active_count() == before
