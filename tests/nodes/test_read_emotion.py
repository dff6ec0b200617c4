from __future__ import annotations

from flags.snapshot import FlagSnapshot
from nodes.events import EmotionEvent
from nodes.read_emotion import ReadEmotionInput, read_emotion
from tests.nodes.rehearsal import JOY, Rehearsal
from tools.models.protocol import ChatMessage

FELT: ReadEmotionInput = {
    "question": "Wonderful!",
    "language": "en",
    "history": [ChatMessage("user", "It is fixed."), ChatMessage("assistant", "Good.")],
}


async def test_the_emotion_is_told_and_handed_on() -> None:
    stage = Rehearsal()
    assert (await read_emotion(FELT, stage.context()))["emotion"] is JOY
    (event,) = stage.said
    assert event == EmotionEvent(
        label="joy", confidence=0.9, decided_by="lexicon", valence=0.7, arousal=0.5, intensity=0.6
    )


async def test_earlier_messages_count_only_where_the_flag_says_so() -> None:
    aware, unaware = Rehearsal(), Rehearsal(flags=FlagSnapshot(enable_context_aware=False))
    await read_emotion(FELT, aware.context())
    await read_emotion(FELT, unaware.context())
    assert aware.asked == [("Wonderful!", "en", ["It is fixed."])]
    assert unaware.asked == [("Wonderful!", "en", [])]
