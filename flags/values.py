"""What a flag may be set to, wherever it is written: `.env`, the environment, the override file, HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flags.errors import BadValue, UnknownFlag
from flags.names import closest
from flags.snapshot import ENGINES, FlagSnapshot

FlagValue = bool | float | str

FLAG_NAMES: Mapping[str, str] = {field.upper(): field for field in FlagSnapshot.model_fields}
"""Name in the environment -> field of the snapshot."""
DEFAULTS: Mapping[str, FlagValue] = FlagSnapshot().model_dump()
WORDS: Mapping[str, bool] = {
    "true": True,
    "1": True,
    "on": True,
    "yes": True,
    "false": False,
    "0": False,
    "off": False,
    "no": False,
}
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
ENGINE_ALIASES: Mapping[str, str] = {"graph": "langgraph"} | {engine: engine for engine in ENGINES}


def flag_name(name: str) -> str:
    """The name as the environment spells it. Raises UnknownFlag."""
    known = name.upper()
    if known not in FLAG_NAMES:
        raise UnknownFlag((closest(name, FLAG_NAMES.values()) or "coordinator_engine").upper())
    return known


def parse(name: str, raw: object) -> FlagValue:
    """The value that `raw` (text, or a JSON scalar) gives to the flag `name`.

    Raises:
        BadValue: it is none that the flag can have.
    """
    default = DEFAULTS[FLAG_NAMES[name]]
    if isinstance(default, bool):
        return _switch(name, raw)
    return _share(name, raw) if isinstance(default, float) else _engine(name, raw)


def _switch(name: str, raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in WORDS:
        raise BadValue(f"{name} must be true or false (or on, off, yes, no, 1, 0){_hint(closest(word, WORDS))}.")
    return WORDS[word]


def _engine(name: str, raw: object) -> str:
    word = str(raw).strip().lower()
    if word not in ENGINE_ALIASES:
        raise BadValue(f"{name} must be one of {', '.join(ENGINES)}{_hint(closest(word, ENGINE_ALIASES))}.")
    return ENGINE_ALIASES[word]


def _share(name: str, raw: object) -> float:
    text = "" if isinstance(raw, bool) else str(raw).strip()
    if NUMBER.fullmatch(text) and 0 <= float(text) <= 1:
        return float(text)
    raise BadValue(f"{name} must be a share from 0 to 1 (for 10 % write 0.1){_hint(_nearest_share(text))}.")


def _nearest_share(text: str) -> str | None:
    """A share that `10`, `10%`, `0,1` or `-1` may have meant."""
    number = text.replace(",", ".").removesuffix("%").strip()
    if not NUMBER.fullmatch(number):
        return None
    value = float(number)
    percent = text.endswith("%") or 2 <= value <= 100
    return f"{min(max(value / 100 if percent else value, 0.0), 1.0):g}"


def _hint(nearest: str | None) -> str:
    return f"; the nearest is {nearest}" if nearest else ""
