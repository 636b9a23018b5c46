"""What comes with the toolkit: a recording for a first rehearsal, and the page that Panel serves."""

from __future__ import annotations

from pathlib import Path

from toolkit.errors import ServerError

__all__ = ["SAMPLE_ID", "folder_of", "panel_app"]

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


def panel_app() -> Path:
    """
    Return the script for ``panel serve``.

    Raises:
        ServerError: The installation is incomplete.
    """
    for candidate in (_PACKAGE.parent / "panel_app.py", _PACKAGE / "_panel_app" / "panel_app.py"):
        if candidate.is_file():
            return candidate
    raise ServerError("panel_app.py is missing from this installation.", hint="Install the project again.")
