from __future__ import annotations

import pytest

from flags.snapshot import FlagSnapshot
from nodes.detect_intent import REFUSED_FROM, DetectIntentInput, detect_intent
from nodes.events import IntentEvent
from tests.nodes.rehearsal import Rehearsal
from tools.errors import StoreUnavailable
from tools.intent.protocol import Intent
from tools.models.protocol import ChatMessage

ASKED: DetectIntentInput = {
    "question": "And its north pier?",
    "language": "en",
    "history": [ChatMessage("user", "When was it built?"), ChatMessage("assistant", "In 1874.")],
}


async def test_the_intent_is_told_and_handed_on() -> None:
    stage = Rehearsal()
    update = await detect_intent(ASKED, stage.context())
    assert update["intent"].label == "knowledge_question"
    assert stage.said == [IntentEvent(label="knowledge_question", confidence=0.75, decided_by="rules")]


async def test_only_the_user_s_own_earlier_messages_count_and_only_where_the_flag_says_so() -> None:
    aware, unaware = Rehearsal(), Rehearsal(flags=FlagSnapshot(enable_context_aware=False))
    await detect_intent(ASKED, aware.context())
    await detect_intent(ASKED, unaware.context())
    assert aware.asked == [("And its north pier?", "en", ["When was it built?"])]
    assert unaware.asked == [("And its north pier?", "en", [])]


async def test_with_the_flag_off_the_rules_decide_and_the_model_is_not_asked() -> None:
    stage = Rehearsal(flags=FlagSnapshot(enable_ml_intent=False), intent=Intent("task", 0.9, "ml"))
    update = await detect_intent({"question": "Why did sales drop?", "language": "en"}, stage.context())
    assert (update["intent"].label, update["intent"].decided_by) == ("causal_question", "rules")
    assert stage.asked == []


@pytest.mark.parametrize("failure", [StoreUnavailable("busy"), RuntimeError("broken")])
async def test_a_model_that_fails_is_stood_in_for_by_the_rules(failure: Exception) -> None:
    stage = Rehearsal(intent=failure)
    context = stage.context()
    update = await detect_intent({"question": "Why did sales drop?", "language": "en"}, context)
    assert (update["intent"].label, update["intent"].decided_by) == ("causal_question", "rules")
    assert context.meter.stood_in == {"detect_intent"}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_what_is_surely_unsafe_is_refused_kindly_in_the_users_language(language: str) -> None:
    stage = Rehearsal(intent=Intent("unsafe", REFUSED_FROM, "ml"))
    ready = (await detect_intent({"question": "…", "language": language}, stage.context()))["ready"]  # type: ignore[typeddict-item]
    assert ready is not None
    assert ready.finish_reason == "refused"
    assert ("sorry" in ready.text) == (language == "en")
    assert ("抱歉" in ready.text) == (language == "zh")


async def test_what_may_be_unsafe_is_answered() -> None:
    stage = Rehearsal(intent=Intent("unsafe", REFUSED_FROM - 0.01, "ml"))
    assert "ready" not in await detect_intent(ASKED, stage.context())
