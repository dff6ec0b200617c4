from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.models.broad_questions import LONGEST, is_broad

QUESTIONS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("broad_questions.yaml").read_text("utf-8"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_questions_about_documents_as_a_whole_are_broad(language: str) -> None:
    assert [question for question in QUESTIONS[language]["broad"] if not is_broad(question)] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_questions_about_something_are_not(language: str) -> None:
    assert [question for question in QUESTIONS[language]["specific"] if is_broad(question)] == []


@pytest.mark.parametrize("name", ["Lisbon", "Q3", "里斯本", "42", "plan 9", "WHO"])
def test_a_name_makes_any_broad_question_specific(name: str) -> None:
    assert is_broad("Summarise the documents about it") or is_broad("Summarise the documents")
    assert not is_broad(f"Summarise the documents about {name}")
    assert not is_broad(f"总结{name}的文档")


def test_case_width_and_punctuation_make_no_difference() -> None:
    assert is_broad("  WHAT ARE THESE DOCUMENTS ABOUT?!  ")
    assert is_broad("Ｓｕｍｍａｒｉｓｅ ｔｈｅ ｄｏｃｕｍｅｎｔｓ")
    assert is_broad("What’s in these documents")


def test_a_long_message_is_not_broad() -> None:
    assert not is_broad("Summarise the documents. " * (LONGEST // 20))


@pytest.mark.parametrize("text", ["", "   ", "?!", "🙂", "\n"])
def test_nothing_is_not_broad(text: str) -> None:
    assert not is_broad(text)


@pytest.mark.parametrize("question", ["What do we have here?", "给我讲讲"])
def test_an_intent_stands_for_the_sign(question: str) -> None:
    assert not is_broad(question)
    assert is_broad(question, asked_broadly=True)


@pytest.mark.parametrize("question", ["Summarise the Lisbon project", "年报的核心要点是什么？", "", "?!"])
def test_no_intent_makes_a_name_or_nothing_broad(question: str) -> None:
    assert not is_broad(question, asked_broadly=True)
