"""Tests in two lanes: side by side, but for those that are marked `alone`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

CROWD = """
import pathlib, time, pytest

LOG = pathlib.Path(__file__).with_name("log")

def note(line):
    with LOG.open("a") as log:
        log.write(line + "\\n")

def met(name):
    pathlib.Path(__file__).with_suffix(".here").touch()
    end = time.monotonic() + 20
    while not pathlib.Path(__file__).with_name(name).exists():
        assert time.monotonic() < end, "the other lane never came"
        time.sleep(0.01)
"""
TALKERS = '''
@pytest.mark.parametrize("number", range(20))
def test_one_of_many(number):
    """Comes and goes."""
    note("in")
    time.sleep(0.02)
    note("out")
'''
ALONE = '''
@pytest.mark.alone
@pytest.mark.parametrize("number", range(4))
def test_alone(number):
    """Hears nobody."""
    note("alone")
    time.sleep(0.1)
    note("over")
'''
MEETING = '''
def test_both_are_here():
    """Neither file waits for the end of the other."""
    met("{}.here")
'''


def test_two_files_run_at_a_time_and_who_is_alone_hears_nobody(tmp_path, project_root):
    """Ordinary tests meet across files; between both words of one that is alone there is no other."""
    folder = tmp_path / "tests"
    folder.mkdir()
    shutil.copy(project_root / "tests" / "conftest.py", folder)
    (folder / "test_a.py").write_text(CROWD + MEETING.format("test_b") + ALONE)
    (folder / "test_b.py").write_text(CROWD + MEETING.format("test_a") + TALKERS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  alone\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n2", "--dist", "loadfile", str(folder)],
        cwd=tmp_path,
        env={name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = (folder / "log").read_text().split()
    assert (said.count("alone"), said.count("in")) == (4, 20)
    for at, word in enumerate(said):
        if word == "alone":
            assert said[at + 1] == "over", said
