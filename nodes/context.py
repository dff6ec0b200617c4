"""What every node of one turn can reach: the turn, its flags, services, its voice and its meter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flags.snapshot import Decision, FlagSnapshot
from nodes.events import TurnEvent
from nodes.turn import Turn
from tools.emotion.protocol import EmotionReader
from tools.intent.protocol import IntentDetector
from tools.knowledge.protocol import Retriever
from tools.models.persona import PersonaSource
from tools.models.protocol import ModelRouter, TokenUsage
from tools.safety.protocol import CrisisAnswers, Handover
from tools.stores.protocol import ConversationStore


@dataclass(frozen=True, slots=True)
class Services:
    """What nodes use; all of them Protocols, chosen in `app.wiring`."""

    conversations: ConversationStore
    retriever: Retriever
    models: ModelRouter
    personas: PersonaSource
    intents: IntentDetector
    """The trained model, or what stands in for it."""
    rules: IntentDetector
    """What decides while `ENABLE_ML_INTENT` is off, and where the other one fails."""
    keywords: IntentDetector
    """The legacy coordinator's own detector."""
    emotions: EmotionReader
    crises: CrisisAnswers
    handover: Handover


@dataclass(slots=True)
class TurnMeter:
    """What one turn has used so far."""

    node_ms: dict[str, float] = field(default_factory=dict[str, float])
    first_token_at: float | None = None
    """When the first word was let out, on the clock of `time.perf_counter`."""
    usage: TokenUsage = field(default_factory=TokenUsage)
    cost: float = 0.0
    cache_hit: bool = False
    stood_in: set[str] = field(default_factory=set[str])
    """Nodes whose own part failed, and that went on without it."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """Handed to every node; never checkpointed."""

    turn: Turn
    flags: FlagSnapshot
    decision: Decision
    services: Services
    emit: Callable[[TurnEvent], None]
    """Say something to whoever listens."""
    meter: TurnMeter = field(default_factory=TurnMeter)
