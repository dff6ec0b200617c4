"""Joins what every source says into one state, and remembers which source each flag's value is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flags.docs import field_docs
from flags.errors import BadValue, ConfigurationError
from flags.snapshot import FlagSnapshot
from flags.values import DEFAULTS, FLAG_NAMES, FlagValue, parse

Source = Literal["default", ".env", "environment", "override"]
Layer = Mapping[str, FlagValue]
"""Flags that one source sets, by name in capitals."""
KILL_SWITCH = "KILL_SWITCH"


@dataclass(frozen=True, slots=True)
class FlagState:
    """All flags at one moment, with the source of each by name in capitals."""

    snapshot: FlagSnapshot
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class ExplainedFlag:
    """A flag as an operator sees it."""

    name: str
    value: FlagValue
    source: Source
    doc: str


def layer_of(values: Mapping[str, object], source: Source) -> Layer:
    """The flags among `values`; other names are left aside.

    Raises:
        ConfigurationError: a flag has a value that it cannot have.
    """
    layer: dict[str, FlagValue] = {}
    problems: list[str] = []
    for name in FLAG_NAMES.keys() & values.keys():
        try:
            layer[name] = parse(name, values[name])
        except BadValue as error:
            problems.append(f"{source}: {error}")
    if problems:
        raise ConfigurationError(sorted(problems))
    return layer


def combine(layers: Mapping[Source, Layer]) -> FlagState:
    """Lay the sources over the defaults, the first one weakest; the kill switch is on if any says so."""
    values: dict[str, FlagValue] = {name: DEFAULTS[field] for name, field in FLAG_NAMES.items()}
    sources: dict[str, Source] = dict.fromkeys(FLAG_NAMES, "default")
    for source, layer in layers.items():
        for name, value in layer.items():
            if name == KILL_SWITCH and values[name] is True:
                continue
            values[name], sources[name] = value, source
    fields = {FLAG_NAMES[name]: value for name, value in values.items()}
    return FlagState(FlagSnapshot.model_validate(fields), sources)


def explain(state: FlagState) -> list[ExplainedFlag]:
    """Every flag in the order of the snapshot's fields."""
    return [
        ExplainedFlag(
            name=name,
            value=getattr(state.snapshot, field),
            source=state.sources[name],
            doc=field_docs(FlagSnapshot)[field],
        )
        for name, field in FLAG_NAMES.items()
    ]
