"""
Record, watch, rehearse and analyse TikTok LIVE.

The folder tree is the architecture: ``model`` has the nouns, ``wire`` reads
TikTok's bytes, ``store`` keeps them, ``capture`` brings them in, ``web`` and
``dashboard`` show them. Imports point one way; a test proves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.store.reader import open_recording

__all__ = ["open_recording"]


def __getattr__(name: str) -> Any:
    """Import on demand: `import toolkit` alone must not load DuckDB and polars."""
    if name == "open_recording":
        from toolkit.store.reader import open_recording

        return open_recording
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
