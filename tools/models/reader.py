"""Which model reads documents in the background: never the built-in one, which has nothing to add."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from tools.models.openai_compatible import OpenAICompatibleModel
from tools.models.protocol import ChatModel
from tools.models.settings import ChatModelSettings

log = structlog.get_logger(__name__)


def reader_of(models: Sequence[ChatModel], settings: ChatModelSettings, name: str = "") -> ChatModel | None:
    """The model called `name` ("" for the one that answers); None when there is none but the built-in one.

    A name that is none of `models` is asked for at their server, where there is one. Closing the model twice does
    no harm, so the caller need not know whether it is one of `models`.
    """
    answering = models[0]
    named = [model for model in models if model.name == name]
    found = named[0] if named else answering
    if name and not named and answering.tier == "hosted":
        return OpenAICompatibleModel(settings.model_copy(update={"openai_model": name}))
    if found.tier == "embedded":
        log.warning("enrichment.no_model", asked=name)
        return None
    return found
