"""
Who watches: invented people with names, handles, badges and avatars.

A viewer is a function of the seed and a number, so the same one can be built
again after it fell out of the cache, and memory stays bounded however long the
live goes on. The protobuf parts that do not change between two messages of a
viewer are serialised once: that is what makes 1,000 messages per second cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from toolkit.simulator.language import LANGUAGES, Language
from toolkit.wire.schema import ProtoMessage, message_class

__all__ = ["Audience", "Viewer", "fill_image", "invented_names"]

AVATAR_HOST = "https://cdn.example.invalid"
"""A name that can never resolve: a simulated avatar is never fetched."""

_SIGNATURE = "?dr=14579&refresh_token={}&x-expires=1790172800&x-signature={}&t=4d5b0474"
"""Only what is random in a real address is random here: frames then compress as real ones do."""

_BADGE_LINK = (
    "simulated://webcast_lynxview_popup?use_spark=1&url=https%3A%2F%2Fcdn.example.invalid%2Fpages%2Fgrade%2F"
    "template.js&hide_status_bar=0&hide_nav_bar=1&container_bg_color=00000000&height=90%25&bdhm_bid=grade_panel"
    "&use_forest=1&trans_status_bar=1&show_mask=0&gravity=bottom&mask_alpha=0.1&radius=8"
)

_CACHED_VIEWERS_MAX = 4096
"""About 6 KB each."""
_CROWD_MAX = 200_000
"""Visitors are numbered in a ring: after that many they come again."""
_NAMED_FROM = 1 << 40
"""Numbers of viewers who were named from outside start here."""

_TALKER_SHARE, _TALKERS_MAX = 0.25, 2000
_TALKER_EXPONENT = 0.8
_STRANGER_SHARE = 0.06
"""Comments by somebody who is not among the talkers, most of whom write once."""

_BADGE_SHARE = 0.65
_FAN_SHARE = 0.3
_NON_ASCII_SHARE = 0.31
_EMOJI_SHARE = 0.23

_BADGE_GIFTER, _BADGE_FANS = 8, 10
_GIFTER_LEVEL_MAX, _FAN_LEVEL_MAX = 50, 40

_SYLLABLES = (
    "ba", "be", "bo", "da", "del", "do", "el", "fa", "fi", "ga", "ha", "ja", "ka", "ki", "la", "le", "li",
    "lo", "lu",
    "ma", "mi", "mo", "na", "ne", "ni", "no", "nu", "o", "pa", "pe", "ra", "re", "ri", "ro", "ru", "sa",
    "se", "si",
    "sol", "ta", "te", "ti", "to", "va", "ve", "vi", "ya", "yo", "za", "zu",
)  # fmt: skip
_FOREIGN = (
    "Ольмира", "Тавис", "Рунка", "زينور", "ليماس", "نوريل", "ミラソ", "ユカノ", "そらべ",
    "루미나", "하람솔", "밀루나",
    "Ílvara", "Çelmira", "Søndri", "Łukmira", "Ñandela", "Ödrik", "नवेली", "तरुमा",
    "Μελιρα", "ΘΑΛΗ",
    "רומיאל", "林梦洛",
)  # fmt: skip
_DECORATIONS = ("🔥", "❤️‍🔥", "🌸", "👑", "✨", "🦋", "🐝", "🇧🇷", "🇹🇷", "🖤", "🫧", "⚡", "🍀", "🌙")
_SMALL_CAPS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ")
_CIRCLED = str.maketrans("abcdefghijklmnopqrstuvwxyz", "".join(chr(0x24D0 + n) for n in range(26)))
_NICKNAME_CHARS_MAX = 26


@dataclass(frozen=True, slots=True)
class Viewer:
    """
    One invented person, with the protobuf parts that never change.

    Attributes:
        user_id: TikTok's number.
        handle: The @name.
        nickname: What is displayed.
        language: What they write in.
        brief: A ``User`` of names only.
        plain: A ``User`` with avatars.
        badged: The same with badges, if the viewer has any.
        writing: The same with medium avatars, as comments carry it.
        identity: A ``UserIdentity``.
        avatar: The image that is the avatar.
    """

    user_id: int
    handle: str
    nickname: str
    language: Language
    brief: bytes
    plain: bytes
    badged: bytes
    writing: bytes
    identity: bytes
    avatar: bytes


class Audience:
    """Everybody who may show up in one live."""

    def __init__(self, seed: int, viewers: int) -> None:
        """
        Args:
            seed: The same seed has the same people.
            viewers: How many watch at a time; decides how many take part.
        """
        assert viewers >= 1, viewers
        self._seed = seed
        self._viewers = viewers
        self._visitor = viewers
        talkers = max(8, min(int(viewers * _TALKER_SHARE), _TALKERS_MAX))
        self._talkers = range(talkers)
        self._talk_weights = list(accumulate((rank + 1) ** -_TALKER_EXPONENT for rank in range(talkers)))
        self._named: dict[str, int] = {}
        self.viewer = lru_cache(_CACHED_VIEWERS_MAX)(self._build)

    def talker(self, rng: Random) -> Viewer:
        """Return who comments next: a few write a lot, many write once."""
        if rng.random() < _STRANGER_SHARE:
            return self.somebody(rng)
        return self.viewer(rng.choices(self._talkers, cum_weights=self._talk_weights)[0])

    def somebody(self, rng: Random) -> Viewer:
        """Return any of the viewers."""
        return self.viewer(rng.randrange(self._viewers))

    def supporter(self, rng: Random) -> Viewer:
        """Return one of the few who give and tap: the most active third, squared."""
        return self.viewer(int(len(self._talkers) * rng.random() ** 2))

    def visitor(self) -> Viewer:
        """Return the next person who comes in."""
        self._visitor = self._viewers + (self._visitor + 1 - self._viewers) % _CROWD_MAX
        return self.viewer(self._visitor)

    def named(self, handle: str) -> Viewer:
        """Return the viewer with that handle: the same one each time."""
        number = self._named.setdefault(handle, _NAMED_FROM + len(self._named))
        return _build_viewer(Random(f"{self._seed}:named:{handle}"), number, handle=handle)

    def _build(self, number: int) -> Viewer:
        return _build_viewer(Random(f"{self._seed}:{number}"), number)


_LANGUAGE_WEIGHTS = tuple(accumulate(language.weight for language in LANGUAGES))


def fill_image(image: ProtoMessage, name: str, *, urls: int, rng: Random | None = None) -> None:
    """
    Give an image its addresses: long, much alike, and leading nowhere.

    Args:
        image: The image to fill.
        name: Path of the picture, the same in all its addresses.
        urls: How many addresses.
        rng: Signs the addresses, as those of avatars are; None for a public picture.
    """
    for mirror in range(urls):
        url = f"{AVATAR_HOST}/p{16 + mirror}/{name}"
        if rng is not None:
            url += _SIGNATURE.format(rng.randbytes(4).hex(), rng.randbytes(14).hex())
        image.url_list.append(url)
    image.uri = name


def _fill_avatar(image: ProtoMessage, rng: Random, *, urls: int) -> None:
    name = f"tos-sim-avt-0068/{rng.randbytes(16).hex()}~cropcenter:100:100.webp"
    fill_image(image, name, urls=urls, rng=rng)


def _build_viewer(rng: Random, number: int, *, handle: str = "") -> Viewer:
    language = rng.choices(LANGUAGES, cum_weights=_LANGUAGE_WEIGHTS)[0]
    nickname = handle or _nickname(rng)
    user = message_class("User")(
        # The low digits are the number: no two viewers share an id.
        id=6_800_000_000_000_000_000 + rng.randrange(70_000) * 10**12 + number % 10**12,
        nickname=nickname,
        display_id=handle or _handle(rng, number),
        sec_uid="MS4wLjABAAAA" + rng.randbytes(32).hex(),
    )
    brief = bytes(user.SerializeToString())
    _fill_avatar(user.avatar_thumb, rng, urls=3)
    user.follow_info.follower_count = int(rng.lognormvariate(5, 2))
    user.follow_info.following_count = int(rng.lognormvariate(5, 1))
    user.follow_info.follow_status = rng.choices((0, 1, 2), (60, 30, 10))[0]
    user.pay_grade.SetInParent()
    user.user_attr.is_admin = number % 97 == 3
    plain = bytes(user.SerializeToString())
    _add_badges(user, rng)
    badged = bytes(user.SerializeToString())
    _fill_avatar(user.avatar_medium, rng, urls=2)
    identity = message_class("UserIdentity")(
        is_gift_giver_of_anchor=bool(user.badge_list),
        is_follower_of_anchor=user.follow_info.follow_status > 0,
        is_mutual_following_with_anchor=user.follow_info.follow_status == 2,
        is_moderator_of_anchor=user.user_attr.is_admin,
        is_subscriber_of_anchor=number % 41 == 5,
    )
    return Viewer(
        user.id,
        user.display_id,
        nickname,
        language,
        brief,
        plain,
        badged,
        bytes(user.SerializeToString()),
        bytes(identity.SerializeToString()),
        bytes(user.avatar_thumb.SerializeToString()),
    )


def _add_badges(user: ProtoMessage, rng: Random) -> None:
    if rng.random() < _BADGE_SHARE:
        level = 1 + int(_GIFTER_LEVEL_MAX * rng.random() ** 3)
        _add_badge(user, rng, scene=_BADGE_GIFTER, level=level, link=_BADGE_LINK)
    if rng.random() < _FAN_SHARE:
        level = 1 + int(_FAN_LEVEL_MAX * rng.random() ** 2)
        _add_badge(user, rng, scene=_BADGE_FANS, level=level, link="")


def _add_badge(user: ProtoMessage, rng: Random, *, scene: int, level: int, link: str) -> None:
    badge = user.badge_list.add(
        display_type=4, priority_type=20, scene_type=scene, position=1, display=True, openweburl=link
    )
    extra = badge.privilege_log_extra
    extra.data_version, extra.privilege_version, extra.level = "2", "1", str(level)
    extra.privilege_id = str(7_100_000_000_000_000_000 + rng.randrange(10**15))
    extra.privilege_order_id = f"simulated_privilege_order_{rng.randrange(10**18)}"
    combine = badge.combine
    combine.display_type, combine.str = 4, str(level)
    fill_image(combine.icon, f"webcast-sim/badge_{scene}_lv{level}_v2.png~tplv-obj.image", urls=2)
    combine.icon.open_web_url = link
    combine.padding.use_specific, combine.padding.middle_padding, combine.padding.badge_width = True, 3, 32
    combine.background.background_color_code = "#992E2BE6"
    combine.background_dark_mode.background_color_code = "#992E2BE6"
    combine.public_screen_show_style, combine.personal_card_show_style = 14, 15


def invented_names(rng: Random) -> tuple[str, str]:
    """Return a handle and a nickname of nobody."""
    return _handle(rng, rng.randrange(100_000)), _nickname(rng)


def _word(rng: Random) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.choice((2, 3, 3, 4))))


def _handle(rng: Random, number: int) -> str:
    return f"{_word(rng)}{rng.choice(('.', '_', ''))}{_word(rng)}{number % 100_000}"


def _nickname(rng: Random) -> str:
    name = _word(rng).capitalize()
    if rng.random() < 0.6:
        name += " " + _word(rng).capitalize()
    roll = rng.random()
    if roll < _NON_ASCII_SHARE - _EMOJI_SHARE:
        name = rng.choice(
            (rng.choice(_FOREIGN), name.lower().translate(_SMALL_CAPS), name.lower().translate(_CIRCLED))
        )
    elif roll < _NON_ASCII_SHARE:
        name = rng.choice((name, name, rng.choice(_FOREIGN))) + rng.choice(_DECORATIONS) * rng.choice(
            (1, 1, 2)
        )
    elif roll < 0.5:
        name += str(rng.randrange(1, 2010))
    return name[:_NICKNAME_CHARS_MAX]
