"""What comes back in a user's messages is what they are about."""

from __future__ import annotations

import pytest

from tools.memory.subject_words import subject_words


def keys(*messages: str) -> list[set[str]]:
    return [set(words) for words in subject_words(messages)]


def test_a_word_counts_once_it_stands_in_two_messages_in_whatever_form() -> None:
    first, second, third = subject_words(["Who built the harbours?", "Is the Harbour deep?", "Thanks"])
    assert set(first.values()) == {"harbours"}
    assert set(second.values()) == {"harbour"}
    assert first.keys() == second.keys()
    assert third == {}


def test_repeating_a_word_in_one_message_is_not_coming_back_to_it() -> None:
    assert keys("tide tide tide", "moon") == [set(), set()]


def test_words_that_carry_grammar_are_no_subject() -> None:
    assert keys("What is it about?", "What was it about?") == [set(), set()]


def test_of_chinese_runs_the_longest_that_comes_back_is_the_word() -> None:
    assert keys("龙井茶产于哪里？", "怎么冲泡龙井茶？", "龙井茶多少钱") == [{"龙井茶"}] * 3
    assert keys("项目管理是什么", "项目管理和敏捷开发", "敏捷开发好吗") == [
        {"项目管理"},
        {"项目管理", "敏捷开发"},
        {"敏捷开发"},
    ]


def test_a_shorter_run_that_comes_back_more_often_is_a_word_of_its_own() -> None:
    assert keys("绿茶好喝", "绿茶好喝", "绿茶贵") == [{"绿茶好喝", "绿茶"}, {"绿茶好喝", "绿茶"}, {"绿茶"}]


@pytest.mark.parametrize("text", ["", "  ", "🎐🎐", "1874", "\u200b", "的的的", "a"])
def test_a_text_without_words_has_none(text: str) -> None:
    assert keys(text, text) == [set(), set()]


def test_a_pasted_book_is_read_at_its_beginning() -> None:
    assert keys("tide " * 50_000 + "moon", "tide", "moon") == [{"tide"}, {"tide"}, set()]
