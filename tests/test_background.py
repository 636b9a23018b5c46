"""How our threads end with the process. Each case is a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

IN_DUCKDB = """
    import threading, time
    from toolkit import background
    from toolkit.store.database import Database

    leaving, inside = threading.Event(), threading.Event()

    def work():
        database = Database.open(Path(sys.argv[1]))
        while not leaving.is_set():
            database.rows("SELECT count(*) FROM range(20000000)")
            inside.set()
        database.close()
        print("ended", flush=True)
"""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a Python of its own."""
    head = "import sys\nfrom pathlib import Path\n"
    return subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(script), str(folder / "x.duckdb")],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_process_that_leaves_waits_for_a_thread_inside_the_database(tmp_path: Path) -> None:
    """A daemon thread inside DuckDB at exit would abort the process; ours is asked to end."""
    script = IN_DUCKDB + '\n    background.Worker("busy", work, ask_to_end=leaving.set)\n    inside.wait()\n'
    ended = run(script, tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "ended\n"), ended.stderr


def test_a_thread_that_does_not_end_is_left_behind_with_a_sentence(tmp_path: Path) -> None:
    """An exit never hangs."""
    script = """
        import time
        from toolkit import background
        background.EXIT_WITHIN_S = 0.2
        background.Worker("stuck", lambda: time.sleep(30))
    """
    ended = run(script, tmp_path)
    assert ended.returncode == 1
    assert "left before stuck had ended" in ended.stderr


def test_what_a_thread_raises_is_logged(tmp_path: Path) -> None:
    """A failure in a thread is not silent and takes nothing else down."""
    ended = run('from toolkit import background\nbackground.Worker("wrong", lambda: 1 / 0).join()', tmp_path)
    assert ended.returncode == 0
    assert "ZeroDivisionError" in ended.stderr


def test_an_executor_at_work_does_not_hold_up_a_server_that_leaves(tmp_path: Path) -> None:
    """Python waits for executors first, and without a limit: a long recording is sealed in one."""
    script = """
        import asyncio, time
        from toolkit import background

        async def seal():
            await asyncio.get_running_loop().run_in_executor(None, time.sleep, 30)

        background.Background("recorder", seal)
        time.sleep(0.3)
        background.end_all(0.2)
    """
    begins = time.monotonic()
    ended = run(script, tmp_path)
    assert ended.returncode == 1
    assert "left before recorder had ended" in ended.stderr
    assert time.monotonic() - begins < 20
