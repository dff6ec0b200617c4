"""Sense how the message is felt, and whether distress has lasted for some messages now."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NotRequired, TypedDict, TypeVar

import structlog

from nodes.context import TurnContext
from nodes.events import EmotionEvent
from tools.emotion.protocol import Emotion
from tools.models.protocol import ChatMessage, Language

log = structlog.get_logger(__name__)
T = TypeVar("T")

SAID_WITHIN = timedelta(days=1)
"""How long an offer of a person stands before it is made again in the same conversation."""
LATEST_MESSAGES = 100
"""Messages of the conversation in which an offer is looked for."""


class ReadEmotionInput(TypedDict):
    """The message as screened, its language, and what was said before."""

    question: str
    language: Language
    history: NotRequired[Sequence[ChatMessage]]


class ReadEmotionUpdate(TypedDict, total=False):
    """`emotion` sets the tone; without it none is set. `handover` asks for the offer of a person."""

    emotion: Emotion
    handover: bool


async def read_emotion(state: ReadEmotionInput, context: TurnContext) -> ReadEmotionUpdate:
    """Read the emotion of the message; where it can't be read, the turn goes on without."""
    earlier = [message.content for message in state.get("history", ()) if message.role == "user"]
    known = earlier if context.flags.enable_context_aware else []
    emotion = await _read(context.services.emotions.read(state["question"], state["language"], known), context)
    if emotion is None:
        return {}
    handover = await _needs_a_person(emotion, known, context)
    context.emit(
        EmotionEvent(
            label=emotion.primary_emotion,
            confidence=emotion.confidence,
            decided_by=emotion.decided_by,
            valence=emotion.valence,
            arousal=emotion.arousal,
            intensity=emotion.intensity,
            sentiment=emotion.sentiment,
            mixed_emotions=emotion.mixed_emotions,
            is_sarcastic=emotion.is_sarcastic,
            sarcasm_confidence=emotion.sarcasm_confidence,
            handover=handover,
        )
    )
    return {"emotion": emotion, "handover": handover}


async def _read(reading: Awaitable[T], context: TurnContext) -> T | None:
    """What the reader says; None, noted, when it fails."""
    try:
        return await reading
    except Exception as error:
        log.warning("emotion.not_read", error=type(error).__name__)
        context.meter.stood_in.add(read_emotion.__name__)
        return None


async def _needs_a_person(emotion: Emotion, earlier: Sequence[str], context: TurnContext) -> bool:
    """Whether distress lasts, and no person was offered in this conversation within a day.

    Earlier messages are read again: moods are kept only for those who let them be, and elsewhere. Readers remember
    recent texts, and few turns come this far.
    """
    handover = context.services.handover
    if not earlier or not handover.is_possible(emotion.valence):
        return False
    before = await _read(context.services.emotions.read_many(earlier[-handover.look_back :]), context)
    if before is None:
        return False
    return handover.is_due([*(one.valence for one in before), emotion.valence]) and not await _was_offered(context)


async def _was_offered(context: TurnContext) -> bool:
    turn, since = context.turn, datetime.now(UTC) - SAID_WITHIN
    messages = await context.services.conversations.messages(
        turn.tenant_id, turn.conversation_id, limit=LATEST_MESSAGES
    )
    recent = [one for one in messages if one.role == "assistant" and datetime.fromisoformat(one.created_at) >= since]
    return context.services.handover.was_made_in(message.content for message in recent)
