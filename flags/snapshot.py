"""Which behaviour is on, as one immutable value that a turn keeps from its first step to its last."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Engine = Literal["legacy", "workflow", "langgraph"]
ENGINES: tuple[Engine, ...] = get_args(Engine)


class FlagSnapshot(BaseModel):
    """All flags at one moment. Each field's name in capitals is its name in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coordinator_engine: Engine = "langgraph"
    """Coordinator that answers (`graph` is taken for `langgraph`)."""
    enable_ml_intent: bool = True
    """Trained intent model instead of rules, where one is built."""
    enable_context_aware: bool = True
    """Earlier turns count when intent and emotion are read."""
    ab_testing_enabled: bool = False
    """Split users between `COORDINATOR_ENGINE` and `AB_CONTROL_ENGINE`."""
    ab_traffic_split: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of users (0-1) that get `COORDINATOR_ENGINE` when the split is on."""
    ab_control_engine: Engine = "legacy"
    """Coordinator of all other users."""
    performance_monitoring: bool = True
    """Write metrics snapshots to `logs/`."""
    kill_switch: bool = False
    """Everybody gets `legacy`, whatever the other flags say. On as soon as any source says so."""


class Decision(BaseModel):
    """Which coordinator answers a turn: `variant` is its arm, `reason` one of OpenFeature's words."""

    model_config = ConfigDict(frozen=True)

    engine: Engine
    variant: str
    reason: str
