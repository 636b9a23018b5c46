"""Tells the operator when one kind of event stops, and when it is back."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from toolkit.capture.account import ConnectionAccount, warning_data
from toolkit.connect.kind_silence import USUAL_LIMITS, KindSilence, SilenceLimits

__all__ = ["KindWatch"]

log = logging.getLogger("toolkit.recorder")

LOOK_EVERY_S = 5.0
"""Between looks at which kinds of events have stopped."""


class KindWatch:
    """
    Watches the kinds of events of one recorder, over all of its recordings.

    A kind is only missed while a connection stands: what an outage costs is told by
    the gap.
    """

    def __init__(self, account: ConnectionAccount, limits: SilenceLimits = USUAL_LIMITS) -> None:
        self._account = account
        self._limits = limits
        self._kinds = KindSilence(limits)
        self._warned: frozenset[str] = frozenset()
        self._is_up = False
        self._looked_at_s = float("-inf")

    def begin(self) -> None:
        """Forget what was normal: another live begins."""
        self._kinds = KindSilence(self._limits)

    def connected(self, now_s: float) -> None:
        """Take in that a connection stands."""
        self._kinds.connected(now_s)
        self._is_up = True

    def disconnected(self) -> None:
        """Take in that none does: nothing is expected now."""
        self._is_up = False
        self._looked_at_s = float("-inf")

    def take(self, kinds: Iterable[str], now_s: float) -> None:
        """Take in the kinds of the events of one batch."""
        self._kinds.take(kinds, now_s)

    def look(self, now_s: float) -> list[dict[str, Any]]:
        """Return what is new: kinds that have stopped, and those that are no longer missed."""
        if now_s - self._looked_at_s < min(LOOK_EVERY_S, self._limits.silence_s):
            return []
        self._looked_at_s = now_s
        warnings = self._kinds.warnings(now_s) if self._is_up else []
        self._account.warn(warnings)
        stopped = frozenset(w.kind for w in warnings)
        new = [warning_data(w) for w in warnings if w.kind not in self._warned]
        over = [{"kind": kind, "over": True} for kind in sorted(self._warned - stopped)]
        self._warned = stopped
        for data in new:
            log.warning("%s", data["text"])
        return [*new, *over]
