"""The legacy coordinator: a keyword intent, the top passages, one call to the model.

It is what operators fall back to, so it stays as small as it is and shares the steps that keep
answers honest.
"""

from __future__ import annotations

from typing import TypedDict

from flags.snapshot import Engine
from graphs.observer import Observer
from graphs.state import TurnState
from graphs.step import Node, Stepper
from nodes.context import TurnContext
from nodes.detect_intent import DetectIntentUpdate
from nodes.events import IntentEvent
from nodes.recall_memory import recall_memory
from nodes.remember_turn import remember_turn
from nodes.retrieve_knowledge import retrieve_knowledge
from nodes.route_model import route_model
from nodes.screen_input import screen_input
from nodes.verify_answer import verify_answer
from nodes.write_answer import write_answer
from tools.models.protocol import Language


class _Screened(TypedDict):
    question: str
    language: Language


async def detect_intent(state: _Screened, context: TurnContext) -> DetectIntentUpdate:
    """Label the message by its keywords alone."""
    intent = await context.services.keywords.detect(state["question"], state["language"])
    context.emit(IntentEvent(label=intent.label, confidence=intent.confidence, decided_by=intent.decided_by))
    return {"intent": intent}


STEPS: tuple[Node, ...] = (
    screen_input,
    recall_memory,
    detect_intent,
    retrieve_knowledge,
    route_model,
    write_answer,
    verify_answer,
    remember_turn,
)
READY: tuple[Node, ...] = (write_answer, remember_turn)


class LegacyCoordinator:
    """The shortest way from a question to a cited answer."""

    name: Engine = "legacy"

    def __init__(self, observer: Observer) -> None:
        self._stepper = Stepper(self.name, observer)

    async def run(self, context: TurnContext) -> TurnState:
        """Take the turn through the steps."""
        state = TurnState()
        for place, node in enumerate(STEPS):
            state.update(await self._stepper.step(node, state, context))
            if place == 0 and state.get("ready"):
                break
        else:
            return state
        for node in READY:
            state.update(await self._stepper.step(node, state, context))
        return state
