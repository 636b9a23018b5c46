"""The recording that comes with the toolkit, for a first rehearsal anywhere."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SAMPLE_ID", "folder_of"]

SAMPLE_ID = "sample"
_PACKAGE = Path(__file__).parent


def folder_of(recording_id: str, recordings: Path) -> Path:
    """
    Return the folder in which to look for a recording.

    Args:
        recording_id: What is looked for.
        recordings: The user's folder. It comes first, also with a ``sample`` of its own.
    """
    if recording_id == SAMPLE_ID and not (recordings / f"{SAMPLE_ID}.duckdb").exists():
        # In a wheel it lies in the package, in a checkout beside it.
        for folder in (_PACKAGE / "_recordings", _PACKAGE.parent / "recordings"):
            if (folder / f"{SAMPLE_ID}.duckdb").exists():
                return folder
    return recordings
