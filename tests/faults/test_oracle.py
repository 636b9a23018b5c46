"""The judge is judged: each violation, planted into an honest recording, is found, and nothing else is."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from tests.faults.oracle import judge, read_frame
from tests.faults.scenario import run
from tests.faults.studio import studio
from toolkit.model.frame import Message
from toolkit.wire.encode import encode_fetch_result, encode_push_frame

VICTIM = (
    "SELECT seq FROM messages JOIN frames USING (frame_no) "
    "WHERE NOT is_history AND method = 'WebcastChatMessage' ORDER BY seq LIMIT 1"
)

PLANTED = [
    ("missing", f"DELETE FROM messages WHERE seq = ({VICTIM})"),
    ("spurious", "INSERT INTO messages SELECT * REPLACE (4711 AS msg_id, 'x'::BLOB AS payload) "
                 f"FROM messages WHERE seq = ({VICTIM})"),
    ("corrupted", f"UPDATE messages SET payload = 'x'::BLOB WHERE seq = ({VICTIM})"),
    ("doubled", f"INSERT INTO messages SELECT * FROM messages WHERE seq = ({VICTIM})"),
    ("unnoticed", "DELETE FROM quarantine"),
    ("uncovered", "DELETE FROM gaps"),
    ("uncovered", "UPDATE gaps SET started_at = ended_at"),
]  # fmt: skip


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Return (ledger, path) of a recording with a damaged frame and a gap in which something was said."""
    found = {}

    async def scenario():
        async with studio(tmp_path_factory.mktemp("honest")) as room:
            await room.until_connected()
            room.throw("bad-gzip")
            await room.until_spent()
            await room.fresh_message_passes()
            room.throw("server-down", seconds=1.2)
            await room.until_connected(2)
            await room.fresh_message_passes()
            await room.finish()
            found["ledger"], found["path"] = room.simulator.ledger, room.recordings()[0]

    run(scenario)
    return found["ledger"], found["path"]


def test_an_honest_recording_has_no_violations(honest):
    """Nothing is held against what is true."""
    ledger, path = honest
    assert judge(ledger, [path]).violations() == {}


@pytest.mark.parametrize(("name", "sql"), PLANTED)
def test_a_planted_violation_is_found(honest, tmp_path, name, sql):
    """A row too few, too many, altered, doubled; damage nobody mentions; a gap that is not there."""
    ledger, path = honest
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    with duckdb.connect(str(copy)) as connection:
        changed = connection.execute(sql).fetchone()
    assert changed is not None and changed[0] >= 1
    assert name in judge(ledger, [copy]).violations()


def test_the_oracles_own_parser_reads_what_is_whole_and_nothing_else():
    """Thirty lines that share nothing with the decoder agree with it on whole frames."""
    messages = [Message("WebcastChatMessage", 7, b"\x0a\x00"), Message("X", 8, b"\x12\x03abc")]
    body = encode_fetch_result(messages, cursor="c")
    for compress in (True, False):
        frame = encode_push_frame(body, log_id=3, compress=compress)
        assert read_frame(frame) == [(m.method, m.payload) for m in messages]
        assert read_frame(frame[:-5]) is None
    assert read_frame(b"no protobuf") is None
    assert read_frame(encode_push_frame(b"", payload_type="hb", compress=False)) == []
