"""What the recorder needs of whoever connects: TikTok, or a script in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from toolkit.connect.stimuli import Down, Live
from toolkit.model.frame import FrameKind

__all__ = ["Source"]


class Source(Protocol):
    """One connection attempt: TikTok in production, a script in a test of the recorder alone."""

    async def resolve(self, known_room_id: int) -> Live | Down:
        """Look up the live; see :class:`toolkit.capture.tiktok_source.TikTokSource`."""
        ...

    async def listen(
        self,
        on_up: Callable[[int], None],
        on_frame: Callable[[FrameKind, bytes], list[bytes]],
        on_look: Callable[[], list[bytes]],
    ) -> Down:
        """Connect and stay."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...
