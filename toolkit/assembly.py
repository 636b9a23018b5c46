"""Parts made as the settings want them."""

from __future__ import annotations

import sys
import time
from random import Random

from toolkit import garbage
from toolkit.bus.memory import MemoryBus
from toolkit.capture.options import SourceOptions
from toolkit.capture.recorder import Recorder, Source
from toolkit.clock import Clock
from toolkit.config import Settings
from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.budget import UNLIMITED, SignLimits
from toolkit.show.conductor import Conductor, Keeper
from toolkit.show.moderation.decisions import DECIDED, Decisions
from toolkit.show.moderation.gate import Gate
from toolkit.show.points.scorebook import ScoreBook
from toolkit.show.points.weeks import Weeks
from toolkit.show.programme import programme
from toolkit.show.rounds import RESULT

__all__ = ["new_recorder", "new_show"]


def new_show(settings: Settings, bus: MemoryBus, clock: Clock, gate: Gate) -> Conductor:
    """Return the show of this process; it begins with ``start``. Its moderation sets the gate's rules."""
    folder = settings.show_folder
    decisions, book = Decisions(folder), ScoreBook(folder)
    gate.follow(bus, decisions.of)
    weeks = Weeks(settings.week_begins, settings.time_zone)
    parts = programme(folder, seed=Random().getrandbits(32), gate=gate, weeks=weeks, history=book.earlier)
    keepers: dict[str, list[Keeper]] = {RESULT: [book.put], DECIDED: [decisions.keep]}
    return Conductor(
        bus,
        parts,
        clock=clock,
        folder=folder,
        keepers=keepers,
        give_way=time.sleep,
    )


def new_recorder(
    user: str,
    settings: Settings,
    bus: MemoryBus,
    clock: Clock,
    *,
    keep_trying: bool = True,
    keep_waiting: bool = False,
) -> Recorder:
    """
    Return a recorder for ``user`` as the settings want it.

    Imports TikTokLive, which takes two seconds: call it in the recorder's thread.
    """
    is_first = "TikTokLive" not in sys.modules
    from toolkit.capture.reachability import is_reachable
    from toolkit.capture.tiktok_source import TikTokSource

    if is_first:
        garbage.leave_alone_what_is_imported()
    options = SourceOptions(
        app_url=settings.app_url,
        webcast_url=settings.webcast_url,
        sign_url=settings.sign_url,
        sign_api_key=settings.sign_api_key.get_secret_value(),
    )
    policy = BackoffPolicy(
        base_s=settings.reconnection_base_delay_ms / 1000,
        ceiling_s=settings.reconnection_max_delay_ms / 1000,
        multiplier=settings.reconnection_multiplier,
        attempts_max=settings.reconnection_max_attempts,
    )

    def new_source() -> Source:
        return TikTokSource(options, user, clock)

    async def probe() -> bool:
        return await is_reachable(options.webcast_url)

    return Recorder(
        user,
        folder=settings.recordings,
        bus=bus,
        clock=clock,
        policy=policy,
        rng=Random(),
        new_source=new_source,
        keep_trying=keep_trying,
        keep_waiting=keep_waiting,
        sign_limits=_sign_limits(settings, options),
        probe=probe,
    )


def _sign_limits(settings: Settings, options: SourceOptions) -> SignLimits:
    limits = {window: f"sign_budget_{window}" for window in ("minute", "hour", "day")}
    if options.is_signer_local and not settings.model_fields_set.intersection(limits.values()):
        # A service on this machine counts nothing, unless somebody wants it counted.
        return UNLIMITED
    return SignLimits(**{window: getattr(settings, name) for window, name in limits.items()})
