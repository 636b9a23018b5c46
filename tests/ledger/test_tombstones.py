"""Tombstones: what TikTok withdrew."""

from __future__ import annotations

from typing import Any

from toolkit.ledger.tombstones import TARGETS_MAX, Scope, Tombstones, tombstones_of
from toolkit.model.event import Deletion, User


def deletion(messages: str = "", users: str = "", *, seq: int = 50) -> Deletion:
    """Return a notice."""
    return Deletion(seq, 900, 5, 6, None, message_ids=messages, user_ids=users)


def test_a_notice_withdraws_messages_and_users() -> None:
    """Each id is one stone, with the notice's place and times."""
    stones = list(tombstones_of(deletion("11,12", "7")))
    assert [(s.scope, s.target_id) for s in stones] == [
        (Scope.MESSAGE, 11),
        (Scope.MESSAGE, 12),
        (Scope.USER, 7),
    ]
    assert {(s.seq, s.occurred_at, s.received_at) for s in stones} == {(50, 5, 6)}


def test_what_is_no_id_withdraws_nothing() -> None:
    """Empty, signed, too long, of another script, and far too many."""
    assert list(tombstones_of(deletion(",0,-3,x, 5,٣,99999999999999999999,9999999999999999999"))) == []
    assert len(list(tombstones_of(deletion(",".join("8" for _ in range(5 * TARGETS_MAX)))))) == TARGETS_MAX


def test_a_message_goes_whenever_it_comes_and_a_user_goes_up_to_the_notice(make: Any) -> None:
    """Who writes again afterwards has been let in again."""
    stones = Tombstones()
    assert len(stones.take(deletion("11", "7", seq=50))) == 2
    assert stones.withdraws(make.comment(msg_id=11, seq=10))
    assert stones.withdraws(make.comment(msg_id=11, seq=60))
    assert stones.withdraws(make.comment(seq=49, user=User(7)))
    assert not stones.withdraws(make.comment(seq=51, user=User(7)))
    assert not stones.withdraws(make.comment(seq=49, user=User(8)))
    assert not stones.withdraws(make.comment(seq=49, user=None))
    stones.take(deletion(users="7", seq=40))
    assert stones.withdraws(make.comment(seq=45, user=User(7)))
    assert len(stones.stones) == 3


def test_ids_are_numbers_of_a_column_and_nothing_else() -> None:
    """The largest that fits, and the next one that does not."""
    largest = 2**63 - 1
    assert [s.target_id for s in tombstones_of(deletion(f"1,{largest},{largest + 1},0{largest}"))] == [
        1, largest
    ]  # fmt: skip


def test_the_notice_itself_and_what_follows_it_stay(make: Any) -> None:
    """Of a user only what came before; of one nobody withdrew, everything."""
    stones = Tombstones()
    stones.take(deletion(users="7", seq=50))
    assert not stones.withdraws(make.comment(seq=50, user=User(7)))
    assert stones.withdraws(make.comment(seq=49, user=User(7)))
    assert not stones.withdraws(make.comment(seq=0, user=User(8)))
    assert stones.take(deletion()) == []


def test_messages_and_users_have_ids_of_their_own(make: Any) -> None:
    """A message with the number of a withdrawn user is not withdrawn, and the other way round."""
    stones = Tombstones()
    stones.take(deletion("11", "7", seq=50))
    assert not stones.withdraws(make.comment(msg_id=7, seq=10, user=User(3)))
    assert not stones.withdraws(make.comment(msg_id=5, seq=10, user=User(11)))


def test_the_names_of_what_was_withdrawn_are_stored() -> None:
    """Recordings hold them: they stay as they are."""
    assert [scope.value for scope in Scope] == ["message", "user"]
