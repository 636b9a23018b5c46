"""What a transport bar draws: how much was written when, what was missed, what stood out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.model.plan import Break

__all__ = ["Marker", "Timeline"]


@dataclass(frozen=True, slots=True)
class Marker:
    """
    Something that stood out.

    Attributes:
        at_s: Where, seconds of the plan.
        kind: ``gift`` or ``question``.
        text: What a person may read: a viewer's words, hostile like all of them.
        diamonds: What a gift was worth; 0 for anything else.
    """

    at_s: float
    kind: str
    text: str
    diamonds: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """
    A plan at a glance, in equal stretches.

    Attributes:
        duration_s: Its length.
        comments: Comments in each stretch.
        messages: Messages of all kinds in each.
        breaks: What nobody observed.
        markers: In order.
    """

    duration_s: float
    comments: Sequence[int]
    messages: Sequence[int]
    breaks: Sequence[Break]
    markers: Sequence[Marker]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "duration_s": round(self.duration_s, 3),
            "bucket_s": round(self.duration_s / len(self.comments), 6),
            "comments": list(self.comments),
            "messages": list(self.messages),
            "gaps": [
                {"from_s": round(b.from_s, 3), "until_s": round(b.until_s, 3), "cause": b.cause}
                for b in self.breaks
            ],
            "markers": [
                {"at_s": round(m.at_s, 3), "kind": m.kind, "text": m.text, "diamonds": m.diamonds}
                for m in self.markers
            ],
        }
