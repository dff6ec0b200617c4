"""Find out what is asked of us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import structlog

from nodes.context import TurnContext
from nodes.events import IntentEvent
from nodes.query import query_of
from nodes.ready_answer import ReadyAnswer
from tools.intent.protocol import Intent
from tools.models.protocol import ChatMessage, Language

log = structlog.get_logger(__name__)

REFUSED_FROM = 0.95
"""Confidence from which an unsafe message is refused. An intent is no guard: what is less sure is answered."""
_DECLINED: dict[Language, str] = {
    "en": "I'm sorry, I can't help with that. If there is something else you would like to know, please ask.",
    "zh": "抱歉，这件事我帮不了您。如果还有别的想了解的，请随时问我。",
}


class DetectIntentInput(TypedDict):
    """The message as screened, its language, and what was said before."""

    question: str
    language: Language
    history: NotRequired[Sequence[ChatMessage]]


class DetectIntentUpdate(TypedDict, total=False):
    """`intent` steers the route; `ready` is there when the message is refused."""

    intent: Intent
    ready: ReadyAnswer | None


async def detect_intent(state: DetectIntentInput, context: TurnContext) -> DetectIntentUpdate:
    """Label the message with one of the router's intents."""
    earlier = [message.content for message in state.get("history", ()) if message.role == "user"]
    known = earlier if context.flags.enable_context_aware else []
    intent = await _detected(query_of(state["question"]), state["language"], known, context)
    context.emit(IntentEvent(label=intent.label, confidence=intent.confidence, decided_by=intent.decided_by))
    if intent.label == "unsafe" and intent.confidence >= REFUSED_FROM:
        return {"intent": intent, "ready": ReadyAnswer(_DECLINED[state["language"]], "refused")}
    return {"intent": intent}


async def _detected(question: str, language: Language, known: Sequence[str], context: TurnContext) -> Intent:
    """By the model where the flag allows it, else by the rules; a model that fails costs the turn nothing else."""
    services = context.services
    if context.flags.enable_ml_intent:
        try:
            return await services.intents.detect(question, language, known)
        except Exception as error:
            log.warning("intent.stood_in", error=type(error).__name__)
            context.meter.stood_in.add(detect_intent.__name__)
    return await services.rules.detect(question, language, known)
