"""A passage that gives another name is believed; what only looks like one is not."""

from __future__ import annotations

import pytest

from tools.knowledge.extraction.aliases import find_aliases
from tools.knowledge.extraction.names import normal_form
from tools.knowledge.extraction.protocol import Mention, Subject


def found(text: str, *names: str, language: str = "en", subject: str = "") -> set[tuple[str, str]]:
    mentions = [
        Mention(text.index(name), text.index(name) + len(name), name, normal_form(name), "organization", 0.9, "test")
        for name in names
    ]
    about = Subject(subject, normal_form(subject), None, 0.9) if subject else None
    return {(alias.alias, alias.of) for alias in find_aliases(text, mentions, about, language)}


@pytest.mark.parametrize(
    ("text", "name", "pair"),
    [
        ("The World Health Organization (WHO) met.", "World Health Organization", ("who", "world health organization")),
        (
            "Mark Twain (born Samuel Langhorne Clemens; 1835) wrote.",
            "Mark Twain",
            ("samuel langhorne clemens", "mark twain"),
        ),
        ("Myanmar, also known as Burma, is a country.", "Myanmar", ("burma", "myanmar")),
        ("Kyle Lowe, better known as Kyle Ruiz, sang.", "Kyle Lowe", ("kyle ruiz", "kyle lowe")),
    ],
)
def test_english_declares_names(text: str, name: str, pair: tuple[str, str]) -> None:
    assert pair in found(text, name)


@pytest.mark.parametrize(
    ("text", "name", "pair"),
    [
        ("世界卫生组织（简称世卫组织）成立于1948年。", "世界卫生组织", ("世卫组织", "世界卫生组织")),
        ("关系型数据库管理系统（RDBMS）很常见。", "关系型数据库管理系统", ("rdbms", "关系型数据库管理系统")),
        ("苏轼，又名“苏东坡”，是文学家。", "苏轼", ("苏东坡", "苏轼")),
    ],
)
def test_chinese_declares_names(text: str, name: str, pair: tuple[str, str]) -> None:
    assert pair in found(text, name, language="zh")


def test_the_first_sentence_speaks_of_the_subject() -> None:
    assert ("burma", "myanmar") in found("Formerly known as Burma, it lies in Asia.", subject="Myanmar")


@pytest.mark.parametrize(
    "text",
    [
        "Ada Lovelace, born in London, wrote programs.",
        "Ada Lovelace (1815) wrote programs.",
        "Ada Lovelace also called the office twice.",
        "Ada Lovelace (see Figure) wrote.",
    ],
)
def test_a_place_a_date_or_a_verb_is_no_name(text: str) -> None:
    assert not found(text, "Ada Lovelace")


def test_letters_that_are_not_in_the_long_name_are_no_abbreviation() -> None:
    assert not found("The World Health Organization (UN) met.", "World Health Organization")
