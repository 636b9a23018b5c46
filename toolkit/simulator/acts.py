"""
Faults that happen to connections, to the room and to the server as a whole.

Each kind is one function of the simulator; what happens to single frames and
answers is the injector's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from toolkit.simulator.damage import Cut
from toolkit.simulator.faults import Fault

if TYPE_CHECKING:
    from toolkit.simulator.server import Simulator

__all__ = ["ACTS"]


def _drop(simulator: Simulator, fault: Fault) -> None:
    simulator.cut_connections(Cut())


def _reset(simulator: Simulator, fault: Fault) -> None:
    simulator.cut_connections(Cut(resets=True))


def _close(simulator: Simulator, fault: Fault) -> None:
    simulator.cut_connections(Cut(fault.whole("code"), fault.text("reason")))


def _half_open(simulator: Simulator, fault: Fault) -> None:
    simulator.freeze_connections()


def _unknown_types(simulator: Simulator, fault: Fault) -> None:
    simulator.broadcast.invent(fault.whole("messages"))


def _room_change(simulator: Simulator, fault: Fault) -> None:
    _end_unnoticed(simulator, fault)
    simulator.go_live()


def _end_unnoticed(simulator: Simulator, fault: Fault) -> None:
    simulator.broadcast.vanish()
    if fault.text("hangs_up") == "yes":
        simulator.cut_connections(Cut())


def _server_down(simulator: Simulator, fault: Fault) -> None:
    simulator.go_down(fault.number("seconds"))


ACTS: Mapping[str, Callable[[Simulator, Fault], None]] = {
    "drop": _drop,
    "reset": _reset,
    "close": _close,
    "half-open": _half_open,
    "unknown-types": _unknown_types,
    "room-change": _room_change,
    "end-unnoticed": _end_unnoticed,
    "server-down": _server_down,
}
"""By kind; called in the simulator's loop."""
