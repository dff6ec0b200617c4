"""The workflow coordinator: the nodes of a turn in fixed order, on plain asyncio."""

from __future__ import annotations

from flags.snapshot import Engine
from graphs.observer import Observer
from graphs.state import TurnState
from graphs.step import Node, Stepper
from nodes.context import TurnContext
from nodes.detect_intent import detect_intent
from nodes.read_emotion import read_emotion
from nodes.recall_memory import recall_memory
from nodes.remember_turn import remember_turn
from nodes.retrieve_knowledge import retrieve_knowledge
from nodes.route_model import route_model
from nodes.screen_input import screen_input
from nodes.verify_answer import verify_answer
from nodes.write_answer import write_answer

RECEIVE: tuple[Node, ...] = (screen_input, recall_memory)
UNDERSTAND: tuple[Node, ...] = (detect_intent, read_emotion)
PREPARE: tuple[Node, ...] = (retrieve_knowledge, route_model)
ANSWER: tuple[Node, ...] = (write_answer, verify_answer, remember_turn)


class WorkflowCoordinator:
    """Every node, one after another, until the answer is ready."""

    name: Engine = "workflow"

    def __init__(self, observer: Observer) -> None:
        self._stepper = Stepper(self.name, observer)

    async def run(self, context: TurnContext) -> TurnState:
        """Take the turn through the nodes; once the answer is ready, nothing more is understood or prepared."""
        state = TurnState()
        for nodes in (RECEIVE, UNDERSTAND, PREPARE):
            if state.get("ready"):
                break
            state.update(await self._stepper.in_turn(nodes, state, context))
        state.update(await self._stepper.in_turn(ANSWER, state, context))
        return state
