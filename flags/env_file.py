"""Reads the text of a `.env` strictly where our own names stand, and leniently everywhere else."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from flags.errors import ConfigurationError
from flags.names import KnownNames

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,80}")
FIRST_WORDS = re.compile(r"(?m)^[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][A-Za-z0-9_\-]*)")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The values of a `.env` by name in capitals, and remarks about lines that were let pass."""

    values: Mapping[str, str]
    notes: tuple[str, ...] = ()


def read_env(content: bytes | None, known: KnownNames) -> EnvFile:
    """Read a `.env`; no file is an empty one, and `NAME=` leaves a name unset.

    Raises:
        ConfigurationError: not UTF-8, a misspelt name, or a known name on a line that cannot be read.
    """
    text = _decode(content or b"")
    bindings = list(parse_stream(io.StringIO(text)))
    problems = [problem for binding in bindings for problem in _problems(binding, known)]
    if problems:
        raise ConfigurationError(problems)
    sound = "".join(binding.original.string for binding in bindings if not binding.error)
    pairs = dotenv_values(stream=io.StringIO(sound)).items()
    values = {name.upper(): value for name, value in pairs if value and NAME.fullmatch(name)}
    return EnvFile(values, tuple(_notes(bindings, known)))


def check_variables(names: Iterable[str], known: KnownNames) -> None:
    """Raise ConfigurationError if a variable of the process must have meant one of ours."""
    misspelt = {name: meant for name in names if (meant := known.misspelt_in_environment(name))}
    if misspelt:
        raise ConfigurationError([f"environment: {_did_you_mean(*pair)}" for pair in misspelt.items()])


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError([".env is not UTF-8 text."]) from error


def _problems(binding: Binding, known: KnownNames) -> Iterator[str]:
    line = binding.original.line
    if binding.error:
        for word in FIRST_WORDS.findall(binding.original.string):
            if meant := word.upper() if word in known else known.misspelt(word):
                yield f".env, line {line}, cannot be read; write {meant}=value on a line of its own."
    elif binding.key is not None:
        if meant := known.misspelt(binding.key):
            yield f".env, line {line}: {_did_you_mean(binding.key, meant)}"
        elif binding.value is None and binding.key in known:
            yield f".env, line {line}: {binding.key} has no value; write {binding.key}=value."


def _did_you_mean(name: str, meant: str) -> str:
    return f"{name} is not a known name; did you mean {meant}?"


def _notes(bindings: Iterable[Binding], known: KnownNames) -> Iterator[str]:
    """What an operator may want to know of, without a value or anything that might be one."""
    counts = Counter(binding.key.upper() for binding in bindings if binding.key and not binding.error)
    for name, count in counts.items():
        if name in known and count > 1:
            yield f".env sets {name} {count} times; the last one counts."
    for binding in bindings:
        if binding.error or (binding.key and not NAME.fullmatch(binding.key)):
            yield f".env, line {binding.original.line}, is not NAME=value and is left aside."
    strangers = [name for name in counts if name not in known and NAME.fullmatch(name)]
    if strangers:
        yield f".env has names that nothing here reads: {', '.join(strangers)}."
