"""Sense how the message is felt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from nodes.context import TurnContext
from nodes.events import EmotionEvent
from tools.emotion.protocol import Emotion
from tools.models.protocol import ChatMessage, Language


class ReadEmotionInput(TypedDict):
    """The message as screened, its language, and what was said before."""

    question: str
    language: Language
    history: NotRequired[Sequence[ChatMessage]]


class ReadEmotionUpdate(TypedDict, total=False):
    """`emotion` sets the tone."""

    emotion: Emotion


async def read_emotion(state: ReadEmotionInput, context: TurnContext) -> ReadEmotionUpdate:
    """Read the emotion of the message."""
    earlier = [message.content for message in state.get("history", ()) if message.role == "user"]
    known = earlier if context.flags.enable_context_aware else []
    emotion = await context.services.emotions.read(state["question"], state["language"], known)
    context.emit(
        EmotionEvent(
            label=emotion.primary_emotion,
            confidence=emotion.confidence,
            decided_by=emotion.decided_by,
            valence=emotion.valence,
            arousal=emotion.arousal,
            intensity=emotion.intensity,
        )
    )
    return {"emotion": emotion}
