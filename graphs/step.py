"""Run nodes, timed: one after another, or side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from graphs.observer import COMPONENTS, Observer
from graphs.state import TurnState
from nodes.context import TurnContext

Node = Callable[[Any, TurnContext], Awaitable[Mapping[str, Any]]]


class Stepper:
    """Runs nodes for one engine and reports how long each took."""

    def __init__(self, engine: str, observer: Observer) -> None:
        self._engine = engine
        self._observer = observer

    async def step(self, node: Node, state: TurnState, context: TurnContext) -> TurnState:
        """The node's update, timed and counted; one that went on without its own part counts as failed.

        A node that is cancelled has neither succeeded nor failed: it is not reported.
        """
        started = time.perf_counter()
        try:
            update = await node(state, context)
        except Exception:
            self._report(node, context, started, ok=False)
            raise
        self._report(node, context, started, ok=node.__name__ not in context.meter.stood_in)
        return cast(TurnState, update)

    def _report(self, node: Node, context: TurnContext, started: float, *, ok: bool) -> None:
        seconds = time.perf_counter() - started
        context.meter.node_ms[node.__name__] = seconds * 1000
        self._observer.step(COMPONENTS[node.__name__], self._engine, context.decision.variant, seconds, ok)

    async def in_turn(self, nodes: tuple[Node, ...], state: TurnState, context: TurnContext) -> TurnState:
        """The joined updates of nodes that run one after another, each seeing what those before it wrote."""
        joined: dict[str, Any] = {}
        for node in nodes:
            joined.update(await self.step(node, cast(TurnState, {**state, **joined}), context))
        return cast(TurnState, joined)

    async def side_by_side(self, nodes: tuple[Node, ...], state: TurnState, context: TurnContext) -> TurnState:
        """The joined updates of independent nodes; the first failure cancels the others."""
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self.step(node, state, context)) for node in nodes[1:]]
            joined: dict[str, Any] = dict(await self.step(nodes[0], state, context))
        for other in others:
            joined.update(other.result())
        return cast(TurnState, joined)
