"""The whole show: whatever is commanded and whatever happens, it goes on."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from toolkit.bus.live_state import run_started
from toolkit.bus.memory import MemoryBus
from toolkit.clock import ManualClock
from toolkit.model.event import EVENT_CLASSES, Event, User
from toolkit.show.conductor import Conductor
from toolkit.show.moderation.gate import Gate
from toolkit.show.part import ShowError
from toolkit.show.programme import programme

STATE_BYTES_MAX = 12 * 1024
EXAMPLES = int(os.environ.get("SHOW_EXAMPLES", "40"))
"""SHOW_EXAMPLES=5000 tries more."""
NAMES = """
    id text answers choices options seconds on mode every_s order audience verdict seq round source points
    kind title target diamonds user user_id msg_id words scope volume language preset minimum
""".split()  # noqa: SIM905  # thirty names in quotes are harder to read

TEXTS = st.sampled_from(
    ["paris", "1", "how old are you?", "A" * 5_000, "\u202e\u0301" * 200, "", "<script>", "a1", "𝔘" * 300]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)
LIKELY = st.sampled_from(
    [
        True,
        False,
        1,
        30,
        ["a", "b"],
        "paris",
        "chat",
        "gift",
        "likes",
        "follow",
        "timer",
        "void",
        "live",
        "g1",
    ]
)
USERS = st.builds(User, st.integers(0, 2**63), TEXTS, TEXTS, avatar_url=st.sampled_from(["", "https://x"]))
TYPES: Mapping[str, st.SearchStrategy[Any]] = {
    "int": st.integers(0, 2**63),
    "int | None": st.none() | st.integers(0, 2**60),
    "str": TEXTS | st.sampled_from(["[]", "{", '[{"index": 1, "text": "x", "votes": 2}]', "1,x", "[" * 900]),
    "bool": st.booleans(),
    "User | None": st.none() | USERS,
}
DATA = st.dictionaries(
    st.sampled_from([*NAMES, "recording", "connected", "state", "started_at", "ended_at", "gap_id", "clear"]),
    ANYTHING,
    max_size=4,
)


def events() -> st.SearchStrategy[tuple[str, Event]]:
    """Return any event, whatever its fields hold."""
    each = []
    for cls in EVENT_CLASSES:
        fields = {field.name: TYPES[str(field.type)] for field in dataclasses.fields(cls)}
        each.append(st.tuples(st.just(cls.kind), st.builds(cls, **fields)))
    return st.one_of(each)


NOTICES = events() | st.tuples(
    st.sampled_from(["run", "status", "gap", "missed", "warning", "show:result", "show:approved"]),
    DATA | st.sampled_from([run_started(kind, "ann", "rec")[1] for kind in ("live", "rehearsal", "none")]),
)


class House:
    """A show with everything that is on its programme, in a live."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.bus = MemoryBus(clock=self.clock)
        gate = Gate()
        self.conductor = Conductor(
            self.bus, programme(folder, seed=1, gate=gate), clock=self.clock, folder=folder
        )
        self.bus.publish([run_started("live", "ann", "rec-1"), ("status", {"connected": True})])
        self.conductor.step()

    def look(self) -> None:
        """Let some time pass; what is told must fit a notice, and be JSON."""
        self.clock.advance(0.6)
        self.conductor.step()
        for name, state in self.conductor.state().items():
            size = len(json.dumps(state, ensure_ascii=False, allow_nan=False).encode())
            assert size <= STATE_BYTES_MAX, f"{name}: {size} bytes"


ACTIONS = st.sampled_from(
    sorted(action for part in programme(Path("/nowhere"), seed=1, gate=Gate()) for action in part.actions)
)
COMMANDS = st.tuples(ACTIONS, st.dictionaries(st.sampled_from(NAMES), LIKELY | ANYTHING, max_size=4))


# What is logged is cleared for each example.
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("inbox.add", {"text": "\u0301" * 9}), ("inbox.add", {"text": "age"})])
@given(st.lists(COMMANDS | NOTICES, min_size=1, max_size=25))
def test_no_part_fails_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture, what: list[tuple[str, Any]]
) -> None:
    """A command is done or is a sentence; an event is shown or is not; a restart takes up what was saved."""
    caplog.clear()
    folder = tmp_path_factory.mktemp("show")
    house = House(folder)
    for kind, data in what:
        if kind in house.conductor._by_action:
            try:
                house.conductor.command({**data, "action": kind})
            except ShowError as error:
                assert str(error) and error.hint, kind
        else:
            house.bus.publish([(kind, data)])
        house.look()
    House(folder).look()
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not failures, [(record.getMessage(), record.exc_info) for record in failures]
