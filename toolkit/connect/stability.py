"""
How well a connection was kept, in figures.

    connected      from a connection to the last thing heard on it, or to its end in
                   order: stopped, or the live is over
    disconnected   wanted and not connected, and the silence of a connection before its
                   loss was noticed: from the last thing heard to the next connection,
                   as the gap runs
    uptime share   connected / (connected + disconnected); waiting for a live to start
                   counts as neither
    success rate   outages that ended in a connection / outages that ended; the
                   objective is 95 %
    detect         last frame to the moment its loss was noticed
    back           from when the network was back (or was never gone) to connected
    score          0-100 = 60 x uptime share + 25 x success rate + 15 x speed,
                   speed = 1 where p90 of `back` is at most 5 s, falling to 0 at 60 s

While a connection stands, the time since the last thing heard is neither: it becomes
the one with the next frame, or the other with the news that the line was dead. So both
only ever grow, and none of it is taken back.

The figures are of one recording. They are saved in it, so a process that goes on with
the recording of one that died goes on with its figures: the time in between counts as
disconnected, and as one outage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.model.connection import ConnectionState

__all__ = ["Stability"]

SUCCESS_OBJECTIVE = 0.95
BACK_GOOD_S, BACK_BAD_S = 5.0, 60.0
SAMPLES_MAX = 200
"""Times kept for the percentiles."""
NUMBER_MAX = 1e9
"""No live lasts thirty years."""

_WANTED = frozenset({ConnectionState.RESOLVING, ConnectionState.CONNECTING, ConnectionState.RECONNECTING})


class Stability:
    """
    Counts states and outages. Fed by the supervisor with every step, and with every frame.

    Attributes:
        outages: Connections lost, or not reached at first.
        reconnects: Outages that ended in a connection.
        given_up: Outages that ended with the operator.
    """

    def __init__(self, state: ConnectionState = ConnectionState.IDLE, now_s: float | None = None) -> None:
        """Begin to count, in the state that holds at ``now_s``."""
        self.outages = 0
        self.reconnects = 0
        self.given_up = 0
        self._up_s = 0.0
        self._down_s = 0.0
        self._state = state
        self._at_s = now_s
        self._heard_s = float("-inf")
        self._possible_s: float | None = None
        self._is_out = False
        self._detect_s: deque[float] = deque(maxlen=SAMPLES_MAX)
        self._back_s: deque[float] = deque(maxlen=SAMPLES_MAX)

    def moved(self, state: ConnectionState, now_s: float) -> None:
        """Take in the state that holds from now on."""
        self._up_s, self._down_s = self._shares(now_s)
        self._state, self._at_s = state, now_s
        if not self._is_out:
            return
        if state is ConnectionState.CONNECTED:
            self.reconnects += 1
            assert self._possible_s is not None
            self._back_s.append(now_s - self._possible_s)
        elif state is ConnectionState.NEEDS_OPERATOR:
            self.given_up += 1
        if state not in _WANTED:
            # Stopped, or the live is over: neither a success nor a failure.
            self._is_out = False

    def heard(self, at_s: float) -> None:
        """Take in when a frame came, or anything that shows that the line was alive."""
        self._heard_s = at_s

    def unheard_s(self, now_s: float) -> float:
        """Return how long nothing was heard on the connection that stands; 0 if none does."""
        return now_s - self._sure_s(now_s)

    def _sure_s(self, now_s: float) -> float:
        """Return until when it is known what the time was."""
        if self._state is not ConnectionState.CONNECTED or self._at_s is None:
            return now_s
        # The connection itself was the first thing heard.
        return min(max(self._heard_s, self._at_s), now_s)

    def lost(self, now_s: float) -> None:
        """Take in that a connection ended, or could not be made. Call before :meth:`moved`."""
        if self._state is ConnectionState.CONNECTED:
            unheard_s = self.unheard_s(now_s)
            self._detect_s.append(unheard_s)
            self._up_s, self._down_s = self._shares(self._sure_s(now_s))
            self._down_s += unheard_s
            self._at_s = now_s
        if not self._is_out:
            self._is_out = True
            self._possible_s = now_s
            self.outages += 1

    def reachable_again(self, now_s: float) -> None:
        """Take in that the network is back: from here on, time counts as ours."""
        self._possible_s = now_s

    def _shares(self, now_s: float) -> tuple[float, float]:
        passed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        up_s = passed_s if self._state is ConnectionState.CONNECTED else 0.0
        down_s = passed_s if self._state in _WANTED else 0.0
        return self._up_s + up_s, self._down_s + down_s

    def figures(self, now_s: float) -> dict[str, Any]:
        """Return the figures as JSON data; None where nothing has happened to measure."""
        up_s, down_s = self._shares(self._sure_s(now_s))
        ended = self.reconnects + self.given_up
        uptime = up_s / (up_s + down_s) if up_s + down_s > 0 else None
        success = self.reconnects / ended if ended else None
        return {
            "score": _score(uptime, success, percentile(self._back_s, 0.9)),
            "uptime_share": uptime,
            "connected_s": up_s,
            "disconnected_s": down_s,
            "outages": self.outages,
            "reconnects": self.reconnects,
            "given_up": self.given_up,
            "success_rate": success,
            "success_objective": SUCCESS_OBJECTIVE,
            "meets_objective": success is None or success >= SUCCESS_OBJECTIVE,
            "detect_s_p50": percentile(self._detect_s, 0.5),
            "detect_s_p99": percentile(self._detect_s, 0.99),
            "detect_s_max": max(self._detect_s, default=None),
            "back_s_p50": percentile(self._back_s, 0.5),
            "back_s_p99": percentile(self._back_s, 0.99),
            "back_s_max": max(self._back_s, default=None),
            "back_objective_s": BACK_GOOD_S,
        }

    def saved(self, now_s: float) -> dict[str, Any]:
        """Return the figures and what :meth:`resume` needs besides, as JSON data."""
        return {
            **self.figures(now_s),
            "is_connected": self._state is ConnectionState.CONNECTED,
            "detect_s": [round(value, 3) for value in self._detect_s],
            "back_s": [round(value, 3) for value in self._back_s],
        }

    def resume(self, saved: object, connected_s: float, away_s: float, now_s: float) -> None:
        """
        Go on with what an earlier process saved, in the moment in which this one connects.

        Whatever makes no sense is left out: a damaged note must not stop a recording.

        Args:
            saved: What :meth:`saved` returned there.
            connected_s: How long after that the last thing was heard, seconds.
            away_s: From its last frame to now, seconds.
            now_s: Monotonic time.
        """
        if not isinstance(saved, Mapping):
            return
        up_s, down_s = self._shares(now_s)
        was_up = saved.get("is_connected") is True
        connected_s = max(connected_s, 0.0) if was_up else 0.0
        self._up_s = up_s + _number(saved.get("connected_s")) + connected_s
        # This process has counted a part of the time away itself.
        self._down_s = down_s + _number(saved.get("disconnected_s")) + max(0.0, away_s - up_s - down_s)
        self._at_s = now_s
        # The two have one outage in common: from the end of the one to this connection.
        self.outages = max(self.outages, 1) + int(_number(saved.get("outages"))) - (not was_up)
        self.reconnects += int(_number(saved.get("reconnects")))
        self.given_up += int(_number(saved.get("given_up")))
        # Oldest first: at a full length it is they that give way, not what this process saw.
        self._detect_s = deque([*_numbers(saved.get("detect_s")), *self._detect_s], maxlen=SAMPLES_MAX)
        self._back_s = deque([*_numbers(saved.get("back_s")), *self._back_s], maxlen=SAMPLES_MAX)
        if not self._is_out:
            self._is_out, self._possible_s = True, now_s - min(away_s, up_s + down_s)


def percentile(samples: deque[float], share: float) -> float | None:
    """Return the sample below which ``share`` of all lie, by nearest rank; None of none. Less than 1."""
    assert 0 <= share < 1, share
    return sorted(samples)[int(share * len(samples))] if samples else None


def _number(value: object) -> float:
    """Return a count or a time, or 0 for what is none."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < NUMBER_MAX
    return float(value) if is_one else 0.0  # type: ignore[arg-type]  # just looked at


def _numbers(values: object) -> list[float]:
    found: Iterable[object] = values if isinstance(values, list) else []
    return [_number(value) for value in found][-SAMPLES_MAX:]


def _score(uptime: float | None, success: float | None, back_s: float | None) -> int | None:
    if uptime is None:
        return None
    slow = 0.0 if back_s is None else (back_s - BACK_GOOD_S) / (BACK_BAD_S - BACK_GOOD_S)
    speed = 1 - min(max(slow, 0.0), 1.0)
    return round(60 * uptime + 25 * (1.0 if success is None else success) + 15 * speed)
