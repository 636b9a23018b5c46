"""
What is kept of a frame that was too large to be kept: its size and its hash.

Such a frame is read past on the wire; this small text is journaled in its place, so
that a journal told again says the same.
"""

from __future__ import annotations

import json

from toolkit.model.frame import Quarantined

__all__ = ["encode_skipped", "read_skipped"]

_HEX_CHARS = 64
_SIZE_MAX = 2**31 - 1


def encode_skipped(received: int, claimed: int, sha256: str) -> bytes:
    """
    Return what is journaled of a frame.

    Args:
        received: Bytes that came.
        claimed: Bytes it said it would have; as many as came, if it was read to its end.
        sha256: Hash of the bytes that came, hexadecimal.
    """
    return json.dumps({"received": received, "claimed": claimed, "sha256": sha256}).encode()


def read_skipped(data: bytes) -> Quarantined | None:
    """Return what :func:`encode_skipped` made, as a damaged frame; None if it did not make this."""
    try:
        value = json.loads(data)
        received, claimed, sha256 = value["received"], value["claimed"], value["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_ours = isinstance(received, int) and isinstance(claimed, int) and isinstance(sha256, str)
    if not (is_ours and 0 <= received <= min(claimed, _SIZE_MAX) and len(sha256) == _HEX_CHARS):
        return None
    detail = f"a frame of {claimed} bytes is larger than any of TikTok's, and was not kept"
    if received < claimed:
        detail += f"; the connection was ended after {received} of them"
    return Quarantined("oversize", detail, "", sha256, received)
