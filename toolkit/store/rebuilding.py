"""
Building a sealed recording again with today's decoder: old recordings gain new columns.

The messages are raw in it, so everything else can be made anew. The old file is
replaced only after the new one was read back and holds the same messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from toolkit import failpoint
from toolkit.errors import RecordingError
from toolkit.ledger.gaps import RecordingLedger
from toolkit.model.event import Batch
from toolkit.model.frame import DecodedFrame, Frame, Quarantined
from toolkit.model.recording import FORMAT_VERSION
from toolkit.store.account import segments_of, write_account
from toolkit.store.database import Database, DatabaseError, duckdb_version
from toolkit.store.fold import watched_until
from toolkit.store.recorded import RecordedFrame, recorded_frames
from toolkit.store.sealing import SealReport, fresh_beside, read_back, remove_database, sync_folder
from toolkit.store.sequencer import Sequencer
from toolkit.store.totals import Totals

__all__ = ["rebuild_sealed"]


def rebuild_sealed(path: Path) -> SealReport:
    """
    Build a sealed recording again, in place.

    Raises:
        RecordingError: It cannot be read or written, or the result would lack
            something. The old file is untouched then.
    """
    fresh = fresh_beside(path)
    remove_database(fresh)
    source = Database.read(path)
    try:
        before = source.totals()
        totals = _copy(source, fresh)
    except DatabaseError as error:
        raise RecordingError(
            f"{path.stem} could not be rebuilt: {str(error).splitlines()[0]}",
            hint="The recording is as it was. Free space on the disk, and check it with `toolkit verify`.",
        ) from error
    finally:
        source.close()
    lost = [
        name
        for name in ("frames", "messages", "duplicates", "content_sha256")
        if getattr(before, name) != getattr(totals, name)
    ]
    differences = lost or totals.differences(read_back(fresh))
    if differences:
        remove_database(fresh)
        raise RecordingError(
            f"{path.stem} was not rebuilt: the result would differ in {', '.join(differences)}",
            hint="The recording is as it was. Check it with `toolkit verify`.",
        )
    failpoint.reach("rebuild-rename")
    fresh.replace(path)
    failpoint.reach("rebuild-renamed")
    sync_folder(path.parent)
    return SealReport(
        path.stem,
        path,
        totals.frames,
        totals.messages,
        dict(totals.counts),
        totals.duplicates,
        totals.quarantined,
        rebuilt=True,
        size_bytes=path.stat().st_size,
    )


def _copy(source: Database, path: Path) -> Totals:
    totals = Totals()
    target = Database.open(path)
    try:
        ledger = RecordingLedger()
        target.load(_taken(source, totals, ledger))
        segments = ledger.observed(segments_of(source))
        ledger.gifts.settle_all()
        write_account(target, segments, ledger, watched_until(source.meta()))
        target.write_meta(
            source.meta()
            | {
                "format_version": str(FORMAT_VERSION),
                "duckdb_version": duckdb_version(),
                "quarantined": str(totals.quarantined),
            }
        )
        target.checkpoint()
    finally:
        target.close()
    return totals


def _taken(source: Database, totals: Totals, ledger: RecordingLedger) -> Iterator[Batch]:
    """Yield the recording's frames as today's decoder reads them, and add them up."""
    damaged = _damaged_frames(source)
    sequencer = Sequencer(keep_all=True)
    for recorded in recorded_frames(source):
        batch = _take(sequencer, recorded, damaged.get(recorded.frame_no, []))
        totals.add(batch)
        ledger.take(batch)
        yield batch


def _take(sequencer: Sequencer, recorded: RecordedFrame, damaged: list[Quarantined]) -> Batch:
    frame = Frame(recorded.kind, b"", recorded.segment_id, recorded.received_at, recorded.received_mono_ns)
    decoded = DecodedFrame(
        recorded.payload_type,
        recorded.push_seq,
        recorded.log_id,
        recorded.cursor,
        messages=recorded.messages,
        quarantined=damaged,
    )
    batch = sequencer.take(frame, recorded.room_id, decoded)
    batch.size, batch.duplicates = recorded.size, recorded.duplicates
    return batch


def _damaged_frames(source: Database) -> dict[int, list[Quarantined]]:
    """Return what was quarantined of whole frames; damaged messages are found again."""
    found: defaultdict[int, list[Quarantined]] = defaultdict(list)
    for frame_no, *values in source.rows(
        "SELECT frame_no, reason, detail, method, sha256, size FROM quarantine WHERE method = ''"
    ):
        found[frame_no].append(Quarantined(*values))
    return found
