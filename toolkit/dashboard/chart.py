"""The activity chart: one point per second, ten minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import panel as pn
from bokeh.models import ColumnDataSource, DatetimeTickFormatter, HoverTool, Range1d
from bokeh.plotting import figure

from toolkit.bus.live_state import HISTORY_S
from toolkit.dashboard.board import Reading

__all__ = ["Chart"]

HEIGHT_PX = 216
WINDOW_MS_MIN = 60_000
HEIGHT_MIN = 4.0
ZONE_MINUTES_MAX = 14 * 60
"""The Line Islands are 14 hours ahead."""
# Text at least 4.5:1 on the card behind it, lines at least 3:1.
COLOURS = {
    "light": {
        "text": "#5a6275", "grid": "#e6e9f0", "comments": "#5b4bdb", "events": "#0f8a7e", "gaps": "#b8741a",
    },
    "dark": {
        "text": "#9aa3b5", "grid": "#262b36", "comments": "#9d93ff", "events": "#3cc7b6", "gaps": "#d9a441",
    },
}  # fmt: skip


class Chart:
    """
    Comments and all events per second; hatched where nothing was observed.

    Attributes:
        root: What the page shows.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words
        self._source = ColumnDataSource({"at": [], "comments": [], "events": []})
        self._gaps = ColumnDataSource({"from": [], "until": [], "top": []})
        self._run_seq = -1
        self._last_s = 0
        self._ahead_s = 0
        self._figure = self._draw()
        self.root = pn.pane.Bokeh(self._figure, sizing_mode="stretch_width", height=HEIGHT_PX)

    def update(self, reading: Reading) -> None:
        """Append the seconds this page has not drawn; begin again with another run."""
        if reading.run_seq != self._run_seq:
            self._run_seq, self._last_s = reading.run_seq, 0
            if self._source.data["at"]:
                self._source.data = {"at": [], "comments": [], "events": []}
        # After a run its last ten minutes stay as they were.
        if reading.run == "none" and self._last_s:
            return
        fresh = [row for row in reading.history if row[0] > self._last_s]
        if not fresh:
            return
        self._last_s = fresh[-1][0]
        columns: dict[str, list[Any]] = {
            "at": [(second + self._ahead_s) * 1000 for second, _, _ in fresh],
            "comments": [comments for _, comments, _ in fresh],
            "events": [events for _, _, events in fresh],
        }
        self._source.stream(columns, rollover=HISTORY_S)
        self._frame(reading.history)
        self._hatch(reading.gaps, fresh[-1][0])

    def _hatch(self, gaps: list[tuple[float, float | None]], now_s: int) -> None:
        """Mark what was not observed. A gap that lasts grows with the chart."""
        seen = [(start, now_s if end is None else end) for start, end in gaps]
        seen = [(start, end) for start, end in seen if end > now_s - HISTORY_S]
        columns = {
            "from": [(start + self._ahead_s) * 1000 for start, _ in seen],
            "until": [(end + self._ahead_s) * 1000 for _, end in seen],
            # Not up to the edge: what is drawn there is not wiped when the chart moves on.
            "top": [0.99 * self._figure.y_range.end] * len(seen),
        }
        if columns != self._gaps.data:
            self._gaps.data = columns

    def _frame(self, history: list[tuple[int, int, int]]) -> None:
        """Fit the axes: from the start of the run, or ten minutes back, to now."""
        end_ms = (history[-1][0] + self._ahead_s) * 1000
        start_ms = (history[0][0] + self._ahead_s) * 1000
        self._figure.x_range.update(start=min(start_ms, end_ms - WINDOW_MS_MIN), end=end_ms)
        top = max(HEIGHT_MIN, 1.15 * max(events for _, _, events in history))
        self._figure.y_range.end = top

    def set_theme(self, theme: str) -> None:
        """Recolour for ``light`` or ``dark``."""
        colours = COLOURS.get(theme, COLOURS["light"])
        for axis in (*self._figure.xaxis, *self._figure.yaxis):
            axis.major_label_text_color = colours["text"]
        self._figure.ygrid.grid_line_color = colours["grid"]
        hatch = self._figure.select_one({"name": "gaps"}).glyph
        hatch.fill_color = hatch.hatch_color = colours["gaps"]
        for name in ("comments", "events"):
            renderer = self._figure.select_one({"name": name})
            renderer.glyph.line_color = colours[name]
            area = self._figure.select_one({"name": f"{name}-area"})
            area.glyph.fill_color = colours[name]

    def set_zone(self, minutes_ahead: object) -> None:
        """Show the browser's local time: so many minutes ahead of UTC. Bokeh knows no zones."""
        if not isinstance(minutes_ahead, int) or abs(minutes_ahead) > ZONE_MINUTES_MAX:
            return
        if self._ahead_s != 60 * minutes_ahead:
            self._ahead_s = 60 * minutes_ahead
            self._run_seq = -1  # the next update draws everything again

    def _draw(self) -> figure:
        plot = figure(
            height=HEIGHT_PX,
            sizing_mode="stretch_width",
            x_axis_type="datetime",
            x_range=Range1d(0, WINDOW_MS_MIN),
            y_range=Range1d(0, HEIGHT_MIN),
            toolbar_location=None,
            tools="",
            min_border=0,
            outline_line_color=None,
            background_fill_color=None,
            border_fill_color=None,
        )
        for name, width in (("events", 1.5), ("comments", 2.0)):
            plot.varea("at", y1=0, y2=name, source=self._source, fill_alpha=0.10, name=f"{name}-area")
            plot.line("at", name, source=self._source, line_width=width, name=name)
        plot.quad(
            "from", "until", "top", 0, source=self._gaps, name="gaps", line_color=None, fill_alpha=0.12,
            hatch_pattern="/", hatch_alpha=0.55, hatch_weight=1.0, hatch_scale=8.0,
        )  # fmt: skip
        self._dress(plot)
        self._figure = plot
        self.set_theme("light")
        return plot

    def _dress(self, plot: figure) -> None:
        for axis in (*plot.xaxis, *plot.yaxis):
            axis.axis_line_color = None
            axis.major_tick_line_color = None
            axis.minor_tick_line_color = None
            axis.major_label_text_font = "system-ui"
            axis.major_label_text_font_size = "12px"
        plot.xaxis.formatter = DatetimeTickFormatter(
            seconds="%H:%M:%S", minsec="%H:%M:%S", minutes="%H:%M", hourmin="%H:%M", hours="%H:%M"
        )
        plot.xaxis.ticker.desired_num_ticks = 4
        plot.yaxis.ticker.desired_num_ticks = 4
        plot.yaxis.ticker.min_interval = 1
        plot.xgrid.grid_line_color = None
        plot.add_tools(
            HoverTool(
                tooltips=[
                    ("", "@at{%T}"),
                    (self._words["comments"], "@comments"),
                    (self._words["events"], "@events"),
                ],
                formatters={"@at": "datetime"},
                mode="vline",
                renderers=[plot.select_one({"name": "comments"})],
            )
        )
