"""The flags as an OpenFeature provider, so that hooks and other OpenFeature clients see the same values."""

# pyright: reportMissingTypeStubs=false
from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from flags.decision import choose_coordinator
from flags.snapshot import Decision, Engine, FlagSnapshot
from flags.values import FLAG_NAMES

T = TypeVar("T")
COORDINATOR = "coordinator"
"""The flag that is decided for each user; all others are the snapshot's fields, by their names."""
_domains = (f"zhiyin-{number}" for number in itertools.count())
"""OpenFeature keeps providers for the whole process; two apps in one must not share theirs."""


class SnapshotProvider(AbstractProvider):
    """Resolves every flag from the snapshot that `current` gives at that moment."""

    def __init__(self, current: Callable[[], FlagSnapshot]) -> None:
        super().__init__()
        self._current = current

    def get_metadata(self) -> Metadata:
        """The provider's name, as hooks report it."""
        return Metadata(name="zhiyin")

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """An engine's name; `coordinator` is split by the context's targeting key."""
        if flag_key != COORDINATOR:
            return self._field(flag_key, str)
        key = (evaluation_context.targeting_key if evaluation_context else None) or ""
        decision = choose_coordinator(self._current(), key)
        return FlagResolutionDetails(decision.engine, reason=decision.reason, variant=decision.variant)

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """A switch."""
        return self._field(flag_key, bool)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """A share."""
        return self._field(flag_key, float)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """There are no whole-number flags."""
        return self._field(flag_key, int)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """There are no structured flags."""
        raise TypeMismatchError(f"{flag_key} has no structure")

    def _field(self, flag_key: str, kind: type[T]) -> FlagResolutionDetails[T]:
        if flag_key.upper() not in FLAG_NAMES:
            raise FlagNotFoundError(f"There is no flag {flag_key}.")
        value = getattr(self._current(), flag_key.lower())
        if type(value) is not kind:
            raise TypeMismatchError(f"{flag_key} is a {type(value).__name__}.")
        return FlagResolutionDetails(value, reason=Reason.STATIC)


class CoordinatorFlag:
    """Asks OpenFeature which coordinator a user gets."""

    def __init__(self, current: Callable[[], FlagSnapshot]) -> None:
        """Register a provider of its own for `current`."""
        self._provider = SnapshotProvider(current)
        domain = next(_domains)
        api.set_provider_and_wait(self._provider, domain)
        self.client: OpenFeatureClient = api.get_client(domain)

    def decide(self, targeting_key: str) -> Decision:
        """The coordinator of one user; `legacy` with the reason ERROR when a hook fails the evaluation."""
        details = self.client.get_string_details(COORDINATOR, "legacy", EvaluationContext(targeting_key))
        engine = cast(Engine, details.value)
        return Decision(engine=engine, variant=details.variant or engine, reason=str(details.reason))
