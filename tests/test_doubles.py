from __future__ import annotations

import asyncio

import pytest

from tests.contracts.chat_model import ChatModelContract
from tests.contracts.embedder import EmbedderContract
from tests.doubles import HashingEmbedder, ScriptedChatModel
from tools.errors import UpstreamUnavailable
from tools.models.protocol import ChatModel


class TestHashingEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> HashingEmbedder:
        return HashingEmbedder()


async def test_texts_that_share_words_are_nearer() -> None:
    one, two, other = await HashingEmbedder().embed(["the red lamp", "a red lamp", "保修期多长"])
    assert one @ two > 0.5 > one @ other


class TestScriptedChatModel(ChatModelContract):
    @pytest.fixture
    def model(self) -> ScriptedChatModel:
        return ScriptedChatModel("Built in ", "1874 ", "[1].")

    @pytest.fixture
    def failing(self) -> ScriptedChatModel:
        return ScriptedChatModel("Built", failure=UpstreamUnavailable("gone"))

    @pytest.fixture
    def stuck(self) -> ScriptedChatModel:
        passed, shut = asyncio.Event(), asyncio.Event()
        passed.set()
        return ScriptedChatModel("Built", "never", gates=(passed, shut))

    async def still_works(self, model: ChatModel) -> bool:
        assert isinstance(model, ScriptedChatModel)
        return model.listeners > 0
