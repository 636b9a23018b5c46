"""What the collector is told to leave alone: in a process of its own, since it is for good."""

import subprocess
import sys

CODE = """
import gc
from toolkit import garbage

class Kept:
    pass

class Further(Kept):
    pass

before = Kept()
garbage.leave_alone_what_is_imported()
after, further = Kept(), Further()
frozen = gc.get_freeze_count()
assert frozen > 1_000, frozen
assert not any(found is before for found in gc.get_objects())
found = garbage.instances_of(Kept)
assert len(found) == 3 and {id(one) for one in found} == {id(before), id(after), id(further)}
del found
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


DISTURBED = """
import sys, threading
from toolkit import garbage

class Kept:
    pass

kept, is_over, failures = Kept(), threading.Event(), []

def make():
    try:
        while not is_over.is_set():
            assert len(tuple(number for number in range(2_000))) == 2_000
    except SystemError as error:
        failures.append(error)

sys.setswitchinterval(1e-6)
maker = threading.Thread(target=make)
maker.start()
for _ in range(60):
    assert garbage.instances_of(Kept) == [kept]
is_over.set()
maker.join()
assert not failures, failures
"""


def test_who_looks_for_something_disturbs_no_other_thread():
    """Python cannot finish a tuple that somebody holds who lists all objects there are."""
    done = subprocess.run(
        [sys.executable, "-c", DISTURBED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
