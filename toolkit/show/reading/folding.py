"""
The form of a text in which answers are compared: no case, accents, punctuation, emoji.

Folding keeps what distinguishes words in a script and drops what people leave out
when they type fast. Marks that are letters of their own (Devanagari and Thai vowels,
Japanese voicing) stay.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["TEXT_MAX", "fold", "fold_stretched", "symbols", "without_lead"]

TEXT_MAX = 300
"""Characters looked at. The longest comment seen was 153; an answer is far shorter."""

# Letters without a decomposition that people replace all the same.
_LETTERS = str.maketrans(
    {
        "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th",
        "ة": "ه", "ى": "ي", "ـ": None, "🅰": "a", "🅱": "b", "🅾": "o",
        # People write these without thinking which one their keyboard has.
        "'": " ", "’": " ", "ʼ": " ", "`": " ",
    }
)  # fmt: skip


class _Kept(dict[int, str]):
    """What is left of each character of a decomposed text, looked up when it first occurs."""

    def __missing__(self, number: int) -> str:
        kept = _kept(chr(number))
        # Somebody who sends every character there is must not fill the memory.
        if len(self) < _KEPT_MAX:
            self[number] = kept
        return kept


_KEPT_MAX = 8_192
_KEPT = _Kept()

_LEADS = (
    "i think it is", "i think its", "i think it s", "i think", "it is", "its", "it s", "is it",
    "the answer is", "answer is", "answer", "my answer is", "thats", "that s",
    "je pense que c est", "je pense que cest", "je pense", "je crois que c est", "c est", "cest",
    "la reponse est", "reponse", "la reponse c est",
    "creo que es", "es", "la respuesta es", "respuesta", "pienso que es",
    "acho que e", "e", "a resposta e", "resposta",
    "ich glaube es ist", "ich denke es ist", "es ist", "das ist", "die antwort ist", "antwort", "antwort ist",
    "الجواب", "الاجابه", "الاجابه هي", "اظن", "اعتقد",
)  # fmt: skip
"""What people say before an answer, folded. Whatever else stands around an answer
makes it chat: a viewer who lists five capitals has not answered."""

_ARTICLES = (
    "the", "a", "an",
    "le", "la", "les", "l", "un", "une", "des", "du", "de la", "de l",
    "el", "los", "las", "una", "unos", "unas",
    "o", "os", "as", "um", "uma",
    "der", "die", "das", "den", "dem", "ein", "eine", "einen",
)  # fmt: skip


def _starts(phrases: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))}) ")


_LEAD = _starts(_LEADS)
_ARTICLE = _starts(_ARTICLES)
_STRETCHED = re.compile(r"([^\W\d])\1{2,}")
_ARABIC_ARTICLE = re.compile(r"\bال(?=\w{2})")


def fold(text: str) -> str:
    """
    Return the comparable form: lower case words, single spaces; empty if nothing is left.

    Folding twice changes nothing more.
    """
    text = text[:TEXT_MAX]
    if text.isascii():
        return " ".join(text.lower().translate(_KEPT).split())
    text = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    words = unicodedata.normalize("NFD", text).translate(_KEPT).split()
    return unicodedata.normalize("NFC", " ".join(words))


def fold_stretched(text: str) -> str:
    """Return the folded form with stretched letters back to one: ``howww`` is ``how``."""
    return _STRETCHED.sub(r"\1", fold(text))


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category[0] in "LN":
        return character
    if category[0] == "M":
        return "" if _is_accent(character) else character
    return " "


def _is_accent(mark: str) -> bool:
    """Whether a mark may be left out: Latin accents, Arabic and Hebrew vowel points, enclosures."""
    position = unicodedata.combining(mark)
    # By canonical combining class: 10-36 points, 200 and above accents. Vowel signs
    # and voicing marks have 0 to 9, Thai tones 103 and above. Enclosing marks are 0,
    # as the square of a keycap emoji is.
    is_variant = "\ufe00" <= mark <= "\ufe0f"  # text or emoji style of what stands before
    return 10 <= position <= 36 or position >= 200 or unicodedata.category(mark) == "Me" or is_variant


def symbols(text: str) -> str:
    """
    Return the symbols of a text without spaces and variation marks.

    For the answer that is nothing else, an emoji say.
    """
    kept = (c for c in unicodedata.normalize("NFKC", text[:TEXT_MAX]) if unicodedata.category(c)[0] in "SPN")
    # Skin tones are modifiers: whatever hand is raised, it is a hand.
    return "".join(c for c in kept if not 0x1F3FB <= ord(c) <= 0x1F3FF)


def without_lead(folded: str) -> list[str]:
    """
    Return a folded text as it is, without what people say before an answer, without its article.

    Only forms with something left, the fullest first.
    """
    forms = [folded]
    lead = _LEAD.match(folded)
    if lead is not None and folded[lead.end() :]:
        forms.append(folded[lead.end() :])
    for form in list(forms):
        article = _ARTICLE.match(form)
        if article is not None and form[article.end() :]:
            forms.append(form[article.end() :])
        bare = _ARABIC_ARTICLE.sub("", form)
        if bare != form:
            forms.append(bare)
    return list(dict.fromkeys(forms))
