"""
The rota: when the next question goes on air by itself, and whether the bank or the audience has it.

Pure arithmetic: the host tells it what goes on and comes off, and asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.show.part import ShowError
from toolkit.show.request import read_choice, read_flag, read_number

__all__ = ["Rota"]

MODES = ("off", "timer", "winner")
EVERY_S, EVERY_S_MIN, EVERY_S_MAX = 30.0, 5.0, 3600.0
PAUSE_US = 500_000
"""Between two cards: one leaves before the next enters."""


class Rota:
    """
    What the operator has set, and whose turn it is.

    Attributes:
        takes_audience: Questions of the audience go on air by themselves.
        free_at: Before this nothing goes on air by itself.
    """

    def __init__(self) -> None:
        self.takes_audience = True
        self._mode, self._every_s = MODES[0], EVERY_S
        self._bank_at = self.free_at = 0
        self._is_audiences_turn = True

    def set(self, values: Mapping[str, Any]) -> None:
        """
        Set mode, time between questions, and whether the audience has its turns.

        Raises:
            ShowError: A value means nothing; then none is set.
        """
        mode = read_choice(values, "mode", MODES, self._mode)
        every_s = read_number(values, "every_s", EVERY_S_MIN, EVERY_S_MAX, self._every_s)
        self.takes_audience = read_flag(values, "audience", self.takes_audience)
        self._mode, self._every_s = mode, every_s

    def begin(self) -> None:
        """Forget what was on air: the first question of a run waits for no timer."""
        self._bank_at = 0

    def put_on(self, *, is_bank: bool, now: int) -> None:
        """Note that a question goes on air."""
        self._is_audiences_turn = is_bank
        if is_bank:
            self._bank_at = now

    def taken_off(self, now: int) -> None:
        """Note that nothing is on air any more."""
        self.free_at = now + PAUSE_US

    def due(self, *, has_asked: bool, has_bank: bool) -> int | None:
        """Return when the next goes on air, as long as nothing is; None for not by itself."""
        return self.free_at if has_asked else self._bank_due(has_bank)

    def is_audiences(self, at: int, *, has_asked: bool, has_bank: bool) -> bool:
        """Whether the audience has the next one, if it goes on air at that moment."""
        bank_due = self._bank_due(has_bank)
        return has_asked and (self._is_audiences_turn or bank_due is None or bank_due > at)

    def _bank_due(self, has_bank: bool) -> int | None:
        if self._mode == "off" or not has_bank:
            return None
        if self._mode == "timer":
            return max(self.free_at, self._bank_at + round(self._every_s * 1e6))
        return self.free_at

    def state(self) -> dict[str, Any]:
        """Return the settings."""
        return {"mode": self._mode, "every_s": self._every_s, "audience": self.takes_audience}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up settings, those that mean something."""
        for name in ("mode", "every_s", "audience"):
            try:
                self.set({name: saved[name]} if name in saved else {})
            except ShowError:
                continue
