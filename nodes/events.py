"""Everything a turn can say. Transports only encode these; nothing else reaches a client.

The names and fields are the wire contract. `seq` is not here: it is given when an event leaves the
turn (`graphs.channel`), after neighbouring deltas have been joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.knowledge.protocol import Passage


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


class EmotionEvent(_Event):
    """How it is felt."""

    type: Literal["emotion"] = "emotion"
    label: str
    confidence: float
    decided_by: str
    valence: float
    arousal: float
    intensity: float


class Reference(_Event):
    """A passage offered to the answer; `quote` stands verbatim in the document at `start`-`end`."""

    id: str
    title: str
    document_id: str
    page: int | None
    start: int
    end: int
    quote: str
    score: float


class Citation(Reference):
    """A reference that carries a sentence of the answer."""

    sentence: str


def reference_to(label: str, passage: Passage) -> Reference:
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
