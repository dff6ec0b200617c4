"""Known names in texts: where they stand, however they are written, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.graph.gazetteer import Gazetteer, first_of_each, fold, places_of

NAMES = Gazetteer(["new york", "new york city", "paris", "cafe", "gpt 4", "项目管理", "李明", "heart", "a", "42"])


def written(text: str, names: Gazetteer = NAMES) -> list[tuple[str, str]]:
    """Name and spelling of everything that is found."""
    return [(found.norm, text[found.start : found.end]) for found in names.find(text)]


def test_names_are_found_however_they_are_written() -> None:
    assert written("NEW  YORK and Café") == [("new york", "NEW  YORK"), ("cafe", "Café")]
    assert written("ＧＰＴ－４ and gpt-4") == [("gpt 4", "ＧＰＴ－４"), ("gpt 4", "gpt-4")]
    assert written("New\nYork") == [("new york", "New\nYork")]


def test_a_name_inside_a_longer_one_is_found_too() -> None:
    assert [norm for norm, _ in written("New York City")] == ["new york", "new york city"]


def test_latin_names_stand_between_word_boundaries() -> None:
    assert written("Parisian, Comparis, New Yorker") == []
    assert written("Paris's river; (Paris)") == [("paris", "Paris"), ("paris", "Paris")]


def test_a_single_latin_word_is_a_name_only_with_a_capital() -> None:
    assert written("the heart of paris") == []
    assert written("The Heart") == [("heart", "Heart")]


def test_chinese_names_are_found_inside_running_text() -> None:
    assert written("他与李明一起做项目管理工作，用GPT-4。") == [
        ("李明", "李明"),
        ("项目管理", "项目管理"),
        ("gpt 4", "GPT-4"),
    ]


@pytest.mark.parametrize(
    "name",
    ["GPT-4", "O'Connor", "J. R. R. Tolkien", "AT&T Inc.", "诺拉·奥孔库沃", "苹果 公司", "C++", "Washington, D.C."],
)
def test_a_name_is_found_in_the_form_that_mentions_meet_in(name: str) -> None:
    norm = normal_form(name)
    assert written(f"About {name}, and no more", Gazetteer([norm]))[0][0] == norm


@given(st.text(st.sampled_from("aB1 .-'’&·é中文 ,\u200b"), min_size=2, max_size=12))
def test_text_folds_as_names_do(name: str) -> None:
    norm = normal_form(name)
    assume(any(sign.isalnum() for sign in norm) and not norm.startswith("the "))
    assert fold(name) == norm


def test_names_that_say_too_little_are_known_by_nobody() -> None:
    assert "a" not in NAMES
    assert "42" not in NAMES
    assert written("A 42") == []


def test_one_name_more_or_fewer_changes_nothing_about_the_others() -> None:
    text = "Paris, New York City, 李明"
    before = written(text)
    more = NAMES.changed({"york city"}, ())
    assert [pair for pair in written(text, more) if pair[0] != "york city"] == before
    assert written(text, more.changed((), {"york city"})) == before
    assert NAMES.changed({"paris"}, {"unknown"}) is NAMES


def test_nothing_is_found_without_names() -> None:
    assert list(Gazetteer().find("Paris")) == []
    assert list(Gazetteer(["paris"]).changed((), {"paris"}).find("Paris")) == []


def test_the_first_of_each_name_is_where_it_stands_first() -> None:
    firsts = first_of_each(NAMES.find("Paris and Paris"))
    assert firsts["paris"].start == 0


@given(st.text())
def test_every_folded_character_but_spaces_has_a_place_it_comes_from(text: str) -> None:
    places = places_of(text)
    assert len(places) == len(fold(text).replace(" ", ""))
    assert list(places) == sorted(places)
    assert all(0 <= place < len(text) for place in places)


@given(st.text(), st.lists(st.text(min_size=2), max_size=5))
def test_what_is_found_lies_in_the_text(text: str, names: list[str]) -> None:
    for found in Gazetteer([fold(name).strip() for name in names]).find(text):
        assert 0 <= found.start < found.end <= len(text)
