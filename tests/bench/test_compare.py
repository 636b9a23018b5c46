"""Two results side by side, and the command that makes and compares them."""

import json

import pytest

from toolkit.bench.compare import compare
from toolkit.bench.machine import Figure, shown
from toolkit.cli import main


def result(*figures, **machine):
    """Return a result as ``--out`` keeps it."""
    known = {"cores": 2, "load": 0.5, "packages": {"duckdb": "2.0.0"}}
    return {"machine": known | machine, "figures": [figure.as_dict() for figure in figures]}


@pytest.fixture
def keep(tmp_path):
    """Return a function that keeps results in files and returns their paths."""

    def write(*results):
        paths = [tmp_path / f"{number}.json" for number in range(len(results))]
        for path, one in zip(paths, results, strict=True):
            path.write_text(json.dumps(one))
        return [str(path) for path in paths]

    return write


@pytest.mark.parametrize(
    ("before", "after", "is_worse"),
    [
        (Figure("a", 10, "us"), Figure("a", 12, "us"), False),
        (Figure("a", 10, "us"), Figure("a", 13, "us"), True),
        (Figure("a", 10, "us"), Figure("a", 1, "us"), False),
        (Figure("a", 10, "messages/s"), Figure("a", 13, "messages/s"), False),
        (Figure("a", 10, "messages/s"), Figure("a", 7, "messages/s"), True),
        (Figure("a", 60, "x"), Figure("a", 40, "x"), True),
        (Figure("a", 9, "ms", 10, at_most=True), Figure("a", 11, "ms", 10, at_most=True), True),
        (Figure("a", 11, "ms", 10, at_most=True), Figure("a", 12, "ms", 10, at_most=True), False),
        (Figure("a", 0, "messages", 0, at_most=True), Figure("a", 1, "messages", 0, at_most=True), True),
        (Figure("a", 0, "messages", 0, at_most=True), Figure("a", 0, "messages", 0, at_most=True), False),
    ],
)
def test_worse_is_worse_whichever_way_a_figure_points(before, after, is_worse):
    """Time should shrink, throughput grow; a target that is missed now is worse too."""
    (change,) = compare(result(before), result(after))
    assert change.is_worse == is_worse
    assert change.line().endswith("WORSE") == is_worse


def test_only_figures_that_both_results_have_are_compared():
    """A suite that was not run says nothing."""
    assert compare(result(Figure("a", 1, "s")), result(Figure("b", 1, "s"))) == []


def test_the_exit_code_says_whether_something_became_worse(keep, capsys):
    """And the text, what else is different."""
    paths = keep(
        result(Figure("a", 1, "s"), Figure("b", 2, "s")),
        result(Figure("a", 2, "s"), Figure("b", 2, "s"), cores=8, packages={"duckdb": "2.1.0"}),
    )
    assert main(["bench", "--compare", *paths]) == 1
    text = capsys.readouterr().out
    assert "cores differs: 2 and 8" in text
    assert "duckdb differs: 2.0.0 and 2.1.0" in text
    assert "2.00x  WORSE" in text
    assert main(["bench", "--compare", paths[0], paths[0], "--json"]) == 0
    assert [c["ratio"] for c in json.loads(capsys.readouterr().out)["changes"]] == [1.0, 1.0]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"figures": [{"name": 1}], "machine": {}}', "\x00", "[" * 5_000, '{"figures": 3}'],
)
def test_a_file_that_is_no_result_is_a_sentence(tmp_path, capsys, text):
    """No traceback, exit code 2."""
    path = tmp_path / "a.json"
    path.write_text(text)
    assert main(["bench", "--compare", str(path), str(path)]) == 2
    assert "--compare" in capsys.readouterr().err


def test_a_result_that_is_kept_can_be_compared(tmp_path, capsys):
    """`--out`, twice, with machine and versions; then `--compare`."""
    paths = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for path in paths:
        assert main(["bench", "bus", "--rounds", "1", "--out", path]) == 0
    kept = json.loads((tmp_path / "a.json").read_text())
    assert kept["machine"]["packages"]["duckdb"]
    assert len(kept["figures"]) == 6
    capsys.readouterr()
    main(["bench", "--compare", *paths])
    assert "bus: CPU per notice, JSON" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["speed"], "there is no suite speed"),
        (["--rounds", "0"], "--rounds 0: choose 1 to"),
        (["--events", "5"], "--events 5: choose"),
        (["--out", "/dev/null/x.json"], "--out /dev/null/x.json"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_at_once(arguments, sentence, capsys):
    """A sentence and exit code 2."""
    assert main(["bench", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_figures_are_shown_with_the_digits_that_mean_something():
    """Three, or all of the whole ones."""
    assert [shown(v) for v in (0, 0.0123456, 1.5, 123.4, 16_400.2)] == ["0", "0.0123", "1.5", "123", "16,400"]
