"""Who says no, who says nothing, who says where to wait: no quota burnt, no secret told, no noise."""

from __future__ import annotations

import asyncio
import email.utils
import time

import pytest

from tests.faults.scenario import finish, names, run
from tests.faults.studio import studio
from toolkit.capture import tiktok_source
from toolkit.connect import supervisor
from toolkit.connect.backoff import BackoffPolicy
from toolkit.model.recording import Cause
from toolkit.simulator.fault_plan import FaultPlan
from toolkit.simulator.faults import Fault

HOUR_S = 3600
QUIET_S = 0.6
"""Long enough for a dial that should not happen: the backoff of these tests is 0.05 s."""

TRANSIENT = [
    ("sign-status", {"status": 500}),
    ("sign-status", {"status": 503}),
    ("sign-empty", {}),
    ("sign-garbage", {}),
    ("sign-no-cookies", {}),
    ("sign-no-cursor", {}),
    ("sign-no-push-server", {}),
    ("sign-slow", {"seconds": 0.5}),
    ("sign-hangs", {}),
    ("page-status", {"status": 500}),
    ("page-hangs", {"count": 1}),
    ("page-status", {"status": 500, "where": "alive", "count": 1}),
    ("page-garbage", {"where": "alive", "count": 1}),
    ("page-hangs", {"where": "alive", "count": 1}),
    ("handshake-refused", {"status": 503}),
    ("handshake-silent", {}),
    ("ping-interval", {"interval_s": 0}),
    ("ping-interval", {"interval_s": 86_400}),
]
"""Faults of a first dial that another dial does not meet."""

BLOCKS = [
    ("handshake-refused", {"status": 200}),
    ("handshake-refused", {"status": 400}),
    ("handshake-refused", {"status": 403}),
    ("handshake-refused", {"status": 429}),
    ("page-captcha", {}),
]
"""TikTok wants none of us: asking again soon makes it worse."""


@pytest.fixture(autouse=True)
def _short_timeouts(request, monkeypatch):
    """Whoever hangs is given up after half a second; whoever answers may be slow, as a busy machine is."""
    monkeypatch.setattr(tiktok_source, "CLOSE_TIMEOUT_S", 0.5)
    if "hangs" in request.node.name or "silent" in request.node.name:
        monkeypatch.setattr(tiktok_source, "REQUEST_TIMEOUT_S", 0.5)
        monkeypatch.setattr(tiktok_source, "HANDSHAKE_TIMEOUT_S", 0.5)


def stamp(in_s: float) -> str:
    """Return a moment as seconds since 1970."""
    return str(int(time.time() + in_s))


def date(in_s: float) -> str:
    """Return a moment as HTTP writes it."""
    return email.utils.formatdate(time.time() + in_s, usegmt=True)


@pytest.mark.parametrize(("kind", "parameters"), TRANSIENT, ids=names(TRANSIENT))
def test_a_dial_that_fails_is_made_again(tmp_path, kind, parameters):
    """Rows 3, 29: no recording of a dial that failed; the next one records, and nothing is lost."""

    async def scenario():
        plan = FaultPlan.at_once(Fault.of(kind, **parameters))
        async with studio(tmp_path, plan=plan) as room:
            await room.until_connected()
            await finish(room)
            assert len(room.recordings()) == 1
            room.assert_never_lost()

    run(scenario)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "42"}, 42),
        ({"retry_after": "42", "remaining": "0"}, 42),
        ({"remaining": "0"}, 30),
        ({}, 30),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "-5"}, 30),
        ({"retry_after": "soon"}, 30),
        ({"retry_after": "99999999999999999999"}, HOUR_S),
        ({"retry_after": "1e999"}, 30),
        ({"reset": "77"}, 77),
        ({"retry_after": "5", "reset": "77"}, 77),
        ({"reset": "stamp", "remaining": "0"}, 120),
        ({"retry_after": "date"}, 120),
        ({"reset": "nan", "retry_after": "²"}, 30),
    ],
    ids=str,
)
def test_no_dial_before_the_named_time(tmp_path, headers, wait_s):
    """Row 5: whatever mix of headers a 429 has, one signature was asked for, and the wait is shown."""
    moments = {"stamp": stamp(120), "date": date(120)}
    given = {name: moments.get(value, value) for name, value in headers.items()}

    async def scenario():
        # Headers are latin-1 on the wire.
        plan = FaultPlan.at_once(Fault.of("sign-rate-limited", count=0, **given))
        async with studio(tmp_path, plan=plan) as room:
            await room.until(lambda: room.calls("sign"), "a signature")
            await room.until(lambda: room.recorder.status()["state"] == "reconnecting", "the wait")
            at_s = room.recorder.status()["reconnectionState"]["nextAttemptAt"] / 1e6
            left_s = at_s - time.time()
            assert wait_s * 0.99 - 10 < left_s < wait_s * 1.1 + 3
            await asyncio.sleep(QUIET_S)
            # A second is soon over on a busy machine.
            assert room.calls("sign") == 1 or time.time() >= at_s

    run(scenario)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_the_operators(tmp_path, status):
    """Row 6: one request, a sentence, no loop, no file."""

    async def scenario():
        plan = FaultPlan.at_once(Fault.of("sign-status", status=status, count=0))
        async with studio(tmp_path, plan=plan, api_key="wrong") as room:
            await room.until(lambda: room.states()[-1:] == ["needs_operator"], "the operator to be asked")
            assert room.calls("sign") == 1
            outcome = await room.finish()
            assert outcome.cause is Cause.SIGNER
            assert "key" in outcome.detail and "wrong" not in outcome.detail
            assert outcome.recordings == ()

    run(scenario)


@pytest.mark.parametrize(("kind", "parameters"), BLOCKS, ids=names(BLOCKS))
def test_a_block_is_not_answered_with_more_dials(tmp_path, kind, parameters):
    """Row 7: at most one dial in five minutes, and the operator is told why."""

    async def scenario():
        plan = FaultPlan.at_once(Fault.of(kind, **{**parameters, "count": 0}))
        async with studio(tmp_path, plan=plan) as room:
            await room.until(lambda: "reconnecting" in room.states(), "the wait")
            status = room.recorder.status()
            assert status["cause"] == "blocked"
            assert status["reconnectionState"]["nextAttemptAt"] / 1e6 - time.time() > 295
            asked = len(room.simulator.ledger.calls)
            await asyncio.sleep(QUIET_S)
            assert len(room.simulator.ledger.calls) == asked

    run(scenario)


def test_a_live_that_has_not_begun_is_waited_for_without_a_signature(tmp_path, monkeypatch):
    """Row 8: looks cost nothing; the live is seen when it begins."""
    monkeypatch.setattr(supervisor, "LOOK_EVERY_S", 0.2)

    async def scenario():
        plan = FaultPlan.at_once(Fault.of("page-offline", count=0, where="all"))
        async with studio(tmp_path, plan=plan) as room:
            await room.until(lambda: room.calls("page") >= 3, "some looks")
            assert room.calls("sign") == 0
            room.simulator.faults.clear()
            await room.until_connected()
            await finish(room)

    run(scenario)


def test_a_user_who_does_not_exist_is_the_operators(tmp_path):
    """No loop over a misspelt name, and no signature."""

    async def scenario():
        plan = FaultPlan.at_once(Fault.of("page-user-not-found", count=0))
        async with studio(tmp_path, plan=plan) as room:
            await room.until(lambda: room.states()[-1:] == ["needs_operator"], "the operator to be asked")
            assert room.calls("sign") == 0
            assert (await room.finish()).cause is Cause.UNKNOWN_USER

    run(scenario)


@pytest.mark.parametrize("scheme", ["ws", "wss", "http"])
def test_no_cookie_goes_where_the_signer_points(tmp_path, scheme):
    """Row 29: a foreign push server hears nothing at all from us."""
    heard = []

    async def scenario():
        async def listen(reader, writer):
            heard.append(await reader.read(4096))
            writer.close()

        foreign = await asyncio.start_server(listen, "127.0.0.2", 0)
        address = f"{scheme}://127.0.0.2:{foreign.sockets[0].getsockname()[1]}/"
        plan = FaultPlan.at_once(Fault.of("sign-push-server", address=address, count=2))
        async with foreign, studio(tmp_path, plan=plan, api_key="canary") as room:
            await room.until_connected()
            await finish(room)
            assert room.calls("sign") == 3

    run(scenario)
    assert heard == []


def test_stop_works_while_somebody_hangs(tmp_path, monkeypatch):
    """Stopping waits for no answer: not of a page, a signer or a handshake."""
    for name in ("REQUEST_TIMEOUT_S", "HANDSHAKE_TIMEOUT_S"):
        monkeypatch.setattr(tiktok_source, name, 30.0)

    async def scenario():
        for number, (kind, route) in enumerate(
            [("page-hangs", "page"), ("sign-hangs", "sign"), ("handshake-silent", "handshake")]
        ):
            plan = FaultPlan.at_once(Fault.of(kind, count=0))
            folder = tmp_path / str(number)
            folder.mkdir()
            async with studio(folder, plan=plan) as room:
                await room.until(lambda room=room, route=route: room.calls(route), kind)
                async with asyncio.timeout(20):
                    assert (await room.finish()).cause is Cause.STOPPED

    run(scenario)


def test_a_dead_port_is_dialled_without_spending_signatures(tmp_path):
    """Row 4: while nothing answers, nothing is signed; when it is back, one signature is."""

    async def scenario():
        async with studio(tmp_path, policy=BackoffPolicy(base_s=0.1, ceiling_s=0.2, attempts_max=0)) as room:
            await room.until_connected()
            before = room.calls("sign")
            room.throw("server-down", seconds=1.0)
            await room.until_connected(2)
            assert room.calls("sign") - before <= 1
            await finish(room)

    run(scenario)
