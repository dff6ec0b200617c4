"""What is read out of one passage: its subject, the entities it mentions, how they relate, other names they go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

EntityType = Literal[
    "person", "organization", "location", "event", "time", "product", "concept", "process", "metric", "work"
]
RelationType = Literal[
    "is_a",
    "part_of",
    "contains",
    "causes",
    "prevents",
    "enables",
    "implements",
    "uses",
    "produces",
    "located_in",
    "works_for",
    "created_by",
    "precedes",
    "compared_with",
    "related_to",
]
ENTITY_TYPES: tuple[EntityType, ...] = get_args(EntityType)
RELATION_TYPES: tuple[RelationType, ...] = get_args(RelationType)


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity at characters `start`-`end` (end exclusive) of the passage.

    `norm` is the normal form by which mentions are one entity (`names.normal_form`). `confidence` is the
    calibrated probability, 0-1, that span and type are right.
    """

    start: int
    end: int
    text: str
    norm: str
    type: EntityType
    confidence: float
    extractor: str


@dataclass(frozen=True, slots=True)
class Relation:
    """`head` relates to `tail` (places in `Extraction.mentions`), as the sentence at `start`-`end` says.

    `confidence` is the calibrated probability, 0-1, that the pair is related in this way.
    """

    head: int
    tail: int
    type: RelationType
    confidence: float
    start: int
    end: int
    extractor: str


@dataclass(frozen=True, slots=True)
class Alias:
    """`alias` is another name of `of`, both normal forms; the passage says so itself (`WHO` for its long name)."""

    alias: str
    of: str
    extractor: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What the passage is about: title or heading, else what its text opens with.

    `type` is None where nothing tells it.
    """

    name: str
    norm: str
    type: EntityType | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that one passage gives. Mentions are in the order of the text and do not overlap."""

    subject: Subject | None = None
    mentions: Sequence[Mention] = ()
    relations: Sequence[Relation] = ()
    aliases: Sequence[Alias] = ()


class Extractor(Protocol):
    """Reads passages one by one: what it finds in one never depends on another."""

    @property
    def name(self) -> str:
        """Stored with what it finds, so that a newer one can tell its own."""
        ...

    def extract(self, text: str, title: str, heading: str, language: str) -> Extraction:
        """What `text` says; `title` is the document's, `heading` the path it stands under. Never raises for a text."""
        ...
