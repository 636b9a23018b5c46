"""
Row 12: the same messages in another order, some of them again: the same recording.

100 orders in the suite, every 50th of them through journal, DuckDB and sealing;
``PERMUTATIONS=1000 pytest -s tests/faults/test_order.py`` is the long run.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from random import Random

import duckdb
import pytest

from toolkit.clock import ManualClock
from toolkit.ledger.gaps import RecordingLedger
from toolkit.model.event import columns
from toolkit.model.frame import Frame, FrameKind
from toolkit.simulator.profile import profile_named
from toolkit.simulator.traffic import Traffic
from toolkit.store.sequencer import Sequencer
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame

PERMUTATIONS = int(os.environ.get("PERMUTATIONS", "100"))
SEALED_EVERY = 50
BURSTS = 16
WINDOW = 100
"""Messages by which one may be early or late: three bursts of this room."""
AGAIN = 0.1
"""Share of messages that come twice or more, as after a reconnect."""
BURST_S = 0.8
ROOM_ID = 7_500_000_000_000_000_012
NOT_VALUES = {"seq", "received_at", "user_id"}
"""Columns that say when and in which place something came, not what it is; and one
that an event keeps elsewhere."""
TABLES = """
SELECT table_name FROM duckdb_tables() WHERE table_name NOT IN
('messages', 'frames', 'segments', 'gaps', 'meta', 'quarantine', 'users', 'gift_ledger')
"""
GIFTS = "user_id, to_user_id, gift_id, group_id, count, diamonds_total, state"


def recorded():
    """Return the messages of a quarter of a minute in a busy room, as they were sent."""
    traffic = Traffic(profile_named("busy"), 12, 1_790_000_000_000, room_id=ROOM_ID)
    return [message for _ in range(BURSTS) for message in traffic.next_burst().messages]


def frames(messages, rng):
    """Return push frames with the messages: shuffled within the window, some of them repeated."""
    sent = [(place, message) for place, message in enumerate(messages)]
    if rng is not None:
        sent += [each for each in sent for _ in range(rng.choice((1, 1, 3))) if rng.random() < AGAIN]
        sent.sort(key=lambda each: each[0] + rng.uniform(0, WINDOW))
    found, start = [], 0
    while start < len(sent):
        length = rng.randint(1, 60) if rng is not None else 30
        part = [message for _, message in sent[start : start + length]]
        found.append(encode_push_frame(encode_fetch_result(part, cursor="c"), log_id=start, compress=False))
        start += length
    return found


def digest(rows):
    """Return a hash of rows that does not know their order."""
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()


def projected(data, every_s):
    """Return the number of rows, what was left out, and the hash of all that order must not change."""
    sequencer, ledger, rows = Sequencer(), RecordingLedger(), []
    names, left_out = Counter(), 0
    for number, frame in enumerate(data):
        at = int(number * every_s * 1e6) + 1
        batch = sequencer.take(Frame(FrameKind.PUSH, frame, 1, at, at), ROOM_ID)
        ledger.take(batch)
        left_out += batch.duplicates
        names.update((m.room_id, m.message.method, m.msg_id) for m in batch.messages if m.msg_id)
        rows += [(m.message.method, m.msg_id, m.occurred_at, m.message.payload) for m in batch.messages]
        for event in batch.events:
            kept = [name for name in columns(type(event)) if name not in NOT_VALUES]
            user_id = event.user and event.user.user_id
            rows.append((event.kind, user_id, *(getattr(event, name) for name in kept)))
    assert max(names.values()) == 1, "a message is there twice"
    ledger.gifts.settle_all()
    rows += [
        (e.user and e.user.user_id, e.to_user_id, e.gift_id, e.group_id, e.count, e.state)
        for e in ledger.gifts.entries()
    ]
    return len(rows), left_out, digest(rows)


def sealed(folder, data, every_s):
    """Return the same of a recording that went the whole way, read with SQL."""
    folder.mkdir()
    clock = ManualClock()
    writer = RecordingWriter.create(folder, "demo", clock=clock)
    writer.open_segment(ROOM_ID)
    for frame in data:
        clock.advance(every_s)
        writer.take(writer.write(FrameKind.PUSH, frame))
    report = writer.seal()
    assert report.problems == []
    with duckdb.connect(str(writer.path), read_only=True) as connection:
        twice = "SELECT count(*) - count(DISTINCT (room_id, method, msg_id)) FROM messages WHERE msg_id > 0"
        assert connection.execute(twice).fetchone() == (0,)
        rows = connection.execute("SELECT method, msg_id, occurred_at, payload FROM messages").fetchall()
        for (table,) in connection.execute(TABLES).fetchall():
            found = connection.execute(f"SELECT * EXCLUDE (seq, received_at) FROM {table}").fetchall()
            rows += [(table, *row) for row in found]
        rows += connection.execute(f"SELECT {GIFTS} FROM gift_ledger").fetchall()
    return len(rows), report.duplicates, digest(rows)


@pytest.mark.timeout(1800)
def test_order_and_repetition_change_nothing(tmp_path):
    """No row twice, and one hash over everything that is not the order itself."""
    messages, began = recorded(), time.monotonic()
    in_order = frames(messages, None)
    every_s = BURST_S * BURSTS / len(in_order)
    true, whole = projected(in_order, every_s), sealed(tmp_path / "in-order", in_order, every_s)
    assert true[1] == whole[1] == 0
    left_out = 0
    for seed in range(PERMUTATIONS):
        data = frames(messages, Random(f"order {seed}"))
        every_s = BURST_S * BURSTS / len(data)
        found = projected(data, every_s)
        assert (found[0], found[2]) == (true[0], true[2]), f"order {seed}"
        assert found[1] > 0
        left_out += found[1]
        if seed % SEALED_EVERY == 0:
            again = sealed(tmp_path / str(seed), data, every_s)
            assert again == (whole[0], found[1], whole[2]), f"order {seed}, sealed"
    took_s = time.monotonic() - began
    print(f"\n{PERMUTATIONS} orders of {len(messages)} messages, {left_out} repeated: {took_s:.0f} s")
