"""
The stage: what holds for every widget of the overlay, whatever is shown.

Blank is the panic button: an overlay with a blank stage paints nothing, and the show
goes on behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.model.event import Event
from toolkit.show.part import ShowError
from toolkit.show.request import read_choice, read_flag, read_number, read_text

__all__ = ["LANGUAGES", "Stage"]

LANGUAGES = ("en", "fr")
VOLUME_DEFAULT = 0.6
"""Below the voice of whoever speaks; alerts differ from each other, this is for all."""
PRESET_CHARS_MAX = 40


class Stage:
    """The part ``stage``."""

    name = "stage"
    actions = frozenset(
        {"stage.blank", "stage.language", "stage.speech", "stage.hush", "stage.volume", "stage.preset"}
    )

    def __init__(self) -> None:
        self.version = 1
        self._is_blank = False
        self._language = "en"
        self._preset = ""
        self._speaks = False
        self._hushes = 0
        self._volume = VOLUME_DEFAULT

    def take(self, notice: Notice, now: int) -> None:
        """Take no notice: what the operator has set holds for every run."""

    def tick(self, now: int) -> int | None:
        """Do nothing; nothing here is ever due."""
        return None

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """
        Set one thing.

        Raises:
            ShowError: Its value means nothing.
        """
        match action:
            case "stage.blank":
                self._is_blank = read_flag(values, "on")
            case "stage.language":
                self._language = read_choice(values, "language", LANGUAGES)
            case "stage.speech":
                self._speaks = read_flag(values, "on")
            case "stage.hush":
                # A number, not a moment: a screen that joins late has nothing to stop.
                self._hushes += 1
            case "stage.volume":
                self._volume = read_number(values, "volume", 0, 1)
            case "stage.preset":
                self._preset = read_text(values, "preset", "", chars_max=PRESET_CHARS_MAX)
        self.version += 1

    def state(self) -> dict[str, Any]:
        """Return how the stage is set."""
        return {
            "is_blank": self._is_blank,
            "language": self._language,
            "preset": self._preset,
            "speech": {"on": self._speaks, "stop": self._hushes},
            "sound": {"volume": self._volume},
        }

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return nothing: the state says it all."""
        return ()

    def saved(self) -> dict[str, Any]:
        """Return the settings. A panic is over with the process that it was in."""
        return {
            "language": self._language,
            "preset": self._preset,
            "speech": self._speaks,
            "volume": self._volume,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up settings; what cannot be read stays as it is."""
        for action, name, as_name in (
            ("stage.language", "language", "language"),
            ("stage.preset", "preset", "preset"),
            ("stage.speech", "speech", "on"),
            ("stage.volume", "volume", "volume"),
        ):
            try:
                self.command(action, {as_name: saved.get(name)}, 0)
            except ShowError:
                continue
