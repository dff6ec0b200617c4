"""What is asked: the router's own intents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

IntentLabel = Literal[
    "knowledge_question",
    "broad_question",
    "causal_question",
    "task",
    "small_talk",
    "emotional_support",
    "feedback",
    "meta",
    "unsafe",
    "out_of_scope",
]
DecidedBy = Literal["ml", "rules", "keywords"]


@dataclass(frozen=True, slots=True)
class Intent:
    """A label with its confidence (0-1) and who decided; `runners_up` are other labels that were thought of."""

    label: IntentLabel
    confidence: float
    decided_by: DecidedBy
    runners_up: tuple[tuple[IntentLabel, float], ...] = ()
    """With their confidences, the likeliest first."""


class IntentDetector(Protocol):
    """Reads the intent of a message."""

    async def detect(self, message: str, language: str, history: Sequence[str] = ()) -> Intent:
        """Label `message`; `history` holds the user's earlier messages, oldest first."""
        ...
