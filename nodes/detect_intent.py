"""Find out what is asked of us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from nodes.context import TurnContext
from nodes.events import IntentEvent
from tools.intent.protocol import Intent
from tools.models.protocol import ChatMessage, Language


class DetectIntentInput(TypedDict):
    """The message as screened, its language, and what was said before."""

    question: str
    language: Language
    history: NotRequired[Sequence[ChatMessage]]


class DetectIntentUpdate(TypedDict, total=False):
    """`intent` steers the route."""

    intent: Intent


async def detect_intent(state: DetectIntentInput, context: TurnContext) -> DetectIntentUpdate:
    """Label the message with one of the router's intents."""
    earlier = [message.content for message in state.get("history", ()) if message.role == "user"]
    known = earlier if context.flags.enable_context_aware else []
    intent = await context.services.intents.detect(state["question"], state["language"], known)
    context.emit(IntentEvent(label=intent.label, confidence=intent.confidence, decided_by=intent.decided_by))
    return {"intent": intent}
