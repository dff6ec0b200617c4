from __future__ import annotations

import pytest

from nodes.events import IntentEvent
from nodes.screen_input import screen_input
from tests.nodes.rehearsal import Rehearsal


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("When?", "When?"),
        ("  Ｗｈｅｎ\twas\nit\u2028built? ", "When was it built?"),
        ("in\u200bvis\u2060ible \u202eorder\u202c", "invisible order"),
        ("tag\U000e0041\U000e0042s and \ue000private", "tags and private"),
        ("bell\x07 nul\x00", "bell nul"),
        ("ﬁne 龙井茶", "fine 龙井茶"),
    ],
)
async def test_the_question_is_the_message_in_its_normal_form(message: str, question: str) -> None:
    update = await screen_input({}, Rehearsal().context(message))
    assert (update["question"], update["ready"]) == (question, None)


@pytest.mark.parametrize("message", [" ", "\u200b\u200d", "\x00\x01", "\ue000"])
async def test_a_message_that_says_nothing_is_refused_in_its_language(message: str) -> None:
    english = await screen_input({}, Rehearsal().context(message))
    chinese = await screen_input({}, Rehearsal().context(message, language="zh"))
    assert english["ready"] is not None
    assert chinese["ready"] is not None
    assert "could not read" in english["ready"].text
    assert "没有" in chinese["ready"].text
    assert english["ready"].finish_reason == "refused"


@pytest.mark.parametrize(("message", "line"), [("I want to\u200b kill myself", "988"), ("我不想活了", "12356")])
async def test_a_crisis_is_answered_with_help_lines_and_the_turn_goes_well(message: str, line: str) -> None:
    stage = Rehearsal()
    ready = (await screen_input({}, stage.context(message)))["ready"]
    assert ready is not None
    assert line in ready.text
    assert ready.finish_reason == "stop"
    (event,) = stage.said
    assert isinstance(event, IntentEvent)
    assert (event.crisis, event.label, event.decided_by) == (True, "emotional_support", "rules")


async def test_the_asked_language_is_that_of_the_help_lines() -> None:
    ready = (await screen_input({}, Rehearsal().context("I want to die", language="zh")))["ready"]
    assert ready is not None
    assert "12356" in ready.text
    assert "您" in ready.text


async def test_the_language_is_the_asked_one_else_the_message_s_own() -> None:
    assert (await screen_input({}, Rehearsal().context("龙井茶产于哪里？")))["language"] == "zh"
    assert (await screen_input({}, Rehearsal().context("Where does it grow?")))["language"] == "en"
    assert (await screen_input({}, Rehearsal().context("Where does it grow?", language="zh")))["language"] == "zh"
