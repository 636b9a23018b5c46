"""The way of a comment, put together from what each part knows of it."""

from dataclasses import replace

import pytest

from toolkit.load.listeners import Witnessed
from toolkit.load.source import SentMessage
from toolkit.load.stages import Evidence, Window, trace_comments

S = 1_000_000
WINDOW = Window(10 * S, 20 * S)


def ms(value):
    """Return milliseconds as microseconds."""
    return value * 1000


@pytest.fixture
def evidence():
    """Return one comment, due 12 s in and seen at every stage, on two pages."""
    due = 12 * S
    return Evidence(
        sent=[SentMessage(7, True, due, due + ms(1), True)],
        recorded={7: (due + ms(2), 3)},
        traced={"journaled": {3: due + ms(3)}, "projected": {3: due + ms(200)}},
        witnessed={7: Witnessed(41, 7, due + ms(4), due + ms(30))},
        paintings=[
            [(40, due - ms(9)), (44, due + ms(50))],
            [(41, due + ms(70))],
        ],
    )


def test_every_stage_is_timed_from_when_the_comment_was_due(evidence):
    """Also when it was sent late; on screen is what the slowest page shows."""
    stages = trace_comments(evidence, WINDOW)
    assert stages.scheduled == 1
    assert {name: h.largest for name, h in stages.latency.items()} == {
        "sent": ms(1),
        "received": ms(2),
        "journaled": ms(3),
        "projected": ms(200),
        "published": ms(4),
        "delivered": ms(30),
        "painted": ms(70),
    }
    assert stages.by_second == [{"second": 2, "comments": 1, "p50_ms": 70.0, "p99_ms": 70.0}]
    loss = stages.loss
    assert (loss.sent, loss.acked, loss.lost, loss.unacked, loss.unpublished, loss.unpainted) == (
        1,
        1,
        0,
        0,
        0,
        0,
    )


def test_acknowledged_and_not_recorded_is_lost(evidence):
    """Whatever its kind, and whenever it was due."""
    gift = SentMessage(8, False, 2 * S, 2 * S, True)
    stages = trace_comments(replace(evidence, sent=[*evidence.sent, gift]), WINDOW)
    assert stages.loss.lost == 1
    assert stages.scheduled == 1


def test_never_acknowledged_is_no_loss_and_is_told(evidence):
    """TikTok was not promised anything."""
    other = SentMessage(9, True, 12 * S, 12 * S, False)
    stages = trace_comments(replace(evidence, sent=[*evidence.sent, other]), WINDOW)
    assert (stages.loss.lost, stages.loss.unacked) == (0, 1)
    assert stages.latency["sent"].count == 2
    assert stages.latency["received"].count == 1


def test_recorded_and_not_published_is_told(evidence):
    """It got to the disk and to nobody's screen."""
    stages = trace_comments(replace(evidence, witnessed={}), WINDOW)
    assert stages.loss.unpublished == 1
    assert stages.loss.unpainted == 0


def test_one_page_that_never_showed_it_is_enough(evidence):
    """Published and not painted, though the other page was quick."""
    behind = [evidence.paintings[0], [(40, 13 * S)]]
    stages = trace_comments(replace(evidence, paintings=behind), WINDOW)
    assert stages.loss.unpainted == 1
    assert stages.latency["painted"].count == 0


def test_without_pages_nothing_is_unpainted(evidence):
    """And the time until it was delivered is what is shown by second."""
    stages = trace_comments(replace(evidence, paintings=[]), WINDOW)
    assert stages.loss.unpainted == 0
    assert stages.by_second[0]["p99_ms"] == 30.0


def test_only_what_was_due_in_the_window_counts(evidence):
    """The warm-up and the end are not measured."""
    for at in (WINDOW.from_us - 1, WINDOW.until_us):
        early = replace(evidence, sent=[replace(evidence.sent[0], due_at=at)])
        assert trace_comments(early, WINDOW).scheduled == 0
    assert WINDOW.seconds == 10


def test_a_replay_has_no_stages_of_recording(evidence):
    """What is played and not published is told; nothing is acknowledged, so nothing is lost."""
    played = [SentMessage(7, True, 12 * S, 12 * S, False), SentMessage(8, True, 12 * S, 12 * S, False)]
    stages = trace_comments(replace(evidence, sent=played, is_recorded=False, recorded={}), WINDOW)
    assert set(stages.latency) == {"sent", "published", "delivered", "painted"}
    assert stages.loss.unpublished == 1
    assert (stages.loss.lost, stages.loss.unacked) == (0, 0)
