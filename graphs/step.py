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
        """The node's update."""
        started, ok = time.perf_counter(), False
        try:
            update = await node(state, context)
            ok = True
        finally:
            seconds = time.perf_counter() - started
            name = node.__name__
            context.meter.node_ms[name] = seconds * 1000
            self._observer.step(COMPONENTS[name], self._engine, context.decision.variant, seconds, ok)
        return cast(TurnState, update)

    async def side_by_side(self, nodes: tuple[Node, ...], state: TurnState, context: TurnContext) -> TurnState:
        """The joined updates of independent nodes; the first failure cancels the others."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.step(node, state, context)) for node in nodes]
        joined: dict[str, Any] = {}
        for task in tasks:
            joined.update(task.result())
        return cast(TurnState, joined)
