"""What a graph store promises: a data set's knowledge graph, as rows that rest on documents.

A graph belongs to one tenant and one data set; nothing in it is shared. Every row rests on a chunk, named
by its `position`; entities and edges are what is left when rows are put together, and are gone with the last
row that speaks of them. So a graph depends only on the documents in it, never on the order they came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

GAZETTEER = "gazetteer"
"""The extractor of mentions that were found because another document made the name known."""


class GraphChunk(NamedTuple):
    """A chunk and the entity that it is about (`subject` "" where it has none; `subject_type` "" where unknown)."""

    position: int
    subject: str = ""
    subject_name: str = ""
    subject_type: str = ""
    subject_confidence: float = 0.0


class GraphMention(NamedTuple):
    """An entity named in a chunk. Offsets are characters of the document's text, ends exclusive.

    `type` is "" where the extractor gives none (`gazetteer`).
    """

    position: int
    norm: str
    name: str
    type: str
    confidence: float
    start: int
    end: int
    sentence_start: int
    sentence_end: int
    extractor: str


class GraphEvidence(NamedTuple):
    """A sentence of a chunk that says how two entities relate; `head` and `tail` are normal forms."""

    position: int
    head: str
    relation: str
    tail: str
    confidence: float
    sentence: str
    sentence_start: int
    sentence_end: int
    extractor: str


class GraphAlias(NamedTuple):
    """A chunk says that `alias` is another name of `of`, both normal forms."""

    position: int
    alias: str
    of: str
    extractor: str


@dataclass(frozen=True, slots=True)
class GraphDocument:
    """All rows that rest on one document, each at the position of one of its chunks. The same row twice is one row."""

    id: str
    title: str
    chunks: Sequence[GraphChunk] = ()
    mentions: Sequence[GraphMention] = ()
    evidence: Sequence[GraphEvidence] = ()
    aliases: Sequence[GraphAlias] = ()


@dataclass(frozen=True, slots=True)
class GraphChange:
    """From the graph at `base_version` to the next.

    The rows of `documents` become exactly these, those of `removed` (document ids, unknown ones ignored)
    none. `gained` are gazetteer mentions in chunks of other documents (ignored where there is no such chunk),
    `lost` the names whose gazetteer mentions go everywhere. What is lost goes first, what is gained comes last.
    """

    base_version: int
    documents: Sequence[GraphDocument] = ()
    removed: Sequence[str] = ()
    gained: Sequence[GraphMention] = ()
    lost: Sequence[str] = ()


class NameStanding(NamedTuple):
    """How often a name is an entity by documents' own rows: chunks about it, and chunks that mention it
    (gazetteer mentions do not count)."""

    subjects: int
    mentions: int


class GraphEntity(NamedTuple):
    """An entity as its rows make it.

    `name` is the commonest spelling (ties: the first in order of characters), `type` the one with the highest
    sum of confidences ("" without any vote), `type_confidence` its share of that sum times the mean confidence of its
    votes. `df` counts chunks about or mentioning it. `aliases` are its other spellings and merged names, in order.
    `merged_into` is the norm of the entity that this is another name of, else "": when all its alias rows agree on
    one target that has no alias rows itself.
    """

    norm: str
    name: str
    type: str
    type_confidence: float
    df: int
    aliases: Sequence[str] = ()
    merged_into: str = ""


class GraphEdge(NamedTuple):
    """A relation between two entities; `confidence` is the noisy-or over its 50 surest rows of evidence, to 6 digits,
    `evidence` the number of rows."""

    head: str
    relation: str
    tail: str
    confidence: float
    evidence: int


@dataclass(frozen=True)
class GraphRows:
    """A whole graph at one version, as search needs it.

    `entities` are in the order of their norms and `positions` (n,) ascending; all else are places in these:
    `chunk_documents` (n,) into `documents`; `subjects` (n,) the entity each chunk is about, -1 without;
    `mention_chunks` and `mention_entities` (m,) the distinct pairs; `edge_heads`, `edge_tails` (e,) into
    entities, `edge_relations` (e,) into `relations`, `edge_confidences` (e,) 0-1.
    """

    version: int
    entities: Sequence[GraphEntity]
    positions: NDArray[np.int64]
    documents: Sequence[str]
    chunk_documents: NDArray[np.int32]
    subjects: NDArray[np.int32]
    mention_chunks: NDArray[np.int32]
    mention_entities: NDArray[np.int32]
    relations: Sequence[str]
    edge_heads: NDArray[np.int32]
    edge_tails: NDArray[np.int32]
    edge_relations: NDArray[np.int32]
    edge_confidences: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a chunk, `start`-`end` in characters of the document's text."""

    position: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Community:
    """Entities that belong together. `level` 0 is the coarsest; `parent` is the id one level up, "" at level 0.

    `sentences` stand for it, best first. `summary` is a model's text, "" without; it rests on the chunks at
    `rests_on`, and is void as soon as one of them is gone.
    """

    id: str
    level: int
    parent: str
    members: Sequence[str]
    sentences: Sequence[Sentence] = ()
    summary: str = ""
    rests_on: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A part of a graph for people to look at; `complete` is False where the limit cut it.

    `community_of` names the community of level 0. Merged names are none of the entities: what they relate to, relates
    to what they are merged with.
    """

    version: int = 0
    entities: Sequence[GraphEntity] = ()
    edges: Sequence[GraphEdge] = ()
    community_of: Mapping[str, str] = field(default_factory=dict[str, str])
    complete: bool = True


class GraphStore(Protocol):
    """Keeps the graphs. Every method may raise StoreUnavailable (not reached, or not within its time limit)."""

    async def version(self, tenant_id: str, dataset_id: str) -> int:
        """Counts up with every change; 0 before the first and again after `drop`."""
        ...

    async def apply(self, tenant_id: str, dataset_id: str, change: GraphChange) -> int:
        """Make the change in one transaction and give the new version.

        Entities and edges that the change touches are put together anew from their rows; those without rows
        are gone, as are the communities' summaries that rest on chunks that are gone.

        Raises:
            Conflict: the graph is not at `change.base_version` (`graph_changed`); nothing was changed.
        """
        ...

    async def names_of(self, tenant_id: str, dataset_id: str, document_ids: Sequence[str]) -> Sequence[str]:
        """Norms of which the documents' own rows speak: subjects, mentions (gazetteer apart) and aliases."""
        ...

    async def standing(
        self, tenant_id: str, dataset_id: str, norms: Sequence[str], without: Sequence[str] = ()
    ) -> Mapping[str, NameStanding]:
        """How the names stand by all documents but those in `without`.

        Names of which no own row speaks are left out; one that only alias rows name stands with zeros.
        """
        ...

    async def known_names(self, tenant_id: str, dataset_id: str) -> Sequence[tuple[str, NameStanding]]:
        """All norms that have a standing, in order."""
        ...

    async def read(self, tenant_id: str, dataset_id: str) -> GraphRows:
        """The whole graph at one version."""
        ...

    async def evidence(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, str]], limit: int = 3
    ) -> Sequence[GraphEvidence]:
        """For each pair of norms (either direction) at most `limit` evidence rows, the surest first.

        A name counts as what it is merged with; the rows say which name their sentence uses.
        """
        ...

    async def mentions(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, int]]
    ) -> Sequence[GraphMention]:
        """The first mention of a norm in the chunk at a position, for each pair that has one."""
        ...

    async def passages_of(self, tenant_id: str, dataset_id: str, norm: str, limit: int) -> Sequence[GraphMention]:
        """Mentions of an entity, one for a chunk, by position; what it is merged with counts as it."""
        ...

    async def neighbourhood(
        self, tenant_id: str, dataset_id: str, norms: Sequence[str], hops: int, limit: int
    ) -> Neighbourhood:
        """What is around the entities within `hops` edges, at most `limit` entities: nearest first, then by df.

        Without `norms`, the `limit` entities of the highest df. Edges are those among the entities given. Two entities
        count as neighbours by an edge, or as subject and mention of one chunk (then the edge is `related_to`
        with confidence 0 and the number of such chunks as evidence).
        """
        ...

    async def find(self, tenant_id: str, dataset_id: str, text: str, limit: int) -> Sequence[GraphEntity]:
        """Entities whose norm contains `text` (a normal form), those that begin with it first, then by df.

        For a merged name comes what it is merged with, where the first of its names would.
        """
        ...

    async def keep_communities(
        self, tenant_id: str, dataset_id: str, version: int, communities: Sequence[Community]
    ) -> bool:
        """Set the communities of the graph at `version`; False, and nothing kept, when it has moved on."""
        ...

    async def communities(self, tenant_id: str, dataset_id: str) -> Sequence[Community]:
        """The communities last kept, by level and id, void summaries empty.

        Members and sentences that are gone are left out for good, and so is a community without members.
        """
        ...

    async def drop(self, tenant_id: str, dataset_id: str) -> None:
        """Forget a data set's graph altogether."""
        ...

    async def counts(self, tenant_id: str, dataset_id: str) -> Mapping[str, int]:
        """`entities`, `edges`, `mentions`, `communities`: how many there are."""
        ...

    async def check(self) -> None:
        """Return if the store answers. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
