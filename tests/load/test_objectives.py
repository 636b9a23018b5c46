"""Limits are settings, and what was not measured does not hold."""

import pytest

from toolkit.errors import SettingsError
from toolkit.load.objectives import Limits, judge, load_limits


def test_a_file_sets_some_limits_and_leaves_the_others(tmp_path):
    """TOML, by the names of the objectives."""
    file = tmp_path / "limits.toml"
    file.write_text("painted_p99_ms = 400\nlost_max = 2\n")
    assert load_limits(file) == Limits(painted_p99_ms=400, lost_max=2)
    assert load_limits(None) == Limits()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("painted_p99 = 1", ["painted_p99 is no objective"]),
        ("lost_max = -1\nmissed_max = 'none'", ["lost_max is -1", "missed_max is 'none'"]),
        ("lost_max = true", ["lost_max is True"]),
        ("lost_max = inf", ["lost_max is inf"]),
        ("lost_max = nan", ["lost_max is nan"]),
        ("lost_max", ["is not TOML"]),
        ("lost_max = 1\nlost_max = 2", ["is not TOML"]),
    ],
)
def test_a_limit_that_means_nothing_is_refused_with_a_sentence(tmp_path, text, problems):
    """All of them at once."""
    file = tmp_path / "limits.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_limits(file)
    assert len(error.value.problems) == len(problems)
    for sentence, part in zip(error.value.problems, problems, strict=True):
        assert part in sentence


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    """No traceback."""
    with pytest.raises(SettingsError, match="No such file"):
        load_limits(tmp_path / "missing.toml")


def test_a_file_of_other_bytes_is_a_sentence(tmp_path):
    """No traceback either."""
    file = tmp_path / "limits.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_limits(file)


def test_an_objective_holds_up_to_its_limit_and_not_beyond():
    """A limit is what it may be at most."""
    at, beyond = judge({"painted_p99_ms": 250.0, "lost_max": 1}, Limits())
    assert (at.name, at.ok) == ("painted_p99_ms", True)
    assert (beyond.name, beyond.ok) == ("lost_max", False)
    assert beyond.line().startswith("FAIL")


def test_what_should_have_been_measured_and_was_not_does_not_hold():
    """A page that never painted is no fast page."""
    (verdict,) = judge({"painted_p99_ms": None}, Limits())
    assert not verdict.ok
    assert "not measured" in verdict.line()


def test_what_was_not_asked_for_is_not_judged():
    """Without a browser nothing is said of painting."""
    assert [v.name for v in judge({"lost_max": 0}, Limits())] == ["lost_max"]
