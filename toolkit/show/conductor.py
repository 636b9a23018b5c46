"""
The conductor: brings notices, time and commands to the parts of the show, and announces them.

    bus -> parts -> show:NAME on the bus -> overlay, dashboard, webhooks

What a part announces is its whole state, so nobody has to have seen an earlier one. A
state that changes all the time is announced every 250 ms; the first change after a
quiet spell at once, and so is everything that comes with an edge such as ``show:result``.

Nothing of a rehearsal is kept: neither the state file nor the log of rounds is written
while one is on.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.background import EXIT_WITHIN_S, Worker
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice
from toolkit.clock import Clock
from toolkit.model.event import Event
from toolkit.show.keeping import StateFile
from toolkit.show.part import Part, ShowError
from toolkit.show.question.host import Host
from toolkit.show.rounds import RESULT, ROUNDS_FILE, RoundsLog
from toolkit.show.run import run_of

__all__ = ["Conductor"]

log = logging.getLogger("toolkit.show")

ANNOUNCE_EVERY_US = 250_000
"""Of one part; four times a second looks live, and a burst of 1,000 answers is four notices."""
SAVE_EVERY_US = 1_000_000
QUEUE_NOTICES_MAX = 20_000
"""As many as the bus keeps: over a minute of a busy room."""
GIVES_WAY_EVERY, GIVES_WAY_S = 20, 0.0005
"""Notices, about a millisecond of work; and for how long. A sleep of nothing would be over
before anybody else has taken the interpreter."""
SETTLES_S, SETTLES_TIMES_MAX = 0.025, 4
"""A burst comes in frames, some tens of milliseconds apart."""
AFTER_FAULT_S = 1.0
IDLE_US_MIN, IDLE_US_MAX = 2_000, 60_000_000

Keeper = Callable[[Mapping[str, Any]], None]
"""Writes down what was announced. Logs what goes wrong."""
_Announcement = tuple[str, Event | dict[str, Any]]


@dataclass(slots=True)
class _Seat:
    """A part, and what the conductor knows of it."""

    part: Part
    due: int | None = 0
    announced_version: int = -1
    announced_at: int = -ANNOUNCE_EVERY_US
    announced_text: str = ""
    edges: list[_Announcement] = field(default_factory=list)

    @property
    def has_changed(self) -> bool:
        return self.part.version != self.announced_version


class Conductor:
    """
    The show of one process. Methods may be called from any thread.

    Attributes:
        parts: What it conducts, in this order.
    """

    def __init__(
        self,
        bus: MemoryBus,
        parts: Sequence[Part],
        *,
        clock: Clock,
        folder: Path | None = None,
        keepers: Mapping[str, Sequence[Keeper]] | None = None,
        give_way: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """
        Listen to the bus, and take up what was saved.

        Args:
            bus: Where notices come from and states go to.
            parts: The show.
            clock: Our wall clock, the same as the bus's.
            folder: Where state and results are kept; None keeps nothing.
            keepers: Who else writes down what is announced, by its type. Not called in
                a rehearsal, nor where this process may not write.
            give_way: Lets other threads go on for so many seconds. Called before a burst
                and now and then in it.
        """
        self.parts = tuple(parts)
        self._bus, self._clock, self._give_way = bus, clock, give_way
        self._seats = [_Seat(part) for part in parts]
        self._by_action = {action: seat for seat in self._seats for action in seat.part.actions}
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._state_file = StateFile(folder / "state.json") if folder is not None else None
        self._keepers = {kind: list(several) for kind, several in (keepers or {}).items()}
        if folder is not None:
            # First of all: what others make of a result can be made again from this.
            self._keepers.setdefault(RESULT, []).insert(0, RoundsLog(folder / ROUNDS_FILE).append)
        self._is_rehearsal = False
        self._may_keep = True
        self._is_dirty = False
        self._saved_at = 0
        self._to_keep: list[tuple[str, dict[str, Any]]] = []
        self._states: dict[str, dict[str, Any]] = {}
        self._worker: Worker | None = None
        self._is_ending = False
        self._wake = threading.Event()
        self._subscription = bus.subscribe(wake=self._wake.set, notices_max=QUEUE_NOTICES_MAX)
        self._seq = bus.seq
        self._restore()

    # -- life ------------------------------------------------------------

    def start(self, *, keeps: bool = True) -> None:
        """
        Begin. Repeated calls do nothing.

        Args:
            keeps: Whether this process may write; another one owns the folder otherwise.
        """
        with self._lock:
            if self._worker is None and not self._is_ending:
                if not keeps:
                    self._state_file, self._keepers = None, {}
                self._worker = Worker("toolkit-show", self._work, ask_to_end=self._ask_to_end)

    def stop(self) -> None:
        """End, and save. Blocks until that is done, some milliseconds."""
        self._ask_to_end()
        worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join(EXIT_WITHIN_S)
        self._subscription.close()

    def _ask_to_end(self) -> None:
        self._is_ending = True
        self._wake.set()

    def _work(self) -> None:
        while not self._is_ending:
            # Cleared first: what arrives while we look wakes us again.
            self._wake.clear()
            if self._wake.wait(self._stepped()):
                self._settle()
        self._keep(is_last=True)

    def _settle(self) -> None:
        """Let a burst come in whole: who records, sends and draws it goes first."""
        for _ in range(SETTLES_TIMES_MAX):
            seq = self._bus.seq
            self._give_way(SETTLES_S)
            if self._bus.seq == seq or self._is_ending:
                return

    def _stepped(self) -> float:
        try:
            return self.step()
        except Exception:
            # Whatever a part has said or kept that nobody could foresee: the others go on.
            log.exception("the show stumbled")
            return AFTER_FAULT_S

    # -- what others ask -------------------------------------------------

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the state of every part by its name, as announced last. Never waits."""
        return dict(self._states)

    def bank(self, search: str = "", limit: int = 50) -> dict[str, Any]:
        """Return questions of the bank: see :meth:`toolkit.show.question.host.Host.bank`."""
        with self._lock:
            hosts = [part for part in self.parts if isinstance(part, Host)]
            return hosts[0].bank(search, limit) if hosts else {"total": 0, "questions": []}

    def command(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """
        Do what the operator asks: ``{"action": "question.next", ...}``.

        Returns:
            ``{"ok": True, NAME: state}``, the state of the part that took it.

        Raises:
            ShowError: It means nothing, or nothing now.
        """
        action = values.get("action")
        seat = self._by_action.get(action) if isinstance(action, str) else None
        if seat is None:
            known = ", ".join(sorted(self._by_action))
            raise ShowError("No such action.", hint=f"There are: {known}.")
        with self._lock:
            self._advance()
            now = self._clock.now_us()
            try:
                seat.part.command(str(action), values, now)
            except ShowError:
                raise
            except Exception:
                log.exception("%s failed", action)
                raise ShowError(
                    "That did not work because of a fault of ours.", hint="The log has the details."
                ) from None
            finally:
                self._tick(seat, now)
                seat.announced_at = now - ANNOUNCE_EVERY_US
                self._announce(now)
            reply = {"ok": True, seat.part.name: seat.part.state()}
        # Others look again, and the disk is not the caller's business.
        self._wake.set()
        return reply

    # -- the work --------------------------------------------------------

    def step(self) -> float:
        """Take in what has happened, do what is due, announce, save; return the seconds until the next."""
        with self._lock:
            self._advance()
            now = self._clock.now_us()
            self._announce(now)
            wait_us = self._wait_us(now)
        self._keep()
        return wait_us / 1e6

    def _advance(self) -> None:
        """Bring all parts to the present, each thing at its time however late we look."""
        for place, notice in enumerate(self._arrived()):
            if place % GIVES_WAY_EVERY == 0:
                # A burst is tens of milliseconds of work.
                self._give_way(GIVES_WAY_S)
            if notice.type == "run":
                # What was decided before it belongs to the run that ends.
                self._announce(notice.at)
            for seat in self._seats:
                if seat.due is not None and seat.due <= notice.at:
                    self._tick(seat, notice.at)
                self._guarded(seat, seat.part.take, notice, notice.at)
            self._take_run(notice)
        now = self._clock.now_us()
        for seat in self._seats:
            self._tick(seat, now)

    def _arrived(self) -> list[Notice]:
        notices = self._subscription.take()
        if notices and notices[0].seq > self._seq + 1:
            count = notices[0].seq - self._seq - 1
            log.warning("the show did not keep up: %d notices were not seen", count)
            missed = Notice(notices[0].seq - 1, "missed", notices[0].at, {"count": count})
            notices.insert(0, missed)
        if notices:
            self._seq = notices[-1].seq
        return notices

    def _take_run(self, notice: Notice) -> None:
        run = run_of(notice)
        if run is None:
            return
        self._is_rehearsal = run.kind == "rehearsal"
        # What a rehearsal has left is there until it is cleared: nothing of it is kept.
        if run.begins_anew:
            self._may_keep = not self._is_rehearsal

    def _tick(self, seat: _Seat, now: int) -> None:
        seat.due = self._guarded(seat, seat.part.tick, now)
        seat.edges += self._guarded(seat, seat.part.outbox) or ()

    def _guarded(self, seat: _Seat, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call a part. What it raises is logged: one part's fault must not end the others."""
        try:
            return call(*arguments)
        except Exception:
            log.exception("the part %s failed", seat.part.name)
            return None

    def _announce(self, now: int) -> None:
        """Publish what has changed, of all parts at once, edges behind the states they come from."""
        items: list[_Announcement] = []
        edges: list[_Announcement] = []
        for seat in self._seats:
            seat.edges += self._guarded(seat, seat.part.outbox) or ()
            # Either way: somebody may have set the machine's clock back.
            is_due = seat.has_changed and abs(now - seat.announced_at) >= ANNOUNCE_EVERY_US
            if not is_due and not seat.edges:
                continue
            state = self._guarded(seat, seat.part.state)
            if state is not None:
                seat.announced_version = seat.part.version
                if self._is_news(seat, state):
                    seat.announced_at = now
                    self._states = self._states | {seat.part.name: state}
                    items.append((f"show:{seat.part.name}", state))
            edges += seat.edges
            seat.edges = []
        if items or edges:
            self._is_dirty = True
            if self._may_keep:
                self._to_keep += [
                    (k, data) for k, data in edges if k in self._keepers and isinstance(data, dict)
                ]
            self._bus.publish([*items, *edges], rehearsal=self._is_rehearsal)

    def _is_news(self, seat: _Seat, state: dict[str, Any]) -> bool:
        """Whether a state differs from what was announced last: much of what a part hears changes nothing."""
        # As text: what is in an announced state may have been changed since.
        text = json.dumps(state, default=str)
        was, seat.announced_text = seat.announced_text, text
        return text != was

    def _wait_us(self, now: int) -> int:
        """Return how long nothing is due; whatever happens ends the wait."""
        moments = [seat.due for seat in self._seats if seat.due is not None]
        moments += [seat.announced_at + ANNOUNCE_EVERY_US for seat in self._seats if seat.has_changed]
        if self._is_dirty and self._may_keep and self._state_file is not None:
            moments.append(self._saved_at + SAVE_EVERY_US)
        wait_us = min(moments, default=now + IDLE_US_MAX) - now
        # A part that is always due must not take a whole core.
        return max(IDLE_US_MIN, min(wait_us, IDLE_US_MAX))

    # -- what stays ------------------------------------------------------

    def _restore(self) -> None:
        saved = self._state_file.load() if self._state_file is not None else {}
        for seat in self._seats:
            if seat.part.name in saved:
                self._guarded(seat, seat.part.restore, saved[seat.part.name])
            state = self._guarded(seat, seat.part.state)
            if state is not None:
                self._states[seat.part.name] = state
                seat.announced_version = seat.part.version
                self._is_news(seat, state)

    def _keep(self, *, is_last: bool = False) -> None:
        """Write what is due. Outside the lock of the parts: a slow disk delays no winner."""
        with self._saving:
            with self._lock:
                to_keep, self._to_keep = self._to_keep, []
                saved = self._to_save(is_last)
            for kind, data in to_keep:
                for keeper in self._keepers.get(kind, ()):
                    self._hand(kind, data, keeper)
            if saved is not None and self._state_file is not None:
                self._state_file.save(saved)

    def _hand(self, kind: str, data: dict[str, Any], keeper: Keeper) -> None:
        try:
            keeper(data)
        except Exception:
            log.exception("%s could not be kept", kind)

    def _to_save(self, is_last: bool) -> dict[str, Mapping[str, Any]] | None:
        now = self._clock.now_us()
        if not self._is_dirty or not self._may_keep or self._state_file is None:
            return None
        if not is_last and abs(now - self._saved_at) < SAVE_EVERY_US:
            return None
        self._is_dirty, self._saved_at = False, now
        found = {seat.part.name: self._guarded(seat, seat.part.saved) for seat in self._seats}
        return {name: saved for name, saved in found.items() if saved is not None}
