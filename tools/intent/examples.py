"""The examples that intents are learned from: the shipped ones and an operator's own, as files to edit.

A line may hold choices, `(a|b|)`: it stands for its wordings, of which some are drawn, the same ones every time.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from flags.errors import ConfigurationError
from tools.intent.protocol import IntentLabel
from tools.models.protocol import Language
from tools.models.yaml_file import read_yaml_file

SHIPPED = Path(__file__).parent / "examples"
MAX_BYTES = 512 * 1024
MAX_CHARS = 500
LEAST_LINES = 3
"""Lines that an intent needs in a file that names it: from one, nothing can be told apart."""
MOST_WORDINGS = 12
"""Wordings drawn of one line."""
LINE_WEIGHT = 4.0
"""What a line with choices counts, all its wordings together; a line without counts 1."""

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")

Line = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MAX_CHARS)]


class ExampleFile(BaseModel):
    """A file of examples: lines per intent, in one list or in lists by kind."""

    model_config = ConfigDict(extra="forbid")

    only_these: bool = False
    """Stand instead of the shipped examples rather than beside them."""
    intents: dict[IntentLabel, list[Line]] = Field(min_length=1)

    @field_validator("intents", mode="before")
    @classmethod
    def _kinds_together(cls, intents: object) -> object:
        if not isinstance(intents, dict):
            return intents
        return {label: _together(lists) if isinstance(lists, dict) else lists for label, lists in intents.items()}

    @field_validator("intents")
    @classmethod
    def _enough(cls, intents: dict[IntentLabel, list[str]]) -> dict[IntentLabel, list[str]]:
        owner: dict[str, IntentLabel] = {}
        for label, lines in intents.items():
            if len(set(lines)) < LEAST_LINES:
                raise ValueError(f"{label} needs at least {LEAST_LINES} different examples")
            for line in lines:
                if owner.setdefault(line, label) != label:
                    raise ValueError(f"one example stands under {owner[line]} and under {label}")
        return intents

    def lines(self) -> dict[str, IntentLabel]:
        """Each line with its intent, in the order of the file."""
        return {line: label for label, lines in self.intents.items() for line in lines}


@dataclass(frozen=True, slots=True)
class Example:
    """One wording with its intent. `weight` is its share in its line's; `line` numbers the lines."""

    text: str
    label: IntentLabel
    weight: float
    line: int


def read_examples(language: Language, own: Path | None = None) -> Sequence[Example]:
    """The examples of `language`: the shipped ones with those of the file `own`, which wins where both have a line.

    Raises:
        ConfigurationError: a file is too large, not YAML, or holds something else; it names file and fault.
        OSError: a file cannot be read.
    """
    lines: dict[str, IntentLabel] = {}
    theirs = _read(own) if own is not None else None
    if theirs is None or not theirs.only_these:
        lines |= _read(SHIPPED / f"{language}.yaml").lines()
    if theirs is not None:
        lines |= theirs.lines()
        if own is not None and len(set(lines.values())) < 2:
            raise ConfigurationError([f"{own}: `only_these` needs examples of two intents or more."])
    return [example for number, (line, label) in enumerate(lines.items()) for example in _worded(line, label, number)]


def intents_of(examples: Sequence[Example]) -> tuple[IntentLabel, ...]:
    """The intents that have examples, in the order of `IntentLabel`."""
    there = {example.label for example in examples}
    return tuple(label for label in get_args(IntentLabel) if label in there)


def _read(path: Path) -> ExampleFile:
    return read_yaml_file(path, ExampleFile, max_bytes=MAX_BYTES)


def _together(kinds: dict[object, object]) -> list[object]:
    """The lines of all kinds; what is no list of lines is left for the checks to find."""
    return [line for lines in kinds.values() for line in (lines if isinstance(lines, list) else [lines])]


def _worded(line: str, label: IntentLabel, number: int) -> Iterator[Example]:
    wordings = list(dict.fromkeys(_wordings(line)))
    weight = LINE_WEIGHT / len(wordings) if len(wordings) > 1 else 1.0
    for wording in wordings:
        yield Example(wording, label, weight, number)


def _wordings(line: str) -> Iterator[str]:
    """Each choice is gone through from end to end before combinations are drawn by lot: all of them turn up early."""
    parts = _CHOICE.split(line)
    choices = [part.split("|") for part in parts[1::2]]
    if not choices:
        yield line
        return
    rng = random.Random(zlib.crc32(line.encode()))  # noqa: S311 (drawing examples, not secrets)
    for choice in choices:
        rng.shuffle(choice)
    longest = max(map(len, choices))
    for turn in range(MOST_WORDINGS):
        chosen = [choice[turn % len(choice)] if turn < longest else rng.choice(choice) for choice in choices]
        worded = list(parts)
        worded[1::2] = chosen
        yield "".join(worded).strip()
