"""
What can go wrong, as data: the kinds of faults, their parameters, their ranges.

A :class:`Fault` says what happens, not how: ``injector`` lets it happen to frames
and answers, ``acts`` to connections, rooms and the server. The ledger keeps what
was meant to be sent, so an oracle can tell what a fault took away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from toolkit.errors import SettingsError

__all__ = ["KINDS", "Area", "Fault", "Kind", "Parameter", "Value", "parse_fault"]

Value = int | float | str
"""What a parameter can be."""

FOREVER = 0
"""``count`` or ``seconds`` of a fault that lasts until it is cleared."""
_COUNT_MAX = 1_000_000
_SECONDS_MAX = 86_400
_TEXT_CHARS_MAX = 500


class Area(StrEnum):
    """What a fault happens to."""

    SOCKET = "socket"
    """Every open connection, at once."""
    FRAME = "frame"
    """The next ``count`` frames with messages."""
    STREAM = "stream"
    """All frames with messages, for ``seconds``."""
    ROOM = "room"
    """The broadcast."""
    HANDSHAKE = "handshake"
    """The next ``count`` WebSocket handshakes."""
    SIGN = "sign"
    """The next ``count`` answers of the signing service."""
    PAGE = "page"
    """The next ``count`` answers of TikTok's pages."""
    SERVER = "server"
    """The whole server."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    One knob of a kind.

    Attributes:
        default: Its value when nothing is said; its type is the parameter's type.
        low: Smallest number, inclusive.
        high: Largest number, inclusive.
        choices: The values allowed; empty for all in the range.
    """

    default: Value
    low: float = 0
    high: float = _SECONDS_MAX
    choices: tuple[Value, ...] = ()

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value; None if nothing is."""
        if isinstance(self.default, str):
            if not isinstance(value, str) or len(value) > _TEXT_CHARS_MAX or not value.isprintable():
                return f"choose printable text of at most {_TEXT_CHARS_MAX} characters"
        elif isinstance(value, bool) or not isinstance(value, int | float):
            return "choose a number"
        elif not self.low <= value <= self.high or (isinstance(self.default, int) and value != int(value)):
            whole = "a whole number from " if isinstance(self.default, int) else ""
            return f"choose {whole}{self.low:g} to {self.high:g}"
        if self.choices and value not in self.choices:
            return f"choose one of {', '.join(map(str, self.choices))}"
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One way in which things go wrong.

    Attributes:
        area: What it happens to.
        summary: One sentence.
        parameters: Its knobs, besides those that its area has.
    """

    area: Area
    summary: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


_COUNT = Parameter(1, 0, _COUNT_MAX)
_SECONDS = Parameter(0.0)
_HANGS_UP = Parameter("yes", choices=("yes", "no"))
_WHERE = Parameter("pages", choices=("pages", "alive", "all"))


def _frame(summary: str, **parameters: Parameter) -> Kind:
    return Kind(Area.FRAME, summary, {"count": _COUNT, **parameters})


def _stream(summary: str, **parameters: Parameter) -> Kind:
    return Kind(Area.STREAM, summary, {"seconds": _SECONDS, **parameters})


def _handshake(summary: str, **parameters: Parameter) -> Kind:
    return Kind(Area.HANDSHAKE, summary, {"count": _COUNT, **parameters})


def _sign(summary: str, **parameters: Parameter) -> Kind:
    return Kind(Area.SIGN, summary, {"count": _COUNT, **parameters})


def _page(summary: str, **parameters: Parameter) -> Kind:
    # Two answers are one look at a user: TikTokLive asks the API when the page fails.
    return Kind(Area.PAGE, summary, {"count": Parameter(2, 0, _COUNT_MAX), "where": _WHERE, **parameters})


_HTTP_ERRORS = (400, 401, 403, 404, 429, 500, 502, 503, 504)

KINDS: Mapping[str, Kind] = {
    "drop": Kind(Area.SOCKET, "TCP ends (FIN) without a close frame."),
    "reset": Kind(Area.SOCKET, "TCP is reset (RST)."),
    "half-open": Kind(Area.SOCKET, "The socket stays; nothing is sent or read on it any more."),
    "close": Kind(
        Area.SOCKET,
        "The WebSocket is closed with a code.",
        {"code": Parameter(1011, 1000, 4999), "reason": Parameter("")},
    ),
    "slow-drip": _frame("A frame is written byte by byte.", byte_ms=Parameter(1.0, 0.1, 1000)),
    "half-frame": _frame("Half a WebSocket frame, then the end of TCP."),
    "bad-gzip": _frame("The gzip stream is damaged."),
    "gzip-bomb": _frame("Zeros, gzipped.", mib=Parameter(16, 1, 512)),
    "field-bomb": _frame("Millions of empty messages, gzipped.", fields=Parameter(3_900_000, 1, 4_000_000)),
    "truncated": _frame("The frame's bytes end in the middle."),
    "mutated": _frame("Bits are flipped anywhere in the frame.", flips=Parameter(3, 1, 1000)),
    "text": _frame("A text frame with no protobuf in it."),
    "bad-utf8": _frame("One message's payload is no message: text that is not UTF-8."),
    "oversize": _frame("The honest frame, padded.", kib=Parameter(1100, 1, 16_384)),
    "duplicate": _frame("The frame comes twice or more.", copies=Parameter(2, 2, 100)),
    "repeat": _frame("The frame's messages come again with the next frame."),
    "reorder": _frame("The frame comes after the next one."),
    "late-end": _frame("The end of a gift streak comes some frames late.", frames=Parameter(3, 1, 1000)),
    "no-end": _frame("The end of a gift streak never comes."),
    "clock-skew": _frame("create_time is wrong.", skew_ms=Parameter(3_600_000, -(2.0**62), 2.0**62)),
    "mute": _stream("No frames with messages; heartbeats are answered."),
    "joins-only": _stream("Everything but comments."),
    "unknown-types": Kind(
        Area.ROOM, "Messages of types that nobody knows.", {"messages": Parameter(5, 1, 400)}
    ),
    "room-change": Kind(Area.ROOM, "A new broadcast begins without notice.", {"hangs_up": _HANGS_UP}),
    "end-unnoticed": Kind(Area.ROOM, "The live is over and nobody says so.", {"hangs_up": _HANGS_UP}),
    "handshake-refused": _handshake(
        "An HTTP answer instead of a WebSocket.",
        status=Parameter(200, choices=(200, 400, 403, 415, 429, 500, 503)),
        message=Parameter("DEVICE_BLOCKED"),
    ),
    "handshake-silent": _handshake("The handshake is never answered."),
    "ping-interval": _handshake("The announced time between heartbeats.", interval_s=Parameter(0, 0, 86_400)),
    "sign-status": _sign("An HTTP error.", status=Parameter(500, choices=_HTTP_ERRORS)),
    "sign-rate-limited": _sign(
        "429. Headers with an empty text are left out.",
        retry_after=Parameter(""),
        reset=Parameter(""),
        remaining=Parameter(""),
    ),
    "sign-empty": _sign("200 and no body."),
    "sign-garbage": _sign("200 and bytes that are no fetch result."),
    "sign-no-cookies": _sign("No cookie header."),
    "sign-no-cursor": _sign("No cursor."),
    "sign-no-push-server": _sign("No address to connect to."),
    "sign-push-server": _sign("Another address to connect to.", address=Parameter("ws://127.0.0.2:9/")),
    "sign-hangs": _sign("Accepted, never answered."),
    "sign-slow": _sign("Answered late.", seconds=Parameter(2.0)),
    "page-captcha": _page("A captcha page."),
    "page-garbage": _page("JSON that is none."),
    "page-status": _page("An HTTP error.", status=Parameter(429, choices=_HTTP_ERRORS)),
    "page-hangs": _page("Accepted, never answered."),
    "page-user-not-found": _page("No such user."),
    "page-offline": _page("The user is not live."),
    "server-down": Kind(
        Area.SERVER, "Nothing listens on the port; then it is back.", {"seconds": Parameter(1.0)}
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that goes wrong.

    Attributes:
        kind: A key of :data:`KINDS`.
        parameters: All of the kind's parameters.
    """

    kind: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, **parameters: Value) -> Fault:
        """
        Return a fault; what is not said has its default.

        Raises:
            SettingsError: There is no such kind or parameter, or it is out of range.
        """
        return parse_fault({"kind": kind, **parameters})

    @property
    def area(self) -> Area:
        """What it happens to."""
        return KINDS[self.kind].area

    def number(self, name: str) -> float:
        """Return a parameter that is a number."""
        value = self.parameters[name]
        assert not isinstance(value, str), name
        return value

    def whole(self, name: str) -> int:
        """Return a parameter that is a whole number."""
        return int(self.number(name))

    def text(self, name: str) -> str:
        """Return a parameter that is text."""
        return str(self.parameters[name])

    def as_json(self) -> dict[str, Value]:
        """Return it as :func:`parse_fault` reads it."""
        return {"kind": self.kind, **self.parameters}


def parse_fault(value: Mapping[str, Any]) -> Fault:
    """
    Read ``{"kind": ..., parameter: value, ...}``.

    Raises:
        SettingsError: One sentence per problem.
    """
    name = value.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise SettingsError([f"fault {str(name)[:40]!r}: choose one of {', '.join(KINDS)}"])
    given = {key: item for key, item in value.items() if key != "kind"}
    problems = [
        f"{name}: there is no {key[:40]!r}; it has {', '.join(kind.parameters) or 'no parameters'}"
        for key in given
        if key not in kind.parameters
    ]
    for key, parameter in kind.parameters.items():
        if key in given and (problem := parameter.problem(given[key])) is not None:
            problems.append(f"{name}: {key} {str(given[key])[:40]}: {problem}")
    if problems:
        raise SettingsError(problems)
    defaults = {key: parameter.default for key, parameter in kind.parameters.items()}
    return Fault(str(name), defaults | given)
