"""What counts as an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.show.reading.answers import Key, Verdict
from toolkit.show.reading.folding import fold
from toolkit.show.reading.numbers import numbers_of

RIGHT, WRONG, CHAT = Verdict.RIGHT, Verdict.WRONG, Verdict.CHAT


def verdicts(key: Key, texts: str) -> dict[str, Verdict]:
    """Return the verdict of each text; they are separated by |."""
    return {text: key.verdict(text) for text in texts.split("|")}


def test_case_accents_punctuation_emoji_and_width_are_forgiven() -> None:
    """Nobody types carefully in a chat."""
    texts = "paris|PARIS!!|Pâris|ＰＡＲＩＳ|p a r i s|Paris 🎉🎉|«Paris»|\u202eParis"
    assert set(verdicts(Key(["Paris"]), texts).values()) == {RIGHT}


def test_what_people_say_before_an_answer_is_forgiven_and_nothing_else_is() -> None:
    """A list of guesses is not an answer, nor is a sentence about something else."""
    key = Key(["Paris"])
    assert set(verdicts(key, "it's Paris|c'est Paris|la réponse est paris|creo que es París").values()) == {
        RIGHT
    }
    assert set(verdicts(key, "paris london rome|je suis à paris|not paris|").values()) == {CHAT}


def test_articles_are_forgiven_on_either_side() -> None:
    """In the languages of the questions."""
    assert Key(["The Beatles"]).verdict("beatles") is RIGHT
    assert Key(["Beatles"]).verdict("les beatles") is RIGHT
    assert Key(["القاهرة"]).verdict("قاهره") is RIGHT


@pytest.mark.parametrize(
    ("accepted", "right", "not_right"),
    [
        ("Iran", "iran", "iraq|irn|irán o iraq"),
        ("Berlin", "Berlim|brelin|berlinn", "Merlim|berl"),
        ("Bonaparte", "bonapart|bonarpate|bonapatre", "bonap|leonarde"),
        ("Apollo 11", "apolo 11|apollo11", "apollo 12|apollo 1"),
        ("1815", "1815|1 815|1,815", "1816|815|18155"),
    ],
)
def test_slips_are_forgiven_by_length_and_never_in_a_digit(accepted: str, right: str, not_right: str) -> None:
    """A short word and a number have to be exact."""
    key = Key([accepted])
    assert set(verdicts(key, right).values()) == {RIGHT}
    assert set(verdicts(key, not_right).values()) == {CHAT}


def test_an_answer_that_only_looks_right_can_be_named() -> None:
    """Zambia is one slip from Gambia."""
    assert Key(["Gambia"]).verdict("Zambia") is RIGHT
    key = Key(["Gambia"], wrong=["Zambia"])
    assert (key.verdict("Zambia"), key.verdict("gambia"), key.verdict("Gambya")) == (CHAT, RIGHT, RIGHT)


SAID = ["42", "42.", "forty two", "forty-two", "quarante-deux", "cuarenta y dos", "quarenta e dois"]


@pytest.mark.parametrize("said", [*SAID, "zweiundvierzig", "٤٢", "it's 42"])
def test_a_number_may_be_said_in_digits_or_words(said: str) -> None:
    """Six languages, either way round."""
    assert Key(["42"]).verdict(said) is RIGHT
    assert Key([said]).verdict("42") is RIGHT
    assert Key(["43"]).verdict(said) is CHAT


def test_every_number_up_to_a_hundred_has_one_meaning() -> None:
    """No word of one language is another number in another."""
    for words, number in [
        ("soixante et onze", 71),
        ("quatre-vingt-dix-neuf", 99),
        ("septante", 70),
        ("mil", 1000),
    ]:
        assert numbers_of(words) == {number}
    assert {int(n) for word in ("six", "once", "elf", "sept", "null") for n in numbers_of(word)} == {
        6,
        11,
        7,
        0,
    }


def test_a_separator_has_every_reading_that_makes_sense() -> None:
    """1.500 is one and a half here and fifteen hundred there."""
    assert {str(n) for n in numbers_of("1.500")} == {"1.5", "1.5E+3"}
    assert Key(["1500"]).verdict("1.500") is RIGHT
    assert Key(["3.5"]).verdict("3,5") is RIGHT
    assert numbers_of("1.2.3") == frozenset()


CHOICES = Key(["Berlin"], choices=["London", "Berlin", "Paris"])


def test_a_choice_is_named_by_letter_number_or_text() -> None:
    """However people write a letter."""
    assert set(verdicts(CHOICES, "B|b)|(b)|2|2️⃣|🅱️|berlin|Berlim|réponse B").values()) == {RIGHT}
    assert set(verdicts(CHOICES, "A|1|c'est c|paris").values()) == {WRONG}
    assert set(verdicts(CHOICES, "D|4|0|C ou B|A B C|lol|").values()) == {CHAT}


def test_choices_that_are_numbers_are_named_by_their_number() -> None:
    """A 3 is the choice 3, not the third one."""
    key = Key(["3"], choices=["3", "2", "1"])
    assert (key.verdict("3"), key.verdict("1"), key.verdict("a"), key.verdict("three")) == (
        RIGHT,
        WRONG,
        RIGHT,
        RIGHT,
    )


def test_an_emoji_can_be_the_answer() -> None:
    """And has to be that one, in any skin."""
    assert verdicts(Key(["🍎"]), "🍎|🍏|🍎🍎|apple") == {"🍎": RIGHT, "🍏": CHAT, "🍎🍎": CHAT, "apple": CHAT}
    assert Key(["👍"]).verdict("👍🏽") is RIGHT


def test_what_distinguishes_words_in_a_script_stays() -> None:
    """Indian and Thai vowels and Japanese voicing are no accents; Arabic vowel points are."""
    assert fold("हिन्दी") != fold("हन्द")
    assert fold("が") != fold("か")
    assert fold("ไทย") == "ไทย"
    assert fold("مُحَمَّد") == fold("محمد")
    assert fold("Straße Ñandú Ørsted") == "strasse nandu orsted"


@given(st.text(max_size=400))
def test_no_text_raises_and_folding_is_stable(text: str) -> None:
    """Comments are hostile."""
    assert fold(fold(text)) == fold(text)
    assert Key(["Paris"]).verdict(text) in Verdict
    assert CHOICES.verdict(text) in Verdict
    assert Key(["42"]).verdict(text) in Verdict
