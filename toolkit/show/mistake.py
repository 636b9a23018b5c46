"""One thing that is wrong with what somebody has written: where, and what."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mistake"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One thing that is wrong, with a file or with what was typed.

    Attributes:
        file: Its name; empty for a question that is in no file.
        line: Where, 1-based; 0 for the file as a whole.
        field: Which field; empty for the question as a whole.
        problem: What, in a few words.
    """

    file: str
    line: int
    field: str
    problem: str

    def __str__(self) -> str:
        """Return ``questions.csv:4: seconds: ...``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.problem) if part)
