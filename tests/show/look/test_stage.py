"""The stage: what holds for every widget."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.show.look.stage import Stage
from toolkit.show.part import ShowError


def test_what_is_set_is_told_and_survives_a_restart_but_for_the_panic() -> None:
    """An overlay that stays blank after a restart would look broken."""
    stage = Stage()
    for action, values in {
        "blank": {"on": True}, "language": {"language": "fr"}, "speech": {"on": True},
        "volume": {"volume": 0.25}, "preset": {"preset": "evening"}, "hush": {},
    }.items():  # fmt: skip
        version = stage.version
        stage.command(f"stage.{action}", values, 0)
        assert stage.version > version
    told = {
        "is_blank": True, "language": "fr", "preset": "evening",
        "speech": {"on": True, "stop": 1}, "sound": {"volume": 0.25},
    }  # fmt: skip
    assert stage.state() == told
    again = Stage()
    again.restore(json.loads(json.dumps(stage.saved())))
    assert again.state() == told | {"is_blank": False, "speech": {"on": True, "stop": 0}}


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ("blank", {}),
        ("blank", {"on": 1}),
        ("language", {"language": "tlh"}),
        ("language", {"language": ["fr"]}),
        ("volume", {"volume": 1.01}),
        ("volume", {"volume": float("nan")}),
        ("volume", {"volume": True}),
        ("preset", {"preset": "x" * 41}),
        ("preset", {"preset": "\ud800"}),
        ("speech", {"on": "yes"}),
    ],
)
def test_a_value_that_means_nothing_changes_nothing(action: str, values: dict[str, Any]) -> None:
    """It is a sentence with a hint."""
    stage = Stage()
    before = stage.state()
    with pytest.raises(ShowError) as caught:
        stage.command(f"stage.{action}", values, 0)
    assert str(caught.value) and caught.value.hint
    assert stage.state() == before


@given(
    st.dictionaries(
        st.sampled_from(["language", "preset", "speech", "volume"]),
        st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.integers()),
    )
)
def test_whatever_was_saved_is_taken_up_or_left_out(saved: dict[str, Any]) -> None:
    """A file that somebody has edited by hand."""
    stage = Stage()
    stage.restore(saved)
    state = stage.state()
    assert state["language"] in ("en", "fr") and 0 <= state["sound"]["volume"] <= 1
