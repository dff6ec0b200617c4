"""The graph coordinator: a LangGraph state graph with routes, independent steps side by side, and checkpoints.

A turn is one LangGraph thread, named by the turn's id, and is checkpointed once, when it ends or stops
to ask (`durability="exit"`). Nodes speak through the context, not through LangGraph's streams.
"""

# LangGraph is typed in part only.
# pyright: standard

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from flags.snapshot import Engine
from graphs.observer import Observer
from graphs.routes import after_receiving, after_understanding, after_verifying, after_writing
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
from tools.stores.checkpoint_config import NEW_THREAD

RECURSION_LIMIT = 50
RESULT = ["finish_reason", "citations", "unsupported"]
"""The keys a turn's end needs; LangGraph reads the output's keys after every step."""

GraphNode = Callable[[TurnState, Runtime[TurnContext]], Awaitable[Command[str]]]
Route = Callable[[TurnState], str]
Run = Callable[[tuple[Node, ...], TurnState, TurnContext], Awaitable[TurnState]]
"""How several nodes run inside one step: side by side, or in turn."""


class GraphCoordinator:
    """The full engine: what a turn goes through depends on what it is."""

    name: Engine = "langgraph"

    def __init__(self, observer: Observer, checkpointer: BaseCheckpointSaver[Any] | None) -> None:
        """`checkpointer` None keeps no checkpoints."""
        self._graph = build(Stepper(self.name, observer), checkpointer)

    async def run(self, context: TurnContext) -> TurnState:
        """Run the graph on a thread of this turn's own."""
        thread = {"thread_id": context.turn.id, NEW_THREAD: True}
        config = {"configurable": thread, "recursion_limit": RECURSION_LIMIT}
        state = await self._graph.ainvoke(
            TurnState(), cast(Any, config), context=context, durability="exit", output_keys=RESULT
        )
        return cast(TurnState, state)


def build(
    stepper: Stepper, checkpointer: BaseCheckpointSaver[Any] | None
) -> CompiledStateGraph[TurnState, TurnContext, TurnState, TurnState]:
    """The graph of a turn::

    receive ─┬─ ready ──────────────────────────► write_answer ─► verify_answer ─► remember_turn
             └─ understand ─┬─ prepare ──────────►┤
                            ├─ route_model ──────►┤
                            └─ refused ──────────►┘

    The last two are passed over where there is nothing to verify, and nothing to fold into the summary.
    Steps cost more than nodes, so several nodes share one: side by side where they can, else in turn.
    """
    graph = StateGraph(TurnState, TurnContext)

    def add(name: str, run: Run, nodes: tuple[Node, ...], route: Route, *destinations: str) -> None:
        graph.add_node(name, cast(Any, _as_graph_node(run, nodes, route)), destinations=destinations)

    together, in_turn = stepper.side_by_side, stepper.in_turn
    graph.add_edge(START, "receive")
    add("receive", together, (screen_input, recall_memory), after_receiving, "understand", "write_answer")
    understood = "prepare", "route_model", "write_answer"
    add("understand", together, (detect_intent, read_emotion), after_understanding, *understood)
    add("prepare", in_turn, (retrieve_knowledge, route_model), lambda _: "write_answer", "write_answer")
    add("route_model", in_turn, (route_model,), lambda _: "write_answer", "write_answer")
    add("write_answer", in_turn, (write_answer,), after_writing, "verify_answer", "remember_turn", END)
    add("verify_answer", in_turn, (verify_answer,), after_verifying, "remember_turn", END)
    add("remember_turn", in_turn, (remember_turn,), lambda _: END, END)
    return graph.compile(checkpointer=checkpointer)


def _as_graph_node(run: Run, nodes: tuple[Node, ...], route: Route) -> GraphNode:
    """One step of the graph, in which `nodes` run, and where it leads.

    The way on is chosen here rather than by LangGraph's conditional edges, which read the whole state again.
    """

    async def step(state: TurnState, runtime: Runtime[TurnContext]) -> Command[str]:
        update = await run(nodes, state, runtime.context)
        return Command(update=update, goto=route(cast(TurnState, {**state, **update})))

    return step
