"""Entities, edges, merges and neighbourhoods as their rows make them: one arithmetic for every backend.

What rows say of a name adds up to its `Tally`. Confidences are added as whole millionths, so taking rows out again
leaves exactly the sum of what remains, whatever the order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from tools.errors import InvalidInput
from tools.stores.graph_protocol import (
    GAZETTEER,
    GraphAlias,
    GraphChunk,
    GraphEdge,
    GraphEntity,
    GraphEvidence,
    GraphMention,
    Neighbourhood,
)

Tally = dict[str, int]
"""What rows say of one name. Zeros are left out, so no rows make no tally.

`df` chunks about or mentioning it, `subjects` about it, `mentions` mentioning it apart from the gazetteer's,
`aliases` and `links` rows of aliases and evidence that name it, `name:…` rows by spelling, `votes:…` and `sum:…` rows
and millionths of confidence by type, `of:…` rows that say it is another name of that.
"""
MILLION = 1_000_000
EVIDENCE_COUNTED = 50
"""Evidence rows that an edge's confidence rests on, the surest."""


@dataclass(slots=True)
class Rows:
    """Rows of a graph; `documents` id -> title, `owners` position -> document. A row twice is one row."""

    documents: dict[str, str] = field(default_factory=dict[str, str])
    owners: dict[int, str] = field(default_factory=dict[int, str])
    chunks: dict[int, GraphChunk] = field(default_factory=dict[int, GraphChunk])
    mentions: set[GraphMention] = field(default_factory=set[GraphMention])
    evidence: set[GraphEvidence] = field(default_factory=set[GraphEvidence])
    aliases: set[GraphAlias] = field(default_factory=set[GraphAlias])


class EntityRow(NamedTuple):
    """An entity by its own rows alone. `target` is the one norm that all its alias rows agree on, else "";
    `renamed` says that it has alias rows. `others` are its spellings but `name`, in order."""

    norm: str
    name: str
    type: str
    type_confidence: float
    df: int
    others: Sequence[str]
    target: str
    renamed: bool


def tallies(rows: Rows) -> dict[str, Tally]:
    """What the rows add to each name. For each name, rows must hold all of a chunk's rows about it or none."""
    found: dict[str, Tally] = {}
    pairs: set[tuple[str, int]] = set()
    own: set[tuple[str, int]] = set()
    for chunk in rows.chunks.values():
        if chunk.subject:
            tally = found.setdefault(chunk.subject, {})
            _spelt(tally, chunk.subject_name, chunk.subject_type, chunk.subject_confidence)
            _count(tally, "subjects")
            pairs.add((chunk.subject, chunk.position))
    for mention in rows.mentions:
        _spelt(found.setdefault(mention.norm, {}), mention.name, mention.type, mention.confidence)
        pair = (mention.norm, mention.position)
        pairs.add(pair)
        if mention.extractor != GAZETTEER:
            own.add(pair)
    for norm, _ in pairs:
        _count(found[norm], "df")
    for norm, _ in own:
        _count(found[norm], "mentions")
    for row in rows.evidence:
        _count(found.setdefault(row.head, {}), "links")
        _count(found.setdefault(row.tail, {}), "links")
    for alias in rows.aliases:
        _count(found.setdefault(alias.alias, {}), "aliases")
        _count(found[alias.alias], f"of:{alias.of}")
        _count(found.setdefault(alias.of, {}), "aliases")
    return found


def _spelt(tally: Tally, name: str, type_: str, confidence: float) -> None:
    if name:
        _count(tally, f"name:{name}")
    if type_:
        _count(tally, f"votes:{type_}")
        _count(tally, f"sum:{type_}", round(confidence * MILLION))


def _count(tally: Tally, key: str, number: int = 1) -> None:
    tally[key] = tally.get(key, 0) + number


def combined(tally: Tally, other: Tally, sign: int = 1) -> Tally:
    """Their sum (or difference) without zeros."""
    total = dict(tally)
    for key, number in other.items():
        total[key] = total.get(key, 0) + sign * number
    return {key: number for key, number in total.items() if number}


def written(tally: Tally) -> str:
    """A tally as it is kept. Raises InvalidInput for a name that is no valid Unicode."""
    try:
        return orjson.dumps(tally).decode()
    except orjson.JSONEncodeError as error:
        raise InvalidInput("The text holds characters that are no valid Unicode.") from error


def entity_row(norm: str, tally: Tally) -> EntityRow:
    """The entity that a tally makes: its commonest spelling and surest type; ties go to the first in order."""
    spellings = _numbers(tally, "name:")
    name = min(spellings, key=lambda spelling: (-spellings[spelling], spelling), default=norm)
    type_, confidence = _type(tally)
    targets = _numbers(tally, "of:")
    target = next(iter(targets)) if len(targets) == 1 else ""
    others = sorted(spellings.keys() - {name})
    return EntityRow(norm, name, type_, confidence, tally.get("df", 0), others, target, bool(targets))


def _numbers(tally: Tally, prefix: str) -> dict[str, int]:
    return {key[len(prefix) :]: number for key, number in tally.items() if key.startswith(prefix)}


def _type(tally: Tally) -> tuple[str, float]:
    votes = _numbers(tally, "votes:")
    if not votes:
        return "", 0.0
    sums = {type_: tally.get(f"sum:{type_}", 0) for type_ in votes}
    best = min(sums, key=lambda type_: (-sums[type_], type_))
    total = sum(sums.values())
    return best, round(sums[best] / total * sums[best] / MILLION / votes[best], 6) if total else 0.0


def entities_of(rows: Iterable[EntityRow], renamed: Iterable[EntityRow]) -> list[GraphEntity]:
    """The entities of `rows`, merges taken in; `renamed` holds those of them that have alias rows, those that have and
    name one of them, and the targets of either that have alias rows themselves."""
    others = {row.norm: row for row in renamed if row.renamed}
    merged: dict[str, list[EntityRow]] = {}
    for row in others.values():
        if row.target and row.target not in others:
            merged.setdefault(row.target, []).append(row)
    return [
        _merged(row, merged[row.norm])
        if row.norm in merged
        else GraphEntity(*row[:5], tuple(row.others), row.target if row.target not in others else "")
        for row in rows
    ]


def kept_names(rows: Iterable[EntityRow]) -> dict[str, str]:
    """What each merged name goes by; `rows` hold, besides these names, those of the targets that have alias rows."""
    others = {row.norm: row.target for row in rows if row.renamed}
    return {norm: target for norm, target in others.items() if target and target not in others}


def _merged(row: EntityRow, others: Sequence[EntityRow]) -> GraphEntity:
    """An entity that goes by other entities' names too; it has no target, or they would not be its."""
    names = {*row.others, *(name for other in others for name in (other.name, *other.others))}
    return GraphEntity(*row[:5], tuple(sorted(names - {row.name})), "")


def noisy_or(confidences: Iterable[float]) -> float:
    """The chance that one of them at least is right: 1 - ∏(1 - c) over the 50 surest, to 6 digits."""
    surest = sorted(confidences, reverse=True)[:EVIDENCE_COUNTED]
    return round(1.0 - math.prod(1.0 - confidence for confidence in surest), 6)


def surest_first(row: GraphEvidence) -> tuple[object, ...]:
    """The order of evidence: by confidence, then by where it stands, then by what it says."""
    return (-row.confidence, row.position, row.sentence_start, row.sentence_end, row.head, row.relation, row.tail, *row)


def as_they_stand(row: GraphMention) -> tuple[object, ...]:
    """The order of mentions: by chunk, then by place, then by what they say."""
    return (row.position, row.start, row.end, row.norm, row.extractor, *row)


class Walk:
    """Breadth first from `known` (by df, descending): asks for neighbours until it has `limit` names or all of them.

    While `wanted` is set, it names some norms and how many of their neighbours `take` is to be given, by df and norm,
    without those given before.
    """

    def __init__(self, known: Sequence[str], hops: int, limit: int) -> None:
        self.reached = list(known[:limit])
        self.complete = len(known) <= limit
        self._limit = limit
        self._hops = hops if self.complete else 0
        self._frontier: Sequence[str] = tuple(self.reached)

    @property
    def wanted(self) -> tuple[Sequence[str], int] | None:
        """The next question; None at the end."""
        return (self._frontier, self._limit - len(self.reached) + 1) if self._hops and self._frontier else None

    def take(self, found: Sequence[str]) -> None:
        """The answer to it."""
        room = self._limit - len(self.reached)
        self.reached += found[:room]
        self.complete = len(found) <= room
        self._hops = self._hops - 1 if self.complete else 0
        self._frontier = found


def picture(
    version: int,
    entities: Sequence[GraphEntity],
    edges: Iterable[GraphEdge],
    together: Iterable[tuple[str, str, int]],
    community_of: Mapping[str, str],
    complete: bool,
    kept: Mapping[str, str],
) -> Neighbourhood:
    """A neighbourhood; `together` (subject, mention, chunks) shows where no edge joins the two.

    `kept` says what merged names go by: their edges and chunks count as those of what they are merged with.
    """
    drawn = _folded(edges, kept)
    joined = {frozenset((edge.head, edge.tail)) for edge in drawn}
    chunks: dict[tuple[str, str], int] = {}
    for subject, mention, number in together:
        one, other = sorted((kept.get(subject, subject), kept.get(mention, mention)))
        if one != other and frozenset((one, other)) not in joined:
            chunks[one, other] = chunks.get((one, other), 0) + number
    drawn += [GraphEdge(head, "related_to", tail, 0.0, number) for (head, tail), number in chunks.items()]
    return Neighbourhood(version, entities, sorted(drawn), dict(community_of), complete)


def _folded(edges: Iterable[GraphEdge], kept: Mapping[str, str]) -> list[GraphEdge]:
    """Edges between what names go by; several of one kind are one, as sure as that one of them at least is right."""
    found: dict[tuple[str, str, str], list[GraphEdge]] = {}
    for edge in edges:
        head, tail = kept.get(edge.head, edge.head), kept.get(edge.tail, edge.tail)
        if head != tail or edge.head == edge.tail:
            found.setdefault((head, edge.relation, tail), []).append(edge)
    return [
        GraphEdge(
            *triple,
            noisy_or(edge.confidence for edge in same) if same[1:] else same[0].confidence,
            sum(edge.evidence for edge in same),
        )
        for triple, same in found.items()
    ]
