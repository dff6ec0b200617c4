"""A graph for people to look at: a part of it at a time, with the passages and sentences it rests on.

Whatever is shown is checked against the records first, so a document that was deleted a moment ago shows
nowhere, even while the graph store has not followed yet or cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.graph.standing import name_place, sentence_place
from tools.stores.following_protocol import Outbox
from tools.stores.graph_protocol import Community, GraphEntity, GraphStore, Neighbourhood, Sentence
from tools.stores.knowledge_protocol import ChunkReader, StoredChunk

FOLLOWER = "graph"
"""The name under which graph stores follow the records."""
COMMUNITIES = 60
"""Communities that come with a part, the largest ones."""
SENTENCES = 2
"""Sentences that sum up a community for which no model wrote a summary."""
FIRST_FOUND = 20
"""Entities that a search text may stand for, at most; the part shown is what is around them."""


@dataclass(frozen=True, slots=True)
class GraphPart:
    """Some entities and the edges among them, and the communities they belong to.

    `behind` says that documents have changed which the graph does not know of yet.
    """

    neighbourhood: Neighbourhood
    communities: Sequence[Community]
    """Those that entities of the part belong to; where no model wrote a `summary` it is of their own sentences."""
    behind: bool


@dataclass(frozen=True, slots=True)
class SpokenOf:
    """A passage that mentions an entity, at characters `start`-`end` of the document's text."""

    chunk: StoredChunk
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that relates two entities; it stands at `start`-`end` of the document's text.

    `relation` reads from `head` to `tail`; `extractor` is who found it.
    """

    chunk: StoredChunk
    head: str
    relation: str
    tail: str
    confidence: float
    sentence: str
    start: int
    end: int
    extractor: str


class GraphView:
    """Reads graphs for people. Every method may raise StoreUnavailable."""

    def __init__(self, graphs: GraphStore, outbox: Outbox, chunks: ChunkReader) -> None:
        self._graphs = graphs
        self._outbox = outbox
        self._chunks = chunks

    async def part(self, tenant_id: str, dataset_id: str, text: str, hops: int, limit: int) -> GraphPart:
        """What is within `hops` of the entities that `text` names (all of it: the most mentioned ones)."""
        norms = await self._named(tenant_id, dataset_id, text)
        if text and not norms:
            return GraphPart(Neighbourhood(await self._graphs.version(tenant_id, dataset_id)), (), behind=False)
        found = await self._graphs.neighbourhood(tenant_id, dataset_id, norms, hops, limit)
        waiting = await self._outbox.waiting(FOLLOWER, tenant_id, [dataset_id])
        if waiting:
            found = await self._without(tenant_id, dataset_id, found, waiting)
        shown = {entity.norm for entity in found.entities}
        communities = [
            replace(community, members=[norm for norm in community.members if norm in shown])
            for community in await self._graphs.communities(tenant_id, dataset_id)
        ]
        largest = sorted(communities, key=lambda community: -len(community.members))[:COMMUNITIES]
        told = await self._summed_up(tenant_id, dataset_id, [one for one in largest if one.members])
        return GraphPart(found, told, bool(waiting))

    async def passages(self, tenant_id: str, dataset_id: str, entity: str, limit: int) -> Sequence[SpokenOf]:
        """Passages that mention an entity (a norm or a name), in the order of the documents."""
        rows = await self._graphs.passages_of(tenant_id, dataset_id, normal_form(entity), limit)
        chunks = await self._live(tenant_id, dataset_id, [row.position for row in rows])
        return [
            SpokenOf(chunk, *place)
            for row in rows
            if (chunk := chunks.get(row.position)) is not None and (place := name_place(chunk, row))
        ]

    async def sentences(self, tenant_id: str, dataset_id: str, first: str, second: str, limit: int) -> Sequence[Said]:
        """Sentences that say how two entities relate, the surest first; else one that mentions both."""
        pair = (normal_form(first), normal_form(second))
        rows = await self._graphs.evidence(tenant_id, dataset_id, [pair], limit)
        chunks = await self._live(tenant_id, dataset_id, [row.position for row in rows])
        return [
            Said(
                chunk,
                row.head,
                row.relation,
                row.tail,
                row.confidence,
                row.sentence,
                *place,
                row.extractor,
            )
            for row in rows
            if (chunk := chunks.get(row.position)) is not None and (place := sentence_place(chunk, row))
        ]

    async def _summed_up(self, tenant_id: str, dataset_id: str, communities: Sequence[Community]) -> list[Community]:
        """The communities with sentences that stand for them where they have no summary."""
        wanted = {one.id: one.sentences[:SENTENCES] for one in communities if not one.summary}
        positions = [sentence.position for sentences in wanted.values() for sentence in sentences]
        chunks = await self._live(tenant_id, dataset_id, positions)
        return [one if one.summary else replace(one, summary=_quoted(wanted[one.id], chunks)) for one in communities]

    async def _named(self, tenant_id: str, dataset_id: str, text: str) -> list[str]:
        norm = normal_form(text)
        if not norm:
            return []
        found = await self._graphs.find(tenant_id, dataset_id, norm, FIRST_FOUND)
        exact = [entity.norm for entity in found if entity.norm == norm]
        return exact or [entity.norm for entity in found]

    async def _without(
        self, tenant_id: str, dataset_id: str, found: Neighbourhood, waiting: Sequence[str]
    ) -> Neighbourhood:
        """The part without what rests on these documents alone."""
        norms = [entity.norm for entity in found.entities]
        standing = await self._graphs.standing(tenant_id, dataset_id, norms, without=waiting)
        kept: list[GraphEntity] = [entity for entity in found.entities if entity.norm in standing]
        edges = [edge for edge in found.edges if edge.head in standing and edge.tail in standing]
        return replace(found, entities=kept, edges=edges)

    async def _live(self, tenant_id: str, dataset_id: str, positions: Sequence[int]) -> dict[int, StoredChunk]:
        reading = await self._chunks.read(tenant_id, sorted(set(positions)))
        return {chunk.position: chunk for chunk in reading.chunks if chunk.dataset_id == dataset_id}


def _quoted(sentences: Sequence[Sentence], chunks: Mapping[int, StoredChunk]) -> str:
    """The sentences that still stand where they stood."""
    there = (chunks[one.position].quote(one.start, one.end) for one in sentences if one.position in chunks)
    return " ".join(filter(None, there))
