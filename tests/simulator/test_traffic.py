"""The traffic: a function of its seed, with the measured shape of real lives."""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from statistics import median

import pytest
from TikTokLive.events.proto_events import EVENT_MAPPINGS

from toolkit.model.event import Comment, Gift, Join, Like, Question, ViewerCount
from toolkit.model.frame import Message
from toolkit.simulator.gifts import CATALOGUE, STREAKABLE
from toolkit.simulator.profile import PRESETS, profile_named
from toolkit.simulator.traffic import Burst, Traffic
from toolkit.wire.events import interpret, typed_methods
from toolkit.wire.schema import ANY_MESSAGE, message_class

START_MS = 1_790_000_000_000
SEED = 11
TEN_MINUTES_S = 600

REAL_MEDIAN_BYTES = {
    "WebcastChatMessage": 2700,
    "WebcastGiftMessage": 5500,
    "WebcastLikeMessage": 2300,
    "WebcastMemberMessage": 2900,
    "WebcastRoomUserSeqMessage": 3300,
    "WebcastSocialMessage": 3870,
    "WebcastRankUpdateMessage": 160,
}


@cache
def bursts_of(preset: str, seconds: int = TEN_MINUTES_S, seed: int = SEED) -> tuple[Burst, ...]:
    """Return the bursts of the first ``seconds``; the seed is in the name of a failing call."""
    traffic = Traffic(profile_named(preset), seed, START_MS)
    bursts = []
    while (burst := traffic.next_burst()).at_ms < START_MS + seconds * 1000:
        bursts.append(burst)
    return tuple(bursts)


def messages_of(preset: str, seconds: int = TEN_MINUTES_S) -> list[Message]:
    """Return the messages of the first ``seconds``."""
    return [message for burst in bursts_of(preset, seconds) for message in burst.messages]


@cache
def events_by_kind() -> dict[type, list]:
    """Return the events of ten typical minutes, by class."""
    events = defaultdict(list)
    for message in messages_of("typical"):
        event = interpret(message, received_at=0).event
        events[type(event)].append(event)
    return events


def events_of(kind: type) -> list:
    """Return the events of one kind within ten typical minutes."""
    return events_by_kind()[kind]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    """Bursts, order, ids and payloads: all of it."""

    def digest(seed: int) -> str:
        traffic = Traffic(profile_named("busy"), seed, START_MS)
        digest = hashlib.sha256()
        for _ in range(120):
            burst = traffic.next_burst()
            for message in burst.messages:
                digest.update(f"{burst.at_ms} {message.method} {message.msg_id} ".encode() + message.payload)
        return digest.hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_what_is_put_in_from_outside_changes_nothing_else():
    """A spoken comment has an id of its own; the traffic around it stays the same."""
    alone, disturbed = (Traffic(profile_named("busy"), SEED, START_MS) for _ in range(2))
    said = []
    for _ in range(40):
        said.append(disturbed.say("olmira", "hello", START_MS + 1000))
        assert alone.next_burst() == disturbed.next_burst()
    assert len({message.msg_id for message in said}) == 40
    assert len({interpret(message, 0).event.user.user_id for message in said}) == 1


def test_bursts_come_after_silences_as_real_ones():
    """0.52 to 0.82 s of silence and the burst itself; what is in one is at most seconds old."""
    bursts = bursts_of("typical")
    pauses = [after.at_ms - before.at_ms for before, after in itertools.pairwise(bursts)]
    assert min(pauses) >= 569 and max(pauses) <= 871
    for burst in bursts:
        for message in burst.messages:
            created = interpret(message, 0).occurred_at
            if created is not None and message.method in REAL_MEDIAN_BYTES:
                assert 100 <= burst.at_ms - created / 1000 <= 1700


@pytest.mark.parametrize(("preset", "tolerance"), [("typical", 0.15), ("busy", 0.15), ("comments-100", 0.05)])
def test_rates_are_those_of_the_profile(preset, tolerance):
    """Comments and all the others, over ten minutes (one for a load preset)."""
    seconds = 60 if preset.startswith("comments") else TEN_MINUTES_S
    profile = PRESETS[preset]
    counts = Counter(message.method for message in messages_of(preset, seconds))
    comments = counts.pop("WebcastChatMessage") / seconds
    others = sum(counts.values()) / seconds
    assert comments == pytest.approx(profile.comments_per_s, rel=tolerance), (preset, SEED)
    # Battles, polls and long streaks start during the first minutes and finish later.
    assert others == pytest.approx(profile.others_per_s, rel=max(tolerance, 0.15)), (preset, SEED)


def test_a_chosen_rate_replaces_the_presets():
    """Rates are explicit when asked for, and nothing at all is a rate too."""
    profile = profile_named("comments-100").at_rate(30, 0)
    traffic = Traffic(profile, SEED, START_MS)
    messages = [message for _ in range(100) for message in traffic.next_burst().messages]
    assert {message.method for message in messages} == {"WebcastChatMessage"}
    assert len(messages) == pytest.approx(30 * 75, rel=0.1)
    silent = Traffic(profile.at_rate(0, 0), SEED, START_MS)
    assert not any(silent.next_burst().messages for _ in range(20))


def test_messages_have_the_sizes_of_real_ones():
    """Medians within a quarter of what was captured."""
    sizes = defaultdict(list)
    for message in messages_of("typical"):
        sizes[message.method].append(len(message.payload))
    for method, real in REAL_MEDIAN_BYTES.items():
        assert median(sizes[method]) == pytest.approx(real, rel=0.25), method


def test_every_kind_of_event_occurs_and_every_payload_can_be_read():
    """Nothing in quarantine; all typed methods but the end of the live; unknown types too."""
    methods = Counter()
    for preset in ("typical", "comments-100"):
        for message in messages_of(preset, TEN_MINUTES_S if preset == "typical" else 60):
            found = interpret(message, received_at=0)
            assert found.quarantined is None, message.method
            assert found.msg_id == message.msg_id
            methods[message.method] += 1
    assert typed_methods() - {"WebcastControlMessage"} <= set(methods)
    assert "WebcastQuestionSelectedMessage" in methods
    assert methods["WebcastHashtagMessage"] + methods["WebcastMoonGardenMessage"] > 0


def test_ids_are_unique_and_do_not_sort_by_time():
    """Identity only: as on TikTok, a msg_id is no clock."""
    messages = messages_of("busy")
    ids = [message.msg_id for message in messages]
    assert len(set(ids)) == len(ids)
    falls = sum(after < before for before, after in itertools.pairwise(ids))
    assert 0.3 < falls / len(ids) < 0.7
    assert all(0 < msg_id < 1 << 63 for msg_id in ids)


def test_create_time_is_out_of_order_as_in_captures():
    """A third to a half of neighbours, by up to 1.7 s."""
    created = [
        occurred_at
        for message in messages_of("typical")
        if message.method in REAL_MEDIAN_BYTES and (occurred_at := interpret(message, 0).occurred_at)
    ]
    steps = [after - before for before, after in itertools.pairwise(created)]
    assert 0.3 < sum(step < 0 for step in steps) / len(steps) < 0.5
    assert -1_700_000 < min(steps) < -500_000


def test_create_time_misbehaves_where_tiktoks_does():
    """Captions have none, room messages have seconds, pins are older than they are."""
    seen = set()
    for message in messages_of("typical"):
        common = message_class(ANY_MESSAGE).FromString(message.payload).common
        if message.method in ("WebcastCaptionMessage", "WebcastLiveIntroMessage"):
            assert common.create_time == 0
            seen.add("none")
        elif message.method == "WebcastRoomMessage":
            assert common.create_time < START_MS // 100
            seen.add("seconds")
        else:
            assert common.create_time >= START_MS, message.method
    assert seen == {"none", "seconds"}


def test_a_streak_counts_up_and_ends_once():
    """repeat_count never falls, the end repeats the last count 2.6 to 3.9 s later."""
    streaks = defaultdict(list)
    for gift in events_of(Gift):
        streaks[gift.user.user_id, gift.group_id, gift.gift_id].append(gift)
    last_ms = START_MS + TEN_MINUTES_S * 1000
    finished = 0
    for taps in streaks.values():
        if taps[0].gift_type != STREAKABLE:
            assert len(taps) == 1 and not taps[0].repeat_end
            continue
        counts = [tap.repeat_count for tap in taps]
        assert counts == sorted(counts) and counts[0] == 1
        if taps[-1].repeat_end:
            finished += 1
            assert not any(tap.repeat_end for tap in taps[:-1])
            assert counts[-1] == counts[-2]
            assert 2_590 <= (taps[-1].occurred_at - taps[-2].occurred_at) / 1000 <= 3_910
        else:
            assert taps[-1].occurred_at / 1000 > last_ms - 6000, "a streak without an end"
    assert finished > 200


def test_gifts_have_the_measured_mix():
    """Roses, one-diamond gifts, the kinds, and how much of it is in mid-streak."""
    gifts = events_of(Gift)
    share = len(gifts) / 100
    assert 65 < sum(gift.gift_name == "Rose" for gift in gifts) / share < 88
    assert 88 < sum(gift.diamonds == 1 for gift in gifts) / share < 99
    assert 0.2 < sum(gift.repeat_end for gift in gifts) / len(gifts) < 0.35
    assert {gift.gift_type for gift in gifts} == {1, 2, 4}
    assert len({gift.gift_id for gift in CATALOGUE}) == len(CATALOGUE)


def test_comments_read_like_a_chat():
    """Lengths, duplicates, questions, mentions, scripts."""
    comments = events_of(Comment)
    texts = [comment.text for comment in comments]
    lengths = sorted(map(len, texts))
    total = len(texts)
    assert 10 <= lengths[total // 2] <= 50
    assert 30 <= lengths[int(total * 0.9)] <= 90
    assert lengths[-1] <= 153
    assert 0.2 < 1 - len(set(texts)) / total < 0.4
    assert 0.15 < sum(any(mark in text for mark in "?？؟") for text in texts) / total < 0.45
    assert 0.12 < sum(text.startswith("@") for text in texts) / total < 0.3
    right_to_left = sum(
        any(unicodedata.bidirectional(char) in ("R", "AL") for char in text) for text in texts
    )
    assert 0.01 < right_to_left / total < 0.06
    invisible = sum(any(unicodedata.category(char) in ("Cf", "Mn") for char in text) for text in texts)
    assert 0.01 < invisible / total < 0.15
    assert 0.02 < sum(any(char > "\uffff" for char in text) for text in texts) / total < 0.2
    languages = Counter(comment.language for comment in comments)
    assert 0.2 < languages["un"] / total < 0.45 and len(languages) >= 12
    assert any(comment.emotes and not comment.text for comment in comments)
    assert sum(bool(comment.mentions) for comment in comments) / total > 0.1


def test_a_few_write_a_lot_and_many_write_once():
    """Between the measured rooms: top ten a fifth to a half, a fifth to four fifths once."""
    writers = Counter(comment.user.user_id for comment in events_of(Comment))
    total = sum(writers.values())
    assert 0.15 < sum(count for _, count in writers.most_common(10)) / total < 0.5
    assert 0.2 < sum(count == 1 for count in writers.values()) / len(writers) < 0.8


def test_nicknames_are_as_colourful_as_real_ones():
    """A third is not ASCII, none is longer than 26 characters."""
    names = {comment.user.user_id: comment.user for comment in events_of(Comment)}.values()
    assert 0.2 < sum(not user.nickname.isascii() for user in names) / len(names) < 0.42
    assert max(len(user.nickname) for user in names) <= 26
    assert len({user.handle for user in names}) == len(names)
    assert all(".invalid/" in user.avatar_url for user in names)


def test_counters_move_as_tiktoks_do():
    """Likes capped at 15 with a total that wobbles, entries grow, viewers stay near."""
    likes = events_of(Like)
    assert max(like.count for like in likes) == 15
    assert sum(like.count == 15 for like in likes) / len(likes) > 0.5
    assert likes[-1].total > likes[0].total
    assert any(after.total < before.total for before, after in itertools.pairwise(likes))
    counts = events_of(ViewerCount)
    assert len(counts) == pytest.approx(TEN_MINUTES_S / 2, abs=3)
    entries = [count.viewers_total for count in counts]
    assert entries == sorted(entries)
    assert all(800 < count.viewers < 3200 for count in counts)
    assert all(join.member_count > 0 for join in events_of(Join))


def test_there_is_something_for_a_question_overlay():
    """Questions come through TikTok's Q&A and in the chat."""
    questions = events_of(Question)
    assert len(questions) > 20
    assert all(question.text and question.user and question.question_id for question in questions)


def test_tiktoklives_own_parser_reads_what_it_can():
    """Every mapped type parses with the client's classes and agrees on id and text."""
    per_method: Counter[str] = Counter()
    for message in messages_of("typical"):
        event_class = EVENT_MAPPINGS.get(message.method)
        if event_class is None or per_method[message.method] >= 5:
            continue
        per_method[message.method] += 1
        event = event_class().parse(message.payload)
        assert event.common.msg_id == message.msg_id
        if message.method == "WebcastChatMessage":
            found = interpret(message, 0).event
            assert event.content == found.text
            assert event.user.nickname == found.user.nickname
    assert len(per_method) >= 18, per_method


def test_an_unknown_preset_lists_those_there_are():
    """The message helps."""
    with pytest.raises(KeyError, match="comments-1000"):
        profile_named("enormous")
