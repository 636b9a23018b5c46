"""
Moderation: what the operator keeps from the public, and what waits for approval.

The rules themselves are with the :class:`~toolkit.show.moderation.gate.Gate`, which judges; this
part keeps the lists, the queue of what was held back, and announces decisions:

- Hiding a message or a viewer announces a ``deletion``, as TikTok's own withdrawals are:
  overlay, dashboard, inbox and alerts take back what they show.
- Approving announces ``show:approved``; public clients get it as what it was.

Lists and hidden viewers are for every live and survive a restart; so does what waits, if
the same live goes on after it. What was decided about one live is kept beside its
recording, and holds again when that is replayed. In a rehearsal nothing is kept: with its
end, hidden viewers are those from before.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.bus.notice import Notice, event_data
from toolkit.ledger.tombstones import Scope, tombstones_of
from toolkit.model.event import Deletion, Event
from toolkit.show.moderation.blocklist import ENTRIES_MAX, Blocklist
from toolkit.show.moderation.decisions import DECIDED
from toolkit.show.moderation.gate import APPROVED, Gate
from toolkit.show.moderation.held import TEXT_CHARS_MAX, Held, held_of
from toolkit.show.moderation.ruling import HELD_KINDS, Decided, Reason, Rules, number_of
from toolkit.show.part import ShowError, user_data
from toolkit.show.request import read_flag, read_texts
from toolkit.show.run import Run, run_of

__all__ = ["Moderation"]

HELD_MAX = 1_000
"""Waiting for the operator, who reads a few a minute. The oldest falls out, unshown."""
LAPSED_MAX = 20_000
"""Numbers of those that fell out, as many as the bus keeps."""
SHOWN_MAX = 30
WORDS_SHOWN_MAX = 200
WORDS_CHARS_MAX = 4_000
USERS_SHOWN_MAX = 60
USERS_MAX = 5_000
FACES_MAX = 2_000
"""Viewers remembered by what they look like, for the list of the hidden."""
DELETED_IDS_MAX = 500
"""Named by one ``deletion``."""


class Moderation:
    """A :class:`~toolkit.show.part.Part`."""

    name = "moderation"
    actions = frozenset(
        f"moderation.{action}"
        for action in (
            *("hold", "approve", "reject", "words", "links"),
            *("hide_user", "show_user", "hide_message", "show_message"),
        )
    )

    def __init__(
        self,
        gate: Gate,
    ) -> None:
        """
        Begin with empty lists.

        Args:
            gate: Who judges.
        """
        self.version = 0
        self._gate = gate
        self._entries: tuple[str, ...] = ()
        self._blocks_links = False
        self._holds = False
        self._users: dict[int, dict[str, Any]] = {}
        self._users_before: dict[int, dict[str, Any]] | None = None
        self._run = Run("none", "", is_cleared=False)
        self._run_seq = 0
        self._decided = Decided()
        self._held: OrderedDict[int, Held] = OrderedDict()
        self._lapsed: deque[int] = deque(maxlen=LAPSED_MAX)
        self._faces: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._before: Rules | None = None
        self._changed_at = 0
        self._outbox: list[tuple[str, Event | dict[str, Any]]] = []
        self._gone: list[int] = []

    # -- what happens ------------------------------------------------------

    def take(self, notice: Notice, now: int) -> None:
        """Queue what the gate holds back; forget what TikTok withdrew."""
        run = run_of(notice)
        if run is not None:
            self._begin(run, notice.seq)
        elif isinstance(notice.data, Deletion):
            self._withdraw(notice.data)
        elif isinstance(notice.data, Event) and notice.data.kind in HELD_KINDS:
            self._judge(notice.data, notice.at)

    def tick(self, now: int) -> int | None:
        """Nothing is ever due."""
        return None

    def _begin(self, run: Run, seq: int) -> None:
        # A rehearsal that jumps begins anew, and is the same rehearsal.
        is_same = run.kind == "rehearsal" and run == self._run
        if self._users_before is not None and not is_same:
            self._users, self._users_before = self._users_before, None
            self._set_lists()
        if run.kind == "rehearsal" and not is_same:
            self._users_before = dict(self._users)
        if run.begins_anew:
            goes_on = run.is_live and run == self._run
            self._run, self._run_seq = run, seq
            if not goes_on:
                self._held.clear()
                self._lapsed.clear()
            if not is_same:
                # Read when the run was announced, before anybody could see anything of it.
                self._decided = self._gate.rules.decided if self._gate.run_seq == seq else Decided()
            self._drop_decided()
            self._gate.set_decided(seq, self._decided, self._waiting())
        self.version += 1

    def _drop_decided(self) -> None:
        """Let nothing wait that was decided: the state may be saved before the decision, and not after."""
        over = self._decided.approved | self._decided.hidden_messages
        hides = self._gate.rules.hides
        self._drop([msg_id for msg_id, held in self._held.items() if msg_id in over or hides(held.user_id)])

    def _judge(self, event: Event, at: int) -> None:
        if event.user is not None:
            self._faces[event.user.user_id] = user_data(event.user)
            self._faces.move_to_end(event.user.user_id)
            if len(self._faces) > FACES_MAX:
                self._faces.popitem(last=False)
        ruling = self._gate.ruling(event)
        if ruling is None and self._before is not None and at <= self._changed_at:
            # The hub may have judged it before the rules changed.
            ruling = self._gate.ruling(event, self._before)
        if ruling is None:
            return
        if ruling.reason in (Reason.USER, Reason.MESSAGE):
            self._gone.append(event.msg_id)
            return
        self._held[event.msg_id] = Held(event, at, ruling)
        if len(self._held) > HELD_MAX:
            self._lapsed.append(self._held.popitem(last=False)[0])
        self.version += 1

    def _withdraw(self, deletion: Deletion) -> None:
        for stone in tombstones_of(deletion):
            if stone.scope is Scope.MESSAGE:
                self._drop([stone.target_id])
            else:
                self._drop(self._held_of(stone.target_id))

    def _held_of(self, user_id: int) -> list[int]:
        return [msg_id for msg_id, held in self._held.items() if held.user_id == user_id]

    def _drop(self, msg_ids: Sequence[int]) -> None:
        for msg_id in msg_ids:
            if self._held.pop(msg_id, None) is not None:
                self.version += 1

    # -- what the operator asks ----------------------------------------------

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """Change a list, or decide about a message or a viewer."""
        self._before, self._changed_at = self._gate.rules, now
        match action.removeprefix("moderation."):
            case "hold":
                self._holds = read_flag(values, "on")
                self._set_lists()
            case "links":
                self._set_words(self._entries, blocks_links=read_flag(values, "on"))
            case "words":
                self._set_words(self._words_wanted(values), blocks_links=self._blocks_links)
            case "approve":
                self._approve(_wanted(values, "msg_id"), now)
            case "reject" | "hide_message" as decision:
                self._hide_message(decision, _wanted(values, "msg_id"), now)
            case "show_message":
                self._decide("show_message", now, msg_id=_wanted(values, "msg_id"))
            case "hide_user":
                self._hide_user(_wanted(values, "user_id"), now)
            case "show_user":
                user_id = _wanted(values, "user_id")
                self._users.pop(user_id, None)
                self._set_lists()
                self._decide("show_user", now, user_id=user_id)
        self.version += 1

    def _words_wanted(self, values: Mapping[str, Any]) -> list[str]:
        """Return the list that is asked for: the whole of it, or what changes in it."""
        if "words" in values:
            return read_texts(values, "words", most=ENTRIES_MAX)
        add, remove = (read_texts(values, name, most=ENTRIES_MAX) for name in ("add", "remove"))
        if not add and not remove:
            # An empty list is a wish, a missing one a mistake.
            raise ShowError(
                "No words.",
                hint='Send {"words": [...]}, all of them, or {"add": [...]} or {"remove": [...]}.',
            )
        return [*(word for word in self._entries if word not in remove), *add]

    def _set_words(self, words: Sequence[str], *, blocks_links: bool) -> None:
        blocklist = Blocklist(words, blocks_links=blocks_links)
        self._entries, self._blocks_links = blocklist.entries, blocks_links
        self._set_lists(blocklist)

    def _set_lists(self, blocklist: Blocklist | None = None) -> None:
        # What waits goes on waiting, whatever is taken off a list.
        self._gate.set_decided(self._run_seq, self._decided, self._waiting())
        self._gate.set_lists(
            blocklist or self._gate.rules.blocklist, holds=self._holds, hidden_users=frozenset(self._users)
        )

    def _waiting(self) -> frozenset[int]:
        return frozenset(self._held) | frozenset(self._lapsed)

    def _approve(self, msg_id: int, now: int) -> None:
        held = self._held.pop(msg_id, None)
        if held is None:
            raise ShowError("That message does not wait.", hint="It was decided or withdrawn meanwhile.")
        self._decide("approve", now, msg_id=msg_id)
        self._outbox.append((APPROVED, {"kind": held.event.kind} | event_data(held.event)))

    def _hide_message(self, decision: str, msg_id: int, now: int) -> None:
        self._held.pop(msg_id, None)
        self._decide(decision, now, msg_id=msg_id)
        self._gone.append(msg_id)

    def _hide_user(self, user_id: int, now: int) -> None:
        if len(self._users) >= USERS_MAX:
            raise ShowError(f"{USERS_MAX} viewers are hidden already.", hint="Show some again.")
        unknown = {"user_id": str(user_id), "nickname": "", "handle": "", "avatar": False}
        self._users[user_id] = self._faces.get(user_id, unknown)
        self._drop(self._held_of(user_id))
        self._set_lists()
        self._decide("hide_user", now, user_id=user_id)
        self._outbox.append(("deletion", _deletion(now, users=str(user_id))))

    def _decide(self, decision: str, now: int, **target: int) -> None:
        # As text: a number of TikTok's is too large for some who read JSON.
        line = {"decision": decision, "at": now} | {key: str(number) for key, number in target.items()}
        self._decided = self._decided.after(line)
        self._gate.set_decided(self._run_seq, self._decided, self._waiting())
        if self._run.is_live and self._run.recording:
            self._outbox.append((DECIDED, {"recording": self._run.recording} | line))

    # -- what others see -----------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return lists and queue, newest last."""
        newest = list(self._held.values())[-SHOWN_MAX:]
        words, chars = [], 0
        for entry in self._entries[:WORDS_SHOWN_MAX]:
            chars += len(entry.encode())
            if chars <= WORDS_CHARS_MAX:
                words.append(entry)
        return {
            "hold": self._holds,
            "held": _within_bytes([held.told() for held in newest]),
            "waiting": len(self._held),
            "words": len(self._entries),
            "hidden_users": len(self._users),
            "hidden_messages": len(self._decided.hidden_messages),
            "lists": {
                "words": words,
                "is_whole": len(words) == len(self._entries),
                "users": list(self._users.values())[-USERS_SHOWN_MAX:],
                "links": self._blocks_links,
            },
            "limits": {"words": ENTRIES_MAX},
        }

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return what is to be announced: approvals and deletions."""
        found, self._outbox = self._outbox, []
        gone, self._gone = self._gone, []
        for at in range(0, len(gone), DELETED_IDS_MAX):
            ids = ",".join(map(str, gone[at : at + DELETED_IDS_MAX]))
            found.append(("deletion", _deletion(self._changed_at, messages=ids)))
        return found

    def saved(self) -> dict[str, Any] | None:
        """Return the lists, and what waits in this live."""
        is_live = self._run.is_live and bool(self._run.recording)
        return {
            "recording": self._run.recording if is_live else "",
            "held": [held.saved for held in self._held.values()] if is_live else [],
            "words": list(self._entries),
            "links": self._blocks_links,
            "hold": self._holds,
            "users": list(self._users.values()),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up the lists; an entry that cannot be read is left out, the others count."""
        words = [word for word in _list(saved.get("words")) if isinstance(word, str)]
        self._blocks_links, self._holds = saved.get("links") is True, saved.get("hold") is True
        readable = [word for word in words[:ENTRIES_MAX] if _is_entry(word)]
        for user in _list(saved.get("users"))[:USERS_MAX]:
            number = number_of(user.get("user_id")) if isinstance(user, dict) else None
            if number is not None:
                texts = {key: str(user.get(key, ""))[:TEXT_CHARS_MAX] for key in ("nickname", "handle")}
                self._users[number] = {
                    "user_id": str(number), **texts, "avatar": user.get("avatar") is True
                }  # fmt: skip
        recording = saved.get("recording")
        if isinstance(recording, str) and recording:
            self._run = Run("live", recording, is_cleared=False)
            found = [held for row in _list(saved.get("held"))[:HELD_MAX] if (held := held_of(row))]
            self._held = OrderedDict((held.event.msg_id, held) for held in found)
        self._set_words(readable, blocks_links=self._blocks_links)
        self.version += 1


def _wanted(values: Mapping[str, Any], name: str) -> int:
    number = number_of(values.get(name))
    if number is None:
        raise ShowError(f"{name} must be one of TikTok's numbers.", hint=f'Send {{"{name}": "123"}}.')
    return number


def _deletion(now: int, *, messages: str = "", users: str = "") -> Deletion:
    return Deletion(0, 0, None, now, None, messages, users)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_entry(word: str) -> bool:
    try:
        Blocklist([word])
    except ShowError:
        return False
    return True


def _within_bytes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest rows that fit into what a state may weigh."""
    kept: list[dict[str, Any]] = []
    size = 0
    for row in reversed(rows):
        size += len(str(row).encode(errors="replace"))
        if size > _HELD_BYTES_MAX:
            break
        kept.append(row)
    return kept[::-1]


_HELD_BYTES_MAX = 5_000
