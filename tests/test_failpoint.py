"""Places at which a process dies when it is told to: each exists, and nothing else does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import failpoint

PLACE = re.compile(r"failpoint\.(?:reach|is_due|die_meanwhile)\(\"([a-z-]+)\"\)")


def run(code: str, failpoint_text: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own that is told where to die."""
    environment = os.environ | {failpoint.VARIABLE: failpoint_text}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )


def test_every_place_is_in_the_code_once_and_the_other_way_round(project_root: Path) -> None:
    """A name without a place would be a phase that no kill meets."""
    files = (project_root / "toolkit").rglob("*.py")
    places = [name for path in files for name in PLACE.findall(path.read_text("utf-8"))]
    assert sorted(places) == sorted(failpoint.NAMES)


def test_a_process_dies_at_the_place_it_was_told_and_as_often_as_it_was_told() -> None:
    """As from `kill -9`; and no child of it inherits the order."""
    code = (
        "import os; from toolkit import failpoint\n"
        "for n in range(9):\n"
        "    print(n, 'TOOLKIT_FAILPOINT' in os.environ, flush=True)\n"
        "    failpoint.reach('taken'); failpoint.reach('ack')\n"
    )
    died = run(code, "ack:3")
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, "0 False\n1 False\n2 False\n")


def test_a_process_dies_within_a_system_call() -> None:
    """The call goes on while another thread ends the process."""
    code = (
        "import time; from toolkit import failpoint\n"
        "failpoint.die_meanwhile('fsync'); print('called', flush=True); time.sleep(60)\n"
    )
    died = run(code, "fsync")
    assert died.returncode == -signal.SIGKILL


def test_nobody_dies_without_being_told() -> None:
    """Every place is passed."""
    code = (
        "from toolkit import failpoint\n"
        "for name in failpoint.NAMES: failpoint.reach(name); failpoint.die_meanwhile(name)\n"
    )
    assert run(code, "").returncode == 0


def test_a_place_that_does_not_exist_is_refused() -> None:
    """Nobody would ever get there."""
    with pytest.raises(ValueError, match="no such place; there are dial, handshake"):
        failpoint.arm("somewhere")
