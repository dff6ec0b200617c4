from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles import HashingEmbedder, ScriptedChatModel
from tools.errors import InvalidInput, NotAvailable
from tools.models.open import open_chat_models
from tools.models.protocol import ModelChoice
from tools.models.router import SingleModelRouter
from tools.models.settings import ChatModelSettings


def test_the_only_model_is_chosen_and_that_is_the_reason() -> None:
    router = SingleModelRouter([ScriptedChatModel(name="a")])
    assert router.choose("auto") == ModelChoice("a", "embedded", "only_model", 0.0)


def test_of_several_the_default_is_chosen_unless_another_is_asked_for() -> None:
    models = [ScriptedChatModel(name=name) for name in "abc"]
    router = SingleModelRouter(models, "b")
    assert (router.choose("auto").model, router.choose("auto").reason) == ("b", "default")
    assert (router.choose("c").model, router.choose("c").reason) == ("c", "requested")
    assert router.get("c") is models[2]


def test_the_names_begin_with_the_default() -> None:
    models = [ScriptedChatModel(name=name) for name in "abc"]
    assert list(SingleModelRouter(models, "b").names()) == ["b", "a", "c"]
    assert list(SingleModelRouter(models).names()) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["d", "", "AUTO", "a "])
def test_an_unknown_model_is_invalid_input(name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        SingleModelRouter([ScriptedChatModel(name="a")]).choose(name)
    assert refusal.value.code == "unknown_model"


def test_a_default_that_is_no_model_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="default"):
        SingleModelRouter([ScriptedChatModel(name="a")], "b")


async def test_closing_and_warming_up_reach_every_model() -> None:
    seen: list[str] = []

    class Heavy(ScriptedChatModel):
        async def warm_up(self) -> None:
            seen.append(f"warm {self.name}")

        async def close(self) -> None:
            seen.append(f"close {self.name}")

    router = SingleModelRouter([Heavy(name="a"), Heavy(name="a"), ScriptedChatModel(name="c")])
    await router.warm_up()
    await router.close()
    assert seen == ["warm a", "warm a", "close a", "close a"]


def _tiers(settings: ChatModelSettings) -> list[tuple[str, str]]:
    return [(model.name, model.tier) for model in open_chat_models(settings, HashingEmbedder())]


def test_without_settings_the_built_in_model_answers() -> None:
    assert _tiers(ChatModelSettings()) == [("zhiyin-extractive", "embedded")]


@pytest.mark.parametrize("given", [{"openai_base_url": "http://127.0.0.1:1/v1"}, {"openai_api_key": "k"}])
def test_a_server_answers_where_one_is_set_and_the_built_in_model_can_be_asked_for(given: dict[str, str]) -> None:
    settings = ChatModelSettings.model_validate({"openai_model": "m", **given})
    assert _tiers(settings) == [("m", "hosted"), ("zhiyin-extractive", "embedded")]


def test_a_local_folder_answers_where_one_is_set(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
    folder = tmp_path / "my-model"
    folder.mkdir()
    with pytest.raises(NotAvailable, match="LOCAL_MODEL_PATH"):
        _tiers(ChatModelSettings(local_model_path=folder))
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    assert _tiers(ChatModelSettings(local_model_path=folder)) == [
        ("my-model", "local"),
        ("zhiyin-extractive", "embedded"),
    ]


def test_opening_the_models_loads_no_heavy_library() -> None:
    code = """
import sys
from tools.models.open import open_chat_models
from tools.models.settings import ChatModelSettings
open_chat_models(ChatModelSettings(openai_api_key="k"), None)
print([name for name in ("torch", "transformers", "langchain_openai", "openai", "httpx2") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "address", ["ftp://x", "localhost:11434", "http://", "http://h:99999", "http://u:pw@h/v1", "http://h/v1?k=1"]
)
def test_an_address_that_cannot_be_one_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ValueError, match="must") as refusal:
        ChatModelSettings(openai_base_url=address)
    assert "pw" not in str(refusal.value.errors()[0]["msg"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["a b", "clé", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="plain characters"):
        ChatModelSettings.model_validate({"openai_api_key": key})


def test_blank_values_are_unset_and_white_space_around_them_is_not_theirs() -> None:
    settings = ChatModelSettings.model_validate(
        {"openai_base_url": " http://h/v1/ ", "openai_api_key": " k\n", "local_model_path": ""}
    )
    assert settings.openai_base_url == "http://h/v1"
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "k"
    assert settings.local_model_path is None
    assert ChatModelSettings.model_validate({"openai_api_key": " "}).openai_api_key is None
