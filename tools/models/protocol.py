"""What a language model and a sentence encoder are to the rest of the house."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tools.models.persona import Persona

Language = Literal["en", "zh"]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One earlier message of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage the answer may rest on; it is cited in the answer as `[label]`."""

    label: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Tone:
    """How the message seems to be felt: a GoEmotions label, whether it is pleasant, and its intensity (0-1).

    It is made of a reading that is sure enough to act on; how the answer then sounds is in `tools.models.tone`.
    """

    emotion: str
    valence: Literal["negative", "neutral", "positive"]
    intensity: float


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Everything a model is told; how it becomes a prompt is the backend's business.

    `message` is the user's own words and reaches the model unchanged. `intent` is the router's label
    (see `tools.intent.protocol`), which the extractive model uses to know small talk from a question. `tone` is None
    where nothing is felt or nothing is sure. `json_schema` asks a server that can be held to one for JSON of that
    form; other backends take no notice of it.
    """

    message: str
    language: Language
    persona: Persona
    history: Sequence[ChatMessage] = ()
    summary: str = ""
    evidence: Sequence[Evidence] = ()
    intent: str = "knowledge_question"
    tone: Tone | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    json_schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens in and out; `counted` is False when the upstream did not say and we estimated."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True


@dataclass(frozen=True, slots=True)
class ChatChunk:
    """A piece of the answer. The last chunk carries `finish_reason`, and `usage` when it is known.

    An `aside` greets, comforts or leads in: a whole paragraph before the answer that no passage has to carry.
    """

    text: str = ""
    aside: bool = False
    usage: TokenUsage | None = None
    finish_reason: Literal["stop", "length", "refused"] | None = None


class ChatModel(Protocol):
    """A language model that answers in a stream.

    `stream` yields at least one chunk and ends with exactly one that has a `finish_reason`. It raises
    only `tools.errors.UpstreamError` and its children. Closing the iterator (`aclose`) or cancelling
    the task closes the connection to the upstream within a second. Nothing is retried once a chunk
    with text has been yielded.
    """

    @property
    def name(self) -> str:
        """The model's id, as clients name it."""
        ...

    @property
    def tier(self) -> str:
        """What kind of model it is: `embedded`, `local` or `hosted`."""
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """Answer `request` piece by piece."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model answers, and why; `estimated_cost` in US dollars."""

    model: str
    tier: str
    reason: str
    estimated_cost: float = 0.0


class ModelRouter(Protocol):
    """Chooses a model for a turn."""

    def names(self) -> Sequence[str]:
        """The ids a client may ask for, the default first (`auto` is always accepted)."""
        ...

    def choose(self, requested: str) -> ModelChoice:
        """Pick the model for `requested` (`auto` or an id of `names`).

        Raises:
            InvalidInput: no model has that id.
        """
        ...

    def get(self, name: str) -> ChatModel:
        """The model that `choose` named."""
        ...


class Embedder(Protocol):
    """A sentence encoder.

    `embed` returns float32 of shape (len(texts), dimension), rows of unit length, in the order of
    `texts`; an empty list gives shape (0, dimension). It never blocks the event loop and is safe to
    call from many tasks at once.
    """

    @property
    def name(self) -> str:
        """The id under which vectors are stored: vectors of two names are never compared."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers per vector."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """Languages whose text it may be trusted with."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; longer ones than the encoder takes are cut at its limit."""
        ...

    async def close(self) -> None:
        """Stop its thread."""
        ...


__all__ = [
    "ChatChunk",
    "ChatMessage",
    "ChatModel",
    "ChatRequest",
    "Embedder",
    "Evidence",
    "Language",
    "ModelChoice",
    "ModelRouter",
    "Persona",
    "TokenUsage",
    "Tone",
    "Vectors",
]


class Reranker(Protocol):
    """Reads a question and a text together and says how well the one answers the other."""

    async def score(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """A score for each text, in order, 0-1, higher for what answers the question better.

        Raises:
            NotAvailable: the model cannot be loaded.
            StoreUnavailable: it was closed, or cannot serve right now.
        """
        ...

    async def close(self) -> None:
        """Let go of the model and its thread."""
        ...
