"""
The gate before the public: what of all that happens may be shown.

The hub asks it about every notice before a public client gets it, in the server's loop;
the parts of the show ask it about viewers' words in the conductor's thread. Both ask
the same function of the same immutable rules, so nothing slips through while somebody
is still thinking: there is no moment between a comment's being published and its being
judged. It fails closed: what cannot be judged is held back, and logged.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice
from toolkit.model.event import Comment, Event, Question
from toolkit.show.moderation.blocklist import Blocklist
from toolkit.show.moderation.ruling import HELD_KINDS, Decided, Reason, Rules, Ruling, Said, number_of
from toolkit.show.run import run_of

__all__ = ["APPROVED", "PUBLIC_PARTS", "Gate"]

log = logging.getLogger("toolkit.show")

PUBLIC_PARTS = frozenset({"question", "alert", "goals", "poll", "leaderboard", "stage", "result"})
"""Parts of the show, and edges, that public clients get. Whatever else there is, they do not."""
APPROVED = "show:approved"
"""Notice: what was held back may be shown. Public clients get it as what it was."""
_DEPTH_MAX = 12
"""Of a state. Ours have three or four levels."""
_IDLE = "idle"


class Gate:
    """
    Rules in force, and who asks about them. One per process; any thread.

    Attributes:
        rules: In force. Replaced as a whole, never changed.
        version: Grows whenever they are replaced: what was judged before may be judged otherwise.
        run_seq: Number of the notice with which the run began that they are about.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.version = 0
        self.run_seq = 0
        self.rules = rules or Rules()
        self._lock = threading.Lock()

    def follow(self, bus: MemoryBus, decided_of: Callable[[str], Decided]) -> None:
        """
        Have what was decided about a recording in force before anybody sees the first notice of it.

        Args:
            bus: Where runs are announced. Its publisher waits for ``decided_of``.
            decided_of: What was decided about a recording, by its id.
        """

        def take(notices: list[Notice]) -> None:
            for notice in notices:
                run = run_of(notice)
                if run is None or not run.begins_anew:
                    continue
                try:
                    decided = decided_of(run.recording)
                except Exception:
                    # The recorder is not to fall over what a show keeps.
                    log.exception("what was decided about %s is unknown", run.recording)
                    decided = Decided()
                self._begin(notice.seq, decided)

        bus.tap(take)

    def _begin(self, run_seq: int, decided: Decided) -> None:
        with self._lock:
            self.run_seq = run_seq
            self._put(replace(self.rules, decided=decided))

    def set_lists(self, blocklist: Blocklist, *, holds: bool, hidden_users: frozenset[int]) -> None:
        """Put in force what holds for every live."""
        with self._lock:
            self._put(replace(self.rules, blocklist=blocklist, holds=holds, hidden_users=hidden_users))

    def set_decided(self, run_seq: int, decided: Decided, waiting: frozenset[int]) -> None:
        """Put in force what was decided about one run; nothing if another has begun meanwhile."""
        with self._lock:
            if run_seq >= self.run_seq:
                self.run_seq = run_seq
                self._put(replace(self.rules, decided=decided, waiting=waiting))

    def _put(self, rules: Rules) -> None:
        self.rules = rules
        self.version += 1

    # -- for the parts of the show -----------------------------------------

    def lets_through(self, event: Event) -> bool:
        """Return whether what somebody did may be shown."""
        return self.ruling(event) is None

    def counts(self, event: Event) -> bool:
        """Return whether it counts as an answer or a vote: waiting for approval is no obstacle."""
        try:
            return self.rules.blocks(Said.of(event)) is None
        except Exception:
            log.exception("a %s could not be judged; it does not count", event.kind)
            return False

    def ruling(self, event: Event, rules: Rules | None = None) -> Ruling | None:
        """Return why an event is not shown; None if it is. Never raises."""
        try:
            return (rules or self.rules).judge(Said.of(event))
        except Exception:
            log.exception("a %s could not be judged; it is held back", event.kind)
            return Ruling(Reason.FAULT)

    # -- for the hub ---------------------------------------------------------

    def public(self, notice: Notice) -> Notice | None:
        """Return what a public client gets of a notice: itself, another one, or nothing. Never raises."""
        if isinstance(notice.data, Event):
            return notice if self.rules.are_open or self.ruling(notice.data) is None else None
        try:
            if notice.type == APPROVED:
                return self._approved(notice, notice.data)
            if notice.type.startswith("show:"):
                return self._public_part(notice, notice.data)
        except Exception:
            log.exception("%s could not be judged; it is held back", notice.type)
            return None
        return notice

    def public_snapshot(self, snapshot: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a public client gets of the present state."""
        told = dict(snapshot)
        for name, kind in (("comments", Comment.kind), ("questions", Question.kind)):
            if name in told:
                told[name] = [one for one in told[name] if self._lets_through(kind, one.get("data"))]
        if "show" in told:
            told["show"] = self.public_show(told["show"])
        return told

    def public_show(self, states: Mapping[str, Any]) -> dict[str, Any]:
        """Return the states of those parts that the public sees, as it may see them."""
        return {name: self._public_state(state) for name, state in states.items() if name in PUBLIC_PARTS}

    def _lets_through(self, kind: str, data: Any) -> bool:
        try:
            return self.rules.judge(Said.told(kind, data)) is None
        except Exception:
            log.exception("a %s could not be judged; it is held back", kind)
            return False

    def _approved(self, notice: Notice, data: Mapping[str, Any]) -> Notice | None:
        kind = str(data["kind"])
        if kind not in HELD_KINDS or not self._lets_through(kind, data):
            return None
        told = {name: value for name, value in data.items() if name != "kind"}
        return replace(notice, type=kind, data=told)

    def _public_part(self, notice: Notice, state: dict[str, Any]) -> Notice | None:
        if notice.type.removeprefix("show:") not in PUBLIC_PARTS:
            return None
        public = self._public_state(state)
        return notice if public == state else replace(notice, data=public)

    def _public_state(self, state: Any) -> Any:
        rules = self.rules
        if rules.are_open:
            return state
        try:
            return _Censor(rules).shown(state)
        except Exception:
            log.exception("a state of the show could not be judged; it is held back")
            return {}


class _Censor:
    """Takes out of a state who and what must not be shown."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def shown(self, value: Any, depth: int = 0) -> Any:
        """Return a value without them: null instead of a viewer, rows of lists left out."""
        if depth > _DEPTH_MAX:
            return None
        if isinstance(value, Mapping):
            return self._shown_mapping(value, depth)
        if isinstance(value, list | tuple):
            return [self.shown(one, depth + 1) for one in value if not self._is_of_hidden(one)]
        return value

    def _shown_mapping(self, value: Mapping[str, Any], depth: int) -> Any:
        if self._is_hidden(value) or (depth > 0 and self._is_hidden(value.get("user"))):
            return None
        shown = {name: self.shown(part, depth + 1) for name, part in value.items()}
        hidden = [name for name in ("user", "asked_by") if value.get(name) and self._is_hidden(value[name])]
        is_viewers = any(value.get(name) for name in ("user", "asked_by"))
        if is_viewers and (hidden or self._is_blocked(value.get("text"))):
            shown["text"] = ""
            if "state" in shown:
                shown["state"] = _IDLE
        if self._is_blocked(value.get("answer")):
            shown["answer"] = ""
        return shown

    def _is_of_hidden(self, row: Any) -> bool:
        return isinstance(row, Mapping) and (self._is_hidden(row) or self._is_hidden(row.get("user")))

    def _is_hidden(self, user: Any) -> bool:
        if not isinstance(user, Mapping) or "user_id" not in user or "nickname" not in user:
            return False
        number = number_of(user["user_id"]) or 0
        said = Said("", 0, number, str(user["nickname"] or ""), str(user.get("handle") or ""), "")
        return self._rules.blocks(said) is not None

    def _is_blocked(self, text: Any) -> bool:
        return isinstance(text, str) and bool(self._rules.blocklist.find(text))
