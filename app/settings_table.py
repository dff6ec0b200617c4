"""The settings as tables: for the README, and for an operator who asks what is set and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.environment import is_secret, names_of
from app.settings import NOT_USED_YET, Settings
from flags.docs import field_docs
from flags.snapshot import FlagSnapshot
from flags.values import DEFAULTS

KINDS: dict[object, str] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true, false",
    Path: "path",
    SecretStr: "secret",
    tuple: "list",
}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as an operator sees it; a secret's `value` says only whether it is set."""

    section: str
    name: str
    aliases: Sequence[str]
    kind: str
    default: str
    doc: str
    secret: bool
    value: str
    source: str


def settings_rows(settings: Settings | None = None) -> list[SettingRow]:
    """Every setting, section by section, with its values in `settings` (else the defaults)."""
    return [
        _row(section, key, info, settings)
        for section in Settings.__bases__
        for key, info in section.model_fields.items()
    ]


def settings_table(markdown: bool = True) -> str:
    """All settings and flags with defaults and meaning: Markdown tables, else tab-separated lines."""
    rows = [(row.name, row.kind, row.default, _doc(row)) for row in settings_rows()]
    flags = [
        (key.upper(), _kind(info), _shown(DEFAULTS[key]), field_docs(FlagSnapshot)[key])
        for key, info in FlagSnapshot.model_fields.items()
    ]
    if not markdown:
        return "\n".join("\t".join(row) for row in [*rows, *flags])
    later = "; ".join(f"{part}: {', '.join(f'`{name}`' for name in names)}" for part, names in NOT_USED_YET.items())
    return "\n\n".join(
        [
            _table("Setting", rows),
            "Flags are settings that change while the app runs:",
            _table("Flag", flags),
            f"Accepted and not used yet: {later}.",
        ]
    )


def _row(section: type, key: str, info: FieldInfo, settings: Settings | None) -> SettingRow:
    name, *aliases = names_of(key, info)
    sources = settings.sources if settings else {}
    value = getattr(settings, key) if settings else info.default
    return SettingRow(
        section=section.__name__.removesuffix("Settings"),
        name=name,
        aliases=aliases,
        kind=_kind(info),
        default=_shown(info.default),
        doc=field_docs(section)[key],
        secret=is_secret(info),
        value=_shown(value),
        source=next((sources[known] for known in (name, *aliases) if known in sources), "default"),
    )


def _table(heading: str, rows: Iterable[tuple[str, str, str, str]]) -> str:
    lines = [f"| {heading} | Takes | Default | Meaning |", "| --- | --- | --- | --- |"]
    for name, kind, default, doc in rows:
        lines.append(f"| `{name}` | {kind} | {f'`{default}`' if default else ''} | {doc.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def _doc(row: SettingRow) -> str:
    also = ", ".join(f"`{alias}`" for alias in row.aliases)
    return f"{row.doc} Also {also}." if also else row.doc


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return "" if value is None else str(value)


def _kind(info: FieldInfo) -> str:
    """What an operator may write, in words."""
    return ", ".join(dict.fromkeys(_kinds(info.annotation)))


def _kinds(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    kind = KINDS.get(get_origin(annotation) or annotation)
    if kind is not None:
        return [kind]
    return [word for part in get_args(annotation) if part is not type(None) for word in _kinds(part)]
