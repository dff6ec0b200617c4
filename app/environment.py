"""Feeds settings sections from explicit names and values, and says what is wrong with them without values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import AliasChoices, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource

from flags.names import closest


class NamedValues(EnvSettingsSource):
    """Pydantic's reading of the environment, over a mapping instead of the process's own."""

    def __init__(self, section: type[BaseSettings], values: Mapping[str, str]) -> None:
        """`values` by name, in any case."""
        self._values = {name.lower(): value for name, value in values.items()}
        super().__init__(section)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._values


def names_of(field_name: str, field: FieldInfo) -> tuple[str, ...]:
    """The names of a setting in capitals, the documented one first, then its aliases."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias or field_name]
    return tuple(choice.upper() for choice in choices if isinstance(choice, str))


def is_secret(field: FieldInfo) -> bool:
    """Whether its value is never shown."""
    return SecretStr in _parts(field.annotation)


def problems_of(error: ValidationError, fields: Mapping[str, FieldInfo], sources: Mapping[str, str]) -> Iterator[str]:
    """One sentence per fault: the setting, where it was set, what it may be. Never the value."""
    for details in error.errors():
        place = str(details["loc"][0]) if details["loc"] else ""
        name = next((n for n, f in fields.items() if place.upper() in (n.upper(), *names_of(n, f))), None)
        if name is None:
            yield _message(details)
            continue
        label = next((known for known in names_of(name, fields[name]) if known in sources), name.upper())
        yield f"{sources.get(label, 'default')}: {label}: {_message(details)}{_nearest(details, fields[name])}."


def _message(details: ErrorDetails) -> str:
    return str(details["msg"]).removeprefix("Value error, ").rstrip(".")


def _nearest(details: ErrorDetails, field: FieldInfo) -> str:
    limits = details.get("ctx", {})
    bound = next((limits[key] for key in ("ge", "le") if key in limits), None)
    word = closest(str(details["input"]), _choices(field)) if bound is None else bound
    return "" if word is None else f"; the nearest is {word}"


def _choices(field: FieldInfo) -> list[str]:
    literals = (part for part in _parts(field.annotation) if get_origin(part) is Literal)
    return [str(choice) for literal in literals for choice in get_args(literal)]


def _parts(annotation: Any) -> list[Any]:
    """An annotation and all annotations inside it."""
    if get_origin(annotation) is Literal:
        return [annotation]
    return [annotation, *(part for inner in get_args(annotation) for part in _parts(inner))]
