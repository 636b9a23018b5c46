"""
The same recording and the same controls by place put out the same: one hash, at every speed.

One replay at every speed, and one more, in the suite; as many as the promise says (half a
second of processor time each) with ``REPLAYS=1000 pytest tests/replay/test_determinism.py``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
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

RATES = (1.0, 10.0, UNLIMITED, 0.1, 1000.0)
REPLAYS = int(os.environ.get("REPLAYS", len(RATES) + 1))


def recorded_again(plan: Any, folder: Path, **options: Any) -> tuple[str, str, Path]:
    """Replay into a scratch recording; return both hashes and the file."""
    tap = ScratchTap(folder, "again")
    watched = Watched(plan, tap=tap, **options).run()
    report = tap.seal()
    assert report is not None
    return watched.digest.hexdigest(), tables_digest(report.path), report.path


@pytest.fixture(scope="module")
def straight(fault_run, tmp_path_factory) -> tuple[str, str, Path]:
    """Return both hashes of a fault run replayed without a control, and the file of it."""
    return recorded_again(RecordingPlan(fault_run), tmp_path_factory.mktemp("straight"))


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


def test_a_replay_recorded_again_is_the_recording(fault_run, straight):
    """Every typed row but for our own clocks, every segment and gap."""
    with duckdb.connect() as connection:
        for name, path in (("a", fault_run), ("b", straight[2])):
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


@pytest.mark.parametrize(("seed", "rates"), [(0, (1.0, UNLIMITED)), (1, (0.1, 10.0))])
def test_the_same_controls_by_place_give_the_same_hash(fault_run, seed, rates):
    """At every speed; other controls give another."""
    plan = RecordingPlan(fault_run)
    cues = controls(seed, plan.duration_s)
    found = {Watched(plan, rate=rate, cues=cues).run().digest.hexdigest() for rate in rates}
    assert len(found) == 1
    assert found != {Watched(plan).run().digest.hexdigest()}


def test_however_one_got_to_the_end_the_tables_are_the_same(fault_run, straight, tmp_path):
    """A scratch recording of a replay with seeks is the one without."""
    plan = RecordingPlan(fault_run)
    cues = [
        Cue(plan.duration_s * 0.7, lambda p: p.skip(-plan.duration_s * 0.4)),
        Cue(plan.duration_s * 0.5, lambda p: p.seek(plan.duration_s * 0.9)),
    ]
    assert recorded_again(plan, tmp_path / "restless", cues=cues)[1] == straight[1]
    assert len(list((tmp_path / "restless").iterdir())) == 1


def test_what_is_different_has_another_hash(by_hand, straight, tmp_path):
    """A hash that never changes would prove nothing."""
    plan = by_hand(20)
    whole = Watched(plan).run().digest.hexdigest()
    swapped = by_hand(20)
    swapped.times_s[3:5] = swapped.times_s[4], swapped.times_s[3]
    assert whole != Watched(by_hand(19)).run().digest.hexdigest()
    assert whole == Watched(by_hand(20)).run().digest.hexdigest()
    path = tmp_path / "changed.duckdb"
    shutil.copy(straight[2], path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "UPDATE comments SET text = text || ' ' WHERE seq = (SELECT max(seq) FROM comments)"
        )
    assert tables_digest(path) != straight[1]


def test_a_player_without_a_thread_pool_left_behind(by_hand):
    """Every reader is closed with its player."""
    import threading

    before = threading.active_count()
    for _ in range(3):
        asyncio.run(Watched(by_hand(5)).player.run())
    assert threading.active_count() == before
