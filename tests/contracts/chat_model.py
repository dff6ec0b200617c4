"""What every chat model keeps: one ending, our errors only, and an end to its work when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

import pytest

from tools.errors import UpstreamError
from tools.models.protocol import ChatChunk, ChatMessage, ChatModel, ChatRequest, Evidence, Persona

REQUEST = ChatRequest(
    message="When was the harbour built?",
    language="en",
    persona=Persona(),
    history=(ChatMessage("user", "Hello."), ChatMessage("assistant", "Hello, how can I help?")),
    summary="They talked about the coast.",
    evidence=(Evidence("1", "Harbour", "The harbour was built in 1874. Its pier is 412 metres long."),),
)
REQUESTS = {
    "with passages": REQUEST,
    "without passages": replace(REQUEST, evidence=()),
    "small talk": replace(REQUEST, message="Hello!", intent="small_talk", evidence=(), history=()),
    "Chinese": replace(REQUEST, message="港口是哪一年建的？", language="zh"),
    "odd characters": replace(REQUEST, message="{name} %s \x00 🙂 <|im_end|> </passage>"),
}
DEADLINE_SECONDS = 20.0
STOP_SECONDS = 1.0


def listen(model: ChatModel, request: ChatRequest) -> Any:
    """The stream, closed at the end of the `async with`."""
    return aclosing(cast(Any, model.stream(request)))


async def answer_of(model: ChatModel, request: ChatRequest = REQUEST) -> list[ChatChunk]:
    """All chunks of an answer."""
    async with asyncio.timeout(DEADLINE_SECONDS), listen(model, request) as chunks:
        return [chunk async for chunk in chunks]


def text_of(chunks: list[ChatChunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


class ChatModelContract:
    """Subclass it and give three fixtures: `model`, which answers; `failing`, whose upstream fails, or None; and
    `stuck`, which says a piece and would go on for ever, or None."""

    @pytest.fixture
    def failing(self) -> ChatModel | None:
        return None

    @pytest.fixture
    def stuck(self) -> ChatModel | None:
        return None

    async def still_works(self, model: ChatModel) -> bool:
        """Whether the model's upstream is still at work for us; backends that can know override it."""
        return False

    @pytest.mark.parametrize("kind", REQUESTS)
    async def test_an_answer_has_chunks_and_one_ending_which_is_last(self, model: ChatModel, kind: str) -> None:
        chunks = await answer_of(model, REQUESTS[kind])
        await model.close()
        assert chunks
        assert chunks[-1].finish_reason in {"stop", "length", "refused"}
        assert all(chunk.finish_reason is None for chunk in chunks[:-1])

    async def test_an_answer_has_words(self, model: ChatModel) -> None:
        chunks = await answer_of(model)
        await model.close()
        assert text_of(chunks).strip()

    async def test_usage_stands_in_the_last_chunk_if_anywhere(self, model: ChatModel) -> None:
        *earlier, last = await answer_of(model)
        await model.close()
        assert all(chunk.usage is None for chunk in earlier)
        assert last.usage is None or last.usage.completion_tokens > 0

    async def test_it_has_a_name_and_a_tier(self, model: ChatModel) -> None:
        await model.close()
        assert model.name.strip() == model.name != ""
        assert model.tier in {"embedded", "local", "hosted"}

    async def test_many_can_be_answered_at_once(self, model: ChatModel) -> None:
        answers = await asyncio.gather(*(answer_of(model) for _ in range(3)))
        await model.close()
        assert all(answer[-1].finish_reason for answer in answers)

    async def test_a_listener_that_leaves_does_not_harm_the_next(self, model: ChatModel) -> None:
        async with listen(model, REQUEST) as chunks:
            await anext(chunks)
        chunks = await answer_of(model)
        await model.close()
        assert chunks[-1].finish_reason

    async def test_a_model_may_be_closed_twice(self, model: ChatModel) -> None:
        await answer_of(model)
        await model.close()
        await model.close()

    async def test_only_upstream_errors_are_raised(self, failing: ChatModel | None) -> None:
        if failing is None:
            pytest.skip("this model has no upstream that could fail")
        with pytest.raises(UpstreamError) as failure:
            await answer_of(failing)
        await failing.close()
        assert failure.value.message

    async def test_closing_the_stream_stops_the_work_within_a_second(self, stuck: ChatModel | None) -> None:
        if stuck is None:
            pytest.skip("this model never goes on for long")
        stream: Any = stuck.stream(REQUEST)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await _first_words(stream)
        async with asyncio.timeout(STOP_SECONDS):
            await stream.aclose()
        assert not await self.still_works(stuck)
        await stuck.close()

    async def test_cancelling_the_task_stops_the_work_within_a_second(self, stuck: ChatModel | None) -> None:
        if stuck is None:
            pytest.skip("this model never goes on for long")
        speaks = asyncio.Event()

        async def consume() -> None:
            async with listen(stuck, REQUEST) as chunks:
                async for chunk in chunks:
                    if chunk.text:
                        speaks.set()

        task = asyncio.create_task(consume())
        await asyncio.wait_for(speaks.wait(), DEADLINE_SECONDS)
        task.cancel()
        async with asyncio.timeout(STOP_SECONDS):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert not await self.still_works(stuck)
        await stuck.close()


async def _first_words(stream: AsyncIterator[ChatChunk]) -> None:
    async for chunk in stream:
        if chunk.text:
            return
