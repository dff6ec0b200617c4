"""One model answers; the others can be asked for by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from tools.errors import InvalidInput
from tools.models.protocol import ChatModel, ModelChoice

AUTO = "auto"


@runtime_checkable
class WarmsUp(Protocol):
    """A model whose first answer would wait for a library or for weights."""

    async def warm_up(self) -> None:
        """Load them now."""
        ...


class SingleModelRouter:
    """A `ModelRouter` whose choice is its default model, unless the client names another."""

    def __init__(self, models: Sequence[ChatModel], default: str | None = None) -> None:
        """`default` is the first model's name when None; of two models with one name the first counts."""
        self._models: dict[str, ChatModel] = {}
        for model in models:
            self._models.setdefault(model.name, model)
        self._all = list(models)
        self._default = default or models[0].name
        if self._default not in self._models:
            raise ValueError("the default is none of the models")

    def names(self) -> Sequence[str]:
        """See `ModelRouter`."""
        return [self._default, *(name for name in self._models if name != self._default)]

    def choose(self, requested: str) -> ModelChoice:
        """See `ModelRouter`. Reasons: `requested`, `only_model`, `default`; an unknown id has code `unknown_model`."""
        name = self._default if requested == AUTO else requested
        model = self._models.get(name)
        if model is None:
            raise InvalidInput("There is no model of that name; see the list of models.", code="unknown_model")
        own = "only_model" if len(self._models) == 1 else "default"
        return ModelChoice(model=name, tier=model.tier, reason=own if requested == AUTO else "requested")

    def get(self, name: str) -> ChatModel:
        """See `ModelRouter`."""
        return self._models[name]

    async def warm_up(self) -> None:
        """Load what first answers would wait for. Raises UpstreamError if a model cannot be loaded."""
        for model in self._all:
            if isinstance(model, WarmsUp):
                await model.warm_up()

    async def close(self) -> None:
        """Close all models."""
        for model in self._all:
            await model.close()
