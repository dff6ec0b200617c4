"""Where a turn goes next: pure functions of what is known so far."""

from __future__ import annotations

from typing import Literal

from graphs.state import TurnState

ANSWERED_WITHOUT_DOCUMENTS = frozenset({"small_talk", "emotional_support", "feedback", "meta"})
"""Intents whose answer rests on no passage."""


def after_receiving(state: TurnState) -> Literal["write_answer", "understand"]:
    """What has its answer ready is understood well enough."""
    return "write_answer" if state.get("ready") else "understand"


def after_understanding(state: TurnState) -> Literal["prepare", "route_model", "write_answer"]:
    """Small talk needs no documents, a refusal not even a model.

    What seems to lie outside the documents is looked for all the same: only they can tell.
    """
    if state.get("ready"):
        return "write_answer"
    intent = state.get("intent")
    return "route_model" if intent and intent.label in ANSWERED_WITHOUT_DOCUMENTS else "prepare"


def after_writing(state: TurnState) -> Literal["verify_answer", "remember_turn", "__end__"]:
    """There is something to verify only where passages were offered."""
    return "verify_answer" if state.get("passages") else after_verifying(state)


def after_verifying(state: TurnState) -> Literal["remember_turn", "__end__"]:
    """There is something to fold only once the history has outgrown its budget."""
    return "remember_turn" if state.get("history_is_long") else "__end__"
