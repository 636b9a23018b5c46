"""
The project's front door: sets itself up, then starts the server, the tests or a tool.

    python3 run.py [ARGS]          set up and start `panel serve panel_app.py ARGS`
    python3 run.py test [ARGS]     set up and run the tests: `pytest ARGS`, two at a time or more
    python3 run.py check           ruff and mypy
    python3 run.py toolkit ARGS    the command line of the toolkit
    python3 run.py lock [ARGS]     make the lock files again; --upgrade takes newer releases
    python3 run.py setup [LEVEL]   only set up: runtime (default), test or dev

The server listens on 127.0.0.1:5006 unless ARGS say otherwise; --no-browser keeps
the browser closed. Needs Python 3.11 or newer and git, nothing else: packages come
from the lock files, with hashes, into .venv beside this file. An interrupted setup
goes on where it stopped; delete .venv to start over.
"""
# Standard library only, and no syntax younger than Python 3.8: an old Python must
# get as far as the sentence that says which one is needed.

from __future__ import annotations

import hashlib
import http.client
import json
import os
import platform
import queue
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / ".toolkit-setup.json"
PIP_LOG = VENV / "setup.log"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")

PYTHON_MIN = (3, 11)
# Each level's lock holds all that is in the ones before it.
LOCKS = {"runtime": "requirements.lock", "test": "requirements-test.lock", "dev": "requirements-dev.lock"}
EXTRA_OF_LEVEL = {"runtime": "", "test": "test", "dev": "dev"}
BUILD_LOCK = "requirements-build.lock"
# What builds a package here, beside what pyproject.toml names: hatchling's editable
# installs need the first, packages that are published as source only the second.
BUILD_EXTRAS = ("editables>=0.3,<1", "setuptools>=80,<90")

DEFAULT_ADDRESS = "127.0.0.1"
DEFAULT_PORT = 5006
PORTS_TRIED = 20
SERVER_START_S_MAX = 120
REPORT_EVERY_S = 5.0
ERROR_LINES_SHOWN = 15

# Tests wait more than they compute. More of them at a time than this was not tried.
LANES_MAX = 4
# Options of pytest that ask for something else, or that need a terminal.
ONE_LANE = ("--numprocesses", "-s", "--pdb", "--trace", "--co", "--collect-only")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
CHROMIUM_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
# Viewers write in every script: without fonts the browser tests see only boxes.
FONT_PACKAGES = ("fonts-noto-core", "fonts-noto-color-emoji")


class SetupError(Exception):
    """The setup cannot go on; the message says what to do."""


def main(argv):
    """Run one verb; returns the exit code unless another program takes over."""
    verb, args = (argv[0], argv[1:]) if argv and not argv[0].startswith("-") else ("serve", argv)
    if "-h" in argv[:1] or "--help" in argv[:1]:
        verb = "help"
    action = VERBS.get(verb)
    if action is None:
        print(f"run.py: there is no verb {verb!r}.\n\n{__doc__.strip()}", file=sys.stderr)
        return 2
    try:
        require_python()
        return action(args) or 0
    except SetupError as error:
        print(f"\nrun.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrun.py: interrupted. The same command goes on where it stopped.", file=sys.stderr)
        return 130


# -- verbs -------------------------------------------------------------------


def serve(args):
    """Start the server in this process's place."""
    ensure_installed("runtime")
    wants_browser = "--no-browser" not in args
    args = [arg for arg in args if arg != "--no-browser"]
    address = option(args, "--address")
    if address is None:
        address = DEFAULT_ADDRESS
        args += ["--address", address]
    port = option(args, "--port")
    if port is None:
        port = str(free_port(address))
        args += ["--port", port]
    elif port != "0" and not (port.isdigit() and is_free(address, int(port))):
        raise SetupError(f"port {port} cannot be used: it is taken, or no port. Choose another --port.")
    if not (ROOT / "panel_app.py").is_file():
        raise SetupError("panel_app.py is missing: this checkout is incomplete. `git status` tells more.")
    if port != "0":
        prefix = (option(args, "--prefix") or "").strip("/")
        announce_later(address, int(port), prefix, wants_browser and "--show" not in args)
    return become([str(BIN / "panel"), "serve", str(ROOT / "panel_app.py"), *args])


def test(args):
    """Set up what the tests need, and run them."""
    ensure_installed("test")
    if "not browser" not in " ".join(args):
        os.environ["CHROMIUM"] = ensure_chromium()
    return become([str(PYTHON), "-m", "pytest", *lanes(args), *args])


def lanes(args):
    """Return what has pytest run several files at a time; nothing for a single file, or to look into."""
    if any(".py" in arg or arg.startswith("-n") or arg in ONE_LANE for arg in args):
        return []
    count = max(2, min(os.cpu_count() or 1, LANES_MAX))
    # Whole files, as tests of a file share a server or a browser; tests/conftest.py has their order.
    return ["-n", str(count), "--dist", "loadfile", "--no-loadscope-reorder"]


def check(args):
    """Lint, formatting and types; all three are run even when one fails."""
    ensure_installed("dev")
    commands = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
    codes = []
    for command in commands:
        say("$ " + " ".join(command))
        codes.append(subprocess.call([str(PYTHON), "-m", *command, *args], cwd=str(ROOT)))
    return int(any(codes))


def toolkit(args):
    """Run the command line of the toolkit."""
    ensure_installed("runtime")
    return become([str(BIN / "toolkit"), *args], chdir=False)


def setup(args):
    """Only set up."""
    level = args[0] if args else "runtime"
    if level not in LOCKS:
        raise SetupError("the levels are " + ", ".join(LOCKS) + ".")
    ensure_installed(level)
    say(f"ready: {VENV}")


def lock(args):
    """Make the lock files again, for every platform and every Python that we support."""
    import tomllib

    ensure_installed("dev")
    with (ROOT / "pyproject.toml").open("rb") as file:
        build = tomllib.load(file)["build-system"]["requires"]
    # The widest first: the others are held to its choices.
    for level in reversed(LOCKS):
        extra = EXTRA_OF_LEVEL[level]
        resolve(LOCKS[level], ["pyproject.toml", *(["--extra", extra] if extra else [])], "", args)
    resolve(BUILD_LOCK, ["-"], "\n".join([*build, *BUILD_EXTRAS]), args)


def show_help(args):
    """Print what this file can do."""
    print(__doc__.strip())


VERBS = {
    "serve": serve,
    "test": test,
    "check": check,
    "toolkit": toolkit,
    "lock": lock,
    "setup": setup,
    "help": show_help,
}


# -- the virtual environment ---------------------------------------------------


def require_python():
    """Refuse a Python that is too old, and name a newer one that is here."""
    if sys.version_info >= PYTHON_MIN:
        return
    sentence = f"Python {dotted(PYTHON_MIN)} or newer is needed; this is {platform.python_version()}."
    for minor in range(PYTHON_MIN[1] + 5, PYTHON_MIN[1] - 1, -1):
        name = f"python3.{minor}"
        if shutil.which(name):
            raise SetupError(f"{sentence} This machine has a newer one: `{name} run.py`.")
    raise SetupError(sentence + " Install one, then run this again.")


def dotted(version):
    """Return (3, 11) as 3.11."""
    return ".".join(map(str, version))


def ensure_installed(level):
    """Bring .venv to ``level``; a venv that is there and whole costs a fraction of a second."""
    fingerprint = fingerprint_now()
    if is_ready(level, fingerprint):
        return
    say(f"Setting up in {VENV}; the first time takes a minute or two.")
    started = time.monotonic()
    if not is_usable(fingerprint):
        create_venv()
    STAMP.unlink(missing_ok=True)
    # First what builds: a build in isolation would fetch its tools without hashes.
    install_locked(ROOT / BUILD_LOCK)
    install_locked(ROOT / LOCKS[level])
    with step("Installing this project"):
        run_pip(["install", "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)])
    write_stamp({"level": level, "fingerprint": fingerprint})
    say("Set up in %.0f s." % (time.monotonic() - started))


def fingerprint_now():
    """Return what the installation depends on; a change of any part calls for a new one."""
    digest = hashlib.sha256()
    for name in ["pyproject.toml", BUILD_LOCK, *LOCKS.values()]:
        path = ROOT / name
        if not path.is_file():
            raise SetupError(f"{name} is missing: this checkout is incomplete. `git status` tells more.")
        digest.update(path.read_bytes())
    # A folder that was moved, or another Python, breaks what a venv has written down.
    return {"files": digest.hexdigest(), "root": str(ROOT), "python": platform.python_version()}


def is_ready(level, fingerprint):
    """Return whether .venv holds this level, untouched since."""
    stamp = read_stamp()
    levels = list(LOCKS)
    if stamp.get("fingerprint") != fingerprint or stamp.get("level") not in levels:
        return False
    if levels.index(stamp["level"]) < levels.index(level) or not PYTHON.exists():
        return False
    return holds_pins(ROOT / LOCKS[level])


def holds_pins(lock_file):
    """Ask the venv itself whether each package of the lock is there, in its version."""
    # Pins with a marker are left out: reading markers needs a package of its own.
    pins = re.findall(r"^([\w.-]+)==([^\s;\\]+)[ \\]*$", lock_file.read_text("utf-8"), re.MULTILINE)
    code = (
        "import json, sys\nfrom importlib.metadata import version\n"
        "import pip\nassert all(version(n) == v for n, v in json.load(sys.stdin))\n"
    )
    result = subprocess.run([str(PYTHON), "-c", code], input=json.dumps(pins).encode(), capture_output=True)
    return result.returncode == 0


def is_usable(fingerprint):
    """Return whether the .venv that is there can be built upon."""
    if not PYTHON.exists():
        return False
    before = read_stamp().get("fingerprint", fingerprint)
    if (before["root"], before["python"]) != (fingerprint["root"], fingerprint["python"]):
        return False
    code = "import pip, platform; print(platform.python_version())"
    result = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True)
    return result.returncode == 0 and result.stdout.strip() == fingerprint["python"]


def create_venv():
    """Make an empty .venv in place of what is there."""
    try:
        import ensurepip  # noqa: F401  # only asked whether it exists
        import venv  # noqa: F401  # likewise
    except ImportError:
        raise SetupError(
            "this Python has no venv module. On Debian and Ubuntu: sudo apt install python3-venv "
            f"(or python{dotted(sys.version_info[:2])}-venv), then run this again."
        ) from None
    again = "Making .venv anew" if VENV.exists() else "Creating .venv"
    # Also when this file is run by the very Python that lives in .venv.
    base_python = getattr(sys, "_base_executable", None) or sys.executable
    with step(again):
        if VENV.is_symlink() or VENV.is_file():
            raise SetupError(".venv is not a folder of its own. Remove it, then run this again.")
        if VENV.exists():
            shutil.rmtree(VENV)
        result = subprocess.run([base_python, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if result.returncode:
            raise SetupError("no virtual environment could be made.\n" + (result.stderr or result.stdout))


def read_stamp():
    """Return what the last complete setup wrote down; empty when there is none."""
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
        return stamp if set(stamp["fingerprint"]) == {"files", "root", "python"} else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def write_stamp(stamp):
    """Write the stamp whole or not at all: it is the proof that a setup was finished."""
    part = STAMP.with_suffix(".part")
    part.write_text(json.dumps(stamp), "utf-8")
    part.replace(STAMP)


# -- pip -------------------------------------------------------------------------


def install_locked(lock_file):
    """Install a lock file. What pip has fetched before comes from its cache."""
    count = len(re.findall(r"^[\w.-]+==", lock_file.read_text("utf-8"), re.MULTILINE))
    with step(f"Installing {count} packages from {lock_file.name}") as report:
        seen = set()

        def on_line(line):
            match = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line)
            if match:
                seen.add(match.group(1))
                report(f"{len(seen)} of {count}: {match.group(1)}")
            elif line.startswith("Installing collected"):
                report("unpacking")
            elif "Retrying" in line:
                report("the package index does not answer, trying again")

        options = ["--require-hashes", "--no-deps", "--no-build-isolation", "--use-pep517"]
        run_pip(["install", *options, "--requirement", str(lock_file)], on_line)


def run_pip(args, on_line=None):
    """Run pip in the venv; its whole output goes to a log, a failure becomes one sentence."""
    # A personal pip setting must not send packages outside the venv.
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PIP_TARGET", "PIP_PREFIX")}
    env.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUNBUFFERED="1")
    if "--require-hashes" not in args:
        env.update(PIP_REQUIRE_HASHES="0")
    command = [str(PYTHON), "-m", "pip", "--retries", "2", *args]
    lines = []
    with PIP_LOG.open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=str(ROOT), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
        for line in process.stdout:
            log.write(line)
            lines.append(line.rstrip())
            if on_line is not None:
                on_line(line)
        code = process.wait()
    if code:
        raise SetupError(explain_pip("\n".join(lines)))


def explain_pip(output):
    """Return what went wrong in one sentence, and the end of the output."""
    tail = "\n".join(output.splitlines()[-ERROR_LINES_SHOWN:])
    causes = (
        (r"No space left on device", "the disk is full."),
        (r"DO NOT MATCH THE HASHES", "a package differs from the one that was locked: it was not installed."),
        (r"Permission denied|Errno 13", "a file in .venv cannot be written. Whose is it?"),
        (
            r"NewConnectionError|name resolution|getaddrinfo|Network is unreachable|Connection refused"
            r"|ConnectTimeout|Read timed out|ProxyError|after connection broken",
            "the package index cannot be reached. Check the network, then run this again: it goes on "
            "where it stopped.",
        ),
    )
    for pattern, sentence in causes:
        if re.search(pattern, output):
            return f"{sentence}\nThe whole story is in {PIP_LOG}"
    return f"pip failed:\n{tail}\nThe whole story is in {PIP_LOG}"


def resolve(name, sources, stdin, args):
    """Write one lock file: pins with hashes for all platforms, and no address."""
    path, widest = ROOT / name, ROOT / LOCKS["dev"]
    # One version for all Pythons: what was measured on one holds on the others.
    command = [
        str(PYTHON), "-m", "uv", "pip", "compile", *sources, "--output-file", str(path), "--universal",
        "--fork-strategy", "fewest", "--python-version", dotted(PYTHON_MIN), "--generate-hashes",
        "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet",
    ]  # fmt: skip
    if path != widest:
        command += ["--constraints", str(widest)]
    with step(f"Resolving {name}"):
        result = subprocess.run([*command, *args], cwd=str(ROOT), text=True, capture_output=True, input=stdin)
    if result.returncode:
        raise SetupError("the requirements cannot be resolved.\n" + result.stderr)
    header = "# Made by `python3 run.py lock` from pyproject.toml. Do not edit.\n"
    path.write_text(header + path.read_text("utf-8"), "utf-8")


# -- what the tests need -----------------------------------------------------------


def ensure_chromium():
    """Return the path of a Chromium, installing Debian's where this is allowed."""
    missing = [name for name in FONT_PACKAGES if not has_debian_package(name)]
    if find_chromium() is None:
        missing.insert(0, "chromium")
    sudo = apt_prefix()
    if missing and sudo is not None:
        for arguments in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *missing]):
            with step("apt-get " + " ".join(a for a in arguments if not a.startswith("-"))) as report:
                run_apt([*sudo, "apt-get", *arguments], report)
    path = find_chromium()
    if path is None:
        raise SetupError(
            "the browser tests need Chromium or Chrome, and none was found. Install one "
            "(Debian, Ubuntu: sudo apt install {}), or leave those tests out: "
            'python3 run.py test -m "not browser"'.format(" ".join(["chromium", *FONT_PACKAGES]))
        )
    return path


def find_chromium():
    """Return the path of a Chromium on this machine; None when there is none."""
    candidates = [os.environ.get("CHROMIUM", ""), *map(shutil.which, CHROMIUM_NAMES), *CHROMIUM_PATHS]
    return next((path for path in candidates if path and Path(path).is_file()), None)


def has_debian_package(name):
    """Return whether a Debian package is installed; True where there is no dpkg to ask."""
    if not shutil.which("dpkg-query"):
        return True
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True)
    return query.stdout.startswith("install ok installed")


def apt_prefix():
    """Return what goes before apt-get: nothing, or sudo that asks no password; None when it may not run."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    allowed = shutil.which("sudo") and subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0
    return ["sudo", "-n"] if allowed else None


def run_apt(command, report):
    """Run apt-get without questions; it fails only if Chromium is missing afterwards."""
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=output, text=True
        )
        for line in process.stdout:
            report(line.strip()[:60])
        if process.wait():
            output.seek(0)
            report("failed: " + " ".join(output.read().split())[-300:], True)


# -- the server --------------------------------------------------------------------


def option(args, name):
    """Return the value of ``--name value`` or ``--name=value``; None when it is not given."""
    for index, arg in enumerate(args):
        if arg == name and index + 1 < len(args):
            return args[index + 1]
        if arg.startswith(name + "="):
            return arg[len(name) + 1 :]
    return None


def free_port(address):
    """Return 5006, or the next port that is free."""
    for port in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED):
        if is_free(address, port):
            if port != DEFAULT_PORT:
                say(f"Port {DEFAULT_PORT} is taken (another server?); using {port}.")
            return port
    raise SetupError(f"no port is free from {DEFAULT_PORT} on. Choose one with --port.")


def is_free(address, port):
    """Return whether a server could listen there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if not WINDOWS:
            # As the server does; on Windows this flag would let two servers share the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError):
            return False
    return True


def announce_later(address, port, prefix, wants_browser):
    """Leave behind a process that tells the addresses once the server answers."""
    server = os.getpid()
    host = "127.0.0.1" if address in ("0.0.0.0", "::", "") else address
    say(f"Starting the server on {host}:{port}; Ctrl-C stops it.")
    if WINDOWS:
        thread = threading.Thread(
            target=announce, args=(server, host, port, prefix, wants_browser), daemon=True
        )
        thread.start()
        return
    sys.stdout.flush()
    # Two forks: the server, into which this process turns, gets no child to wait for.
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    if os.fork() == 0:
        with suppress(KeyboardInterrupt):
            announce(server, host, port, prefix, wants_browser)
    os._exit(0)


def announce(server, host, port, prefix, wants_browser):
    """Wait until the server answers, print its addresses, open a browser where there is one."""
    started = time.monotonic()
    while not answers(host, port):
        if time.monotonic() - started > SERVER_START_S_MAX or not (WINDOWS or is_alive(server)):
            return
        time.sleep(0.2)
    shown = f"[{host}]" if ":" in host else host
    folder = prefix + "/" if prefix else ""
    base = f"http://{shown}:{port}/{folder}"
    say("Ready after %.1f s." % (time.monotonic() - started))
    say(f"  dashboard  {base}panel_app")
    say(f"  overlay    {base}overlay")
    if wants_browser and has_screen():
        webbrowser.open(base + "panel_app")


def answers(host, port):
    """Return whether a web server answers there, whatever it says."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def is_alive(pid):
    """Return whether the process still runs."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def has_screen():
    """Return whether a person sits before this machine."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    if WINDOWS or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def become(command, chdir=True):
    """Turn into another program, so that signals and its exit code are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if chdir:
        os.chdir(str(ROOT))
    # Programs that call others by name find the ones of the venv.
    os.environ["PATH"] = str(BIN) + os.pathsep + os.environ.get("PATH", "")
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.environ.pop("PYTHONHOME", None)
    if not WINDOWS:
        os.execv(command[0], command)
    # Windows has no exec that keeps the console. Ctrl-C reaches the child by itself;
    # it seals its recording, and we wait for it.
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


# -- telling -----------------------------------------------------------------------


def say(line):
    """Print a line at once."""
    print(line, flush=True)


@contextmanager
def step(title):
    """
    Show one slow step: a line that lives on a terminal, a line now and then in a log.

    Yields a function that takes what is being done right now; with a true second
    argument it is shown at once and stays.
    """
    shown = queue.Queue()
    done = threading.Event()
    started = time.monotonic()
    teller = threading.Thread(target=tell, args=(title, shown, done, started), daemon=True)
    teller.start()
    result = "failed after"
    try:
        yield lambda text, at_once=None: shown.put((text, bool(at_once)))
        result = "done in"
    finally:
        done.set()
        teller.join()
        say(f"{title}: {result} {time.monotonic() - started:.0f} s")


def tell(title, shown, done, started):
    """Keep the person informed until the step is done."""
    on_terminal = sys.stdout.isatty()
    text, told_at = "", started
    if not on_terminal:
        say(title + " ...")
    while not done.is_set() or not shown.empty():
        stays = False
        with suppress(queue.Empty):
            text, stays = shown.get(timeout=0.2)
        now = time.monotonic()
        if on_terminal:
            line = f"{title}: {text} ({now - started:.0f} s)"
            width = max(shutil.get_terminal_size().columns - 1, 20)
            print("\r" + line[:width].ljust(width), end="", flush=True)
        elif stays or now - told_at >= REPORT_EVERY_S:
            say("  {} ({:.0f} s)".format(text or "at work", now - started))
            told_at = now
    if on_terminal:
        width = max(shutil.get_terminal_size().columns - 1, 20)
        print("\r" + " " * width + "\r", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
