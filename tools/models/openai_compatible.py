"""Any server that speaks OpenAI's chat protocol, through langchain-openai's client.

This is the one place that retries: with growing pauses, only before the first word, and never past the time
allowed for it. All of an upstream's ways to fail become our typed errors here; their messages name neither the
key nor what the server said.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import AsyncExitStack, aclosing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tools.errors import UpstreamMalformed, UpstreamTimeout, UpstreamUnavailable
from tools.models.openai_answer import Answer
from tools.models.openai_errors import MayPass, failure_of
from tools.models.openai_frames import FrameDecoder
from tools.models.patience import Patience
from tools.models.prompt import messages_of
from tools.models.protocol import ChatChunk, ChatRequest, TokenUsage
from tools.models.settings import ChatModelSettings
from tools.models.tokens import estimate_tokens

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
"""A server that asks for a longer pause is not asked again."""

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class OpenAICompatibleModel:
    """A chat model behind an OpenAI-compatible address."""

    tier = "hosted"

    def __init__(self, settings: ChatModelSettings) -> None:
        """Opens nothing yet: the client library is loaded by the first request, in a thread."""
        self._settings = settings
        self._client: ChatOpenAI | None = None
        self._opening = asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's id at the upstream."""
        return self._settings.openai_model

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """See `ChatModel`. A failed try that may pass is repeated while the time for the first word lasts."""
        patience = Patience(self._settings)
        client = await self._open()
        for attempt in range(self._settings.upstream_retries + 1):
            said = False
            try:
                async with aclosing(self._attempt(client, request, patience)) as chunks:
                    async for chunk in chunks:
                        said = said or bool(chunk.text)
                        yield chunk
                return
            except MayPass as failure:
                _logger.warning("model server, try %d: %s", attempt + 1, failure.error.message)
                pause = _pause(failure.after_seconds, attempt)
                last = said or attempt == self._settings.upstream_retries
                if last or pause is None or not patience.allows_pause(pause):
                    raise failure.error from None
                await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.root_async_client.close()
            client.root_client.close()

    async def warm_up(self) -> None:
        """Load the client library before the first request needs it."""
        await self._open()

    async def _open(self) -> ChatOpenAI:
        async with self._opening:
            if self._client is None:
                # Late and in a thread, because the import costs about a second of CPU.
                self._client = await asyncio.to_thread(_load, self._settings)
            return self._client

    async def _attempt(self, client: ChatOpenAI, request: ChatRequest, patience: Patience) -> AsyncGenerator[ChatChunk]:
        """One request. Raises MayPass for what another try may not meet, else our typed errors."""
        answer = Answer(self._settings.upstream_max_chars)
        try:
            async with aclosing(_frames(client, self._payload(request), answer, patience)) as frames:
                async for frame in frames:
                    if text := answer.take(frame):
                        yield ChatChunk(text=text)
                    if answer.is_full:
                        break
        except Exception as error:  # the library's own and those of its transport are of many kinds
            raise failure_of(error) from None
        yield ChatChunk(usage=answer.usage or _estimated(request, answer), finish_reason=answer.finish or "stop")

    def _payload(self, request: ChatRequest) -> dict[str, Any]:
        messages = [{"role": message.role, "content": message.content} for message in messages_of(request)]
        options = {
            "temperature": request.temperature,
            self._max_tokens_name(): request.max_tokens,
            "response_format": _response_format(request),
        }
        return {
            "model": self._settings.openai_model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            **{name: value for name, value in options.items() if value is not None},
        }

    def _max_tokens_name(self) -> str:
        # OpenAI's newer models refuse the old name; most other servers know only that one.
        return "max_tokens" if self._settings.openai_base_url else "max_completion_tokens"


def _response_format(request: ChatRequest) -> dict[str, Any] | None:
    if request.json_schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": request.json_schema, "strict": True}}


async def _frames(
    client: ChatOpenAI, payload: dict[str, Any], answer: Answer, patience: Patience
) -> AsyncGenerator[dict[str, Any]]:
    """The frames of one reply, up to its end.

    They are decoded from the client's raw reply: through `ChatOpenAI.astream` an answer of 44 chunks costs 8 ms of
    CPU, this way 2 ms.
    """
    decoder = FrameDecoder()
    async with AsyncExitStack() as stack:
        # As `extra_body` the messages go out as they are: the library's own walk over them costs 0.4 ms of CPU.
        create = client.async_client.with_streaming_response.create
        opening = create(model=payload["model"], messages=[], stream=True, extra_body=payload)
        response = await _within(patience.first_word(), stack.enter_async_context(opening))
        parts = await stack.enter_async_context(aclosing(response.iter_bytes()))
        while data := await _read(parts, answer, decoder, patience):
            for frame in decoder.feed(data):
                patience.heard()
                yield frame
        for frame in decoder.finish():
            yield frame
        is_delimited = "transfer-encoding" in response.headers or "content-length" in response.headers
        _check_ending(answer, is_whole=decoder.done or is_delimited)


async def _read(parts: AsyncIterator[bytes], answer: Answer, decoder: FrameDecoder, patience: Patience) -> bytes | None:
    """The next bytes, None at the end; once all is said, a server that does not end its reply is left."""
    if decoder.done or answer.finish:
        with suppress(UpstreamTimeout):
            return await _within(patience.closing() if decoder.done else patience.usage(), anext(parts, None))
        return None
    return await _within(patience.next_word() if answer.alive else patience.first_word(), anext(parts, None))


async def _within(deadline: float, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise UpstreamTimeout("The model's server was silent for too long.") from None


def _check_ending(answer: Answer, *, is_whole: bool) -> None:
    """Raise unless the answer came to its end, though some servers send no finish reason."""
    if answer.finish is not None:
        return
    if answer.length == 0:
        raise UpstreamMalformed("The model's server sent an empty answer.")
    if not is_whole:
        raise UpstreamUnavailable("The model's server broke off in mid-answer.")


def _estimated(request: ChatRequest, answer: Answer) -> TokenUsage:
    told = sum(estimate_tokens(message.content) for message in messages_of(request))
    return TokenUsage(told, estimate_tokens(answer.text), counted=False)


def _pause(asked: float | None, attempt: int) -> float | None:
    """Seconds before the next try: what the server asked for, else doubling with jitter; None for too long."""
    if asked is not None:
        return asked if asked <= LONGEST_PAUSE_SECONDS else None
    return min(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.8, 1.2), LONGEST_PAUSE_SECONDS)  # noqa: S311


def _load(settings: ChatModelSettings) -> ChatOpenAI:
    from tools.models.openai_client import open_client

    return open_client(settings)
