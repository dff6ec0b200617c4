from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flags.snapshot import FlagSnapshot
from nodes.events import EmotionEvent
from nodes.read_emotion import ReadEmotionInput, read_emotion
from tests.nodes.rehearsal import JOY, Rehearsal
from tools.emotion.protocol import Emotion
from tools.errors import StoreUnavailable
from tools.models.protocol import ChatMessage
from tools.safety.handover import PersonOffer
from tools.stores.protocol import Message

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


IRONIC = Emotion(
    "annoyance",
    0.6,
    -0.5,
    0.6,
    0.7,
    0.4,
    "ml",
    "negative",
    mixed_emotions=("annoyance", "joy"),
    is_sarcastic=True,
    sarcasm_confidence=0.7,
)


async def test_sentiment_mixture_and_sarcasm_are_told_too() -> None:
    stage = Rehearsal(emotions={"Wonderful!": IRONIC})
    await read_emotion(FELT, stage.context())
    (event,) = stage.said
    assert isinstance(event, EmotionEvent)
    assert (event.sentiment, event.mixed_emotions) == ("negative", ("annoyance", "joy"))
    assert (event.is_sarcastic, event.sarcasm_confidence) == (True, 0.7)


@pytest.mark.parametrize("failure", [StoreUnavailable("busy"), RuntimeError("broken")])
async def test_a_reader_that_fails_costs_the_turn_nothing_but_the_reading(failure: Exception) -> None:
    stage = Rehearsal(emotions={"Wonderful!": failure})
    context = stage.context()
    assert await read_emotion(FELT, context) == {}
    assert stage.said == []
    assert context.meter.stood_in == {"read_emotion"}


SAD = Emotion("sadness", 0.8, -0.7, 0.3, 0.8, 0.8, "ml", "negative")
WORDS = ["It all goes wrong.", "Nobody listens.", "I am so tired of this."]
OFFER = PersonOffer("the care team").offer


def distressed(kept: list[Message] | None = None, **changes: Emotion | Exception) -> Rehearsal:
    return Rehearsal(kept=kept or [], emotions={**dict.fromkeys(WORDS, SAD), **changes})


def lasting() -> ReadEmotionInput:
    return {"question": WORDS[2], "language": "en", "history": [ChatMessage("user", text) for text in WORDS[:2]]}


def said(text: str, hours_ago: float, role: str = "assistant") -> Message:
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    return Message("m", role, text, "turn_0", created_at=at.isoformat().replace("+00:00", "Z"))  # type: ignore[arg-type]


async def offered(stage: Rehearsal, state: ReadEmotionInput | None = None) -> bool:
    update = await read_emotion(state or lasting(), stage.context())
    (event,) = stage.said
    assert isinstance(event, EmotionEvent)
    assert event.handover == update["handover"]
    return event.handover


async def test_distress_that_lasts_asks_for_a_person() -> None:
    assert await offered(distressed())


async def test_distress_of_one_message_or_of_the_past_does_not() -> None:
    assert not await offered(distressed(), {"question": WORDS[2], "language": "en"})
    relieved: ReadEmotionInput = {**lasting(), "question": "Thank you, that helps!"}
    stage = distressed()
    assert not await offered(stage, relieved)
    assert len(stage.asked) == 1  # earlier messages are read again only where the present one is low


async def test_a_person_is_offered_once_a_day_in_a_conversation() -> None:
    assert not await offered(distressed([said(f"I see.\n\n{OFFER('en')}", 2)]))
    assert not await offered(distressed([said(OFFER("zh"), 23)]))
    assert await offered(distressed([said(OFFER("en"), 25)]))
    assert await offered(distressed([said(OFFER("en"), 1, role="user")]))


async def test_without_a_past_that_counts_no_person_is_offered() -> None:
    stage = distressed()
    stage.flags = FlagSnapshot(enable_context_aware=False)
    assert not await offered(stage)


async def test_a_past_that_can_t_be_read_again_offers_nobody() -> None:
    stage = distressed()
    stage.emotions[WORDS[0]] = RuntimeError("broken")
    assert not await offered(stage)
