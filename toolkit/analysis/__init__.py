"""
Figures of a recording: polars in, polars out.

Pure functions over the tables that :func:`toolkit.open_recording` gives (or any frames
with the same columns), the same for notebooks and for the dashboard. None of them opens
a file, draws, or knows which recording it looks at.

Two rules hold everywhere:

- **A rate is divided by observed time.** A minute nobody observed has no rate (null),
  which is something else than a quiet minute (0).
- **Minutes are counted on our clock** (``received_at``), because gaps are. Comments that
  TikTok replays after a connect (``is_history``) tell who wrote and what, never how
  much happened in the minute they arrived in.

Stands beside capture and replay; the store, the model and the errors are below it.
"""

from __future__ import annotations

from toolkit.analysis.activity import activity_per_minute, viewers_over_time
from toolkit.analysis.audience import chatters, chatters_per_minute
from toolkit.analysis.chat import emoji_counts, language_counts, questions_asked, word_counts
from toolkit.analysis.coverage import coverage_box, delay_summary, gap_list
from toolkit.analysis.gifts import diamonds_by_gift, diamonds_by_giver, gift_streaks
from toolkit.analysis.observed import Frame, minutes_observed

__all__ = [
    "Frame",
    "activity_per_minute",
    "chatters",
    "chatters_per_minute",
    "coverage_box",
    "delay_summary",
    "diamonds_by_gift",
    "diamonds_by_giver",
    "emoji_counts",
    "gap_list",
    "gift_streaks",
    "language_counts",
    "minutes_observed",
    "questions_asked",
    "viewers_over_time",
    "word_counts",
]
