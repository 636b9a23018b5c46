"""What was written."""

from __future__ import annotations

from toolkit.analysis import emoji_counts, language_counts, questions_asked, word_counts


def texts(by_hand, *rows):
    """Return comments of users 1, 2, 3 ... with these texts."""
    return by_hand.comments(*({"s": i, "user_id": i, "text": text} for i, text in enumerate(rows, 1)))


def no_questions(by_hand):
    """Return an empty Q&A."""
    return by_hand.table("questions", [])


def test_the_same_question_is_one_row(by_hand):
    """Case, marks and emoji around it do not make another one; the first wording is shown."""
    asked = questions_asked(
        texts(by_hand, "Which mic?", "no", "which MIC??? 😂", "where from?"), no_questions(by_hand)
    )
    assert asked.select("text", "askers", "times", "in_qa").rows() == [
        ("Which mic?", 2, 2, False),
        ("where from?", 1, 1, False),
    ]
    assert asked.select("first_at", "last_at").row(0) == (by_hand.at(1), by_hand.at(3))


def test_a_question_mark_may_be_of_any_script(by_hand):
    """Arabic and full-width; a mark alone asks nothing."""
    asked = questions_asked(texts(by_hand, "من أي بلد أنت؟", "何歳ですか？", "???"), no_questions(by_hand))
    assert asked.height == 2


def test_qa_and_chat_are_put_together(by_hand):
    """Q&A needs no question mark, and one question sent twice is asked once."""
    row = {"received_at": by_hand.at(9), "user_id": 5, "question_id": 1, "text": "which mic", "status": 0}
    in_qa = by_hand.table("questions", [row | {"seq": 50}, row | {"seq": 51}])
    asked = questions_asked(texts(by_hand, "which mic?"), in_qa)
    assert asked.select("askers", "times", "in_qa").rows() == [(2, 2, True)]


def test_words_are_counted_by_writer(by_hand):
    """Once per comment, in lower case, short words and mentions left out."""
    words = word_counts(texts(by_hand, "Lampe lampe the", "@lampe99 lampe", "größe 照片 사랑"))
    assert words.rows()[0] == ("lampe", 2, 2)
    assert set(words["word"]) == {"lampe", "größe", "照片", "사랑"}


def test_one_emoji_is_one_whatever_it_is_made_of(by_hand):
    """Skin tones, families, flags, hearts with a selector; digits and # are none."""
    emoji = emoji_counts(texts(by_hand, "👋🏽👋🏽 hi 👨‍👩‍👧", "🇧🇷❤️ 5 #"))
    assert set(emoji["emoji"]) == {"👋🏽", "👨‍👩‍👧", "🇧🇷", "❤️"}
    assert emoji["comments"].to_list() == [1, 1, 1, 1]


def test_languages_have_shares(by_hand):
    """None given is as unknown as `un`."""
    rows = by_hand.comments(*({"s": i, "language": word} for i, word in enumerate(("de", "un", "", "un"))))
    assert language_counts(rows).rows() == [("un", 3, 0.75, 1), ("de", 1, 0.25, 1)]


def test_silence_gives_empty_tables(by_hand):
    """No comments, or only empty ones."""
    for rows in (by_hand.comments(), texts(by_hand, "", "")):
        assert questions_asked(rows, no_questions(by_hand)).is_empty()
        assert word_counts(rows).is_empty()
        assert emoji_counts(rows).is_empty()
    assert language_counts(by_hand.comments()).is_empty()
