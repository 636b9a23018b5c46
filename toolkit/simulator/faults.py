"""
The last station before the socket: where a plan of faults can step in.

The simulator asks an :class:`Outgoing` what becomes of each frame. This one is
honest. A fault plan subclasses it and returns something else: other bytes, a
later time, nothing at all, or the end of the connection. The ledger keeps what
was meant to be sent, so an oracle can tell what a fault took away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Cut", "Delivery", "Outgoing"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    Bytes to write.

    Attributes:
        data: One WebSocket message.
        delay_s: Wait this long first; later frames of the connection wait too.
    """

    data: bytes
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """
    The end of a connection.

    Attributes:
        code: WebSocket close code; None aborts TCP without a word.
        reason: Sent with the code.
    """

    code: int | None = None
    reason: str = ""


class Outgoing:
    """Lets every frame through, unaltered and at once."""

    def plan(self, connection_id: int, frame_no: int, data: bytes) -> Sequence[Delivery | Cut]:
        """
        Return what to do instead of writing ``data``, in order.

        Args:
            connection_id: 1, 2, 3 ... in the order of connecting.
            frame_no: 1, 2, 3 ... on that connection.
            data: One WebSocket message.
        """
        return (Delivery(data),)
