"""
What a recording needs besides its frames while it is written.

Each gap is announced when it opens, when it closes, and again when more was seen of
what it cost: its figures are surest ten minutes after it. How steady the connection
is goes into the recording every minute, so that a recorder that takes over from one
that died goes on counting. A file that somebody moves or deletes is noticed within a
second and written again.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from toolkit.bus.memory import MemoryBus
from toolkit.capture.account import ConnectionAccount
from toolkit.clock import SteadyClock
from toolkit.errors import JournalNotWritten, ToolkitError
from toolkit.store.account import gap_info
from toolkit.store.resuming import CLOCK_SET
from toolkit.store.writer import RecordingWriter

__all__ = ["Upkeep"]

log = logging.getLogger("toolkit.recorder")

NOTE_EVERY_S = 60.0
CLOCK_SET_S_MIN = 1.0
"""What a clock drifts by itself in an evening is less."""
LOOK_EVERY_S = 5.0
SETTLED_AFTER_S = 660.0
"""The rate after a gap is measured over ten minutes."""
UNSETTLED_MAX = 3
"""Gaps looked at again: of many in a row the older ones hardly change any more."""


class Upkeep:
    """Looks after the recording of one recorder. Belongs to the recorder's loop."""

    def __init__(self, bus: MemoryBus, account: ConnectionAccount) -> None:
        self._bus = bus
        self._account = account
        self._writer: RecordingWriter | None = None
        self._clock: SteadyClock | None = None
        self._clock_set_s = 0.0
        self._told: dict[int, dict[str, Any]] = {}
        self._edge_at_s = self._looked_at_s = self._noted_at_s = float("-inf")

    def begin(self, writer: RecordingWriter, clock: SteadyClock) -> None:
        """Look after another recording, which has its own clock; one that goes on has gaps already."""
        self._writer, self._told = writer, {}
        self._clock, self._clock_set_s = clock, clock.set_s()
        self._account.say(None)

    def edge(self, now_s: float) -> None:
        """Take in that a connected stretch began or ended."""
        self._edge_at_s = self._looked_at_s = now_s
        self._noted_at_s = float("-inf")
        self._tell_gaps(UNSETTLED_MAX if self._told else None)

    def look(self, now_s: float) -> None:
        """Do what is due. Call it every second."""
        writer = self._writer
        if writer is None:
            return
        self._keep_in_place(writer)
        self._note_clock(writer)
        if now_s - self._noted_at_s >= NOTE_EVERY_S:
            self._noted_at_s = now_s
            self._note(writer)
        is_settled = now_s - self._edge_at_s > SETTLED_AFTER_S
        if not is_settled and now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = now_s
            self._tell_gaps(UNSETTLED_MAX if self._told else None)

    def end(self) -> None:
        """Say the last word, before the recording is sealed; nothing happens without one."""
        if self._writer is not None:
            self.conclude()
            self._writer = None

    def conclude(self) -> None:
        """Say what is the last word unless the recording goes on; its file is still looked after."""
        writer = self._writer
        assert writer is not None
        self._note(writer)
        try:
            writer.conclude()
        except ToolkitError as error:
            log.error("the end of the recording could not be journaled: %s", error)
        self._tell_gaps(None)

    def _keep_in_place(self, writer: RecordingWriter) -> None:
        try:
            was_gone = writer.keep_in_place()
        except JournalNotWritten:
            return  # The next frame meets the same fault, and is not acknowledged.
        if was_gone:
            self._warn(
                f"{writer.path.with_suffix('.journal')} was moved or deleted while it was recorded. "
                "All of it was written again there: nothing is missing."
            )

    def _note_clock(self, writer: RecordingWriter) -> None:
        """Keep that the machine's clock was set: the recording's own goes on as it began."""
        assert self._clock is not None
        set_s = self._clock.set_s()
        if abs(set_s - self._clock_set_s) < CLOCK_SET_S_MIN:
            return
        self._clock_set_s = set_s
        log.warning("this machine's clock was set by %+.0f s: the recording goes on with its own", set_s)
        try:
            writer.note({CLOCK_SET: f"{set_s:.3f}"})
        except ToolkitError as error:
            log.error("that the clock was set could not be noted: %s", error)

    def _warn(self, text: str) -> None:
        log.error("%s", text)
        data = {"kind": "file", "text": text}
        self._account.say(data)
        self._bus.publish([("warning", data)])

    def _note(self, writer: RecordingWriter) -> None:
        try:
            writer.note({"stability": json.dumps(self._account.stability_saved())})
        except ToolkitError as error:
            log.error("how steady the connection was could not be noted: %s", error)

    def _tell_gaps(self, newest: int | None) -> None:
        assert self._writer is not None
        try:
            gaps = self._writer.gaps(newest=newest)
        except Exception:
            # What a gap cost can be told again; the connection must not pay for it.
            log.exception("what the gaps cost could not be told")
            return
        for gap in gaps:
            state = "open" if gap.ended_at is None else "closed"
            data = {"recording": self._writer.id, "state": state, **gap_info(gap)}
            if self._told.get(gap.gap_id) != data:
                self._told[gap.gap_id] = data
                self._bus.publish([("gap", data)])
