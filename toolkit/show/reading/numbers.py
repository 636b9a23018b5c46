"""
Numbers as people type them: 1,000 or 1 000, 3.5 or 3,5, forty-two, quarante-deux.

Words of 0 to 100, and of 1,000: an answer above is typed in digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from functools import cache

from toolkit.show.reading.folding import TEXT_MAX, fold

__all__ = ["LANGUAGES", "numbers_of"]

LANGUAGES = ("en", "fr", "es", "pt", "de", "ar")
"""Languages whose number words are understood."""

DIGITS_MAX = 18
"""Longest number in digits; a longer one is read as text."""

_NUMBER = re.compile(r"[-+−]?\d+(?:[.,'’   ]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:([.,'’   ])\d{3})(?:\1\d{3})*")


def numbers_of(text: str) -> frozenset[Decimal]:
    """
    Return what number a text is, in every reading; empty if it is none, or more than a number.

    "1.500" has two readings, one and a half and fifteen hundred.
    """
    plain = unicodedata.normalize("NFKC", text[:TEXT_MAX]).strip().strip(".!?…")
    ascii_digits = "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in plain)
    if _NUMBER.fullmatch(ascii_digits):
        return _read_digits(ascii_digits.replace("−", "-"))
    word = _words().get(fold(text))
    return frozenset() if word is None else frozenset([Decimal(word)])


def _read_digits(text: str) -> frozenset[Decimal]:
    if sum(c.isdigit() for c in text) > DIGITS_MAX:
        return frozenset()
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    readings = set()
    if digits.isdigit():
        readings.add(digits)
    if _GROUPED.fullmatch(digits):
        readings.add(re.sub(r"\D", "", digits))
    if re.fullmatch(r"\d+[.,]\d+", digits):
        readings.add(digits.replace(",", "."))
    found = set()
    for reading in readings:
        try:
            found.add(Decimal(sign + reading).normalize())
        except InvalidOperation:  # pragma: no cover - the patterns let only numbers through
            continue
    return frozenset(found)


@cache
def _words() -> dict[str, int]:
    """Folded words of each number, with and without the spaces between them."""
    words: dict[str, int] = {}
    for spoken in (_english, _french, _spanish, _portuguese, _german, _arabic):
        for number, forms in spoken():
            for form in forms:
                words.setdefault(fold(form), number)
                words.setdefault(fold(form).replace(" ", ""), number)
    return words


_Spoken = Iterator[tuple[int, tuple[str, ...]]]
"""Numbers from 0 to 100, and 1,000, each with the ways to say it."""


def _english() -> _Spoken:
    small = _split(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen"
    )
    tens = _split("twenty thirty forty fifty sixty seventy eighty ninety")
    yield from _with_tens(small, tens, lambda ten, one: (f"{ten} {one}",))
    yield 100, ("hundred", "one hundred", "a hundred")
    yield 1000, ("thousand", "one thousand", "a thousand")


def _french() -> _Spoken:
    small = _split(
        "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
        "seize dix-sept dix-huit dix-neuf"
    )
    tens = _split("vingt trente quarante cinquante soixante")
    yield from _with_tens(small, tens, lambda ten, one: (f"{ten} et {one}", f"{ten} {one}"))
    for one in range(20):
        if one >= 10:
            yield 60 + one, (f"soixante {small[one]}", f"soixante et {small[one]}")
        yield 80 + one, (f"quatre vingt {small[one]}",) if one else ("quatre vingt", "quatre vingts")
    # Belgium and Switzerland.
    for start, ten in ((70, "septante"), (80, "huitante"), (90, "nonante")):
        yield start, (ten,)
        for one in range(1, 10):
            yield start + one, (f"{ten} {small[one]}", f"{ten} et {small[one]}")
    yield 100, ("cent",)
    yield 1000, ("mille",)


def _spanish() -> _Spoken:
    small = _split(
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés "
        "veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve"
    )
    yield from ((number, (word,)) for number, word in enumerate(small))
    tens = _split("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
    for place, ten in enumerate(tens):
        start = 30 + 10 * place
        yield start, (ten,)
        yield from ((start + one, (f"{ten} y {small[one]}", f"{ten} {small[one]}")) for one in range(1, 10))
    yield 100, ("cien", "ciento")
    yield 1000, ("mil",)


def _portuguese() -> _Spoken:
    small = _split(
        "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze "
        "dezesseis dezessete dezoito dezenove"
    )
    tens = _split("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa")
    yield from _with_tens(small, tens, lambda ten, one: (f"{ten} e {one}", f"{ten} {one}"))
    # Portugal, and the feminine.
    for number, word in ((1, "uma"), (2, "duas"), (14, "quatorze"), (16, "dezasseis"), (17, "dezassete")):
        yield number, (word,)
    yield 19, ("dezanove",)
    yield 100, ("cem", "cento")
    yield 1000, ("mil",)


def _german() -> _Spoken:
    small = _split(
        "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
        "fünfzehn sechzehn siebzehn achtzehn neunzehn"
    )
    tens = _split("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
    yield from _with_tens(small, tens, lambda ten, one: (f"{'ein' if one == 'eins' else one} und {ten}",))
    # The umlauts of a keyboard that has none.
    for number, word in ((5, "fuenf"), (12, "zwoelf"), (15, "fuenfzehn"), (50, "fuenfzig"), (2, "zwo")):
        yield number, (word,)
    yield 100, ("hundert", "einhundert")
    yield 1000, ("tausend", "eintausend")


def _arabic() -> _Spoken:
    small = _split(
        "صفر;واحد;اثنان;ثلاثة;أربعة;خمسة;ستة;سبعة;ثمانية;تسعة;عشرة;أحد عشر;اثنا عشر;ثلاثة عشر;أربعة "
        "عشر;خمسة عشر;ستة عشر;سبعة عشر;ثمانية عشر;تسعة عشر",
        ";",
    )
    tens = _split("عشرون ثلاثون أربعون خمسون ستون سبعون ثمانون تسعون")
    yield from _with_tens(small, tens, lambda ten, one: (f"{one} و{ten}", f"{one} و {ten}"))
    # As it is spoken.
    spoken = _split("عشرين ثلاثين أربعين خمسين ستين سبعين ثمانين تسعين")
    yield from _with_tens(small, spoken, lambda ten, one: (f"{one} و{ten}", f"{one} و {ten}"))
    for number, word in enumerate(["اثنين", "ثلاث", "اربع", "خمس", "ست", "سبع", "ثمان", "تسع", "عشر"], 2):
        yield number, (word,)
    yield 100, ("مائة", "مئة", "مية")
    yield 1000, ("ألف",)


def _with_tens(small: list[str], tens: list[str], joined: Callable[[str, str], tuple[str, ...]]) -> _Spoken:
    """Yield the small numbers, then each ten from twenty on with its ones."""
    yield from ((number, (word,)) for number, word in enumerate(small))
    for place, ten in enumerate(tens):
        start = 20 + 10 * place
        yield start, (ten,)
        yield from ((start + one, joined(ten, small[one])) for one in range(1, 10))


def _split(words: str, separator: str = " ") -> list[str]:
    return words.split(separator)
