"""Recordings that are complete are sealed beside everything else: seconds for a long live."""

from __future__ import annotations

import asyncio
import logging

from toolkit.bus.memory import MemoryBus
from toolkit.errors import ToolkitError
from toolkit.store.writer import RecordingWriter, SealReport

__all__ = ["Sealer"]

log = logging.getLogger("toolkit.recorder")


class Sealer:
    """
    Seals recordings in threads and tells the bus. Belongs to one loop.

    Attributes:
        unsealed: Ids of those that could not be sealed: the next start heals them.
    """

    def __init__(self, bus: MemoryBus) -> None:
        self.unsealed: list[str] = []
        self._bus = bus
        self._sealing: set[asyncio.Future[None]] = set()

    def take(self, writer: RecordingWriter) -> None:
        """Complete a recording that nobody writes any more. Returns at once."""
        self._bus.publish([("recording", {"id": writer.id, "state": "sealing"})])
        # Sealing reads everything back and compares.
        sealing = asyncio.get_running_loop().run_in_executor(None, self._seal, writer)
        self._sealing.add(sealing)
        sealing.add_done_callback(self._sealing.discard)

    async def done(self) -> None:
        """Wait until nothing is being sealed."""
        while self._sealing:
            await asyncio.wait(self._sealing)

    def _seal(self, writer: RecordingWriter) -> None:
        state = "sealed"
        try:
            report: SealReport = writer.seal()
            log.info("recording %s sealed: %d messages", writer.id, report.messages)
            if report.problems:
                log.warning("recording %s: %s", writer.id, "; ".join(report.problems))
        except ToolkitError as error:
            self.unsealed.append(writer.id)
            state = "interrupted"
            log.error("recording %s could not be sealed: %s", writer.id, error)
        except Exception:
            self.unsealed.append(writer.id)
            state = "interrupted"
            log.exception("recording %s could not be sealed", writer.id)
        self._bus.publish([("recording", {"id": writer.id, "state": state})])
