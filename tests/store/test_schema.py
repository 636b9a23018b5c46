"""The tables are a contract: they follow the event classes, and say what they hold."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import resources

import duckdb
import pytest

from toolkit.model.event import EVENT_CLASSES, Event, User, columns

SCHEMA = resources.files("toolkit.store").joinpath("schema.sql").read_text("utf-8")


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, str]]:
    """Return the columns of every table, with their types."""
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        ).fetchall():
            found.setdefault(table, {})[column] = kind
    return found


@pytest.mark.parametrize("event_class", EVENT_CLASSES, ids=lambda c: c.table)
def test_a_table_has_exactly_the_fields_of_its_event(
    tables: dict[str, dict[str, str]], event_class: type[Event]
) -> None:
    """Names and order agree, so an event is a row."""
    assert tuple(tables[event_class.table]) == columns(event_class)


@pytest.mark.parametrize("event_class", EVENT_CLASSES, ids=lambda c: c.table)
def test_a_column_has_the_type_of_its_field(
    tables: dict[str, dict[str, str]], event_class: type[Event]
) -> None:
    """Times are timestamps, numbers 64 bits wide, texts texts."""
    kinds = {"int": "BIGINT", "bool": "BOOLEAN", "str": "VARCHAR", "User | None": "BIGINT"}
    for field, (column, kind) in zip(fields(event_class), tables[event_class.table].items(), strict=True):
        expected = "TIMESTAMP" if column.endswith("_at") else kinds[str(field.type)]
        assert kind == expected, column


def test_a_user_is_a_row_too(tables: dict[str, dict[str, str]]) -> None:
    """Plus when it was seen."""
    expected = [*(f.name for f in fields(User)), "first_seen_at", "last_seen_at"]
    assert list(tables["users"]) == expected


def test_messages_begin_with_the_promised_columns(tables: dict[str, dict[str, str]]) -> None:
    """Outsiders rely on these names."""
    assert list(tables["messages"])[:8] == [
        "seq", "segment_id", "room_id", "method", "msg_id", "occurred_at", "received_at", "payload",
    ]  # fmt: skip


def test_every_table_is_explained() -> None:
    """A comment stands above each."""
    for name in re.findall(r"CREATE TABLE (\w+)", SCHEMA):
        above = SCHEMA[: SCHEMA.index(f"CREATE TABLE {name} ")].rstrip().splitlines()[-1]
        assert above.startswith("-- "), name
