"""Faults at the tap: the same plan file and seed, the same run; what needs a wire is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replay.plans import COMMENT, Scripted, digest, messages
from toolkit.errors import SettingsError
from toolkit.model.plan import Plan
from toolkit.replay.faulty import with_faults
from toolkit.replay.workload import synthesise
from toolkit.simulator.fault_plan import FaultPlan, load_plan, parse_plan
from toolkit.simulator.faults import KINDS, Area

SECONDS = 12
EXAMPLE = Path("docs") / "faults.toml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A few bursts of a typical room."""
    return Scripted(list(synthesise("typical", 4, seconds=SECONDS).frames()), duration_s=SECONDS)


def faults(*planned: dict, seed: int = 1) -> FaultPlan:
    """Return a fault plan."""
    return parse_plan({"seed": seed, "fault": list(planned)})


def test_the_same_file_and_seed_give_the_same_bytes(plan):
    """Another seed flips other bits; a seed given here goes before the file's."""
    file = faults(
        {"at_s": 2, "kind": "mutated", "flips": 9},
        {"frame": 5, "kind": "truncated", "count": 2},
        {"frame": 9, "kind": "bad-gzip"},
        seed=3,
    )
    run = digest(with_faults(plan, file).frames())
    assert digest(with_faults(plan, file).frames()) == run
    assert digest(with_faults(plan, file, seed=3).frames()) == run
    assert digest(with_faults(plan, file, seed=4).frames()) != run
    assert digest(with_faults(plan, FaultPlan()).frames()) == digest(plan.frames()) != run


def test_the_middle_of_a_faulty_plan_is_the_middle_of_the_whole(plan):
    """A seek changes nothing about what goes wrong behind it."""
    faulty = with_faults(plan, faults({"frame": 4, "kind": "mutated", "count": 6}))
    whole = list(faulty.frames())
    assert digest(faulty.frames(6.0)) == digest(f for f in whole if f.at_s >= 6.0)


@pytest.mark.parametrize(
    "kind",
    sorted(
        name
        for name, kind in KINDS.items()
        if kind.area in (Area.FRAME, Area.STREAM) and name not in ("slow-drip", "half-frame", "gzip-bomb")
    ),
)
def test_every_fault_of_frames_changes_the_plan(plan, kind):
    """All of it before stays as it was."""
    faulty = with_faults(plan, faults({"at_s": 4, "kind": kind, **{"late-end": {"count": 9}}.get(kind, {})}))
    was, now = list(plan.frames()), list(faulty.frames())
    assert digest(now) != digest(was)
    assert digest(f for f in now if f.at_s < 4) == digest(f for f in was if f.at_s < 4)


def test_a_frame_can_come_twice_or_late(plan):
    """Twice the same bytes; or after the one that followed it, at that one's moment."""
    twice = list(with_faults(plan, faults({"frame": 3, "kind": "duplicate"})).frames())
    third = list(plan.frames())[2]
    assert [list(f.messages) for f in twice].count(list(third.messages)) == 2
    swapped = list(with_faults(plan, faults({"frame": 3, "kind": "reorder"})).frames())
    fourth = list(plan.frames())[3]
    assert [list(f.messages) for f in swapped[2:4]] == [list(fourth.messages), list(third.messages)]
    assert swapped[2].at_s == swapped[3].at_s == fourth.at_s


def test_a_mute_stream_is_silent_for_its_seconds(plan):
    """Then all is as before; comments alone can be missing too."""
    mute = list(with_faults(plan, faults({"at_s": 4, "kind": "mute", "seconds": 3})).frames())
    assert not [f for f in mute if 4.9 < f.at_s < 6.9]
    assert [f for f in mute if f.at_s > 8.1] == [f for f in plan.frames() if f.at_s > 8.1]
    joins = with_faults(plan, faults({"at_s": 0, "kind": "joins-only"}))
    assert messages(joins, COMMENT) == [] != messages(joins)


def test_what_needs_a_connection_is_refused_by_name(plan):
    """One sentence each, and where it is possible."""
    with pytest.raises(SettingsError) as caught:
        with_faults(
            plan,
            faults(
                {"at_s": 1, "kind": "drop"},
                {"frame": 1, "kind": "duplicate"},
                {"frame": 2, "kind": "half-frame"},
                {"at_s": 3, "kind": "sign-hangs"},
            ),
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "fault 1, drop",
        "fault 3, half-frame",
        "fault 4, sign-hangs",
    ]
    assert "simulate --recording" in caught.value.problems[0]


def test_the_example_that_comes_with_the_toolkit_can_be_read(project_root):
    """It is what the README points to."""
    file = load_plan(project_root / EXAMPLE)
    assert len(file.planned) >= 5
