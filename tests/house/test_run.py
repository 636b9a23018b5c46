"""The front door: what `run.py` decides before anything is installed."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def run(project_root, tmp_path, monkeypatch):
    """Return run.py as a module whose virtual environment lies in a temporary folder."""
    spec = importlib.util.spec_from_file_location("run_under_test", project_root / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "stamp.json")
    monkeypatch.setattr(module, "PIP_LOG", tmp_path / "setup.log")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    return module


def test_an_old_python_gets_as_far_as_the_sentence(project_root):
    """The file has no syntax younger than Python 3.8."""
    ast.parse((project_root / "run.py").read_text("utf-8"), feature_version=(3, 8))


def test_it_imports_nothing_but_the_standard_library(project_root):
    """It has to work before anything is installed."""
    tree = ast.parse((project_root / "run.py").read_text("utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_an_old_python_is_named_with_what_is_needed(run, monkeypatch, capsys):
    """One sentence and an exit code, no traceback."""
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 2))
    assert run.main(["setup"]) == 1
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


def test_an_unknown_verb_shows_the_verbs(run, capsys):
    """It is a misspelling, not an argument of the server."""
    assert run.main(["tset"]) == 2
    assert "python3 run.py test" in capsys.readouterr().err


def test_an_option_is_read_in_both_spellings(run):
    """As Panel reads them."""
    assert run.option(["--port", "7000"], "--port") == "7000"
    assert run.option(["--port=7000"], "--port") == "7000"
    assert run.option(["--portal=1", "--dev"], "--port") is None


def test_tests_run_in_lanes_unless_one_file_is_asked_for_or_looked_into(run):
    """Whole files at a time; what needs a terminal, or names its own lanes, is left alone."""
    for args in ([], ["tests/faults"], ["--durations=15", "-p", "no:cacheprovider"], ["-m", "not browser"]):
        assert "loadfile" in run.lanes(args), args
    for args in (["tests/test_config.py"], ["tests/wire/test_decode.py::test_x"], ["-s"], ["--pdb"], ["-n0"]):
        assert run.lanes(args) == [], args


def test_a_taken_port_is_said_and_the_next_one_used(run, monkeypatch, capsys):
    """Two servers on one machine do not end in a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(run, "DEFAULT_PORT", port)
        assert run.free_port("127.0.0.1") > port
    assert f"Port {port} is taken" in capsys.readouterr().out


def test_the_addresses_are_printed_once_the_server_answers(run, capsys):
    """Whatever it answers: a server that says 404 is up."""

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self):  # the name http.server calls
            self.send_error(404)

        def log_message(self, *args):
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    run.announce(os.getpid(), "127.0.0.1", port, "live", wants_browser=False)
    server.shutdown()
    server.server_close()
    out = capsys.readouterr().out
    assert f"http://127.0.0.1:{port}/live/panel_app" in out
    assert f"http://127.0.0.1:{port}/live/overlay" in out


def test_no_address_is_promised_for_a_server_that_died(run, capsys):
    """The announcer ends with the server it waits for."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    run.announce(ended.pid, "127.0.0.1", port, "", wants_browser=False)
    assert capsys.readouterr().out == ""


def test_no_browser_is_opened_where_nobody_sits(run, monkeypatch):
    """Neither in CI nor over ssh."""
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.setenv("CI", "true")
    assert not run.has_screen()
    monkeypatch.delenv("CI")
    assert run.has_screen()
    monkeypatch.setenv("SSH_CONNECTION", "somewhere")
    assert not run.has_screen()


def test_a_finished_setup_is_recognised_and_any_change_is_not(run, monkeypatch, tmp_path):
    """Lock files, the folder, the Python and the level all count."""
    run.VENV.mkdir()
    fingerprint = run.fingerprint_now()
    monkeypatch.setattr(run, "holds_pins", lambda lock_file: True)
    assert not run.is_ready("runtime", fingerprint)
    run.write_stamp({"level": "test", "fingerprint": fingerprint})
    assert run.is_ready("runtime", fingerprint)
    assert run.is_ready("test", fingerprint)
    assert not run.is_ready("dev", fingerprint)
    for key in fingerprint:
        assert not run.is_ready("test", fingerprint | {key: "other"}), key


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"fingerprint": 3}', '{"fingerprint": {"files": 1}}']
)
def test_a_damaged_stamp_counts_as_none(run, text):
    """The setup is done again; nothing else happens."""
    run.VENV.mkdir()
    run.STAMP.write_text(text, "utf-8")
    assert run.read_stamp() == {}
    assert not run.is_ready("runtime", run.fingerprint_now())


def test_a_missing_package_is_noticed(run, tmp_path):
    """The venv is asked what it holds, not only the stamp."""
    lock_file = tmp_path / "a.lock"
    lock_file.write_text("pytest==0.0.1 \\\n    --hash=sha256:00\n", "utf-8")
    assert not run.holds_pins(lock_file)
    lock_file.write_text(f"pytest=={pytest.__version__} \\\n    --hash=sha256:00\n", "utf-8")
    assert run.holds_pins(lock_file)


def test_a_venv_that_was_moved_or_has_no_python_is_built_anew(run, monkeypatch, tmp_path):
    """A venv holds absolute paths; a Python that is gone leaves a dead link."""
    run.VENV.mkdir()
    fingerprint = {"files": "x", "root": "here", "python": platform.python_version()}
    assert run.is_usable(fingerprint)
    run.write_stamp({"level": "test", "fingerprint": fingerprint | {"root": "there"}})
    assert not run.is_usable(fingerprint)
    run.STAMP.unlink()
    monkeypatch.setattr(run, "PYTHON", tmp_path / "gone")
    assert not run.is_usable(fingerprint)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("NewConnectionError: [Errno -3] Temporary failure in name resolution", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "differs from"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("something nobody has seen", "something nobody has seen"),
    ],
)
def test_what_stopped_pip_becomes_a_sentence(run, output, words):
    """With the log for the rest."""
    explanation = run.explain_pip(output)
    assert words in explanation
    assert "setup.log" in explanation


def test_an_index_that_is_not_there_is_one_sentence(run, tmp_path, monkeypatch):
    """Real pip, and a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/simple"
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    options = ["--index-url", address, "--no-cache-dir", "--target", str(tmp_path / "x")]
    with pytest.raises(run.SetupError, match="cannot be reached"):
        run.run_pip(["install", *options, "no-such-package-of-ours"])
    assert "no-such-package-of-ours" in (tmp_path / "setup.log").read_text("utf-8")


def test_progress_in_a_log_is_whole_lines(run, capsys):
    """No carriage returns where nobody watches a terminal."""
    with run.step("Waiting") as report:
        report("half way", True)
    out = capsys.readouterr().out
    assert "\r" not in out
    assert [line.split(" (")[0] for line in out.splitlines()][:2] == ["Waiting ...", "  half way"]
    assert out.splitlines()[-1].startswith("Waiting: done in")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no exec")
def test_the_server_gets_the_signal_itself(run, tmp_path):
    """`run.py` turns into the program: its signals and its exit code are the program's."""
    program = (
        "import importlib.util as u, sys\n"
        f"spec = u.spec_from_file_location('run', {str(Path(run.__file__))!r})\n"
        "run = u.module_from_spec(spec); spec.loader.exec_module(run)\n"
        "code = \"import signal, sys; signal.signal(2, lambda *a: sys.exit(7)); print('up', flush=True); "
        'signal.pause()"\n'
        "run.become([sys.executable, '-c', code])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 7
    process.stdout.close()


def test_the_stamp_is_json_that_says_what_was_installed(run):
    """Something a person can read when they wonder."""
    run.VENV.mkdir()
    run.write_stamp({"level": "runtime", "fingerprint": run.fingerprint_now()})
    assert json.load(io.StringIO(run.STAMP.read_text("utf-8")))["level"] == "runtime"
