"""
The host: which question is on air, who has answered it, what comes next.

- By hand, or by itself during a live or a rehearsal: by timer, a question every
  ``every_s`` counted from the one before, or by winner, the next once a result was
  shown. A question that is on air is never cut off by the next.
- Questions of the audience go on air in between; while one waits, no two questions of
  the bank follow each other.
- While the connection is away no question goes on air. The one that is goes on, and its
  result is disputed: somebody may have been first whom nobody saw. The operator decides.
- A rehearsal leaves the bank as it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.model.event import Comment, Deletion, Event
from toolkit.show.audience.inbox import Inbox, InboxQuestion, QuestionState
from toolkit.show.part import ShowError
from toolkit.show.question.air import Air
from toolkit.show.question.cards import NO_CARD, VERDICTS, AudienceCard, QuizCard
from toolkit.show.question.deck import ORDERS, Deck
from toolkit.show.question.quiz import Question, Rules
from toolkit.show.question.rota import Rota
from toolkit.show.question.shelf import Shelf, checked
from toolkit.show.request import read_choice, read_flag, read_text, read_whole

__all__ = ["Host"]

LOOK_EVERY_US = 2_000_000
"""At the bank's files."""
PAST_MAX = 10
"""Results that can still be judged."""
UNDO_MAX = 20
MISTAKES_TOLD = 10
MISTAKE_CHARS_MAX = 200
_SEQ_MAX = 2**53

Card = QuizCard | AudienceCard


class Host:
    """The part ``question``."""

    name = "question"

    def __init__(
        self,
        shelf: Shelf,
        deck: Deck,
        *,
        inbox: Inbox | None = None,
        counts: Callable[[Event], bool] = lambda event: True,
        rules: Rules | None = None,
    ) -> None:
        """
        Begin with nothing on air.

        Args:
            shelf: Where the questions of the bank lie.
            deck: Their order.
            inbox: Questions of the audience.
            counts: Whether a comment may be an answer: who is hidden wins nothing.
            rules: How rounds are judged; the usual ones by default.
        """
        self.version = 1
        self.actions = frozenset(_COMMANDS)
        self._shelf, self._deck, self._inbox, self._counts = shelf, deck, inbox or Inbox(), counts
        self._rules = rules or Rules()
        self._rota = Rota()
        self._language = "en"
        self._air = Air()
        self._is_paused = False
        self._card: Card | None = None
        self._is_pinned = False
        self._number = 0
        self._looks_at = 0
        self._past: deque[QuizCard] = deque(maxlen=PAST_MAX)
        self._undo: deque[Card | None] = deque(maxlen=UNDO_MAX)
        self._rehearsed: Mapping[str, Any] | None = None
        self._edges: list[tuple[str, dict[str, Any]]] = []

    # -- what happens ----------------------------------------------------

    def take(self, notice: Notice, now: int) -> None:
        """Take in a comment, a gap, the connection, a new run."""
        self._look_at_card(now)
        match notice.type:
            case "comment":
                self._answer(notice, now)
            case "deletion" if isinstance(notice.data, Deletion):
                self._withdraw(notice.data, now)
            case "run":
                self._begin(notice, now)
            case "status":
                self._take_status(notice)
            case "gap":
                self._take_gap(notice)
            case "missed":
                self._dispute(lambda card: card.is_open)
            case "show:stage" if isinstance(notice.data, dict):
                self._language = str(notice.data.get("language", self._language))
            case "show:inbox":
                self.version += 1

    def tick(self, now: int) -> int | None:
        """Decide what is due, take off what was shown for long enough, put on what comes next."""
        self._look_at_files(now)
        self._look_at_card(now)
        self._go_on(now)
        moments = [self._looks_at, self._card_is_due(), self._next_is_due()]
        return min(moment for moment in moments if moment is not None)

    def _answer(self, notice: Notice, now: int) -> None:
        card, comment = self._card, notice.data
        if not isinstance(comment, Comment) or comment.is_history or comment.user is None:
            return
        answer = self._air.answer_of(notice, comment, comment.user, now)
        if isinstance(card, QuizCard) and self._counts(comment):
            self.version += card.take(answer, comment.user)

    def _withdraw(self, deletion: Deletion, now: int) -> None:
        # Of the card on screen: older results stand until somebody judges them.
        card = self._card
        if not isinstance(card, QuizCard):
            return
        winner = card.winner
        self.version += card.withdraw(deletion, now)
        if card.winner != winner:
            self._tell(card)

    def _begin(self, notice: Notice, now: int) -> None:
        run = self._air.take_run(notice)
        self.version += 1
        if run is None:
            return
        self._give_back(now)
        self._take_off(now)
        self._past.clear()
        self._undo.clear()
        self._rota.begin()
        if run.kind == "rehearsal":
            self._rehearsed = self._rehearsed or self._deck.saved()
        elif self._rehearsed is not None:
            self._deck.restore(self._rehearsed)
            self._rehearsed = None

    def _take_status(self, notice: Notice) -> None:
        if self._air.take_status(notice):
            self.version += 1
        if self._air.is_away:
            self._dispute(lambda card: card.is_open)

    def _take_gap(self, notice: Notice) -> None:
        gap = self._air.gap_of(notice)
        if gap is not None:
            # A silence is noticed late: the question may be over by then.
            self._dispute(lambda card: gap[0] < card.until and gap[1] > card.opened_at)

    def _dispute(self, concerns: Callable[[QuizCard], bool]) -> None:
        cards = [*self._past]
        if isinstance(self._card, QuizCard) and self._card not in cards:
            cards.append(self._card)
        for card in cards:
            if concerns(card) and card.dispute():
                self.version += 1
                if not card.is_open:
                    self._tell(card)

    # -- what is on air --------------------------------------------------

    def _look_at_files(self, now: int) -> None:
        if now >= self._looks_at or now < self._looks_at - LOOK_EVERY_US:
            self._looks_at = now + LOOK_EVERY_US
            if self._shelf.look(self._language):
                self._deck.fill(self._shelf.questions)
                self.version += 1

    def _look_at_card(self, now: int) -> None:
        card = self._card
        if isinstance(card, QuizCard) and card.decide(now):
            self._decided(card)
        if card is not None and not self._is_pinned and card.leaves_at is not None and now >= card.leaves_at:
            self._mark(card, QuestionState.ANSWERED, now)
            self._take_off(now)
        elif isinstance(card, AudienceCard) and self._is_withdrawn(card):
            self._take_off(now)

    def _is_withdrawn(self, card: AudienceCard) -> bool:
        """Whether its asker, TikTok or the operator has taken it back while it is shown."""
        asked = self._inbox.find(card.id)
        return asked is None or asked.state is not QuestionState.ON_AIR

    def _decided(self, card: QuizCard) -> None:
        self._past.append(card)
        self._tell(card)
        self.version += 1

    def _tell(self, card: QuizCard) -> None:
        self._edges.append(("show:result", card.edge(self._air.recording)))

    def _card_is_due(self) -> int | None:
        card = self._card
        if isinstance(card, QuizCard) and card.is_open:
            return card.round.decides_at
        return None if card is None or self._is_pinned else card.leaves_at

    def _go_on(self, now: int) -> None:
        """Put on what comes by itself, if it is due."""
        due = self._next_is_due()
        if due is None or due > now:
            return
        asked, question = self._upcoming_asked(), self._deck.upcoming()
        has_asked, has_bank = asked is not None, question is not None
        if asked is not None and self._rota.is_audiences(now, has_asked=has_asked, has_bank=has_bank):
            self._show_asked(asked, now)
        elif question is not None:
            self._show(question, now)

    def _next_is_due(self) -> int | None:
        if self._card is not None or self._is_paused or self._air.is_away or not self._air.is_running:
            return None
        return self._rota.due(has_asked=self._upcoming_asked() is not None, has_bank=len(self._deck) > 0)

    def _upcoming_asked(self) -> InboxQuestion | None:
        return self._inbox.next() if self._rota.takes_audience else None

    def _show(self, question: Question, now: int) -> None:
        self._number += 1
        if self._deck.find(question.id) is not None:
            self._deck.take(question.id)
        self._put_on(QuizCard(question, self._number, now, self._rules), now)

    def _show_asked(self, asked: InboxQuestion, now: int) -> None:
        self._inbox.mark(asked.id, QuestionState.ON_AIR, now)
        self._put_on(AudienceCard(asked, now, self._inbox.waiting), now)

    def _put_on(self, card: Card, now: int) -> None:
        self._card, self._is_pinned = card, False
        self._rota.put_on(is_bank=isinstance(card, QuizCard), now=now)
        self.version += 1

    def _take_off(self, now: int) -> None:
        if self._card is not None:
            self._card, self._is_pinned = None, False
            self._rota.taken_off(now)
            self.version += 1

    def _give_back(self, now: int) -> None:
        """Have what is on air come again, as if it had not been: it was not answered yet."""
        card = self._card
        if isinstance(card, QuizCard) and card.is_open:
            self._deck.give_back(card.id)
        elif isinstance(card, AudienceCard):
            self._mark(card, QuestionState.QUEUED, now)

    def _mark(self, card: Card, state: QuestionState, now: int) -> None:
        if isinstance(card, AudienceCard):
            self._inbox.mark(card.id, state, now)

    # -- what the operator asks ------------------------------------------

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """
        Do what the operator asks.

        Raises:
            ShowError: It means nothing, or nothing now.
        """
        self._look_at_card(now)
        _COMMANDS[action](self, values, now)
        self.version += 1

    def _next(self, values: Mapping[str, Any], now: int) -> None:
        source = read_choice(values, "source", ("bank", "audience"), "bank")
        self._refuse_while_away()
        asked, question = self._inbox.next(), self._deck.upcoming()
        if source == "audience":
            if asked is None:
                raise ShowError(
                    "No question of the audience waits.", hint="Queue one, or ask one of the bank."
                )
            self._cut(now)
            self._show_asked(asked, now)
        elif question is None:
            raise ShowError(
                "There are no questions.", hint="Add one, or put a file into the folder questions/."
            )
        else:
            self._cut(now)
            self._show(question, now)

    def _ask(self, values: Mapping[str, Any], now: int) -> None:
        self._refuse_while_away()
        if "id" not in values:
            question: Question | None = checked(_fields(values))
        else:
            question = self._deck.find(read_text(values, "id"))
        asked = self._inbox.find(str(values.get("id"))) if question is None else None
        if question is not None:
            self._cut(now)
            self._show(question, now)
        elif asked is not None and asked.state is not QuestionState.DISMISSED:
            self._cut(now)
            self._show_asked(asked, now)
        else:
            raise ShowError("There is no such question.", hint='Send its id, or {"text", "answers"}.')

    def _refuse_while_away(self) -> None:
        if self._air.is_away:
            raise ShowError(
                "The connection is away: nobody's answer would arrive.", hint="Wait until it is back."
            )

    def _cut(self, now: int) -> None:
        """Make room for what the operator wants. Who leads has won: that is not taken back."""
        card = self._card
        if isinstance(card, QuizCard) and card.is_open and card.round.leader is not None:
            self._close(card, now)
        is_over = card is None or (isinstance(card, QuizCard) and not card.is_open)
        self._undo.append(None if is_over else card)
        if card is not None:
            self._mark(card, QuestionState.ANSWERED, now)
            self._take_off(now)

    def _skip(self, values: Mapping[str, Any], now: int) -> None:
        if self._card is None:
            raise ShowError("Nothing is on air.", hint="There is nothing to skip.")
        self._cut(now)

    def _take_back(self, values: Mapping[str, Any], now: int) -> None:
        if not self._undo:
            raise ShowError("There is nothing to take back.", hint="Only skip, next and ask are taken back.")
        if isinstance(self._card, QuizCard) and not self._card.is_open:
            raise ShowError("It is decided already.", hint="Make the result void, if it must not count.")
        before = self._undo[-1]
        if before is not None:
            self._refuse_while_away()
        self._undo.pop()
        self._give_back(now)
        self._take_off(now)
        if isinstance(before, QuizCard):
            # From the beginning: what was written meanwhile nobody has judged.
            self._show(before.question, now)
        elif before is not None:
            self._show_asked(before.asked, now)

    def _pin(self, values: Mapping[str, Any], now: int) -> None:
        is_on = read_flag(values, "on")
        if is_on and self._card is None:
            raise ShowError("Nothing is on air.", hint="There is nothing to pin.")
        self._is_pinned = is_on

    def _end(self, values: Mapping[str, Any], now: int) -> None:
        card = self._card
        if card is None:
            raise ShowError("Nothing is on air.", hint="There is nothing to close.")
        if isinstance(card, QuizCard) and card.is_open:
            self._close(card, now)
        else:
            self._mark(card, QuestionState.ANSWERED, now)
            self._take_off(now)

    def _close(self, card: QuizCard, now: int) -> None:
        if card.decide(now, closes=True):
            self._decided(card)

    def _judge(self, values: Mapping[str, Any], now: int) -> None:
        verdict = read_choice(values, "verdict", VERDICTS)
        number = read_whole(values, "round", 1, _SEQ_MAX) if "round" in values else None
        seq = read_whole(values, "seq", 0, _SEQ_MAX) if "seq" in values else None
        card = next((one for one in reversed(self._past) if number in (None, one.number)), None)
        if card is None:
            raise ShowError(
                "There is no such result.", hint=f"The last {PAST_MAX} of this live can be judged."
            )
        card.judge(verdict, seq)
        self._tell(card)

    def _auto(self, values: Mapping[str, Any], now: int) -> None:
        order = read_choice(values, "order", ORDERS, self._deck.order)
        self._rota.set(values)
        self._deck.order = order

    def _pause(self, values: Mapping[str, Any], now: int) -> None:
        self._is_paused = read_flag(values, "on")

    def _reload(self, values: Mapping[str, Any], now: int) -> None:
        self._shelf.forget()
        self._looks_at = now
        self._look_at_files(now)

    def _add(self, values: Mapping[str, Any], now: int) -> None:
        self._shelf.add(_fields(values))
        self._reload(values, now)

    def _edit(self, values: Mapping[str, Any], now: int) -> None:
        self._shelf.edit(read_text(values, "id"), _fields(values))
        self._reload(values, now)

    def _remove(self, values: Mapping[str, Any], now: int) -> None:
        self._shelf.remove(read_text(values, "id"))
        self._reload(values, now)

    # -- what is told ----------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what is on air, what comes next and how."""
        look = NO_CARD if self._card is None else self._card.state()
        return (
            look
            | self._rota.state()
            | {
                "is_pinned": self._is_pinned,
                "paused": "disconnected" if self._air.is_away else "by_hand" if self._is_paused else "",
                "order": self._deck.order,
                "can_undo": bool(self._undo),
                "next": self._upcoming(),
                "bank": {
                    "questions": len(self._deck),
                    "asked": self._deck.asked,
                    "is_sample": self._shelf.is_sample,
                    "mistakes": [line[:MISTAKE_CHARS_MAX] for line in self._shelf.mistakes[:MISTAKES_TOLD]],
                },
            }
        )

    def _upcoming(self) -> dict[str, Any] | None:
        asked, question = self._upcoming_asked(), self._deck.upcoming()
        card = self._card
        moment = self._rota.free_at if card is None else card.leaves_at or 0
        if asked is not None and self._rota.is_audiences(
            moment, has_asked=True, has_bank=question is not None
        ):
            return {"source": "audience", "id": asked.id, "text": asked.text}
        return None if question is None else {"source": "bank", "id": question.id, "text": question.text}

    def bank(self, search: str, limit: int) -> dict[str, Any]:
        """
        Return questions of the bank as the form shows them, those with ``search`` in them.

        ``{"total": how many there are, "questions": [...]}``, each with the fields of a file
        and ``file``, ``line``, ``is_added`` (by the form), ``is_asked``.
        """
        found = self._shelf.find(search)
        rows = [row | {"is_asked": self._deck.is_asked(row["id"])} for row in found[:limit]]
        return {"total": len(found), "questions": rows}

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return and forget the results that were not told yet."""
        edges, self._edges = self._edges, []
        return edges

    def saved(self) -> dict[str, Any]:
        """Return settings, the number of rounds and what was asked; what is on air was not asked yet."""
        on_air = self._card.id if isinstance(self._card, QuizCard) and self._card.is_open else ""
        return self._rota.state() | {
            "order": self._deck.order,
            "round": self._number,
            "deck": self._deck.saved(without=on_air),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up settings and what was asked. What cannot be read is left out."""
        self._rota.restore(saved)
        if saved.get("order") in ORDERS:
            self._deck.order = saved["order"]
        number = saved.get("round")
        if isinstance(number, int) and 0 <= number <= _SEQ_MAX:
            self._number = number
        if isinstance(saved.get("deck"), Mapping):
            self._deck.restore(saved["deck"])
        self.version += 1


_COMMANDS: Mapping[str, Callable[[Host, Mapping[str, Any], int], None]] = {
    "question.next": Host._next,
    "question.ask": Host._ask,
    "question.skip": Host._skip,
    "question.undo": Host._take_back,
    "question.pin": Host._pin,
    "question.close": Host._end,
    "question.judge": Host._judge,
    "question.auto": Host._auto,
    "question.pause": Host._pause,
    "question.reload": Host._reload,
    "question.add": Host._add,
    "question.edit": Host._edit,
    "question.remove": Host._remove,
}


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a question, from a request."""
    return {name: value for name, value in values.items() if name != "action"}
