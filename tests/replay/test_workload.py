"""Plans nobody recorded: made up at the rate of their preset, mixed, repeated, as if it happened now."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from dataclasses import replace

import pytest

from tests.replay.plans import COMMENT, Scripted, digest, messages
from toolkit.errors import ReplayError
from toolkit.model.frame import FrameKind, Message
from toolkit.model.plan import Break, Plan, PlannedFrame
from toolkit.replay.amplify import MESSAGES_PER_FRAME_MAX
from toolkit.replay.workload import mix, refreshed, repeated, synthesise
from toolkit.simulator.profile import PRESETS
from toolkit.wire.rewrite import open_message
from toolkit.wire.schema import message_class

NOW_US = 1_790_000_000_000_000


def kept(plan: Plan) -> Scripted:
    """Return the same plan, made once however often it is read."""
    return Scripted(list(plan.frames()), plan.breaks, plan.name, plan.duration_s)


def ids(plan: Plan) -> Counter:
    """Return how often each message is there, as recorders tell them apart."""
    return Counter((open_message(m).common.room_id, m.method, m.msg_id) for m in messages(plan))


def rates(plan: Plan, from_s: float, until_s: float) -> tuple[float, float]:
    """Return comments and other messages per second of a stretch."""
    found = Counter(
        m.method == COMMENT for f in plan.frames() if from_s <= f.at_s < until_s for m in f.messages
    )
    return found[True] / (until_s - from_s), found[False] / (until_s - from_s)


SECONDS = {"small": 900, "typical": 60, "busy": 40, "comments-100": 12, "comments-500": 5, "comments-1000": 4}


@pytest.mark.parametrize("preset", SECONDS)
def test_a_made_up_live_has_the_rate_and_the_bursts_of_its_preset(preset):
    """Comments at their rate, silences of 0.52 s and more, frames that a client takes, every id once."""
    plan = kept(synthesise(preset, 1, seconds=SECONDS[preset]))
    profile = PRESETS[preset]
    moments = sorted({frame.at_s for frame in plan.frames()})
    # From burst to burst: a second more or less of one is a burst more or less.
    comments, others = rates(plan, moments[1], moments[-1])
    # Uneven rooms drift from minute to minute, and a small one writes 0.2 comments a second.
    assert comments == pytest.approx(profile.comments_per_s, rel=0.1 if profile.unevenness == 0 else 0.5)
    # Streaks and battles take a minute to get going.
    assert 0.3 * profile.others_per_s <= others <= 1.5 * profile.others_per_s
    every_s = [b - a for a, b in itertools.pairwise(moments)]
    assert min(every_s) >= 0.5 and statistics.median(every_s) < (6 if preset == "small" else 0.9)
    assert max(len(frame.messages) for frame in plan.frames()) <= MESSAGES_PER_FRAME_MAX
    assert max(ids(plan).values()) == 1


def test_a_raid_comes_at_once_and_drifts_away():
    """Ten times and more within two seconds, half of it gone after twenty."""
    plan = kept(synthesise("raid", 1, seconds=70))
    usual, _ = rates(plan, 2, 20)
    peak, others = rates(plan, 22, 27)
    later, _ = rates(plan, 60, 70)
    assert peak > 12 * usual and others > 60
    assert usual * 3 < later < peak / 2


def test_a_made_up_live_is_the_same_on_any_day_and_from_anywhere():
    """Preset and seed decide; the middle is the middle of the whole."""
    plan = synthesise("typical", 7, seconds=10)
    whole = list(plan.frames())
    assert digest(synthesise("typical", 7, seconds=10).frames()) == digest(whole)
    assert digest(plan.frames(4.0)) == digest(frame for frame in whole if frame.at_s >= 4.0)
    assert digest(synthesise("typical", 8, seconds=10).frames()) != digest(whole)


def test_a_preset_that_is_none_is_named():
    """With those there are."""
    with pytest.raises(ReplayError, match="'huge'") as caught:
        synthesise("huge", seconds=1)
    assert "comments-1000" in caught.value.hint


def test_a_mix_is_all_of_them_in_the_room_of_the_first():
    """Rates add up, times keep going forward, ids of two lives with one seed do not collide."""
    one, two = synthesise("typical", 1, seconds=10), synthesise("busy", 1, seconds=8)
    mixed = mix([one, two])
    frames = list(mixed.frames())
    assert mixed.duration_s == 10
    assert len(messages(mixed)) == len(messages(one)) + len(messages(two))
    assert [f.at_s for f in frames] == sorted(f.at_s for f in frames)
    (room,) = {f.room_id for f in frames}
    found = ids(mixed)
    assert max(found.values()) == 1 and {key[0] for key in found} == {room}
    same = mix([one, one])
    assert max(ids(same).values()) == 1 and len(messages(same)) == 2 * len(messages(one))
    assert digest(mix([one, two]).frames()) == digest(frames)


def test_what_others_say_in_a_break_of_the_first_is_not_heard():
    """The connection of the mix is the first plan's."""
    one, two = synthesise("typical", 1, seconds=10), synthesise("busy", 2, seconds=10)
    broken = Scripted([f for f in one.frames() if not 3 < f.at_s < 7], [Break(3.0, 7.0, "network")])
    mixed = mix([broken, two])
    assert mixed.breaks == broken.breaks
    assert not [f for f in mixed.frames() if 3 < f.at_s < 7]
    assert [f for f in mixed.frames() if f.at_s > 7]


def test_every_round_has_ids_and_times_of_its_own():
    """Three rounds: three times the messages, none of which is a duplicate; breaks come again."""
    part = synthesise("typical", 2, seconds=8)
    once = Scripted(list(part.frames()), [Break(2.0, 3.0, "closed")], duration_s=8.0)
    plan = repeated(once, 3)
    frames = list(plan.frames())
    assert plan.duration_s == 24 and len(frames) == 3 * len(once.script)
    assert list(plan.breaks) == [Break(2.0 + at, 3.0 + at, "closed") for at in (0, 8, 16)]
    assert max(ids(plan).values()) == 1
    assert [f.at_s for f in frames] == sorted(f.at_s for f in frames)
    assert digest(frames[: len(once.script)]) == digest(once.frames())
    assert digest(plan.frames(9.0)) == digest(f for f in frames if f.at_s >= 9.0)
    first, second = frames[1], frames[1 + len(once.script)]
    for was, now in zip(first.messages, second.messages, strict=True):
        was_ms, now_ms = (open_message(m).common.create_time for m in (was, now))
        assert now_ms - was_ms in ((8_000,) if was_ms > 1e11 else (8, 0))


def test_only_the_last_round_says_that_the_live_is_over():
    """Whoever heard it in the first would not stay for the second; the frame it came in still comes."""
    ended, suspended = (message_class("WebcastControlMessage")(action=action) for action in (3, 4))
    said = [Message("WebcastControlMessage", 0, m.SerializeToString()) for m in (ended, suspended)]
    once = Scripted(
        [replace(next(synthesise("small", 1, seconds=8).frames()), messages=said)], duration_s=8.0
    )
    assert [len(frame.messages) for frame in repeated(once, 3).frames()] == [0, 0, 2]


def test_a_streak_of_gifts_is_another_one_in_the_next_round():
    """Or its taps would be taken for those of the round before."""
    plan = repeated(synthesise("busy", 1, seconds=10), 2)
    rounds = [
        {open_message(m).group_id for f in frames for m in f.messages if m.method == "WebcastGiftMessage"}
        for frames in ([f for f in plan.frames() if f.at_s < 10], list(plan.frames(10.0)))
    ]
    assert len(rounds[0]) == len(rounds[1]) > 1
    assert not rounds[0] & rounds[1]


@pytest.mark.parametrize("rate", [1.0, 4.0])
def test_a_plan_as_if_it_happened_now_keeps_the_delay_of_every_message(rate):
    """Received now and at each moment from now on; created as much earlier as it was."""
    plan = synthesise("typical", 2, seconds=10)
    now = refreshed(plan, lambda: NOW_US, rate)
    for was, moved in zip(plan.frames(), now.frames(), strict=True):
        assert moved.at_s == was.at_s
        assert (moved.occurred_at - NOW_US) / 1e6 == pytest.approx(was.at_s / rate, abs=1e-3)
        for a, b in zip(was.messages, moved.messages, strict=True):
            created = [open_message(m).common.create_time for m in (a, b)]
            if created[0] > 1e11:
                delays = [f.occurred_at // 1000 - c for f, c in zip((was, moved), created, strict=True)]
                assert delays[1] == pytest.approx(delays[0], abs=1)
    assert not ids(plan).keys() & ids(now).keys()


def test_what_is_withdrawn_and_pinned_is_found_under_its_new_id():
    """References move with what they refer to."""
    plan = kept(synthesise("typical", 1, seconds=300))
    comments = {m.msg_id for m in messages(plan, COMMENT)}
    pins = [open_message(m) for m in messages(plan, "WebcastRoomPinMessage")]
    pinned = [m for f in plan.frames() for m in f.messages if m.msg_id in {pin.pin_msg_id for pin in pins}]
    notices = [m for m in messages(plan) if m.method in ("WebcastRoomPinMessage", "WebcastImDeleteMessage")]
    withdrawn = {i for m in messages(plan, "WebcastImDeleteMessage") for i in open_message(m).delete_msg_ids}
    targets = [m for m in messages(plan, COMMENT) if m.msg_id in withdrawn]
    assert pinned and targets
    short = Scripted(
        [PlannedFrame(0.0, NOW_US, FrameKind.PUSH, "msg", [*pinned, *targets, *notices], 1, 1)], duration_s=1
    )
    second = Scripted(list(repeated(short, 2).frames(1.0)))
    moved = {m.msg_id for m in messages(second, COMMENT)}
    assert not moved & comments
    for message in messages(second, "WebcastRoomPinMessage"):
        pin = open_message(message)
        assert pin.pin_msg_id in moved and pin.chat_message.common.msg_id == pin.pin_msg_id
    for message in messages(second, "WebcastImDeleteMessage"):
        assert set(open_message(message).delete_msg_ids) <= moved
