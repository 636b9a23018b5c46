"""
How busy a room is, and with what: named presets and their measured mixes.

The one list of presets: the simulator's, those of workloads and of load tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

__all__ = ["MESSAGES_PER_START", "PRESETS", "Surge", "TrafficProfile", "profile_named"]

_TYPICAL_MIX: Mapping[str, float] = {
    "join": 36, "gift": 15, "like": 8, "mic": 10, "ticket": 8, "rank": 9, "follow": 2.7, "share": 1.8,
    "goal": 3, "emote": 1, "question": 1.2, "barrage": 0.6, "caption": 1, "envelope": 0.2,
    "subscription": 0.2, "pin": 0.1, "notice": 0.4, "deletion": 0.15, "poll": 0.5, "battle": 1,
    "intro": 0.05, "unmapped": 0.8,
}  # fmt: skip
_BUSY_MIX: Mapping[str, float] = {
    **_TYPICAL_MIX, "join": 11, "gift": 31, "like": 6, "mic": 21, "ticket": 4.5, "rank": 19, "goal": 1,
}  # fmt: skip
_SMALL_MIX: Mapping[str, float] = {
    "join": 55, "gift": 8, "like": 20, "follow": 3, "share": 1, "question": 3, "emote": 1, "caption": 2,
    "poll": 2, "barrage": 1, "notice": 1, "pin": 0.5, "deletion": 0.3, "intro": 0.3, "unmapped": 1.5,
    "subscription": 0.2, "envelope": 0.2, "goal": 2,
}  # fmt: skip

MESSAGES_PER_START: Mapping[str, float] = {
    "gift": 3.9,
    "question": 2.2,
    "poll": 11,
    "battle": 46,
    "envelope": 2,
}
"""What starts one of these sends so many messages over time; all others send one."""

RATE_MAX = 10_000
"""Messages per second; generating them costs about 40 microseconds each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """
    A raid: another room's audience comes in at once, and most of it drifts away again.

    Attributes:
        at_s: When the first one begins, seconds after the start of the live.
        every_s: From one beginning to the next.
        comments: Factor on the rate of comments at the peak.
        others: Factor on the rate of everything else at the peak.
        rise_s: From the usual rate to the peak.
        half_life_s: After the peak, time in which half of the excess is gone.
    """

    at_s: float
    every_s: float
    comments: float
    others: float
    rise_s: float
    half_life_s: float

    def height(self, at_s: float) -> float:
        """Return where it stands, from 0 (as usual) to 1 (the peak)."""
        since_s = (at_s - self.at_s) % self.every_s
        if at_s < self.at_s:
            return 0.0
        if since_s < self.rise_s:
            return since_s / self.rise_s
        return float(0.5 ** ((since_s - self.rise_s) / self.half_life_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficProfile:
    """
    One kind of room.

    Attributes:
        name: What it is called on the command line.
        viewers: How many watch at a time.
        comments_per_s: Mean rate of delivered comments.
        others_per_s: Mean rate of all other messages together.
        mix: Share of each kind among the others, in any unit.
        unevenness: Sigma of the log-normal factor that moves the rates from minute
            to minute; 0 holds them, as a load test wants it.
        viewer_count_s: Seconds between two viewer counts, lower and upper bound.
        surge: What comes on top of the mean rates; None for nothing.
    """

    name: str
    viewers: int
    comments_per_s: float
    others_per_s: float
    mix: Mapping[str, float]
    unevenness: float = 0.0
    viewer_count_s: tuple[float, float] = (2.0, 2.0)
    surge: Surge | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        assert self.viewers >= 1, self.viewers
        assert 0 <= self.comments_per_s <= RATE_MAX, self.comments_per_s
        assert 0 <= self.others_per_s <= RATE_MAX, self.others_per_s

    def at_rate(self, comments_per_s: float | None, others_per_s: float | None = None) -> TrafficProfile:
        """Return the same room at other mean rates; None keeps the present one."""
        return replace(
            self,
            comments_per_s=self.comments_per_s if comments_per_s is None else comments_per_s,
            others_per_s=self.others_per_s if others_per_s is None else others_per_s,
        )


def _load(comments_per_s: int, viewers: int) -> TrafficProfile:
    return TrafficProfile(
        name=f"comments-{comments_per_s}",
        viewers=viewers,
        comments_per_s=comments_per_s,
        others_per_s=150,
        mix=_TYPICAL_MIX,
    )


PRESETS: Mapping[str, TrafficProfile] = {
    profile.name: profile
    for profile in (
        TrafficProfile(
            name="small",
            viewers=38,
            comments_per_s=0.2,
            others_per_s=0.8,
            mix=_SMALL_MIX,
            unevenness=0.5,
            viewer_count_s=(2.0, 6.0),
        ),
        TrafficProfile(
            name="typical",
            viewers=1_600,
            comments_per_s=6,
            others_per_s=20,
            mix=_TYPICAL_MIX,
            unevenness=0.25,
        ),
        TrafficProfile(
            name="busy",
            viewers=4_000,
            comments_per_s=14,
            others_per_s=35,
            mix=_BUSY_MIX,
            unevenness=0.2,
        ),
        # 150 comments/s at the peak, a room of 1,600 flooded within two seconds. Published
        # spikes of large streams are five- to sixfold; a raid on a small room has no limit.
        TrafficProfile(
            name="raid",
            viewers=1_600,
            comments_per_s=6,
            others_per_s=20,
            mix=_TYPICAL_MIX,
            unevenness=0.25,
            surge=Surge(at_s=20, every_s=300, comments=25, others=8, rise_s=2, half_life_s=20),
        ),
        # Nobody ever saw TikTok deliver more than 14 comments/s to one client:
        # from here on it is headroom, not a replica.
        _load(100, 20_000),
        _load(500, 50_000),
        _load(1000, 80_000),
    )
}


def profile_named(name: str) -> TrafficProfile:
    """
    Return a preset.

    Raises:
        KeyError: There is no such preset; the message lists those there are.
    """
    if name not in PRESETS:
        raise KeyError(f"no preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
