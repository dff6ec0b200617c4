"""Ask an OpenAI-compatible model whose server plays given acts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.chat_model import REQUEST, answer_of, listen
from tests.upstream import Act, Upstream
from tools.errors import UpstreamError
from tools.models.openai_compatible import OpenAICompatibleModel
from tools.models.protocol import ChatChunk
from tools.models.settings import ChatModelSettings


def model_at(url: str, **settings: Any) -> OpenAICompatibleModel:
    return OpenAICompatibleModel(ChatModelSettings(openai_base_url=url, openai_model="m", **settings))


async def ask(upstream: Upstream, *acts: Act, **settings: Any) -> list[ChatChunk]:
    """All chunks that come of an answer to these acts."""
    upstream.plays(*acts)
    model = model_at(upstream.url, **settings)
    try:
        return await answer_of(model)
    finally:
        await model.close()


async def ask_in_vain(upstream: Upstream, *acts: Act, **settings: Any) -> tuple[UpstreamError, str]:
    """The error that ends an answer, and the text that came before it."""
    upstream.plays(*acts)
    model, text = model_at(upstream.url, **settings), ""
    try:
        async with listen(model, REQUEST) as chunks:
            async for chunk in chunks:
                assert chunk.finish_reason is None
                text += chunk.text
    except UpstreamError as error:
        return error, text
    finally:
        await model.close()
    pytest.fail("there was no error")
