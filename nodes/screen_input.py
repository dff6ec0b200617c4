"""Look at the message before anything else does: its language, whether it says anything, whether somebody needs help.

Help in a crisis is said here, so that no model, flag or engine stands before it.
"""

from __future__ import annotations

import unicodedata
from typing import TypedDict

from nodes.context import TurnContext
from nodes.events import IntentEvent
from nodes.ready_answer import ReadyAnswer
from tools.knowledge.language import detect_language
from tools.models.protocol import Language

_NOTHING: dict[Language, str] = {
    "en": "I could not read any words in that message. Could you write it again?",
    "zh": "这条消息里没有我能读到的文字，可以再写一遍吗？",
}


class ScreenInputInput(TypedDict):
    """Reads nothing: the message stands in the context."""


class ScreenInputUpdate(TypedDict, total=False):
    """`question` is the message as the steps read it; `ready` what answers it without any of them."""

    language: Language
    question: str
    ready: ReadyAnswer | None


async def screen_input(state: ScreenInputInput, context: TurnContext) -> ScreenInputUpdate:
    """Find the turn's language and a normal form of its message; refuse an empty one, help in a crisis."""
    question = _normal_form(context.turn.message)
    wanted = context.turn.language
    language: Language = detect_language(question) if wanted == "auto" else wanted
    return {"language": language, "question": question, "ready": _ready(question, language, context)}


def _ready(question: str, language: Language, context: TurnContext) -> ReadyAnswer | None:
    if not question:
        return ReadyAnswer(_NOTHING[language], "refused")
    help_lines = context.services.crises.answer_to(question, language)
    if help_lines is None:
        return None
    context.emit(IntentEvent(label="emotional_support", confidence=1.0, decided_by="rules", crisis=True))
    return ReadyAnswer(help_lines, "stop")


def _normal_form(message: str) -> str:
    """NFKC without control and format characters (zero-width, bidi, tags); line breaks become spaces."""
    kept = (" " if c.isspace() else c for c in unicodedata.normalize("NFKC", message))
    return "".join(c for c in kept if unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cn"}).strip()
