"""The grade is only worth something if faults are planted, and if a weak test gets a bad one."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))  # as for `python tests/grade.py`

from grade import PARTS, equivalents  # noqa: E402  # found by the line above
from grading.mutants import mutants_of  # noqa: E402  # found by the line above


def changed(source):
    """Return what a piece of source may become."""
    return {mutant.new for mutant in mutants_of("x.py", source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"x = (a <= b)", "x = (a >= b)"}),
        ("x = a in b", {"x = (a not in b)"}),
        ("x = a and b", {"x = (a or b)", "x = a", "x = b"}),
        ("x = not a", {"x = a"}),
        ("x = 7", {"x = 8", "x = 6"}),
        ("x = 5_000", {"x = 10000", "x = 2500"}),
        ("x = True", {"x = False"}),
        ("x = a + b", {"x = (a - b)"}),
        ("x = min(a, b)", {"x = max(a, b)", "x = a"}),
        ("x = f(a, key=b)", {"x = f(a)"}),
        ("x = said['room_id']", {"x = said['not_room_id']"}),
        ("x = a if b else c", {"x = (c if b else a)", "x = a if True else c", "x = a if False else c"}),
        ("x = [a for a in b if c]", {"x = [a for a in b if True]", "x = [a for a in b if False]"}),
        ("f(a)", {"pass"}),
        ("x.y = a", {"pass"}),
        ("def f():\n    return a", {"return None"}),
        ("def f():\n    raise A", {"pass"}),
        ("try:\n    x = a\nexcept E:\n    x = b", {"except ():"}),
        ("while a:\n    x = b", {"while False:"}),
    ],
)
def test_each_kind_of_fault_is_made(source, expected):
    """Nothing less, and nothing more."""
    assert changed(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring of 3 lines."""',
        "import a",
        '__all__ = ["a"]',
        "x: Literal[1]",
        "assert a < 1",
        'x = f"{1 + 1}"',
        'x = "A message with 1 number."',
        "if TYPE_CHECKING:\n    x = 1",
        "failpoint.reach('ack')",
        "@decorated(by=1)\ndef f(a: int) -> int:\n    return None",
    ],
)
def test_what_is_no_behaviour_is_left_alone(source):
    """Such mutants would survive, and say nothing."""
    assert changed(source) == set()


def test_every_mutant_of_the_project_is_another_program(project_root):
    """It can be compiled, and differs: one in twenty of them is looked at."""
    for part in PARTS.values():
        for path in [
            f for name in part.sources for f in [project_root / name, *(project_root / name).glob("*.py")]
        ]:
            if path.is_dir():
                continue
            source = path.read_text("utf-8")
            whole = ast.dump(ast.parse(source))
            for mutant in mutants_of(path.name, source)[::20]:
                assert ast.dump(ast.parse(mutant.planted(source.encode()))) != whole, mutant.key


_TRY_THESE = """
import sys
from pathlib import Path
from grading import trials
trials.LIMIT_S = 8.0
if __name__ == "__main__":
    root, scratch = map(Path, sys.argv[1:3])
    plan = trials.made_plan(trials.Part(("toolkit/x.py",), ("tests",)), root, scratch)
    chosen = [mutant for mutant in plan.mutants if mutant.new in sys.argv[3:]]
    for mutant, verdict, _ in trials.tried(plan, chosen, scratch, jobs=2):
        print(verdict, mutant.new, sep=": ")
    for mutant in plan.idle:
        print("idle", mutant.new, sep=": ")
"""

_SOURCE = '''
    """A module."""

    def countdown(n):
        while n > 0:
            n -= 1
        return n

    def unused():
        return 1
'''

_WEAK = "from toolkit.x import countdown\n\ndef test_it_ends():\n    countdown(1)\n"
_BETTER = _WEAK + "\n\ndef test_it_ends_at_nothing():\n    assert (countdown(3), countdown(-1)) == (0, -1)\n"


def verdicts(folder, test, *mutants):
    """Return what comes of mutants of a small project with one file of tests."""
    root, scratch = folder / "project", folder / "scratch"
    for path, text in {
        "toolkit/__init__.py": "",
        "toolkit/x.py": textwrap.dedent(_SOURCE),
        "tests/test_x.py": test,
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--import-mode=importlib'\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _TRY_THESE, root, scratch, *mutants],
        cwd=TESTS, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (root / "toolkit/x.py").read_text("utf-8") == textwrap.dedent(_SOURCE), "the project was touched"
    return set(done.stdout.splitlines())


def test_a_weak_test_lets_mutants_live_and_a_better_one_does_not(tmp_path):
    """A line that nobody runs is told apart, and a loop without an end is noticed."""
    weak = verdicts(tmp_path / "weak", _WEAK, "return None", "pass")
    assert weak == {
        "survived: return None",
        "hung: pass",
        "idle: return 2",
        "idle: return 0",
        "idle: return None",
    }
    better = verdicts(tmp_path / "better", _BETTER, "return None", "while True:", "while (n >= 0):")
    assert {line for line in better if "idle" not in line} == {
        "killed: return None",
        "killed: while (n >= 0):",
    }


def test_a_list_of_equivalent_mutants_gives_the_reasons():
    """Lines with a key and why; what is behind # is for the reader."""
    text = "# title\n\nx.py | f | a < b | a <= b | they are never equal\n"
    assert equivalents(text) == {"x.py | f | a < b | a <= b": "they are never equal"}
