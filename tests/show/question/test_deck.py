"""The order of questions, and the folder they come from."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.show.part import ShowError
from toolkit.show.question.bank import BankError, dump_bank, load_bank, question_of
from toolkit.show.question.deck import Deck
from toolkit.show.question.quiz import Question
from toolkit.show.question.shelf import ADDED, Shelf

LANGUAGES = ("en", "fr")


def bank(*ids: str) -> list[Question]:
    """Return questions with these ids."""
    return [Question(id=one, text=f"{one}?", accepted=(one,)) for one in ids]


def dealt(deck: Deck, count: int) -> list[str]:
    """Take so many questions."""
    taken = []
    for _ in range(count):
        question = deck.upcoming()
        assert question is not None
        deck.take(question.id)
        taken.append(question.id)
    return taken


@given(st.integers(0, 2**32), st.integers(1, 30), st.sampled_from(("file", "shuffle")))
def test_no_question_comes_twice_until_all_were_asked(seed: int, count: int, order: str) -> None:
    """Nor does the last of a lap begin the next."""
    deck = Deck(seed)
    deck.order = order
    ids = [f"q{n}" for n in range(count)]
    deck.fill(bank(*ids))
    for lap in range(3):
        taken = dealt(deck, count)
        assert sorted(taken) == sorted(ids), f"lap {lap}"
        if order == "file" and lap == 0:
            assert taken == ids
        if count > 1:
            after = deck.upcoming()
            assert after is not None and after.id != taken[-1]


def test_a_seed_gives_one_order_and_each_lap_another() -> None:
    """A rehearsal with the same seed asks the same."""
    ids = [f"q{n}" for n in range(20)]
    orders = []
    for seed in (1, 1, 2):
        deck = Deck(seed)
        deck.order = "shuffle"
        deck.fill(bank(*ids))
        orders.append(dealt(deck, 40))
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][:20] != orders[0][20:]


def test_a_bank_that_changes_keeps_what_was_asked_and_the_order_of_the_rest() -> None:
    """An edit during a live repeats nothing."""
    deck = Deck(7)
    deck.order = "shuffle"
    ids = [f"q{n}" for n in range(10)]
    deck.fill(bank(*ids))
    asked = dealt(deck, 4)
    expected = [one for one in _rest(deck) if one != "q3"]
    deck.fill(bank(*(one for one in ids if one != "q3"), "new"))
    after = _rest(deck)
    assert "new" in after and not set(asked) & set(after)
    assert [one for one in after if one != "new"] == expected


def _rest(deck: Deck) -> list[str]:
    """Return what comes before anything comes again."""
    copy = Deck(0)
    copy.restore(deck.saved())
    copy.order = deck.order
    copy.fill(deck._questions.values())
    return dealt(copy, len(copy) - copy.asked)


def test_what_was_asked_survives_a_restart_and_what_is_on_air_was_not_asked() -> None:
    """A question that was on air when the server died comes again."""
    deck = Deck(1)
    deck.fill(bank("a", "b", "c"))
    dealt(deck, 2)
    again = Deck(99)
    again.restore(json.loads(json.dumps(deck.saved(without="b"))))
    again.fill(bank("a", "b", "c"))
    assert (again.seed, again.asked, dealt(again, 2)) == (1, 1, ["b", "c"])


@given(st.dictionaries(st.sampled_from(("seed", "lap", "last", "asked")), st.from_type(type[Any] | int)))
def test_a_saved_deck_that_means_nothing_is_an_empty_one(saved: dict[str, Any]) -> None:
    """The show begins all the same."""
    deck = Deck(5)
    deck.restore(saved)
    deck.fill(bank("a"))
    assert dealt(deck, 1) == ["a"]


def test_an_empty_bank_has_nothing() -> None:
    """And does not fail."""
    assert Deck(1).upcoming() is None


# -- the folder ----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that is not there yet."""
    return tmp_path / "questions"


def shelf_of(folder: Path) -> Shelf:
    """Return a shelf that has looked."""
    shelf = Shelf(folder)
    shelf.look("en")
    return shelf


def ids(shelf: Shelf) -> list[str]:
    """Return the texts of its questions."""
    return [question.text for question in shelf.questions]


def put(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    """Write a bank file."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(rows))


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_bank_there_is_a_sample_in_the_language_of_the_stage(folder: Path, language: str) -> None:
    """Something to begin with, gone with the first file."""
    shelf = Shelf(folder)
    assert shelf.look(language) and shelf.is_sample
    assert 12 <= len(shelf.questions) <= 20 and not shelf.mistakes
    put(folder, "mine.json", {"text": "Mine?", "answers": ["yes"]})
    assert shelf.look(language) and not shelf.is_sample
    assert ids(shelf) == ["Mine?"]


def test_the_samples_differ_by_language(folder: Path) -> None:
    """Who changes the language of the stage gets the other one."""
    shelf = shelf_of(folder)
    english = ids(shelf)
    assert shelf.look("fr") and not set(english) & set(ids(shelf))


def test_a_change_of_a_file_is_found_and_only_then_is_anything_read(folder: Path) -> None:
    """New, changed, and gone."""
    put(folder, "a.json", {"text": "One?", "answers": ["1"]})
    shelf = shelf_of(folder)
    assert not shelf.look("en")
    put(folder, "a.json", {"text": "One more?", "answers": ["1"]})
    put(folder, "b.json", {"text": "Two?", "answers": ["2"]})
    assert shelf.look("en") and ids(shelf) == ["One more?", "Two?"]
    (folder / "a.json").unlink()
    assert shelf.look("en") and ids(shelf) == ["Two?"]


def test_a_file_with_mistakes_costs_nothing_that_was_there(folder: Path) -> None:
    """Its last good version goes on, and what is wrong is told until it is corrected."""
    put(folder, "a.json", {"text": "One?", "answers": ["1"]})
    put(folder, "b.json", {"text": "Two?", "answers": ["2"]})
    shelf = shelf_of(folder)
    put(folder, "a.json", {"text": "Changed?", "answers": []}, {"text": "Good?", "answers": ["x"]})
    assert shelf.look("en") and ids(shelf) == ["One?", "Two?"]
    assert list(shelf.mistakes) == ["a.json:1: answers: is missing"]
    assert not shelf.look("en")
    put(folder, "a.json", {"text": "Changed?", "answers": ["1"]})
    assert shelf.look("en") and ids(shelf) == ["Changed?", "Two?"] and not shelf.mistakes


def test_what_is_no_file_of_ours_does_no_harm(folder: Path) -> None:
    """A pipe, a folder, a file too large, a draft of an editor."""
    put(folder, "a.json", {"text": "One?", "answers": ["1"]})
    os.mkfifo(folder / "pipe.yaml")
    (folder / "sub.yaml").mkdir()
    (folder / ".#a.json~").write_text("{")
    (folder / "large.csv").write_bytes(b"x" * 1_000_001)
    shelf = shelf_of(folder)
    assert ids(shelf) == ["One?"]
    assert list(shelf.mistakes) == ["large.csv: larger than 1 MB"]


def test_a_question_of_the_form_is_written_and_read_again(folder: Path) -> None:
    """The folder is made, and the sample goes."""
    shelf = shelf_of(folder)
    fields = {
        "text": "Is it: - true?\n",
        "answers": ["yes", "12:30", "null", "’tis", "東京"],
        "wrong": ["no"],
        "difficulty": "hard",
        "category": "odd #1",
        "seconds": 12.5,
        "points": 7,
        "at": 0,
    }
    question = shelf.add(fields)
    shelf.look("en")
    assert list(shelf.questions) == [question] == load_bank(folder)
    assert (question.accepted[1:4], question.seconds, question.at_s) == (("12:30", "null", "’tis"), 12.5, 0)
    edited = shelf.edit(question.id, {"seconds": 40})
    shelf.look("en")
    assert list(shelf.questions) == [edited]
    assert (edited.seconds, edited.text, edited.id) == (40, question.text, question.id)
    shelf.remove(question.id)
    shelf.look("en")
    assert question not in shelf.questions
    assert (list(shelf.mistakes), shelf.is_sample) == ([], True), "without a bank there is the sample"


@given(
    st.lists(
        st.builds(
            dict,
            text=st.text(min_size=1, max_size=40),
            answers=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4),
            category=st.text(max_size=20),
        ),
        max_size=5,
    )
)
@example([{"text": "\n", "answers": ["0"], "category": ""}])
def test_a_bank_that_is_written_reads_as_it_was(rows: list[dict[str, Any]]) -> None:
    """Whatever somebody typed into the form."""
    questions = []
    for row in rows:
        try:
            questions.append(question_of(row))
        except BankError:
            continue  # what the rules refuse is another test's
    questions = list({question.id: question for question in questions}.values())
    if questions:
        assert _reads_as(dump_bank(questions)) == questions


def _reads_as(text: str) -> list[Question]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bank.yaml"
        path.write_bytes(text.encode())
        return load_bank(path)


def test_only_what_the_form_has_written_can_be_changed_by_it(folder: Path) -> None:
    """The operator's own files are the operator's."""
    shelf = shelf_of(folder)
    sample = shelf.questions[0].id
    for refused in (lambda: shelf.edit(sample, {}), lambda: shelf.remove(sample)):
        with pytest.raises(ShowError, match="sample"):
            refused()
    put(folder, "mine.json", {"id": "m", "text": "Mine?", "answers": ["yes"]})
    shelf.look("en")
    with pytest.raises(ShowError, match=r"mine\.json"):
        shelf.edit("m", {"text": "Yours?"})
    with pytest.raises(ShowError, match="no such question"):
        shelf.remove("nothing")
    with pytest.raises(ShowError, match="already"):
        shelf.add({"id": "m", "text": "Again?", "answers": ["yes"]})
    assert not (folder / ADDED).exists()


def test_a_form_with_mistakes_writes_nothing_and_names_the_fields(folder: Path) -> None:
    """The same rules as in a file."""
    with pytest.raises(ShowError) as caught:
        shelf_of(folder).add({"text": "", "seconds": 2, "colour": "red"})
    assert [mistake.field for mistake in caught.value.mistakes] == ["colour", "text", "seconds"]
    assert not folder.exists()


def test_a_file_of_the_form_that_somebody_has_spoilt_is_not_written_over(folder: Path) -> None:
    """There may be work in it."""
    folder.mkdir()
    (folder / ADDED).write_text("- text: Half a ques")
    with pytest.raises(ShowError, match="has mistakes"):
        shelf_of(folder).add({"text": "New?", "answers": ["x"]})
    assert (folder / ADDED).read_text() == "- text: Half a ques"


def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path) -> None:
    """Nothing is lost but the question."""
    (tmp_path / "show").write_text("a file where the folder should be")
    with pytest.raises(ShowError, match="cannot be written"):
        shelf_of(tmp_path / "show" / "questions").add({"text": "New?", "answers": ["x"]})


def test_questions_are_found_by_what_is_in_them(folder: Path) -> None:
    """With file and line, for the form."""
    put(
        folder,
        "a.json",
        {"text": "Capital of Côte d'Ivoire?", "answers": ["Yamoussoukro"], "category": "geo"},
    )
    shelf = shelf_of(folder)
    shelf.add({"text": "Two?", "answers": ["2"]})
    shelf.look("en")
    assert [row["text"] for row in shelf.find("")] == ["Capital of Côte d'Ivoire?", "Two?"]
    found = shelf.find("cote")
    assert [(row["file"], row["line"], row["is_added"], row["choices"]) for row in found] == [
        ("a.json", 1, False, [])
    ]
    assert [row["is_added"] for row in shelf.find("TWO")] == [True]
