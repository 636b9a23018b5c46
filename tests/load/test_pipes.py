"""An actor in a process of its own: answers, failures, sudden ends."""

import os

import pytest

from toolkit.errors import ServerError
from toolkit.load.pipes import RemoteActor


class Counter:
    """Counts, in a process of its own."""

    def __init__(self, start):
        self._value = start

    async def start(self):
        """Return the process it lives in."""
        if self._value < 0:
            raise ValueError("it starts below nothing")
        return os.getpid()

    async def stop(self):
        """Nothing to let go of."""

    def add(self, number):
        """Return the sum so far."""
        self._value += number
        return self._value

    async def fail(self):
        """Fail."""
        raise RuntimeError("as told")

    def die(self):
        """End the process without a word."""
        os._exit(3)

    def end(self):
        """Return a large answer."""
        return b"x" * 5_000_000


def test_an_actor_answers_from_another_process_until_it_is_ended():
    """One question, one answer; the process is gone afterwards."""
    with RemoteActor("counter", Counter, 5) as counter:
        assert counter.started == counter.pid != os.getpid()
        assert counter.ask("add", 2) == 7
        assert counter.ask("add", 3) == 10
        assert len(counter.ask("end")) == 5_000_000
    with pytest.raises(ProcessLookupError):
        os.kill(counter.pid, 0)


def test_an_actor_that_fails_says_how_and_goes_on():
    """The sentence crosses the pipe; the process stays."""
    with RemoteActor("counter", Counter, 0) as counter:
        with pytest.raises(ServerError, match="The counter failed: RuntimeError: as told"):
            counter.ask("fail")
        assert counter.ask("add", 1) == 1


def test_an_actor_that_dies_is_noticed():
    """At once, not after a minute."""
    with (
        RemoteActor("counter", Counter, 0) as counter,
        pytest.raises(ServerError, match="ended before its time"),
    ):
        counter.ask("die")


def test_an_actor_that_cannot_start_is_an_error_and_leaves_no_process():
    """Its reason is told."""
    actor = RemoteActor("counter", Counter, -1)
    with pytest.raises(ServerError, match="it starts below nothing"), actor:
        pass
    assert not actor._process.is_alive()
