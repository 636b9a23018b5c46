"""N times the viewers: the rate asked for, in the bursts of the original, everybody consistent."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from tests.replay.plans import COMMENT, GIFT, LIKE, VIEWERS, Scripted, digest, messages, parsed
from toolkit.errors import ReplayError
from toolkit.model.frame import FrameKind, Message
from toolkit.model.plan import Plan, PlannedFrame
from toolkit.replay.amplify import MESSAGES_PER_FRAME_MAX, amplify
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.replay.workload import repeated, synthesise
from toolkit.wire.rewrite import PEOPLE_METHODS, actor_of, open_message

FACTOR = 6


@pytest.fixture(scope="module")
def original() -> Plan:
    """A minute of a room of 1,600."""
    return synthesise("typical", 3, seconds=60)


@pytest.fixture(scope="module")
def larger(original) -> Plan:
    """Six times its viewers, kept so that it is made once."""
    plan = amplify(original, factor=FACTOR, seed=5)
    return Scripted(list(plan.frames()), plan.breaks, plan.name, plan.duration_s)


def comments_per_moment(plan: Plan) -> dict[float, int]:
    """Return how many comments came at each moment at which anything came."""
    found: Counter[float] = Counter()
    for frame in plan.frames():
        found[frame.at_s] += sum(message.method == COMMENT for message in frame.messages)
    return found


def actors(plan: Plan) -> Counter:
    """Return how many comments each viewer wrote."""
    return Counter(comment.user.id for comment in parsed(plan, COMMENT))


@pytest.mark.parametrize("rate", [2.0, 33.3])
def test_the_rate_asked_for_is_reached(original, rate):
    """Below and above the original's, with a factor that is no whole number."""
    plan = amplify(original, comments_per_s=rate)
    assert len(messages(plan, COMMENT)) / plan.duration_s == pytest.approx(rate, rel=0.02)


def test_the_bundled_recording_can_be_made_eight_times_as_busy(project_root: Path):
    """Gaps are left out of the rate and stay where they are."""
    recording = RecordingPlan(project_root / "recordings" / "sample.duckdb")
    plan = amplify(recording, comments_per_s=20)
    observed_s = plan.duration_s - sum(b.until_s - b.from_s for b in plan.breaks)
    assert len(messages(plan, COMMENT)) / observed_s == pytest.approx(20, rel=0.02)
    assert plan.breaks == recording.breaks and len(plan.breaks) == 1


def test_bursts_keep_their_moments_and_their_shape(original, larger):
    """The same silences between them; sizes vary as they did, peak and all."""
    before, after = comments_per_moment(original), comments_per_moment(larger)
    assert list(before) == list(after)
    sizes = [list(map(float, found.values())) for found in (before, after)]
    spread = [statistics.pstdev(s) / statistics.fmean(s) for s in sizes]
    assert spread[1] == pytest.approx(spread[0], rel=0.05)
    # Fano of N copies of each comment is N times the original's.
    fano = [statistics.pvariance(s) / statistics.fmean(s) for s in sizes]
    assert fano[1] / FACTOR == pytest.approx(fano[0], rel=0.05)
    peak = [max(s) / statistics.fmean(s) for s in sizes]
    assert peak[1] == pytest.approx(peak[0], rel=0.05)


def test_every_kind_of_what_people_do_grows_alike_and_the_room_speaks_once(original, larger):
    """No kind is favoured; viewer counts, ranks and polls are not said six times."""
    before = Counter(m.method for m in messages(original))
    after = Counter(m.method for m in messages(larger))
    for method, count in before.items():
        assert after[method] == count * (FACTOR if method in PEOPLE_METHODS else 1), method


def test_there_are_n_times_the_viewers_who_do_as_much_each(original, larger):
    """Who writes a lot has copies who write a lot; all have names and ids of their own."""
    before, after = actors(original), actors(larger)
    assert len(after) == FACTOR * len(before)
    assert sorted(after.values()) == sorted(list(before.values()) * FACTOR)
    people = {comment.user.id: comment.user for comment in parsed(larger, COMMENT)}
    handles = {user.display_id for user in people.values()}
    assert len(handles) > 0.99 * len(people)
    assert set(before) < set(after)


def test_no_message_has_the_id_of_another(larger):
    """By room, type and id, as recorders tell messages apart; inside and outside agree."""
    found = Counter((m.method, m.msg_id) for m in messages(larger))
    assert max(found.values()) == 1
    assert all(open_message(m).common.msg_id == m.msg_id for m in messages(larger))


def test_streaks_of_gifts_stay_streaks(original, larger):
    """Each copy's streak counts up as the original's, in order, under an id of its own."""

    def streaks(plan: Plan) -> list[list[tuple[int, int]]]:
        found = defaultdict(list)
        for gift in parsed(plan, GIFT):
            found[gift.user.id, gift.group_id, gift.gift_id].append((gift.repeat_count, gift.repeat_end))
        return sorted(found.values())

    before, after = streaks(original), streaks(larger)
    assert max(map(len, before)) > 3
    assert after == sorted(before * FACTOR)


def test_totals_grow_with_the_room(original, larger):
    """Likes by what they rise, viewers as a whole."""
    likes = [[like.total for like in parsed(plan, LIKE)] for plan in (original, larger)]
    # The order within a burst is another one, so the first need not be the first.
    rise = [max(totals) - min(totals) for totals in likes]
    assert rise[1] == FACTOR * rise[0] > 0
    viewers = [[count.total for count in parsed(plan, VIEWERS)] for plan in (original, larger)]
    assert viewers[1] == [FACTOR * count for count in viewers[0]]


def test_copies_write_in_words_of_their_own(original, larger):
    """As long as the original's, repeated about as often as in a real chat; names in them fit."""
    before, after = ([c.content for c in parsed(plan, COMMENT)] for plan in (original, larger))
    lengths = [statistics.quantiles(map(len, texts), n=10) for texts in (before, after)]
    for was, now in zip(*lengths, strict=True):
        assert now == pytest.approx(was, abs=max(2.5, 0.2 * was))
    assert 0.2 <= 1 - len(set(after)) / len(after) <= 0.5
    assert {text == "" for text in after} == {text == "" for text in before}
    addressed = [c for c in parsed(larger, COMMENT) if c.HasField("at_user") and c.content.startswith("@")]
    assert len(addressed) > FACTOR
    for comment in addressed:
        assert comment.content.startswith(f"@{comment.at_user.display_id} ")


def test_nobody_keeps_the_name_of_the_original_in_a_copy(original, larger):
    """Neither in the templates nor in the description of a gift."""
    names = {gift.user.id: gift.user.nickname for gift in parsed(original, GIFT)}
    copies = [gift for gift in parsed(larger, GIFT) if gift.user.id not in names]
    assert len(copies) == (FACTOR - 1) * len(parsed(original, GIFT))
    for gift in copies:
        assert gift.common.describe.startswith(f"{gift.user.nickname}: ")
        assert gift.common.display_text.pieces[0].user_value.user.id == gift.user.id
        assert gift.common.display_text.pieces[0].user_value.user.nickname == gift.user.nickname


def test_a_copy_strays_within_the_burst_only(original, larger):
    """TikTok's clock of a copy is within half a second of the original's, never the same for all."""
    times = {m.msg_id: open_message(m).common.create_time for m in messages(original, COMMENT)}
    burst = next(f for f in original.frames() if sum(m.method == COMMENT for m in f.messages) >= 3)
    grown = [m for f in larger.frames() if f.at_s == burst.at_s for m in f.messages if m.method == COMMENT]
    was = [times[m.msg_id] for m in burst.messages if m.method == COMMENT]
    now = [open_message(m).common.create_time for m in grown]
    assert min(was) - 400 <= min(now) and max(now) <= max(was) + 100
    assert len(set(now)) > len(was)
    assert [m.msg_id for m in grown if m.msg_id in times] != [m.msg_id for m in grown][: len(was)]


def test_a_burst_too_large_for_a_push_is_several_at_the_same_moment():
    """No frame is larger than TikTokLive takes."""
    plan = amplify(synthesise("busy", 1, seconds=4), comments_per_s=2000)
    frames = list(plan.frames())
    assert max(len(frame.messages) for frame in frames) == MESSAGES_PER_FRAME_MAX
    assert len({frame.at_s for frame in frames}) < len(frames)


def test_the_same_seed_gives_the_same_bytes_from_anywhere(original):
    """Twice, and from the middle; another seed gives other people."""
    part = Scripted(list(original.frames())[:20], duration_s=16.0)
    whole = list(amplify(part, factor=2.5, seed=1).frames())
    again = amplify(part, factor=2.5, seed=1)
    assert digest(again.frames()) == digest(whole)
    assert digest(again.frames(8.0)) == digest(frame for frame in whole if frame.at_s >= 8.0)
    assert digest(amplify(part, factor=2.5, seed=2).frames()) != digest(whole)


def test_a_smaller_room_is_a_part_of_the_viewers_with_all_they_did(original):
    """A factor below 1 leaves viewers out; who stays is unchanged."""
    smaller = amplify(original, factor=0.5)
    all_of_them, some = actors(original), actors(smaller)
    assert 0.45 <= some.total() / all_of_them.total() <= 0.55
    assert all(all_of_them[user] == count for user, count in some.items())


def frame_of(*content: Message) -> Scripted:
    """Return a plan of one frame."""
    return Scripted([PlannedFrame(0.0, 1_750_000_000_000_000, FrameKind.PUSH, "msg", content, 1, 1)])


def test_what_no_schema_knows_is_in_the_copies_too(original):
    """A field of tomorrow's TikTok survives being written anew."""
    comment = messages(original, COMMENT)[0]
    tomorrow = b"\xfa\xbb\x01\x05hello"  # field 3007, five bytes
    plan = amplify(frame_of(replace(comment, payload=comment.payload + tomorrow)), factor=3)
    copies = messages(plan)
    assert len(copies) == 3 and all(tomorrow in copy.payload for copy in copies)


@pytest.mark.parametrize(
    "message",
    [
        Message(COMMENT, 7, b"\x1a\x03\xff\xff\xff"),
        Message(COMMENT, 8, b""),
        Message("WebcastNobodyKnowsMessage", 9, b"\x0a\x02\x10\x09\x12\x01x"),
        Message("User", 10, b"\x08\x01"),
        Message("", 0, b"\xff"),
    ],
    ids=["damaged", "empty", "unknown", "no message type", "nothing"],
)
def test_what_cannot_be_read_or_names_nobody_passes_once_and_unchanged(message):
    """Hostile payloads are for the recorder to judge."""
    assert messages(amplify(frame_of(message), factor=5)) == [message]


def test_what_cannot_be_amplified_is_refused_with_a_sentence(original):
    """No comments to grow from, factors out of range, a plan without end."""
    quiet = frame_of(Message("WebcastLikeMessage", 1, b""))
    for plan, wish in (
        (quiet, {"comments_per_s": 100}),
        (original, {"factor": 0.0}),
        (original, {"factor": 1e9}),
        (original, {"factor": float("nan")}),
        (Scripted([], duration_s=float("inf")), {"factor": 2}),
    ):
        with pytest.raises(ReplayError):
            amplify(plan, **wish)


def test_what_is_amplified_can_be_repeated(original):
    """Wrappers stack: no id comes twice over two rounds."""
    plan = repeated(amplify(Scripted(list(original.frames())[:10], duration_s=8.0), factor=2), 2)
    found = Counter((m.method, m.msg_id) for m in messages(plan))
    assert max(found.values()) == 1


def test_actors_are_found_in_every_kind_that_people_cause(original):
    """Whoever comments, gives, likes, joins, follows, shares or asks has a name to change."""
    seen = Counter(m.method for m in messages(original) if m.method in PEOPLE_METHODS)
    for message in messages(original):
        if message.method in PEOPLE_METHODS:
            assert actor_of(message.method, open_message(message)) is not None, message.method
    assert len(seen) >= 6
