"""Labelled sentences in place: `[Jack Ma|person] founded [Alibaba|organization]. ;; 2 created_by 1`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.knowledge.extraction.protocol import ENTITY_TYPES, RELATION_TYPES, EntityType, RelationType

_ENTITY = re.compile(r"\[([^\[\]|]+)\|([a-z]+)\]")
_RELATION = re.compile(r"(\d+)\s+([a-z_]+)\s+(\d+)")
_ENTITY_TYPE: dict[str, EntityType] = {name: name for name in ENTITY_TYPES}
_RELATION_TYPE: dict[str, RelationType] = {name: name for name in RELATION_TYPES}


@dataclass(frozen=True, slots=True)
class LabelledEntity:
    """An entity at characters `start`-`end` (end exclusive) of the sentence."""

    start: int
    end: int
    type: EntityType


@dataclass(frozen=True, slots=True)
class LabelledRelation:
    """`head` and `tail` are places in `LabelledSentence.entities`, counted from 0."""

    head: int
    tail: int
    type: RelationType


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """A sentence with all that a careful reader finds in it."""

    text: str
    entities: tuple[LabelledEntity, ...]
    relations: tuple[LabelledRelation, ...]


def read_labelled(path: Path) -> list[LabelledSentence]:
    """The sentences of a file, one a line; lines that begin with `#` and empty ones are skipped.

    Raises:
        ValueError: a line is not of the format; the message names it.
    """
    with path.open(encoding="utf-8") as lines:
        return list(_parsed(lines))


def parse_line(line: str) -> LabelledSentence:
    """One sentence. Raises ValueError for an unknown type or a relation whose end is not there."""
    marked, _, tail = line.strip().partition(";;")
    text, entities = "", list[LabelledEntity]()
    at = 0
    marked = marked.rstrip()
    for found in _ENTITY.finditer(marked):
        text += marked[at : found.start()]
        if found[2] not in _ENTITY_TYPE:
            raise ValueError(f"{found[2]!r} is no entity type.")
        entities.append(LabelledEntity(len(text), len(text) + len(found[1]), _ENTITY_TYPE[found[2]]))
        text += found[1]
        at = found.end()
    text += marked[at:]
    if "[" in text or "]" in text:
        raise ValueError("A bracket is left over.")
    return LabelledSentence(text, tuple(entities), tuple(_relations(tail, len(entities))))


def _parsed(lines: Iterable[str]) -> Iterator[LabelledSentence]:
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            yield parse_line(line)
        except ValueError as error:
            raise ValueError(f"Line {number}: {error}") from None


def _relations(text: str, count: int) -> Iterator[LabelledRelation]:
    for part in filter(None, (part.strip() for part in text.split(";;"))):
        found = _RELATION.fullmatch(part)
        if not found or found[2] not in _RELATION_TYPE:
            raise ValueError(f"{part!r} is no relation.")
        head, tail = int(found[1]) - 1, int(found[3]) - 1
        if not (0 <= head < count and 0 <= tail < count):
            raise ValueError(f"{part!r} names an entity that is not there.")
        yield LabelledRelation(head, tail, _RELATION_TYPE[found[2]])
