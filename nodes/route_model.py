"""Choose the model that answers."""

from __future__ import annotations

from typing import TypedDict

from nodes.context import TurnContext
from nodes.events import ModelEvent
from tools.models.protocol import ModelChoice


class RouteModelInput(TypedDict):
    """Reads nothing: what the client wants stands in the context."""


class RouteModelUpdate(TypedDict, total=False):
    """`model` is the choice and its reason."""

    model: ModelChoice


async def route_model(state: RouteModelInput, context: TurnContext) -> RouteModelUpdate:
    """Ask the router for a model and say which and why."""
    choice = context.services.models.choose(context.turn.options.model)
    context.emit(
        ModelEvent(model=choice.model, tier=choice.tier, reason=choice.reason, estimated_cost=choice.estimated_cost)
    )
    return {"model": choice}
