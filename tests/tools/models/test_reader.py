from __future__ import annotations

from pathlib import Path

import pytest

from tools.models.extractive.model import ExtractiveModel
from tools.models.openai_compatible import OpenAICompatibleModel
from tools.models.protocol import ChatModel
from tools.models.reader import reader_of
from tools.models.settings import ChatModelSettings

SERVER = ChatModelSettings(openai_base_url="http://127.0.0.1:9/v1", openai_model="large")


def test_the_model_that_answers_reads() -> None:
    models: list[ChatModel] = [OpenAICompatibleModel(SERVER), ExtractiveModel()]
    assert reader_of(models, SERVER) is models[0]
    assert reader_of(models, SERVER, "large") is models[0]


async def test_another_model_of_the_same_server_may_read() -> None:
    reader = reader_of([OpenAICompatibleModel(SERVER), ExtractiveModel()], SERVER, "small")
    assert reader is not None
    assert (reader.name, reader.tier) == ("small", "hosted")
    await reader.close()
    await reader.close()


@pytest.mark.parametrize("name", ["", "zhiyin-extractive", "gpt-5"])
def test_the_built_in_model_never_reads(name: str) -> None:
    assert reader_of([ExtractiveModel()], ChatModelSettings(), name) is None


def test_a_local_model_is_not_loaded_twice() -> None:
    class Local(ExtractiveModel):
        tier = "local"

    local = Local()
    assert reader_of([local, ExtractiveModel()], ChatModelSettings(local_model_path=Path("x")), "another") is local
