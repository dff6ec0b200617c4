"""Everything a turn can say. Transports only encode these; nothing else reaches a client.

The names and fields are the wire contract. `seq` is not here: it is given when an event leaves the
turn (`graphs.channel`), after neighbouring deltas have been joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.emotion.protocol import Sentiment
from tools.knowledge import protocol as knowledge


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class Start(_Event):
    """The turn begins; always first."""

    type: Literal["start"] = "start"
    turn_id: str
    conversation_id: str
    coordinator: Literal["legacy", "workflow", "langgraph"]
    variant: str
    reason: str


class IntentEvent(_Event):
    """What is asked."""

    type: Literal["intent"] = "intent"
    label: str
    confidence: float
    decided_by: str
    crisis: bool = False
    """Whether it speaks of suicide, self-harm or abuse, and is answered with help lines alone."""


class EmotionEvent(_Event):
    """How it is felt. Sarcasm is a weak sign, with a probability of its own."""

    type: Literal["emotion"] = "emotion"
    label: str
    confidence: float
    decided_by: str
    valence: float
    arousal: float
    intensity: float
    sentiment: Sentiment = "neutral"
    mixed_emotions: tuple[str, ...] = ()
    is_sarcastic: bool = False
    sarcasm_confidence: float = 0.0
    handover: bool = False
    """Whether distress has lasted, so that the answer ends by offering a person."""


class PathStep(_Event):
    """One hop: from the first of `entities` to the second, and the sentence at `start`-`end` that says so.

    `forward` is false where the relation reads from the second to the first.
    """

    entities: tuple[str, str]
    relation: str
    confidence: float
    sentence: str
    document_id: str
    start: int
    end: int
    forward: bool = True


class GraphContext(_Event):
    """How the graph led to a passage: names and relations on the way, each path as a line, the first one in steps."""

    entities: list[str]
    relations: list[str]
    path: list[str]
    path_steps: list[PathStep]


class Reference(_Event):
    """A passage offered to the answer; `quote` stands verbatim in the document at `start`-`end`.

    `graph_context` is there when the graph led to it.
    """

    id: str
    title: str
    document_id: str
    page: int | None
    start: int
    end: int
    quote: str
    score: float
    graph_context: GraphContext | None = None


class Citation(Reference):
    """A reference that carries a sentence of the answer."""

    sentence: str


def reference_to(label: str, passage: knowledge.Passage) -> Reference:
    """A passage as clients see it, under the label by which an answer cites it."""
    return Reference(
        id=label,
        title=passage.title,
        document_id=passage.document_id,
        page=passage.page,
        start=passage.start,
        end=passage.end,
        quote=passage.text,
        score=passage.score,
        graph_context=_graph_context(passage.graph) if passage.graph is not None else None,
    )


def _graph_context(found: knowledge.GraphContext) -> GraphContext:
    return GraphContext(
        entities=list(found.entities),
        relations=list(found.relations),
        path=list(found.path),
        path_steps=[PathStep(**asdict(step)) for step in found.path_steps],
    )


class Refs(_Event):
    """The passages found; before the first delta."""

    type: Literal["refs"] = "refs"
    references: list[Reference]


class ModelEvent(_Event):
    """Which model answers, and why."""

    type: Literal["model"] = "model"
    model: str
    tier: str
    reason: str
    estimated_cost: float


class Delta(_Event):
    """A released piece of the answer."""

    type: Literal["delta"] = "delta"
    content: str


class Replace(_Event):
    """The verified text that takes the place of all deltas so far."""

    type: Literal["replace"] = "replace"
    content: str
    reason: str


class Usage(_Event):
    """What the turn cost: tokens, US dollars, milliseconds per node and in all."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    tokens_counted: bool = True
    """False when the upstream gave no usage and the tokens are our estimate."""
    cost: float = 0.0
    cache_hit: bool = False
    node_ms: Mapping[str, float] = Field(default_factory=dict)
    total_ms: float = 0.0


class Unsupported(_Event):
    """A sentence of the answer (characters `start`-`end` of it) that no passage carries."""

    sentence: str
    start: int
    end: int


class Done(_Event):
    """The turn ended as it should."""

    type: Literal["done"] = "done"
    finish_reason: Literal["stop", "refused", "cancelled", "length"]
    citations: list[Citation] = []
    unsupported: list[Unsupported] = []
    usage: Usage = Usage()


class Failed(_Event):
    """The turn ended in an error."""

    type: Literal["error"] = "error"
    code: str
    message: str
    retryable: bool


TurnEvent = Annotated[
    Start | IntentEvent | EmotionEvent | Refs | ModelEvent | Delta | Replace | Done | Failed,
    Field(discriminator="type"),
]
TERMINAL = (Done, Failed)


def as_fields(event: TurnEvent) -> dict[str, Any]:
    """The event as the JSON object a client gets, without `seq`."""
    return event.model_dump()
