"""Plots as inline SVG: lines over time and latencies by percentile. No script, nothing from outside."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Axis", "Series", "lines_plot", "nines_axis", "time_axis"]

WIDTH, HEIGHT = 760, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 128, 14, 40
_LABEL_GAP = 14
"""Least distance of two labels at the right edge, in pixels."""
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 5

Series = Mapping[str, Sequence[tuple[float, float]]]
"""Points by name, in the order of x."""


@dataclass(frozen=True, slots=True)
class Axis:
    """
    The x axis.

    Attributes:
        label: What it shows, with its unit.
        ticks: Values with their words.
        place: From a value to 0 (left) to 1 (right).
    """

    label: str
    ticks: Sequence[tuple[float, str]]
    place: Callable[[float], float]


def time_axis(seconds: float) -> Axis:
    """Return an axis from 0 to ``seconds``."""
    end = max(seconds, 1.0)
    step = _nice(end / _TICKS)
    ticks = [(n * step, f"{n * step:g}") for n in range(int(end / step) + 1)]
    return Axis("seconds", ticks, lambda at: min(at / end, 1.0))


def nines_axis() -> Axis:
    """Return an axis of percentiles on which each further nine takes the same room."""
    shown = ((0, "0"), (50, "50"), (90, "90"), (99, "99"), (99.9, "99.9"), (100, "max"))

    def place(percentile: float) -> float:
        return min(-math.log10(max(1 - percentile / 100, 1e-4)) / 4, 1.0)

    return Axis("percentile", shown, place)


def lines_plot(series: Series, axis: Axis, unit: str, *, limit: float | None = None) -> str:
    """
    Return a plot of lines, each labelled where it ends.

    Args:
        series: Their points.
        axis: The x axis.
        unit: Of y; its axis begins at 0.
        limit: A value that is not to be exceeded, drawn as a line of its own.
    """
    highest = max((y for points in series.values() for _, y in points), default=0.0)
    top = _ceiling(max(highest, limit * 1.1 if limit is not None and limit < highest * 4 else 0.0, 1e-9))
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(", ".join(series))}">']
    parts += _grid(axis, top, unit)
    if limit is not None and limit <= top:
        y = _y(limit, top)
        parts.append(f'<line class="limit" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="limit" x="{_LEFT + 4}" y="{y - 4:.1f}">limit {limit:g} {escape(unit)}</text>'
        )
    ends = []
    for number, (name, points) in enumerate(series.items()):
        if points:
            path = " ".join(f"{_x(axis, x):.1f},{_y(y, top):.1f}" for x, y in points)
            parts.append(f'<polyline class="s{number}" points="{path}"/>')
            ends.append((_y(points[-1][1], top), number, name))
    parts += _labels(ends)
    return "".join([*parts, "</svg>"])


def _grid(axis: Axis, top: float, unit: str) -> list[str]:
    parts = []
    step = _nice(top / _TICKS)
    for n in range(round(top / step) + 1):
        y = _y(n * step, top)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick" text-anchor="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{n * step:,g}</text>'
        )
    for value, word in axis.ticks:
        x = _x(axis, value)
        parts.append(f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{HEIGHT - 22}">{word}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(
        f'<text class="tick" text-anchor="middle" x="{middle}" y="{HEIGHT - 5}">{escape(axis.label)}</text>'
    )
    parts.append(f'<text class="tick" x="4" y="{_TOP - 2}">{escape(unit)}</text>')
    return parts


def _labels(ends: list[tuple[float, int, str]]) -> list[str]:
    """Return the names at the right edge, moved apart where lines end close together."""
    parts = []
    lowest = -math.inf
    for y, number, name in sorted(ends):
        lowest = max(y, lowest + _LABEL_GAP)
        x = WIDTH - _RIGHT + 8
        parts.append(f'<text class="s{number}" x="{x}" y="{lowest + 4:.1f}">{escape(name)}</text>')
    return parts


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.place(value) * (WIDTH - _LEFT - _RIGHT)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - value / top * (HEIGHT - _TOP - _BOTTOM)


def _nice(step: float) -> float:
    """Return the next number that people like to count in."""
    power = 10.0 ** math.floor(math.log10(max(step, 1e-9)))
    return next(power * factor for factor in _STEPS if power * factor >= step * 0.999)


def _ceiling(highest: float) -> float:
    step = _nice(highest / _TICKS)
    return math.ceil(highest / step - 1e-9) * step
