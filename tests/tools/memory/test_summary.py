"""What stays verbatim and what is told in short."""

from __future__ import annotations

from tools.memory.summary import SUMMARY_TOKENS, fold, within_budget
from tools.models.tokens import estimate_tokens
from tools.stores.protocol import Message


def message(content: str, role: str = "user") -> Message:
    return Message(id=content[:8], role=role, content=content)  # type: ignore[arg-type]


def test_the_longest_tail_that_fits_is_kept() -> None:
    messages = [message("a" * 400), message("b" * 400), message("c" * 400)]
    assert within_budget(messages, 250) == messages[1:]


def test_one_message_over_budget_leaves_nothing() -> None:
    assert within_budget([message("a" * 400)], 50) == []


def test_a_summary_keeps_the_question_and_the_first_sentence_of_the_answer() -> None:
    folded = fold("", [message("Where is Suzhou?"), message("In Jiangsu [1]. It has canals.", "assistant")])
    assert folded == "user: Where is Suzhou?\nassistant: In Jiangsu."


def test_chinese_sentences_end_where_they_end() -> None:
    assert fold("", [message("苏州在江苏。那里有运河。", "assistant")]) == "assistant: 苏州在江苏。"


def test_a_summary_never_outgrows_its_budget_and_drops_the_oldest_first() -> None:
    summary = ""
    for turn in range(200):
        summary = fold(summary, [message(f"Question number {turn} about something or other")])
    assert estimate_tokens(summary) <= SUMMARY_TOKENS
    assert "number 199" in summary
    assert "number 0 " not in summary
