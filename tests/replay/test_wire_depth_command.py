"""``toolkit simulate --recording``: a recording on the air from the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest
from tornado.websocket import websocket_connect

from tests.simulator.raw_client import RawClient, in_loop, until
from toolkit.cli import main
from toolkit.replay.clip import clipped
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.simulator.push import WATCH_PATH
from toolkit.wire.rewrite import open_message

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from toolkit.cli import main; raise SystemExit(main())", "simulate")
DEADLINE_S = 50


async def simulate(*options: str) -> asyncio.subprocess.Process:
    """Start the command in a process of its own."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *("--json", "--port", "0", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


async def watch(process: asyncio.subprocess.Process) -> tuple[dict, RawClient]:
    """Read where it is, and connect; return its first words and the client."""
    assert process.stdout is not None
    start = json.loads(await asyncio.wait_for(process.stdout.readline(), DEADLINE_S))
    url = f"ws{start['url'].removeprefix('http')}{WATCH_PATH}?room_id={start['room_id']}"
    return start, RawClient(await websocket_connect(url, max_message_size=1 << 26), acknowledges=True)


def test_a_recording_is_broadcast_from_the_command_line():
    """A part of it, at speed, unchanged; the first line says what is played, the exit code is 0."""

    async def body():
        sample = RecordingPlan(ROOT / "recordings" / "sample.duckdb")
        process = await simulate("--recording", "sample", "--rate", "20", "--until", "40")
        start, client = await watch(process)
        await client.read()
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        assert start["plan"] == "sample" and start["rate"] == 20 and start["is_waiting"]
        sent = [(m.method, m.msg_id, m.payload) for f in clipped(sample, 0, 40).frames() for m in f.messages]
        assert [(m.method, m.msg_id, m.payload) for m in client.messages[:-1]] == sent

    in_loop(body)


def test_a_recording_can_be_grown_repeated_and_dated_today():
    """Ten seconds at 30 comments a second, more than once, no id twice; a signal ends it."""

    async def body():
        process = await simulate(
            *("--recording", "sample", "--until", "10", "--rate", "20", "--loop", "--fresh"),
            *("--comments-per-second", "30"),
        )
        _, client = await watch(process)
        reading = asyncio.create_task(client.read())
        await until(lambda: _comments(client) > 400, "more than one round", DEADLINE_S)
        process.terminate()
        await reading
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        assert len({(m.method, m.msg_id) for m in client.messages}) == len(client.messages)
        first = open_message(client.messages[0])
        assert abs(first.common.create_time / 1000 - time.time()) < DEADLINE_S

    in_loop(body)


def _comments(client: RawClient) -> int:
    return sum(message.method == "WebcastChatMessage" for message in client.messages)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--recording", "nothing"], "nothing"),
        (["--recording", "sample", "--from", "100000"], "Nothing is left"),
        (["--recording", "sample", "--rate", "0"], "--rate 0"),
        (["--recording", "sample", "--others-per-second", "9"], "--others-per-second"),
        (["--recording", "sample", "--comments-per-second", "0"], "--comments-per-second 0"),
        (["--loop", "--fresh"], "--loop: it needs --recording"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_broadcast_ends_with_a_sentence(options, word, capsys, monkeypatch):
    """No traceback, nothing on the air."""
    monkeypatch.chdir(ROOT)
    assert main(["simulate", "--port", "0", *options]) in (2, 3)
    out, err = capsys.readouterr()
    assert word in err and out == ""
