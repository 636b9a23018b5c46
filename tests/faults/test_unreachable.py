"""Names that resolve to nothing, answers of no use: what is asked of the signing service meanwhile."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.faults.scenario import finish, run
from tests.faults.studio import studio
from toolkit.connect import supervisor
from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.budget import SignLimits
from toolkit.model.recording import Cause
from toolkit.simulator.fault_plan import FaultPlan
from toolkit.simulator.faults import Fault

HOST = "localhost"
"""TikTok's name in these tests."""
PATIENT = BackoffPolicy(base_s=0.1, ceiling_s=0.3, attempts_max=0)
QUIET_S = 0.7
"""Two of the longest waits of that policy."""
USELESS = [
    ("sign-garbage", {}),
    ("sign-no-cookies", {}),
    ("sign-no-push-server", {}),
    ("sign-push-server", {"address": "wss://tiktok.com.evil.invalid/"}),
    ("sign-push-server", {"address": "http://[::1"}),
]


class Resolver:
    """The resolver of this machine, which can be taken away."""

    def __init__(self):
        self.is_gone = False
        self.asked = 0
        self._real = socket.getaddrinfo

    def __call__(self, host, *arguments, **named):
        """Resolve one name to this machine; others as ever."""
        if host not in (HOST, HOST.encode()):
            return self._real(host, *arguments, **named)
        self.asked += 1
        if self.is_gone:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self._real("127.0.0.1", *arguments, **named)


@pytest.fixture
def resolver(monkeypatch):
    """Return the resolver that everything in this process uses from now on."""
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


def test_no_signature_is_spent_while_names_do_not_resolve(tmp_path, monkeypatch, resolver):
    """Row 4: the probe asks and asks; nothing is signed until it is answered, and then once."""
    monkeypatch.setattr(supervisor, "PROBE_EVERY_S", 0.1)
    monkeypatch.setattr(supervisor, "PROBE_FIRST_S", (0.05, 0.1))

    async def scenario():
        async with studio(tmp_path, host=HOST, policy=PATIENT, sign_limits=SignLimits()) as room:
            await room.until_connected()
            assert (signed := room.calls("sign")) == 1
            resolver.is_gone, asked = True, resolver.asked
            room.throw("drop")
            await room.until(lambda: resolver.asked >= asked + 10, "ten probes that fail")
            await asyncio.sleep(QUIET_S)
            status = room.recorder.status()
            assert (status["state"], status["cause"]) == ("reconnecting", "network")
            assert room.calls("sign") == signed
            assert status["sign_budget"]["windows"][0]["used"] == signed
            resolver.is_gone = False
            await room.until_connected(2)
            assert room.calls("sign") == signed + 1
            await finish(room)

    run(scenario)


def test_a_start_without_names_waits_for_them(tmp_path, monkeypatch, resolver):
    """Row 4: the first look-up fails, no signature is asked for, and the live is found in the end."""
    monkeypatch.setattr(supervisor, "PROBE_EVERY_S", 0.1)
    resolver.is_gone = True

    async def scenario():
        async with studio(tmp_path, host=HOST, policy=PATIENT) as room:
            await room.until(lambda: room.states().count("reconnecting") >= 2, "some attempts")
            await asyncio.sleep(QUIET_S)
            assert room.calls("sign") == 0
            resolver.is_gone = False
            await room.until_connected()
            assert room.calls("sign") == 1
            await finish(room)

    run(scenario)


@pytest.mark.parametrize(("kind", "parameters"), USELESS, ids=str)
def test_an_answer_of_no_use_is_not_asked_for_again_and_again(tmp_path, kind, parameters):
    """Row 29: three signatures at most; then minutes go by, and the operator reads why."""

    async def scenario():
        plan = FaultPlan.at_once(Fault.of(kind, count=0, **parameters))
        async with studio(tmp_path, plan=plan, policy=PATIENT) as room:
            await room.until(lambda: room.calls("sign") == 3, "three signatures")
            await room.until(lambda: room.recorder.status()["state"] == "reconnecting", "the wait")
            await asyncio.sleep(QUIET_S)
            assert room.calls("sign") == 3
            status = room.recorder.status()
            assert status["cause"] == Cause.SIGNER.value
            assert "It is so each time" in status["detail"], status["detail"]
            left_s = status["reconnectionState"]["nextAttemptAt"] - room.simulator.now_us()
            assert left_s / 1e6 > 280
            # A person says that it is put right.
            room.simulator.faults.clear()
            assert room.recorder.retry_now()
            await room.until_connected()
            await finish(room)

    run(scenario)


def test_a_frame_without_an_end_does_not_spin(tmp_path):
    """Row 11: what each connection begins with ends it; after three the next is minutes away."""

    async def scenario():
        plan = FaultPlan.at_once(Fault.of("oversize", kib=16_384, count=0))
        async with studio(tmp_path, plan=plan, policy=PATIENT) as room:
            await room.until(lambda: len(room.simulator.ledger.connections) == 3, "three connections")
            await room.until(lambda: room.recorder.status()["state"] == "reconnecting", "the wait")
            await asyncio.sleep(QUIET_S)
            status = room.recorder.status()
            assert len(room.simulator.ledger.connections) == room.calls("sign") == 3, status["history"]
            assert status["cause"] == Cause.UNREADABLE.value
            assert "a frame larger than any of its own. It is so each time" in status["detail"]
            room.simulator.faults.clear()
            assert room.recorder.retry_now()
            await room.until_connected(4)
            await finish(room)
            rows = room.query("SELECT reason, size, detail FROM quarantine")
            assert [(reason, size) for reason, size, _ in rows] == [("oversize", 16 << 20)] * 3
            assert all("was ended after 16777216 of them" in detail for *_, detail in rows)

    run(scenario)
