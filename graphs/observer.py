"""Who is told how long things took; `app.observability` is the one that listens."""

from __future__ import annotations

from typing import Protocol

COMPONENTS = {
    "screen_input": "input.screen",
    "recall_memory": "memory.recall",
    "detect_intent": "intent.classify",
    "read_emotion": "emotion.read",
    "retrieve_knowledge": "knowledge.retrieve",
    "route_model": "model.route",
    "write_answer": "answer.generate",
    "verify_answer": "answer.verify",
    "remember_turn": "memory.remember",
}
"""The component each node is measured as."""


class Observer(Protocol):
    """Counts and times steps and turns, by engine and variant."""

    def step(self, component: str, engine: str, variant: str, seconds: float, ok: bool) -> None:
        """One node ran for `seconds`."""
        ...

    def turn(self, engine: str, variant: str, seconds: float, outcome: str, first_token_seconds: float | None) -> None:
        """One turn ended; `outcome` is its finish reason or its error's code."""
        ...
