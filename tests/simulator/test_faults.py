"""Faults as data, planned, drawn and thrown, seen by a client that counts every byte."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket

import httpx
import pytest

from tests.simulator.raw_client import in_loop, raw_client, until
from toolkit.errors import SettingsError
from toolkit.simulator.fault_plan import FaultPlan, Planned, load_plan, parse_plan, random_plan
from toolkit.simulator.faults import KINDS, Area, Fault, parse_fault
from toolkit.simulator.server import Simulator

SPEED = 4.0

PLAN = """
seed = 7

[[fault]]
at_s = 0.5
kind = "close"
code = 4000

[[fault]]
frame = 3
kind = "bad-gzip"
count = 2
"""


async def simulated(**arguments) -> Simulator:
    """Return a running simulator in which much happens."""
    simulator = Simulator("typical", seed=3, speed=SPEED, **arguments)
    await simulator.start()
    return simulator


def test_a_plan_is_read_from_a_file_and_written_as_one(tmp_path):
    """TOML for people, JSON for programs, the same plan from both; defaults are filled in."""
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, "utf-8")
    plan = load_plan(path)
    assert plan.seed == 7
    assert plan.timed() == [(0.5, Fault.of("close", code=4000))]
    assert plan.counted() == {3: [Fault.of("bad-gzip", count=2)]}
    path.write_text(plan.as_toml(), "utf-8")
    assert load_plan(path) == plan
    as_json = tmp_path / "plan.json"
    as_json.write_text(json.dumps({"seed": 7, "fault": [p.as_json() for p in plan.planned]}), "utf-8")
    assert load_plan(as_json) == plan


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[fault]]\nat_s = 1\nkind = 'flood'", "choose one of"),
        ("[[fault]]\nat_s = 1\nkind = 'close'\ncode = 5", "1000 to 4999"),
        ("[[fault]]\nat_s = 1\nkind = 'close'\ncolour = 5", "there is no 'colour'"),
        ("[[fault]]\nat_s = 1\nkind = 'close'\ncode = 1000.5", "a whole number"),
        ("[[fault]]\nat_s = 1\nkind = 'close'\nreason = 5", "printable text"),
        ("[[fault]]\nkind = 'drop'", "either at_s or frame"),
        ("[[fault]]\nat_s = 1\nframe = 2\nkind = 'drop'", "either at_s or frame"),
        ("[[fault]]\nat_s = nan\nkind = 'drop'", "at_s nan"),
        ("[[fault]]\nframe = 0\nkind = 'drop'", "frame 0"),
        ("[[fault]]\nat_s = 1\nkind = ['drop']", "choose one of"),
        ("fault = 3", "list of [[fault]]"),
        ("fault = [3]", "not a table"),
        ("seed = 'x'", "seed"),
        ("speed = 3", "no 'speed'"),
        ("[[fault", "no fault plan"),
    ],
)
def test_a_wrong_plan_is_named(tmp_path, text, problem):
    """One sentence per problem, no traceback."""
    path = tmp_path / "plan.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as refused:
        load_plan(path)
    assert problem in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """Missing, binary, too large."""
    for name, data in (
        ("a.toml", None),
        ("b.toml", b"\xff\xfe"),
        ("c.json", b"[" * 100_000),
        ("d.json", b"[]"),
    ):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(SettingsError):
            load_plan(path)
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (1 << 21))
    with pytest.raises(SettingsError, match="larger"):
        load_plan(large)


def test_a_seed_draws_the_same_plan_again():
    """Same seed, same plan; another seed, another; every kind it can draw turns up."""
    plans = [random_plan(seed, seconds=600) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    assert 30 < len(plans[0].planned) < 100
    assert parse_plan({"seed": 1, "fault": [p.as_json() for p in plans[0].planned]}) == plans[0]
    drawn = {p.fault.kind for p in random_plan(5, seconds=50_000).planned}
    assert len(drawn) > 25
    assert {p.fault.kind for p in random_plan(5, seconds=600, kinds=["drop", "mute"]).planned} == {
        "drop",
        "mute",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_defaults_that_are_allowed(kind):
    """A kind alone is a fault; writing it out and reading it gives it back."""
    fault = Fault.of(kind)
    assert parse_fault(json.loads(json.dumps(fault.as_json()))) == fault
    assert KINDS[kind].summary.endswith(".")


def test_faults_happen_when_planned():
    """By time and by frame; the ledger keeps what was written instead."""

    async def body():
        planned = (Planned(Fault.of("bad-gzip"), frame=2), Planned(Fault.of("close", code=4000), at_s=1.5))
        simulator = await simulated(plan=FaultPlan(planned))
        client, read = await raw_client(simulator, expects_damage=True)
        await asyncio.wait_for(read, 10)
        assert client.socket.close_code == 4000
        reasons = [bad.reason for frame in client.frames for bad in frame.quarantined]
        assert reasons == ["gzip"]
        connection = simulator.ledger.connections[0]
        altered = [written for written in connection.written if written.faults]
        assert [written.faults for written in altered] == [("bad-gzip",)]
        assert altered[0].data in client.raw
        assert len(connection.written) == len(client.raw)
        await simulator.stop()

    in_loop(body)


@pytest.mark.parametrize(
    ("kind", "parameters", "reason"),
    [
        ("bad-gzip", {}, "gzip"),
        ("gzip-bomb", {"mib": 1}, "wire"),
        ("gzip-bomb", {}, "oversize"),
        ("field-bomb", {}, "oversize"),
        ("text", {}, "wire"),
    ],
)
def test_damage_is_damage(kind, parameters, reason):
    """A strict reader refuses it, and the frames around it are whole."""

    async def body():
        simulator = await simulated()
        client, _ = await raw_client(simulator, expects_damage=True)
        simulator.throw(Fault.of(kind, **parameters))
        await until(lambda: any(f.quarantined for f in client.frames), "the damage")
        await until(lambda: client.frames[-1].messages, "the next frame")
        assert [bad.reason for f in client.frames for bad in f.quarantined] == [reason]
        await simulator.stop()

    in_loop(body)


def test_frames_come_twice_again_late_and_in_another_order():
    """Nothing is added, nothing is lost: the same messages at other times."""

    async def body():
        simulator = await simulated()
        client, _ = await raw_client(simulator)
        for kind in ("duplicate", "repeat", "reorder", "late-end"):
            before = len(client.frames)
            simulator.throw(Fault.of(kind))
            await until(lambda: not simulator.faults.state()["armed"], kind)
            await until(lambda before=before: len(client.frames) > before + 5, "frames behind it")
        connection = simulator.ledger.connections[0]
        log_ids = [written.log_id for written in connection.written]
        assert any(a == b for a, b in itertools.pairwise(log_ids))
        assert log_ids != sorted(log_ids)
        await simulator.end_live()
        await until(lambda: client.is_closed, "the end")
        assert {m.msg_id for m in client.messages} == {sent.msg_id for sent in simulator.ledger.sent}
        assert len(client.messages) > simulator.ledger.total
        await simulator.stop()

    in_loop(body)


def test_what_is_withheld_is_in_the_ledger_and_not_on_the_wire():
    """Mute, joins only, streaks without end: the truth does not depend on faults."""

    async def body():
        simulator = await simulated()
        client, _ = await raw_client(simulator)
        await until(lambda: len(client.frames) > 2, "the first frames")
        # Longer than anybody looks: who looks late has to see the same.
        simulator.throw(Fault.of("joins-only", seconds=60.0))
        start = len(client.frames)
        await asyncio.sleep(0.9)
        assert not any(
            m.method == "WebcastChatMessage" for frame in client.frames[start + 1 :] for m in frame.messages
        )
        simulator.throw(Fault.of("mute"))
        await asyncio.sleep(0.3)
        quiet = len(client.messages)
        total = simulator.ledger.total
        await until(lambda: simulator.ledger.total > total + 50, "things to go on")
        assert len(client.messages) == quiet
        assert simulator.faults.clear() >= 1
        await until(lambda: len(client.messages) > quiet, "sound again")
        await simulator.stop()

    in_loop(body)


def test_connections_end_in_every_way():
    """FIN, RST, half a frame, and one that never ends."""

    async def body():
        simulator = await simulated()
        for kind in ("drop", "reset", "half-frame"):
            client, read = await raw_client(simulator)
            await until(lambda client=client: client.frames, "a frame")
            simulator.throw(Fault.of(kind))
            await asyncio.wait_for(read, 5)
            assert client.socket.close_code in (None, 1006)
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        writer.write(b"GET /webcast/room/info/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert await reader.read(10)
        writer.close()
        client, read = await raw_client(simulator)
        await until(lambda: client.frames, "a frame")
        simulator.throw(Fault.of("half-open"))
        connection = simulator.ledger.connections[-1]
        read.cancel()
        client.socket.close()
        await asyncio.sleep(0.3)
        assert connection.is_frozen and connection.closed_at is None
        await simulator.stop()

    in_loop(body)


def test_the_server_goes_down_and_comes_back_on_its_port():
    """Nothing listens in between; the broadcast goes on."""

    async def body():
        simulator = await simulated()
        client, read = await raw_client(simulator)
        simulator.throw(Fault.of("server-down", seconds=1.5))
        await asyncio.wait_for(read, 5)
        total = simulator.ledger.total

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", simulator.port)) == 0

        assert not listens()
        await until(listens, "the port")
        assert simulator.ledger.total > total
        client, _ = await raw_client(simulator)
        await until(lambda: client.messages, "messages")
        await simulator.stop()

    in_loop(body)


def test_faults_are_thrown_and_listed_from_another_process():
    """POST one, see it wait and happen, clear what lasts; nonsense is refused with a sentence."""

    async def body():
        simulator = await simulated()
        async with httpx.AsyncClient(base_url=simulator.base_url, trust_env=False) as http:
            thrown = {"kind": "sign-rate-limited", "retry_after": "42", "count": 1}
            assert (await http.post("/sim/fault", json=thrown)).json()["thrown"]["remaining"] == ""
            listed = (await http.get("/sim/faults")).json()
            assert [fault["kind"] for fault in listed["armed"]] == ["sign-rate-limited"]
            assert set(listed["kinds"]) == set(KINDS)
            answer = await http.get("/webcast/fetch", params={"unique_id": "demo"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "42")
            assert "RateLimit-Remaining" not in answer.headers
            assert (await http.get("/webcast/fetch", params={"unique_id": "demo"})).status_code == 200
            await http.post("/sim/fault", json={"kind": "mute"})
            assert (await http.post("/sim/calm")).json() == {"cleared": 1}
            for content in (b'{"kind": "x"}', b"{}", b"[]", b'{"kind": "close", "code": 1e999}'):
                assert (await http.post("/sim/fault", content=content)).status_code == 400, content
            calls = (await http.get("/sim/ledger")).json()["calls"]
            assert [(route, fault) for _, route, fault in calls] == [
                ("sign", "sign-rate-limited"),
                ("sign", ""),
            ]
        await simulator.stop()

    in_loop(body)


SIGN = [
    ("sign-status", {"status": 403}, 403),
    ("sign-empty", {}, 200),
    ("sign-garbage", {}, 200),
    ("sign-no-cookies", {}, 200),
    ("sign-no-cursor", {}, 200),
    ("sign-no-push-server", {}, 200),
    ("sign-push-server", {}, 200),
]


@pytest.mark.parametrize(("kind", "parameters", "status"), SIGN)
def test_the_signing_service_fails_in_every_flavour(kind, parameters, status):
    """Each answer lacks what its name says; the one after it is honest."""

    async def body():
        simulator = await simulated()
        async with httpx.AsyncClient(base_url=simulator.base_url, trust_env=False) as http:
            honest = await http.get("/webcast/fetch", params={"unique_id": "demo"})
            simulator.throw(Fault.of(kind, **parameters))
            spoilt = await http.get("/webcast/fetch", params={"unique_id": "demo"})
            assert spoilt.status_code == status
            assert ("X-Set-TT-Cookie" in spoilt.headers) is (
                status == 200 and kind not in ("sign-empty", "sign-no-cookies")
            )
            if kind != "sign-no-cookies":
                assert spoilt.content != honest.content
            assert (await http.get("/webcast/fetch", params={"unique_id": "demo"})).status_code == 200
        await simulator.stop()

    in_loop(body)


def test_who_hangs_lets_go_when_the_server_stops():
    """A request that is never answered ends with the server, not with a timeout."""

    async def body():
        simulator = await simulated()
        for kind in ("page-hangs", "sign-hangs", "handshake-silent"):
            simulator.throw(Fault.of(kind))
        async with httpx.AsyncClient(base_url=simulator.base_url, trust_env=False, timeout=20) as http:
            waiting = asyncio.gather(
                http.get("/@demo/live"),
                http.get("/webcast/fetch", params={"unique_id": "demo"}),
                raw_client(simulator),
                return_exceptions=True,
            )
            await until(lambda: len(simulator.held) == 3, "three to hang")
            await simulator.stop()
            async with asyncio.timeout(5):
                assert all(isinstance(failure, Exception) for failure in await waiting)

    in_loop(body)


def test_every_area_has_a_kind():
    """And every kind an area that something carries out."""
    assert {kind.area for kind in KINDS.values()} == set(Area)
