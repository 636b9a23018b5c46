"""``toolkit simulate``: a process that says where it is and stops when told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

RUN = (
    "import argparse, sys; from toolkit.errors import ToolkitError; from toolkit.simulator import command\n"
    "parser = argparse.ArgumentParser(); command.add_arguments(parser)\n"
    "try: sys.exit(command.run(parser.parse_args()))\n"
    "except ToolkitError as error: print(error, error.hint, file=sys.stderr); sys.exit(error.exit_code)\n"
)
DEADLINE_S = 30


def simulate(*options: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the process; return its exit code and what it wrote."""
    out, err = process.communicate(timeout=DEADLINE_S)
    return process.returncode, out, err


def test_it_prints_the_address_and_ends_with_the_live():
    """The environment can be copied, the exit code is 0, nothing goes to stderr."""
    code, out, err = finish(
        simulate("--port", "0", "--seconds", "1", "--preset", "small", "--user", "@tavis")
    )
    assert (code, err) == (0, "")
    assert "/@tavis/live" in out
    assert "export TIKTOK_WEBCAST_URL=http://127.0.0.1:" in out
    assert out.rstrip().endswith("the live has ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_live_cleanly(number):
    """JSON lines: the first says where it is, the last how much was sent."""
    process = simulate("--json", "--port", "0", "--comments-per-second", "50")
    assert process.stdout is not None
    start = json.loads(process.stdout.readline())
    assert start["environment"]["TIKTOK_APP_URL"] == start["url"]
    assert httpx.get(f"{start['url']}/sim/state", trust_env=False).json()["comments_per_s"] == 50
    process.send_signal(number)
    code, out, err = finish(process)
    assert (code, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["is_live"] is False


def test_all_wrong_options_are_named_at_once():
    """One sentence each, exit code 2, no traceback."""
    code, out, err = finish(
        simulate("--preset", "huge", "--comments-per-second", "-1", "--port", "70000", "--seconds", "nan")
    )
    assert (code, out) == (2, "")
    for option in ("--preset huge", "--comments-per-second -1", "--port 70000", "--seconds nan"):
        assert option in err
    assert "Traceback" not in err


def test_a_taken_port_is_named():
    """And the way out is said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = finish(simulate("--port", str(port)))
    assert code == 5
    assert f"port {port}" in err and "--port 0" in err
    assert "Traceback" not in err


def test_faults_come_from_a_file_or_from_a_seed(tmp_path):
    """What is planned can be read at /sim/faults; a plan that makes no sense ends with a sentence."""
    plan = tmp_path / "plan.toml"
    plan.write_text('[[fault]]\nat_s = 0.1\nkind = "sign-status"\nstatus = 503\n', "utf-8")
    for options, count in ((["--faults", str(plan)], 1), (["--fault-seed", "3", "--seconds", "600"], 10)):
        process = simulate("--json", "--port", "0", *options)
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        planned = httpx.get(f"{url}/sim/faults", trust_env=False).json()["planned"]
        process.send_signal(signal.SIGTERM)
        assert finish(process)[0] == 0
        assert len(planned) >= count
    plan.write_text('[[fault]]\nkind = "flood"\n', "utf-8")
    code, out, err = finish(simulate("--faults", str(plan)))
    assert (code, out) == (2, "")
    assert "flood" in err and "Traceback" not in err
