"""
Presets: options and styles of the overlay under a name, so that the address in OBS stays short.

What is saved is read by every open page at once. A style sheet is somebody's text: it may
change how our page looks, and may neither load anything nor reach beyond the page.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.bus.memory import MemoryBus
from toolkit.show.keeping import StateFile
from toolkit.show.part import ShowError

__all__ = ["OPTIONS", "Preset", "PresetNotFound", "Presets"]

log = logging.getLogger("toolkit.show")

OPTIONS = frozenset(
    {
        "view", "show", "hide", "theme", "lang", "align", "scale", "limit", "fade", "motion", "smooth",
        "status", "transparent", "ribbon", "avatars", "policy", "sound", "sounds", "tts",
        "board", "bgColor", "fontColor",
    }
)  # fmt: skip
"""What a preset may set. What a test or a load test asks for stays in the address."""

PRESETS_MAX = 64
VALUE_CHARS_MAX = 120
CSS_BYTES_MAX = 16 * 1024
_NAME = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
_LOADS = re.compile(
    r"@import|@font-face|@namespace|@charset"
    r"|url\((?!\s*['\"]?data:image/(?:png|jpeg|gif|webp|avif|svg\+xml)[;,])"
    r"|(?:image-set|cross-fade|src|element|paint)\(",
)
_SURROGATES = range(0xD800, 0xE000)


class PresetNotFound(ShowError):
    """There is no preset of that name."""


@dataclass(frozen=True, slots=True)
class Preset:
    """
    One preset.

    Attributes:
        name: Lower-case letters, digits and hyphens.
        options: As they would stand in the address.
        css: Further styles; they win over the theme without force.
    """

    name: str
    options: Mapping[str, str]
    css: str = ""

    @property
    def revision(self) -> str:
        """A text that changes with the content."""
        return hashlib.sha256(repr((sorted(self.options.items()), self.css)).encode()).hexdigest()[:12]

    def told(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "name": self.name, "options": dict(self.options), "css": self.css, "revision": self.revision,
        }  # fmt: skip


class Presets:
    """All presets, in memory and in a file. Methods may be called from any thread."""

    def __init__(self, path: Path | None, bus: MemoryBus) -> None:
        """
        Read what is there.

        Args:
            path: Where they are kept; None for nowhere.
            bus: Where a change is announced as ``overlay:preset``.
        """
        self._lock = threading.Lock()
        self._bus = bus
        self._file = StateFile(path) if path is not None else None
        self._presets: dict[str, Preset] = {}
        for name, values in (self._file.load() if self._file is not None else {}).items():
            try:
                self._presets[name] = read_preset(name, values)
            except ShowError as error:
                log.warning("a preset is left out: %s", error)

    def all(self) -> list[Preset]:
        """Return them by name."""
        with self._lock:
            return [self._presets[name] for name in sorted(self._presets)]

    def get(self, name: str) -> Preset:
        """
        Return one.

        Raises:
            PresetNotFound: There is none of that name.
        """
        with self._lock:
            preset = self._presets.get(name)
        if preset is None:
            raise PresetNotFound("No preset has that name.", hint="GET /api/overlay/presets lists them.")
        return preset

    def put(self, name: str, values: Mapping[str, Any]) -> Preset:
        """
        Save one, new or changed; open pages take it up at once.

        Raises:
            ShowError: Name, options or styles are not what a preset may have.
        """
        preset = read_preset(name, values)
        with self._lock:
            if name not in self._presets and len(self._presets) >= PRESETS_MAX:
                raise ShowError(f"There are {PRESETS_MAX} presets already.", hint="Remove one first.")
            self._presets[name] = preset
            self._save()
        self._announce(preset.name, preset.revision)
        return preset

    def remove(self, name: str) -> None:
        """
        Forget one; pages that use it look as if they had none.

        Raises:
            PresetNotFound: There is none of that name.
        """
        self.get(name)
        with self._lock:
            self._presets.pop(name, None)
            self._save()
        self._announce(name, "")

    def _save(self) -> None:
        if self._file is not None:
            kept = {p.name: {"options": dict(p.options), "css": p.css} for p in self._presets.values()}
            self._file.save(kept)

    def _announce(self, name: str, revision: str) -> None:
        self._bus.publish([("overlay:preset", {"name": name, "revision": revision})])


def read_preset(name: str, values: Mapping[str, Any]) -> Preset:
    """
    Return the preset that a request or a file describes.

    Raises:
        ShowError: It is not one; the sentence says why.
    """
    if not _NAME.fullmatch(name):
        raise ShowError(
            "A preset's name is 1 to 32 small letters, digits and hyphens.", hint="Such as evening-live."
        )
    options, css = values.get("options", {}), values.get("css", "")
    if not isinstance(options, Mapping):
        raise ShowError("options must be an object.", hint='Such as {"theme": "paper"}.')
    if not isinstance(css, str):
        raise ShowError("css must be a text.", hint="It may be empty.")
    return Preset(name, {key: _option(key, value) for key, value in options.items()}, checked_css(css))


def _option(key: Any, value: Any) -> str:
    if key not in OPTIONS:
        raise ShowError(f"{str(key)[:40]!r} is not an option of a preset.", hint="The builder lists them.")
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if not isinstance(value, str) or len(value) > VALUE_CHARS_MAX or not value.isprintable():
        raise ShowError(
            f"The value of {key} must be a text of at most {VALUE_CHARS_MAX} characters.",
            hint="As it would stand in the address.",
        )
    return value


def checked_css(css: str) -> str:
    """
    Return styles that load nothing.

    The page's policy would refuse to load it anyway; somebody who pastes such styles
    hears of it here, and not by a broken look.

    Raises:
        ShowError: They are too large or would load something.
    """
    if len(css.encode("utf-8", "replace")) > CSS_BYTES_MAX:
        raise ShowError(f"The styles are larger than {CSS_BYTES_MAX // 1024} KiB.", hint="Shorten them.")
    if _CONTROLS.search(css) or any(ord(c) in _SURROGATES for c in css):
        raise ShowError("The styles hold control characters.", hint="Paste them as plain text.")
    # With comments and without: what looks like one may stand in a string, and the other way round.
    for text in (css, _COMMENT.sub("", css)):
        found = _LOADS.search(_ESCAPE.sub(_unescaped, text).lower())
        if found is not None:
            raise ShowError(
                f"The styles would load something: {found.group()}...",
                hint="Pictures may be inside as data:image/png and the like; fonts come from the system.",
            )
    return css


def _unescaped(escape: re.Match[str]) -> str:
    if escape.group(1) is None:
        return str(escape.group(2))
    code = int(escape.group(1), 16)
    return chr(code) if 0 < code < 0x110000 and code not in _SURROGATES else "\ufffd"
