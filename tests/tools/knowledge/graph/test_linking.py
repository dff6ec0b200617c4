"""Entities named in questions."""

from __future__ import annotations

import time

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.graph.linking import link
from tools.knowledge.graph.name_table import table_of

NAMES = (
    "New York", "New York City", "Silver Tide", "Haymo of Faversham", "The Beatles", "Film", "Director", "1999", "C++",
    "Place of birth", "龙井茶", "杭州", "Alexander Hamilton", "Alexander Graham Bell", "Alexander Pope",
    "Alexander Nevsky", "Beyoncé", "Nuremberg", "J. R. R. Tolkien", "Rosemary's Baby", "O'Brien", "3 Idiots", "AT&T",
)  # fmt: skip
TABLE = table_of((normal_form(name), number) for number, name in enumerate(NAMES))


def named(question: str) -> list[tuple[str, str]]:
    return [(NAMES[found.entity], found.how) for found in link(question, TABLE)]


def test_the_longest_name_counts() -> None:
    assert named("When was New York City founded?") == [("New York City", "exact")]
    assert named("Is New York older than Silver Tide's port?") == [("New York", "exact"), ("Silver Tide", "exact")]


def test_case_accents_articles_and_signs_do_not_matter() -> None:
    assert named("Did beatles fans know Beyonce?") == [("Beyoncé", "exact")]
    assert named("Did The Beatles or the BEATLES write C++?") == [("The Beatles", "exact"), ("C++", "exact")]
    assert named("who directed silver tide?") == [("Silver Tide", "exact")]


def test_names_are_found_however_they_open() -> None:
    assert named("Did J.R.R. Tolkien see Rosemary's Baby?") == [
        ("J. R. R. Tolkien", "exact"),
        ("Rosemary's Baby", "exact"),
    ]
    assert named("Who owns AT&T?") == [("AT&T", "exact")]
    assert named("Is O’Brien in 3 Idiots?") == [("O'Brien", "exact"), ("3 Idiots", "exact")]


def test_a_name_that_is_not_written_as_one_counts_little() -> None:
    loose = {found.how: found.weight for found in link("What is the place of birth of Silver Tide in 1999?", TABLE)}
    assert set(loose) == {"loose", "exact"}
    assert loose["loose"] < loose["exact"]
    assert named("Where did the director of Silver Tide make the film?") == [("Silver Tide", "exact")]
    assert named("which film?") == [("Film", "loose")]


def test_chinese_names_are_found_in_running_text() -> None:
    assert named("请问龙井茶产自杭州的哪里?") == [("龙井茶", "exact"), ("杭州", "exact")]


def test_a_part_of_a_name_is_linked_where_few_are_meant() -> None:
    assert named("When did Haymo live?") == [("Haymo of Faversham", "part")]
    assert named("When did Alexander live?") == []
    assert named("When did Alexander Bell live?") == [("Alexander Graham Bell", "part")]


def test_a_slip_of_the_pen_is_forgiven() -> None:
    assert named("Where is Nuremburg?") == [("Nuremberg", "fuzzy")]
    assert named("Where is Sliver Tide?") == [("Silver Tide", "fuzzy")]
    assert named("Where is Bamberg?") == []


def test_small_talk_names_nothing() -> None:
    for text in ("Hello!", "How are you?", "你好", "?!", "", "What can you do for me?"):
        assert named(text) == []


def test_each_entity_is_linked_once_by_its_surest_mention() -> None:
    assert named("Is new york like New York, New York?") == [("New York", "exact")]


def test_a_question_as_long_as_a_book_takes_no_longer() -> None:
    started = time.perf_counter()
    assert len(link("New York and Nuremburg or Bamberg " * 50_000, TABLE)) <= 16
    assert time.perf_counter() - started < 1
