"""The subject is what the passage stands under, unless that says nothing."""

from __future__ import annotations

import pytest

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.extraction.protocol import EntityType, Mention
from tools.knowledge.extraction.subject import defined_type, find_subject, informative, named_subject


def mention(name: str, kind: EntityType = "person") -> Mention:
    return Mention(0, len(name), name, normal_form(name), kind, 0.8, "test")


@pytest.mark.parametrize(
    ("title", "heading", "subject"),
    [
        ("Barack Obama", "", "Barack Obama"),
        ("Barack Obama", "Barack Obama > Early life", "Barack Obama"),
        ("Employee handbook", "3 Leave > 3.2 Parental leave", "Parental leave"),
        ("report_2021.pdf", "Introduction", ""),
        ("员工手册", "第一章 总则 > 第二节 年假", "年假"),
        ("新建文档", "概述", ""),
        ("Untitled", "1.2", ""),
        ("IMG_0012", "", ""),
    ],
)
def test_the_last_heading_that_says_something_is_the_subject(title: str, heading: str, subject: str) -> None:
    assert named_subject(title, heading) == subject


def test_a_sentence_is_no_heading() -> None:
    assert informative("word " * 60) == ""


def test_without_a_title_the_first_name_is_the_subject() -> None:
    found = find_subject("…", "scan.pdf", "", [mention("2021", "time"), mention("Ada Lovelace")])
    assert found is not None
    assert (found.norm, found.type) == ("ada lovelace", "person")
    assert found.confidence < 0.9


def test_nothing_names_no_subject() -> None:
    assert find_subject("nothing at all", "", "", []) is None


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Vatroslav Mimica was a Croatian film director and screenwriter.", "person"),
        ("An Event is a 1969 Yugoslav feature film directed by Vatroslav Mimica.", "work"),
        ("Lucca is a city in Tuscany.", "location"),
        ("The Beatles were an English rock band formed in Liverpool.", "organization"),
        ("《霸王别姬》是一部1993年的电影。", "work"),
        ("It rained.", None),
    ],
)
def test_a_definition_gives_the_type(sentence: str, kind: str | None) -> None:
    assert defined_type(sentence) == kind


def test_what_stands_in_parentheses_gives_the_type() -> None:
    found = find_subject("It was released in 1940.", "Ek Hi Bhool (1940 film)", "", [])
    assert found is not None
    assert (found.norm, found.type) == ("ek hi bhool", "work")
