"""
A process of our own, asked over a pipe: one question, one answer.

What is asked are methods of one object that lives in the loop of the other process.
It ends when it is told to, or when whoever started it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Protocol

from toolkit import garbage
from toolkit.errors import ServerError

__all__ = ["Actor", "RemoteActor"]

ANSWER_WITHIN_S = 60.0
_END_WITHIN_S = 10.0
_END = ""
"""In place of the name of a method."""


class Actor(Protocol):
    """What lives in the other process."""

    async def start(self) -> Any:
        """Begin; the answer is the first one."""

    async def stop(self) -> None:
        """Let go of everything."""


class RemoteActor:
    """
    The near end. Use it in a ``with`` statement.

    Attributes:
        started: What the actor's ``start`` returned.
        pid: The other process.
    """

    def __init__(self, name: str, make: Callable[..., Actor], *args: Any) -> None:
        """
        Prepare.

        Args:
            name: What it is called in errors.
            make: Makes the actor, in the other process; a class or function of a module.
            args: Its arguments.
        """
        self.started: Any = None
        self.pid = 0
        self._name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._theirs: Connection | None = theirs
        self._process = context.Process(target=_live, args=(theirs, make, args), name=name, daemon=True)

    def __enter__(self) -> RemoteActor:
        """Start the process and wait until the actor has started."""
        self._process.start()
        if self._theirs is not None:
            # Only the process holds it now: the end of it is the end of the pipe.
            self._theirs.close()
            self._theirs = None
        self.pid = self._process.pid or 0
        try:
            self.started = self._receive(ANSWER_WITHIN_S)
        except BaseException:
            self._process.kill()
            self._process.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._pipe.send((_END, ()))
        self._process.join(_END_WITHIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()

    def ask(self, method: str, *args: Any, within_s: float = ANSWER_WITHIN_S) -> Any:
        """
        Call a method of the actor and return what it returns; awaits a coroutine.

        Raises:
            ServerError: The process has died, fails, or does not answer.
        """
        try:
            self._pipe.send((method, args))
        except OSError as error:
            raise self._gone() from error
        return self._receive(within_s)

    def _receive(self, within_s: float) -> Any:
        try:
            if not self._pipe.poll(within_s):
                raise ServerError(f"The {self._name} does not answer.", hint="Is the machine overloaded?")
            is_fine, value = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._gone() from error
        if not is_fine:
            raise ServerError(f"The {self._name} failed: {value}.")
        return value

    def _gone(self) -> ServerError:
        return ServerError(f"The {self._name} ended before its time.", hint="See what it printed above.")


def _live(pipe: Connection, make: Callable[..., Actor], args: tuple[Any, ...]) -> None:
    """In the other process."""
    # Ctrl-C goes to the whole group: whoever started us ends us in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(pipe, make(*args)))


async def _serve(pipe: Connection, actor: Actor) -> None:
    await _answer(pipe, actor.start())
    garbage.leave_alone_what_is_imported()
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[tuple[str, tuple[Any, ...]]] = asyncio.Queue()

    def hear() -> None:
        try:
            heard.put_nowait(pipe.recv())
        except (EOFError, OSError):
            loop.remove_reader(pipe.fileno())
            heard.put_nowait((_END, ()))

    loop.add_reader(pipe.fileno(), hear)
    try:
        while (question := await heard.get())[0] != _END:
            await _answer(pipe, _call(actor, *question))
    finally:
        loop.remove_reader(pipe.fileno())
        await actor.stop()


async def _call(actor: Actor, method: str, args: tuple[Any, ...]) -> Any:
    value = getattr(actor, method)(*args)
    return await value if asyncio.iscoroutine(value) else value


async def _answer(pipe: Connection, work: Coroutine[Any, Any, Any]) -> None:
    try:
        answer: tuple[bool, Any] = (True, await work)
    except Exception as error:
        answer = (False, f"{type(error).__name__}: {error}")
    with contextlib.suppress(OSError):
        # In a thread: a large answer blocks until it is read.
        await asyncio.get_running_loop().run_in_executor(None, pipe.send, answer)
