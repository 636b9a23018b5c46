"""How a recording begins: a journal under an id of its own, and which versions write it."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

from toolkit.errors import FolderNotWritable
from toolkit.store.journal import JournalWriter

__all__ = ["new_journal", "not_writable", "versions"]

_SAME_SECOND_MAX = 1000
"""Recordings of one user that may begin in the same second."""


def new_journal(folder: Path, base: str) -> JournalWriter:
    """
    Create a journal under the first free id: ``base``, ``base-2``, ``base-3`` ...

    Raises:
        FolderNotWritable: The folder refuses new files.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for n in range(1, _SAME_SECOND_MAX):
            path = folder / (f"{base}.journal" if n == 1 else f"{base}-{n}.journal")
            if path.with_suffix(".duckdb").exists():
                continue
            try:
                return JournalWriter(path)
            except FileExistsError:
                continue
    except OSError as error:
        raise not_writable(folder, error.strerror or str(error)) from error
    raise not_writable(folder, f"it holds {_SAME_SECOND_MAX} recordings of this second")


def not_writable(folder: Path, reason: str) -> FolderNotWritable:
    """Return the error that says so, with what to do about it."""
    who = f"user {os.getuid()}"
    return FolderNotWritable(
        f"the recordings folder {folder} cannot be written: {reason}",
        hint=f"Make it a folder that {who} may write, or choose another one with --recordings.",
    )


def versions() -> dict[str, str]:
    """Versions of what decides how a recording comes out, as facts for ``meta``."""
    names = {
        "toolkit_version": "tiktok-live-toolkit",
        "tiktoklive_version": "TikTokLive",
        "schema_version": "TikTokLiveProto",
    }
    found = {}
    for key, distribution in names.items():
        try:
            found[key] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            found[key] = "unknown"
    return found
