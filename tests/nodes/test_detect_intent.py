from __future__ import annotations

from flags.snapshot import FlagSnapshot
from nodes.detect_intent import DetectIntentInput, detect_intent
from nodes.events import IntentEvent
from tests.nodes.rehearsal import Rehearsal
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
