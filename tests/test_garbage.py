"""What the collector is told to leave alone: in a process of its own, since it is for good."""

import subprocess
import sys

CODE = """
import gc
from toolkit import garbage

class Kept:
    pass

before = Kept()
garbage.leave_alone_what_is_imported()
after = Kept()
frozen = gc.get_freeze_count()
assert frozen > 1_000, frozen
assert not any(found is before for found in gc.get_objects())
assert {id(found) for found in garbage.living() if isinstance(found, Kept)} == {id(before), id(after)}
assert gc.get_freeze_count() >= frozen
import duckdb
garbage.leave_alone_what_is_imported()
"""


def test_what_is_imported_is_left_alone_and_can_still_be_found():
    """Also at the end: nothing is reported as leaked."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
