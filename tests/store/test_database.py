"""The database as a recorder has it open: what it costs does not grow with what is in it."""

from __future__ import annotations

from pathlib import Path

from toolkit.bench.material import new_batches
from toolkit.store.database import Database

CHECKPOINTS = 5


def test_what_a_checkpoint_has_written_is_not_written_again(tmp_path: Path) -> None:
    """Every one adds its own messages; merging them with all before would take longer each time."""
    database = Database.open(tmp_path / "a.duckdb")
    for batch in new_batches(CHECKPOINTS):
        database.append([batch])
        database.checkpoint()
    (groups,) = database.rows("SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('messages')")
    database.close()
    assert groups == (CHECKPOINTS,)
