"""Look at the message before anything else does: its language, its invisible characters, whether it says anything."""

from __future__ import annotations

import unicodedata
from typing import TypedDict

from nodes.context import TurnContext
from tools.knowledge.language import detect_language
from tools.models.protocol import Language

_NOTHING: dict[Language, str] = {
    "en": "I could not read any words in that message. Could you write it again?",
    "zh": "这条消息里没有我能读到的文字，可以再写一遍吗？",
}


class ScreenInputInput(TypedDict):
    """Reads nothing: the message stands in the context."""


class ScreenInputUpdate(TypedDict, total=False):
    """`question` is the message as the steps read it; `refusal` the text that answers it instead."""

    language: Language
    question: str
    refusal: str | None


async def screen_input(state: ScreenInputInput, context: TurnContext) -> ScreenInputUpdate:
    """Find the turn's language and a normal form of its message, or refuse it."""
    question = _normal_form(context.turn.message)
    wanted = context.turn.language
    language: Language = detect_language(question) if wanted == "auto" else wanted
    return {"language": language, "question": question, "refusal": None if question else _NOTHING[language]}


def _normal_form(message: str) -> str:
    """NFKC without control and format characters (zero-width, bidi, tags); line breaks become spaces."""
    kept = (" " if c.isspace() else c for c in unicodedata.normalize("NFKC", message))
    return "".join(c for c in kept if unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cn"}).strip()
