"""From an event to everybody who listens: publish, live figures, JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from toolkit.bench.machine import Figure
from toolkit.bench.material import cpu_us, new_batches
from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice, encode_notice
from toolkit.model.event import Event

__all__ = ["measure"]

BATCHES = 200
SUBSCRIPTIONS = (0, 1, 10, 100)


def measure(rounds: int, batches: int = BATCHES) -> Iterator[Figure]:
    """Yield CPU per notice: published alone, with live figures, to many, and as JSON."""
    material = [[(event.kind, event) for event in batch.events] for batch in new_batches(batches)]
    events = [event for batch in material for _, event in batch]
    for number in SUBSCRIPTIONS:
        taken = [_publish(material, number, with_figures=False) for _ in range(rounds)]
        yield Figure(
            f"bus: CPU per notice, {number} subscriptions", statistics.median(taken) / len(events), "us"
        )
    taken = [_publish(material, 1, with_figures=True) for _ in range(rounds)]
    yield Figure(
        "bus: CPU per notice, with live figures",
        statistics.median(taken) / len(events),
        "us",
        note="1 subscription",
    )
    taken = [cpu_us(lambda: _encode(events)) for _ in range(rounds)]
    yield Figure(
        "bus: CPU per notice, JSON",
        statistics.median(taken) / len(events),
        "us",
        note="once, for all sockets",
    )


def _publish(material: list[list[tuple[str, Event]]], subscriptions: int, *, with_figures: bool) -> float:
    bus = MemoryBus()
    state = LiveState(bus) if with_figures else None
    readers = [bus.subscribe() for _ in range(subscriptions)]

    def work() -> None:
        for batch in material:
            bus.publish(batch)
            for reader in readers:
                reader.take()

    used = cpu_us(work)
    assert state is None or sum(state.snapshot(0).totals.values()) == sum(map(len, material))
    return used


def _encode(events: list[Event]) -> None:
    for seq, event in enumerate(events):
        encode_notice(Notice(seq, event.kind, event.received_at, event))
