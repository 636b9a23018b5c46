"""
A recording of millions of events, made in seconds: rows by SQL, texts of the simulator.

Its mix is that of a typical room: a quarter comments, a third joins, one event in
eight a gift; three comments in ten repeat another. Payloads are empty: no chart reads
them, and they would be most of the bytes.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from toolkit.bench.material import START_MS, new_batches
from toolkit.model.event import Comment
from toolkit.model.recording import FORMAT_VERSION
from toolkit.store.database import Database

__all__ = ["write_recording"]

PER_S = 250
"""Events per second of the made-up live: ten million are eleven hours."""
USERS_PER_EVENT = 0.02
TEXTS = 5_000
GIFTS = 40
_SHARES = {
    "comments": 0.24,
    "joins": 0.33,
    "gifts": 0.13,
    "likes": 0.1,
    "viewer_counts": 0.02,
    "follows": 0.02,
    "shares": 0.01,
    "questions": 0.002,
}
_METHODS = {
    "comments": "WebcastChatMessage",
    "joins": "WebcastMemberMessage",
    "gifts": "WebcastGiftMessage",
    "likes": "WebcastLikeMessage",
    "viewer_counts": "WebcastRoomUserSeqMessage",
    "follows": "WebcastSocialMessage",
    "shares": "WebcastSocialMessage",
    "questions": "WebcastQuestionNewMessage",
}
_OTHER_METHOD = "WebcastLinkMicArmies"
_START = f"make_timestamp({START_MS}000::BIGINT)"
_OWN = {
    "comments": """CASE WHEN e.seq % 10 < 7 THEN texts.text || ' ' || e.seq ELSE texts.text END,
                   ['en', 'fr', 'ja', 'pt', 'ar', ''][1 + e.user_id % 6], '', '', false""",
    "joins": "1, 1000 + e.seq % 500, 'feed'",
    "gifts": f"""e.seq % {GIFTS}, 'Gift ' || e.seq % {GIFTS}, 1 + e.seq % {GIFTS}, 2, 1, true, e.msg_id,
                 0, ''""",
    "likes": "5, e.seq * 3",
    "viewer_counts": "3000 + e.seq % 1000, e.seq // 4, 0, 0",
    "follows": "e.seq // 50",
    "shares": "1, '', e.seq // 100",
    "questions": "e.seq, texts.text, 0",
}
"""The columns that only this table has, in the order of ``schema.sql``."""


def write_recording(path: Path, events: int) -> None:
    """Write a sealed recording with about so many events."""
    database = Database.open(path)
    try:
        _write_samples(database)
        _write_events(database, events)
        _write_people(database, max(int(events * USERS_PER_EVENT), 1))
        _write_frame(database, events)
        database.write_meta(
            {
                "recording_id": path.stem,
                "user": "many",
                "format_version": str(FORMAT_VERSION),
                "state": "sealed",
            }
        )
        database.checkpoint()
    finally:
        database.close()


def _write_samples(database: Database) -> None:
    comments = (e.text for batch in new_batches(TEXTS // 4) for e in batch.events if isinstance(e, Comment))
    database.rows(
        "CREATE TEMP TABLE texts AS SELECT unnest(?::VARCHAR[]) AS text", [[*islice(comments, TEXTS)]]
    )
    database.rows("CREATE TEMP TABLE numbered AS SELECT row_number() OVER () - 1 AS n, text FROM texts")
    database.rows("DROP TABLE texts")


def _write_events(database: Database, events: int) -> None:
    """Deal the numbers 1 to ``events`` out to the tables by their shares."""
    kinds, upper = [], 0.0
    for table, share in _SHARES.items():
        upper += share
        kinds.append(f"WHEN draw < {upper} THEN '{table}'")
    users = max(int(events * USERS_PER_EVENT), 1)
    # The square of an even draw: a few write much, most write little.
    database.rows(
        f"""
        CREATE TEMP TABLE dealt AS
        SELECT seq, seq + 7000000000000000000 AS msg_id,
               {_START} + to_microseconds(seq * 1000000 // {PER_S}) AS received_at,
               1 + floor({users} * power(hash(seq * 7) / 18446744073709551616.0, 2))::BIGINT AS user_id,
               CASE {" ".join(kinds)} ELSE 'others' END AS kind
        FROM (SELECT range AS seq, hash(range) / 18446744073709551616.0 AS draw FROM range(1, {events} + 1))
        """
    )
    for table in _SHARES:
        database.rows(
            f"""
            INSERT INTO {table}
            SELECT e.seq, e.msg_id, e.received_at - INTERVAL 400 MILLISECONDS, e.received_at, e.user_id,
                   {_OWN[table]}
            FROM dealt e JOIN numbered texts ON texts.n = e.seq % (SELECT count(*) FROM numbered)
            WHERE e.kind = '{table}' ORDER BY e.seq
            """
        )
    methods = " ".join(f"WHEN '{table}' THEN '{method}'" for table, method in _METHODS.items())
    database.rows(
        f"""
        INSERT INTO messages
        SELECT seq, 1, 1, CASE kind {methods} ELSE '{_OTHER_METHOD}' END, msg_id, received_at, received_at,
               ''::BLOB, 1 + seq // 25, false
        FROM dealt ORDER BY seq
        """
    )
    database.rows("DROP TABLE dealt")


def _write_people(database: Database, users: int) -> None:
    database.rows(
        f"""
        INSERT INTO users
        SELECT range, 'user' || range, 'User ' || range, '', '', range % 5000, false, false, range % 3 = 0,
               0, 0, false, {_START}, {_START}
        FROM range(1, {users} + 1)
        """
    )


def _write_frame(database: Database, events: int) -> None:
    """Write the frames, the two segments they belong to, and the gap between those."""
    seconds = events / PER_S
    database.rows(
        f"""
        INSERT INTO frames
        SELECT range, 1, 1, 'msg', range, range, 'c', {_START} + to_microseconds(range * 25000000 // {PER_S}),
               range * 1000, 9000, 25, 0, 0
        FROM range(1, {events} // 25 + 1)
        """
    )
    database.rows(
        f"""
        INSERT INTO segments VALUES
          (1, 1, {_START}, {_START} + to_microseconds({int(seconds * 5e5)}), 'closed', NULL, 0),
          (2, 1, {_START} + to_microseconds({int(seconds * 5e5 + 2e6)}),
           {_START} + to_microseconds({int(seconds * 1e6)}), 'live_ended', NULL, 1)
        """
    )
    database.rows(
        f"""
        INSERT INTO gaps (gap_id, started_at, ended_at, cause, recovered_comments, missed) VALUES
          (1, {_START} + to_microseconds({int(seconds * 5e5)}),
           {_START} + to_microseconds({int(seconds * 5e5 + 2e6)}), 'closed', 0, '{{}}')
        """
    )
