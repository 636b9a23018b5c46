"""
The charts of the standard notebook on ten million events, and pandas doing the same.

Each chart is asked of a recording as the notebook asks it: through
``open_recording`` and the functions of the analysis. pandas, where it is installed,
answers some of the same questions from the same file, reading the columns it needs.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from toolkit import analysis
from toolkit.bench.machine import Figure
from toolkit.bench.many_events import write_recording
from toolkit.store.reader import Recording, open_recording

__all__ = ["measure"]

CHART_S_MAX = 1.0


def measure(events: int, rounds: int) -> Iterator[Figure]:
    """Yield seconds per chart, the best of some rounds, and what pandas takes for some of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.duckdb"
        began_s = time.monotonic()
        write_recording(path, events)
        made_s = time.monotonic() - began_s
        note = f"{events:,} events, made in {made_s:.0f} s; payloads left out"
        yield Figure("queries: size per event", path.stat().st_size / events, "bytes", note=note)
        with open_recording(path) as rec:
            ours = {}
            for name, chart in _charts(rec).items():
                ours[name] = _best_s(chart, rounds)
                yield Figure(f"queries: {name}", ours[name], "s", CHART_S_MAX, at_most=True)
            yield from _rival(rec, ours, rounds)


def _charts(rec: Recording) -> dict[str, Callable[[], Any]]:
    """Return what each chart and table of the standard notebook asks for."""
    until = rec.coverage.ended_at
    return {
        "coverage": lambda: analysis.coverage_box(rec.segments, rec.frames, until),
        "activity per minute": lambda: analysis.activity_per_minute(
            rec.segments, {"comments": rec.comments, "joins": rec.joins}, until
        ),
        "viewers over time": lambda: analysis.viewers_over_time(rec.viewer_counts, rec.gaps),
        "chatters": lambda: analysis.chatters(rec.comments, rec.users),
        "chatters per minute": lambda: analysis.chatters_per_minute(rec.comments, rec.segments, until),
        "gifts": lambda: analysis.diamonds_by_gift(analysis.gift_streaks(rec.gifts)),
        "givers": lambda: analysis.diamonds_by_giver(analysis.gift_streaks(rec.gifts), rec.users),
        "questions": lambda: analysis.questions_asked(rec.comments, rec.questions),
        "words": lambda: analysis.word_counts(rec.comments),
        "emoji": lambda: analysis.emoji_counts(rec.comments),
        "languages": lambda: analysis.language_counts(rec.comments),
        "delay": lambda: analysis.delay_summary(rec.comments),
        "gaps": lambda: analysis.gap_list(rec.gaps, rec.comments, until),
    }


def _best_s(work: Callable[[], Any], rounds: int) -> float:
    best_s = float("inf")
    for _ in range(rounds):
        began_s = time.perf_counter()
        work()
        best_s = min(best_s, time.perf_counter() - began_s)
    return best_s


# -- the rival ----------------------------------------------------------------


def _rival(rec: Recording, ours: dict[str, float], rounds: int) -> Iterator[Figure]:
    if importlib.util.find_spec("pandas") is None:
        return
    for name, work in _pandas_charts(rec).items():
        their_s = _best_s(work, rounds)
        yield Figure(
            f"queries: times as fast as pandas, {name}",
            their_s / ours[name],
            "x",
            note=f"pandas {their_s:.2f} s, the same rows from the same file",
        )


def _pandas_charts(rec: Recording) -> dict[str, Callable[[], Any]]:
    def frame(table: str, columns: str) -> Any:
        return rec.sql(f"SELECT {columns} FROM {table}").to_pandas()

    def per_minute() -> Any:
        frames = [frame(table, "received_at") for table in ("comments", "joins")]
        return [f.groupby(f["received_at"].dt.floor("1min")).size() for f in frames]

    def chatters() -> Any:
        grouped = frame("comments", "seq, user_id, received_at").groupby("user_id")
        counted = grouped.agg(n=("seq", "size"), first=("received_at", "min"), last=("received_at", "max"))
        return counted.join(frame("users", "user_id, handle").set_index("user_id"))

    def words() -> Any:
        comments = frame("comments", "user_id, text")
        found = comments["text"].str.lower().str.findall(r"\w{2,}")
        exploded = comments[["user_id"]].assign(word=found).explode("word").dropna()
        return exploded.groupby("word")["user_id"].nunique().sort_values(ascending=False)

    def languages() -> Any:
        comments = frame("comments", "seq, user_id, language")
        return comments.groupby("language").agg(n=("seq", "size"), writers=("user_id", "nunique"))

    return {
        "activity per minute": per_minute,
        "chatters": chatters,
        "words": words,
        "languages": languages,
    }
