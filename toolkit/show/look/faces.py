"""
The pictures of viewers: where each is to be had, and those that were fetched.

No network here: :mod:`toolkit.web.pictures` fetches. Addresses are learnt from what goes
over the bus and kept in memory; pictures are kept in a folder, the oldest go first.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice
from toolkit.clock import Clock
from toolkit.model.event import Event
from toolkit.show.keeping import replace_whole

__all__ = ["PICTURE_BYTES_MAX", "Faces", "type_of"]

log = logging.getLogger("toolkit.show")

ADDRESSES_MAX = 5_000
ADDRESS_CHARS_MAX = 2_000
PICTURES_MAX = 400
PICTURE_BYTES_MAX = 128 * 1024
"""TikTok's small pictures are 3 to 20 KB; with the number above, 50 MB at the very most."""
FRESH_S = 7 * 86_400
"""After that somebody may look different, and has a right to be forgotten."""

_MAGIC = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"))
_ENDINGS = ("png", "jpeg", "webp")


def type_of(picture: bytes) -> str | None:
    """Return ``png``, ``jpeg`` or ``webp`` by what is in it; None for anything else."""
    for magic, kind in _MAGIC:
        if picture.startswith(magic):
            return kind
    return "webp" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else None


class Faces:
    """Addresses and pictures by user id. Methods may be called from any thread."""

    def __init__(self, bus: MemoryBus, folder: Path | None, clock: Clock) -> None:
        """
        Begin to learn addresses.

        Args:
            bus: Whose events tell them.
            folder: Where pictures are kept; None for nowhere.
            clock: Wall clock, as that of the files' times.
        """
        self._folder = folder
        self._clock = clock
        self._addresses: OrderedDict[int, str] = OrderedDict()
        bus.tap(self._learn)

    def _learn(self, notices: list[Notice]) -> None:
        # In the publisher's thread, for every event: nothing here may wait.
        for notice in notices:
            user = notice.data.user if isinstance(notice.data, Event) else None
            if user is not None and user.avatar_url:
                self._addresses[user.user_id] = user.avatar_url[:ADDRESS_CHARS_MAX]
                self._addresses.move_to_end(user.user_id)
        while len(self._addresses) > ADDRESSES_MAX:
            self._addresses.popitem(last=False)

    def address_of(self, user_id: int) -> str | None:
        """Return where the viewer's picture is said to be; None if nobody said. Not to be trusted."""
        return self._addresses.get(user_id)

    def kept(self, user_id: int) -> bytes | None:
        """Return the picture from the folder; None if it is not there or no longer fresh."""
        for path in self._paths(user_id):
            try:
                if self._clock.now_us() / 1e6 - path.stat().st_mtime <= FRESH_S:
                    return path.read_bytes()
            except OSError:
                continue
        return None

    def keep(self, user_id: int, picture: bytes) -> None:
        """Keep a picture; a disk that refuses costs nothing but the next fetch."""
        kind = type_of(picture)
        if self._folder is None or kind is None or len(picture) > PICTURE_BYTES_MAX:
            return
        try:
            self._remove(user_id)
            replace_whole(self._folder / f"{user_id}.{kind}", picture)
            self._drop_oldest()
        except OSError as error:
            log.warning("a picture cannot be kept: %s", error.strerror)

    def forget(self, user_id: int) -> None:
        """Remove a viewer's picture and address."""
        self._addresses.pop(user_id, None)
        self._remove(user_id)

    def _remove(self, user_id: int) -> None:
        for path in self._paths(user_id):
            with suppress(FileNotFoundError):
                path.unlink()

    def _paths(self, user_id: int) -> list[Path]:
        folder = self._folder
        return [] if folder is None else [folder / f"{user_id}.{ending}" for ending in _ENDINGS]

    def _drop_oldest(self) -> None:
        assert self._folder is not None
        found = [path for path in self._folder.iterdir() if path.suffix[1:] in _ENDINGS]
        if len(found) > PICTURES_MAX:
            found.sort(key=lambda path: path.stat().st_mtime)
            for path in found[: len(found) - PICTURES_MAX]:
                path.unlink(missing_ok=True)
