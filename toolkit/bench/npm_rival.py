"""
The npm package ``tiktok-live-connector``, where node is there: its decoder on our frames.

Installed by npm into a cache folder, never into this project; only its decoding
functions are called, in a node of its own that contacts nobody.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import TracebackType

import platformdirs

from toolkit.errors import ToolkitError

__all__ = ["PACKAGE", "VERSION", "NpmRival", "RivalMissing", "npm_rival"]

PACKAGE = "tiktok-live-connector"
VERSION = "2.5.0"
"""The newest in November 2026."""
INSTALL_TIMEOUT_S = 180.0
ANSWER_LINES_MAX = 5
"""Of what npm says when it fails."""


class RivalMissing(ToolkitError):
    """There is nothing to compare with; the text says why."""


class NpmRival:
    """A node that decodes the same frames as often as it is told to. Close it, or use ``with``."""

    def __init__(self, node: str, module: Path, frames: Sequence[bytes]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        packed = b"".join(struct.pack("<I", len(frame)) + frame for frame in frames)
        (folder / "frames").write_bytes(packed)
        script = folder / "npm_rival.mjs"
        script.write_bytes(resources.files("toolkit.bench").joinpath("npm_rival.mjs").read_bytes())
        self._process = subprocess.Popen(
            [node, str(script), str(module), str(folder / "frames")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> NpmRival:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End node."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def decode(self, rounds: int) -> tuple[float, int]:
        """
        Decode all frames so many times.

        Returns:
            CPU of all of it, microseconds, and the messages that it could decode.

        Raises:
            RivalMissing: Node has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{rounds}\n")
            self._process.stdin.flush()
            told = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise RivalMissing(f"node ended with {self._process.wait()}") from error
        return float(told["cpu_us"]), int(told["decoded"])


@contextmanager
def npm_rival(frames: Sequence[bytes]) -> Iterator[NpmRival]:
    """
    Run node with the package, installing it first where it is not yet.

    Raises:
        RivalMissing: There is no node, or npm cannot get the package.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise RivalMissing("node and npm are not installed")
    folder = platformdirs.user_cache_path("tiktok-live-toolkit") / f"{PACKAGE}-{VERSION}"
    module = folder / "node_modules" / PACKAGE / "dist" / "index.js"
    if not module.is_file():
        _install(npm, folder)
    with NpmRival(node, module, frames) as rival:
        yield rival


def _install(npm: str, folder: Path) -> None:
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", f"{PACKAGE}@{VERSION}"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Without a file of its own npm looks for a project in the folders above.
        (folder / "package.json").write_text('{"private": true}\n', "ascii")
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RivalMissing(f"npm could not install it: {error}") from error
    if done.returncode:
        said = " ".join(done.stderr.split("\n")[:ANSWER_LINES_MAX])
        raise RivalMissing(f"npm could not install it: {said}")
