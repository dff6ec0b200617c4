"""One request to a language model, as enrichment makes them: the whole answer, and what it cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import structlog

from tools.errors import UpstreamRejected
from tools.models.protocol import ChatChunk, ChatModel, ChatRequest, TokenUsage
from tools.models.tokens import estimate_tokens

log = structlog.get_logger(__name__)

OVERHEAD_TOKENS = 600
"""What instructions and schema take beside the texts."""

RequestOf = Callable[[bool], ChatRequest]
"""Makes a request, with a JSON schema or without."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, and the tokens in and out."""

    text: str
    tokens: int


class ModelAsker:
    """Asks one model. Servers that decline a schema are asked without one from then on."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._with_schema = True

    @property
    def name(self) -> str:
        """The model's id."""
        return self._model.name

    async def ask(self, request_of: RequestOf) -> Answer:
        """The whole answer. Raises UpstreamError."""
        with_schema = self._with_schema
        try:
            return await self._ask(request_of(with_schema))
        except UpstreamRejected:
            if not with_schema:
                raise
        answer = await self._ask(request_of(False))
        self._with_schema = False
        log.info("enrichment.without_schema", model=self.name)
        return answer

    async def _ask(self, request: ChatRequest) -> Answer:
        text, usage = "", TokenUsage(0, 0)
        stream = cast(AsyncIterator[ChatChunk], self._model.stream(request))
        async with aclosing(cast(Any, stream)) as chunks:
            async for chunk in chunks:
                text += chunk.text
                usage = chunk.usage or usage
        return Answer(text, usage.prompt_tokens + usage.completion_tokens or estimate(request) + estimate_tokens(text))


def estimate(request: ChatRequest) -> int:
    """Tokens that a request takes before it is answered, roughly."""
    return OVERHEAD_TOKENS + estimate_tokens(request.message)
