"""Which chat models there are, by the settings: the first one answers unless a client asks for another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tools.models.extractive.model import ExtractiveModel
from tools.models.local import LocalModel
from tools.models.openai_compatible import OpenAICompatibleModel
from tools.models.protocol import ChatModel, Embedder
from tools.models.settings import ChatModelSettings

Backend = Literal["openai_compatible", "local", "extractive"]


def backend_of(settings: ChatModelSettings) -> Backend:
    """A server when one is named, else a local folder, else the built-in model."""
    if settings.openai_base_url or settings.openai_api_key:
        return "openai_compatible"
    return "local" if settings.local_model_path else "extractive"


def open_chat_models(settings: ChatModelSettings, embedder: Embedder | None) -> Sequence[ChatModel]:
    """The models, the default first; the extractive one is always among them and may ask `embedder`.

    Raises:
        NotAvailable: `LOCAL_MODEL_PATH` is not the folder of a model that can be run here.
    """
    extractive = ExtractiveModel(embedder)
    match backend_of(settings):
        case "openai_compatible":
            return [OpenAICompatibleModel(settings), extractive]
        case "local":
            return [LocalModel(settings), extractive]
        case "extractive":
            return [extractive]
