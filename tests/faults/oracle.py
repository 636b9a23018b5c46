"""
What a recording must hold after everything that went wrong: decided without the toolkit's eyes.

The simulator's ledger says what was sent, its connections say what was really written
and what was acknowledged, and the recording is read with SQL. Damaged frames are read
here by a parser of thirty lines that shares nothing with the toolkit's decoder.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from toolkit.simulator.ledger import Connection, Ledger, Written

UNREADABLE = frozenset({"bad-gzip", "gzip-bomb", "field-bomb", "truncated", "mutated", "text", "half-frame"})
"""Faults after which a frame's messages need not be stored, only noticed."""
FRAME_BYTES_MAX = 4 << 20
"""What is longer is no frame of TikTok's: noticed, and not kept."""
EDGE_US = 150_000
"""How exact the edge of a gap is: a burst on its way when the connection breaks."""
FOREVER_US = 1 << 62
INFLATED_BYTES_MAX = 16 << 20
FIELDS_MAX = 20_000

Key = tuple[str, bytes]
"""A message's type and the digest of its payload."""
Name = tuple[int, str, int]
"""A message's room, type and id: two rooms may use the same ids."""
ById = dict[tuple[int, int], Key]
"""The honest message by room and id."""


@dataclass(frozen=True)
class Stored:
    """One row of ``messages``."""

    recording: str
    room_id: int
    method: str
    msg_id: int
    digest: bytes

    @property
    def key(self) -> Key:
        """What it is compared by."""
        return self.method, self.digest

    @property
    def name(self) -> Name:
        """What it is found by."""
        return self.room_id, self.method, self.msg_id


@dataclass
class Verdict:
    """
    What is wrong with a recording; empty lists if it is true.

    Attributes:
        missing: Acknowledged, and not stored.
        spurious: Stored, and never sent.
        corrupted: Stored under the name of something else than what was sent.
        doubled: Stored twice.
        unnoticed: A damaged frame that is neither stored nor quarantined.
        uncovered: Sent while nobody listened, not stored, and in no gap.
        overlapping: Two connections at once.
    """

    missing: list[str] = field(default_factory=list)
    spurious: list[str] = field(default_factory=list)
    corrupted: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unnoticed: list[str] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)
    overlapping: list[str] = field(default_factory=list)

    def violations(self) -> dict[str, list[str]]:
        """Return what is not empty."""
        return {name: found[:5] for name, found in vars(self).items() if found}


def judge(ledger: Ledger, recordings: Sequence[Path]) -> Verdict:
    """Compare what was sent, written and acknowledged with what the recordings hold."""
    stored = [row for path in recordings for row in stored_messages(path)]
    truth = {(sent.room_id, sent.method, sent.msg_id): sent.sha256 for sent in ledger.sent}
    by_id = {(sent.room_id, sent.msg_id): (sent.method, sent.sha256) for sent in ledger.sent}
    verdict = Verdict()
    written: Counter[Key] = Counter()
    for connection in ledger.connections:
        for delivery in connection.written:
            written.update(keys_of(delivery, connection, by_id))
    _judge_stored(verdict, stored, truth, written)
    _judge_acknowledged(verdict, ledger, stored, by_id)
    quarantined = {digest for path in recordings for digest in quarantine_digests(path)}
    _judge_damaged(verdict, ledger, quarantined, {row.key for row in stored}, by_id)
    _judge_connections(verdict, ledger)
    for path in recordings:
        _judge_gaps(verdict, ledger, path, {(row.room_id, row.msg_id) for row in stored}, by_id)
    return verdict


def stored_messages(path: Path) -> list[Stored]:
    """Return the messages of a sealed recording."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT room_id, method, msg_id, payload FROM messages").fetchall()
    return [
        Stored(path.stem, room_id, method, msg_id, hashlib.sha256(payload).digest())
        for room_id, method, msg_id, payload in rows
    ]


def quarantine_digests(path: Path) -> set[bytes]:
    """Return the digests of what a recording could not read."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT sha256 FROM quarantine").fetchall()
    return {bytes.fromhex(digest) for (digest,) in rows}


def gaps(path: Path) -> list[tuple[int, int]]:
    """Return the gaps of a recording, microseconds UTC; an open one lasts for ever."""
    sql = "SELECT epoch_us(started_at), epoch_us(ended_at) FROM gaps ORDER BY 1"
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(sql).fetchall()
    return [(start, FOREVER_US if end is None else end) for start, end in rows]


def keys_of(delivery: Written, connection: Connection, by_id: ById) -> list[Key]:
    """Return the messages that were in what was written."""
    if not delivery.faults:
        room_id, msg_ids = connection.room_id, connection.frames[delivery.log_id].msg_ids
        return [by_id[room_id, msg_id] for msg_id in msg_ids]
    if delivery.data is None or not delivery.is_whole or len(delivery.data) > FRAME_BYTES_MAX:
        return []
    return [(method, hashlib.sha256(payload).digest()) for method, payload in read_frame(delivery.data) or ()]


def is_unreadable(delivery: Written) -> bool:
    """Return whether a frame's messages need not be stored, only noticed."""
    is_too_large = delivery.data is not None and len(delivery.data) > FRAME_BYTES_MAX
    return is_too_large or bool(UNREADABLE & set(delivery.faults))


def read_frame(data: bytes) -> list[tuple[str, bytes]] | None:
    """Return type and payload of each message in a frame; None if it cannot be read."""
    try:
        frame = dict(_fields(data))
        if frame.get(7) != b"msg":
            return []
        body = frame.get(8, b"")
        assert isinstance(body, bytes)
        messages = [dict(_fields(value)) for number, value in _fields(_inflated(body)) if number == 1]
    except (ValueError, IndexError, OSError, EOFError, zlib.error, TypeError, AssertionError):
        return None
    return [
        (_bytes(message.get(1)).decode("utf-8", "replace"), _bytes(message.get(2))) for message in messages
    ]


def _judge_stored(
    verdict: Verdict,
    stored: Iterable[Stored],
    truth: dict[Name, bytes],
    written: Counter[Key],
) -> None:
    seen: Counter[tuple[str, Name]] = Counter()
    for row in stored:
        if row.msg_id:
            seen[row.recording, row.name] += 1
        if row.key in written or truth.get(row.name) == row.digest:
            continue
        where = verdict.corrupted if row.name in truth else verdict.spurious
        where.append(f"{row.method} {row.msg_id}")
    verdict.doubled += [f"{name}: {times} times" for (_, name), times in seen.items() if times > 1]


def _judge_acknowledged(verdict: Verdict, ledger: Ledger, stored: Iterable[Stored], by_id: ById) -> None:
    kept = {row.key for row in stored}
    # An altered message counts as stored when the honest one of that id came first.
    names = {row.name for row in stored if row.msg_id}
    named = {key: (room_id, key[0], msg_id) for (room_id, msg_id), key in by_id.items()}
    for connection in ledger.connections:
        acknowledged = {frame.log_id for frame in connection.frames.values() if frame.acked_at is not None}
        for delivery in connection.written:
            if delivery.log_id not in acknowledged or is_unreadable(delivery):
                continue
            for key in keys_of(delivery, connection, by_id):
                if key in kept or named.get(key) in names:
                    continue
                # Changed on the way: found under the id that its frame was meant to have.
                if delivery.faults and _is_known_by_id(delivery, connection.room_id, key, names):
                    continue
                verdict.missing.append(f"{key[0]} in frame {delivery.log_id} {delivery.faults}")


def _is_known_by_id(delivery: Written, room_id: int, key: Key, names: set[Name]) -> bool:
    assert delivery.data is not None
    frame = dict(_fields(delivery.data))
    for number, value in _fields(_inflated(_bytes(frame[8]))):
        message = dict(_fields(value)) if number == 1 else {}
        if message and hashlib.sha256(_bytes(message.get(2))).digest() == key[1]:
            return (room_id, key[0], message.get(3)) in names
    return False


def _judge_damaged(
    verdict: Verdict,
    ledger: Ledger,
    quarantined: set[bytes],
    kept: set[Key],
    by_id: ById,
) -> None:
    for connection in ledger.connections:
        acknowledged = [log_id for log_id, frame in connection.frames.items() if frame.acked_at is not None]
        last = max(acknowledged, default=0)
        for delivery in connection.written:
            # Only what was followed by an acknowledged frame has certainly arrived.
            if not is_unreadable(delivery) or not delivery.is_whole or delivery.log_id >= last:
                continue
            if delivery.sha256 in quarantined:
                continue
            is_small = delivery.data is not None and len(delivery.data) <= FRAME_BYTES_MAX
            if is_small and read_frame(delivery.data or b"") is not None:
                keys = set(keys_of(delivery, connection, by_id))
                if keys <= kept:
                    continue
            verdict.unnoticed.append(f"frame {delivery.log_id} {delivery.faults}")


def _judge_connections(verdict: Verdict, ledger: Ledger) -> None:
    for before, after in itertools.pairwise(ledger.connections):
        # Of a frozen socket the server does not know when the client gave it up.
        if before.is_frozen or (
            before.closed_at is not None and before.closed_at <= after.opened_at + EDGE_US
        ):
            continue
        verdict.overlapping.append(f"{before.connection_id} and {after.connection_id}")


def _judge_gaps(
    verdict: Verdict, ledger: Ledger, path: Path, stored_ids: set[tuple[int, int]], by_id: ById
) -> None:
    """Whatever was sent between a recording's first and last message is stored, or lies in one gap."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT room_id, msg_id FROM messages WHERE NOT is_history").fetchall()
    ids = set(rows)
    # By position, not by time: a frame that drips for seconds holds up all behind it.
    places = [place for place, sent in enumerate(ledger.sent) if (sent.room_id, sent.msg_id) in ids]
    if not places:
        return
    excused = stored_ids | set(_taken_by_faults(ledger, by_id))
    found = gaps(path)
    for sent in itertools.islice(ledger.sent, places[0], places[-1]):
        if (sent.room_id, sent.msg_id) in excused:
            continue
        around = sum(start - EDGE_US <= sent.sent_at <= end + EDGE_US for start, end in found)
        if around == 0 or (around > 1 and not _is_at_an_edge(sent.sent_at, found)):
            verdict.uncovered.append(f"{sent.method} {sent.msg_id} of {sent.sent_at}: in {around} of {found}")


def _is_at_an_edge(at: int, found: list[tuple[int, int]]) -> bool:
    return any(min(abs(at - start), abs(at - end)) <= EDGE_US for start, end in found)


def _taken_by_faults(ledger: Ledger, by_id: ById) -> Iterator[tuple[int, int]]:
    """
    Yield room and id of messages that a fault took away while the connection stood.

    Nobody can know of them, so they lie in no gap. What was cut off with the
    connection is another matter, and so are frames that were never begun.
    """
    for connection in ledger.connections:
        # What is too large is read past and quarantined, whether or not its end was still sent.
        cut = {
            delivery.log_id
            for delivery in connection.written
            if not delivery.is_whole and len(delivery.data or b"") <= FRAME_BYTES_MAX
        }
        delivered: set[Key] = set()
        for delivery in connection.written:
            delivered.update(keys_of(delivery, connection, by_id))
        for frame in connection.frames.values():
            for msg_id in frame.msg_ids if frame.log_id not in cut else ():
                if by_id[connection.room_id, msg_id] not in delivered:
                    yield connection.room_id, msg_id


def _inflated(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    stream = zlib.decompressobj(31)
    plain = stream.decompress(body, INFLATED_BYTES_MAX)
    if not stream.eof:
        raise EOFError
    return plain


def _bytes(value: int | bytes | None) -> bytes:
    assert value is None or isinstance(value, bytes)
    return value or b""


def _fields(data: int | bytes) -> Iterator[tuple[int, int | bytes]]:
    assert isinstance(data, bytes)
    position = fields = 0
    while position < len(data):
        fields += 1
        if fields > FIELDS_MAX:
            raise ValueError("no frame has so many fields")
        tag, position = _varint(data, position)
        match tag & 7:
            case 0:
                value, position = _varint(data, position)
                yield tag >> 3, value
            case 2:
                length, position = _varint(data, position)
                if position + length > len(data):
                    raise ValueError("a field runs past the end")
                yield tag >> 3, data[position : position + length]
                position += length
            case 1:
                position += 8
            case 5:
                position += 4
            case _:
                raise ValueError("a wire type that does not exist")
        if tag < 8 or position > len(data):
            raise ValueError("not protobuf")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")
