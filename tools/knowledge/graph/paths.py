"""How the graph leads to a passage: each hop with the sentence that says so, read from the records as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from tools.errors import StoreUnavailable
from tools.knowledge.extraction.protocol import RelationType
from tools.knowledge.extraction.types import relation_name
from tools.knowledge.graph.graph_index import GraphIndex
from tools.knowledge.graph.routes import NO_CHUNK, Hop, Route, routes
from tools.knowledge.graph.standing import sentence_of, sentence_place
from tools.knowledge.graph.walking import Explored
from tools.knowledge.protocol import GraphContext, PathStep
from tools.stores.graph_protocol import GraphEvidence, GraphMention, GraphStore
from tools.stores.knowledge_protocol import ChunkReader, StoredChunk

SECONDS = 1.0
"""Time for the paths of one search; an answer without them is better than none."""
EVIDENCE = 3
"""Sentences asked for each relation: the surest may stand in a document that is gone."""
MERGED = 3
"""Other norms of an entity that are looked for as well."""


class _Sentence(NamedTuple):
    """What a hop rests on: a sentence at characters `start`-`end` of the chunk's document, and how it reads."""

    chunk: StoredChunk
    start: int
    end: int
    relation: str
    confidence: float
    head: str


@dataclass(frozen=True)
class _Stored:
    """What the stores hold of all hops: relations by their two norms, mentions by norm and position, chunks."""

    evidence: Mapping[frozenset[str], Sequence[GraphEvidence]]
    mentions: Mapping[tuple[str, int], GraphMention]
    chunks: Mapping[int, StoredChunk]


class PathFinder:
    """Explains passages by paths over the graph of one data set at a time."""

    def __init__(self, graphs: GraphStore, chunks: ChunkReader, seconds: float = SECONDS) -> None:
        """`seconds` bounds one call of `contexts`."""
        self._graphs = graphs
        self._chunks = chunks
        self._seconds = seconds

    async def contexts(
        self, tenant_id: str, explored: Explored, chunks: Sequence[int], max_hops: int, language: str
    ) -> dict[int, GraphContext]:
        """How the question's entities lead to each of the chunks (rows of the graph); those without a way are left out.

        Raises:
            StoreUnavailable: the graph's or the records' store cannot be reached, or not in time.
        """
        found = await asyncio.to_thread(routes, explored, chunks, max_hops)
        try:
            async with asyncio.timeout(self._seconds):
                stored = await self._stored(tenant_id, explored.graph, [hop for ways in found for way in ways
                                                                        for hop in way.hops])  # fmt: skip
        except TimeoutError as error:
            raise StoreUnavailable("The graph's sentences could not be read in time.") from error
        contexts = (
            _context(explored, chunk, ways, stored, language) for chunk, ways in zip(chunks, found, strict=True)
        )
        return {chunk: context for chunk, context in zip(chunks, contexts, strict=True) if context is not None}

    async def _stored(self, tenant_id: str, graph: GraphIndex, hops: Iterable[Hop]) -> _Stored:
        pairs = dict.fromkeys(pair for hop in hops if hop.chunk == NO_CHUNK for pair in _pairs(graph, hop))
        wanted = dict.fromkeys(pair for hop in hops if hop.chunk != NO_CHUNK for pair in _mentioned(graph, hop))
        evidence, mentions = await asyncio.gather(
            self._evidence(tenant_id, graph.dataset_id, list(pairs)),
            self._mentions(tenant_id, graph.dataset_id, list(wanted)),
        )
        positions = {row.position for row in evidence} | {row.position for row in mentions}
        reading = await self._chunks.read(tenant_id, sorted(positions)) if positions else None
        by_pair: dict[frozenset[str], list[GraphEvidence]] = {}
        for row in evidence:
            by_pair.setdefault(frozenset((row.head, row.tail)), []).append(row)
        return _Stored(
            by_pair,
            {(row.norm, row.position): row for row in mentions},
            {chunk.position: chunk for chunk in reading.chunks} if reading else {},
        )

    async def _evidence(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, str]]
    ) -> Sequence[GraphEvidence]:
        return await self._graphs.evidence(tenant_id, dataset_id, pairs, EVIDENCE) if pairs else ()

    async def _mentions(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, int]]
    ) -> Sequence[GraphMention]:
        return await self._graphs.mentions(tenant_id, dataset_id, pairs) if pairs else ()


def _norms(graph: GraphIndex, entity: int) -> list[str]:
    return [graph.norms[entity], *graph.also.get(entity, ())[:MERGED]]


def _pairs(graph: GraphIndex, hop: Hop) -> list[tuple[str, str]]:
    return [(a, b) for a in _norms(graph, hop.start) for b in _norms(graph, hop.end)]


def _mentioned(graph: GraphIndex, hop: Hop) -> list[tuple[str, int]]:
    """Under which norms, and where, the entity that the hop's chunk mentions is found."""
    entity = hop.end if hop.forward else hop.start
    return [(norm, int(graph.positions[hop.chunk])) for norm in _norms(graph, entity)]


def _context(
    explored: Explored, chunk: int, ways: Sequence[Route], stored: _Stored, language: str
) -> GraphContext | None:
    graph = explored.graph
    told = [(way, steps) for way in ways if (steps := _steps(graph, way, stored, language))]
    shown = [steps for way, steps in told if not _within_itself(way, chunk)]
    about = int(graph.subjects[chunk])
    names = [graph.names[about]] if about in explored.seeds else []
    names += [name for _, steps in told for step in steps for name in step.entities]
    if not names:
        return None
    return GraphContext(
        entities=list(dict.fromkeys(names)),
        relations=list(dict.fromkeys(step.relation for steps in shown for step in steps)),
        path=["->".join((steps[0].entities[0], *(step.entities[1] for step in steps))) for steps in shown],
        path_steps=shown[0] if shown else (),
    )


def _within_itself(way: Route, chunk: int) -> bool:
    """Whether a way only says that what the passage is about and what it mentions meet in it."""
    return len(way.hops) == 1 and way.hops[0].chunk == chunk


def _steps(graph: GraphIndex, way: Route, stored: _Stored, language: str) -> list[PathStep]:
    """All hops of a way with their sentences; none when one of them has no sentence."""
    steps: list[PathStep] = []
    for hop in way.hops:
        said = next(_sentences(graph, hop, stored), None)
        if said is None:
            return []
        steps.append(_step(graph, hop, said, language))
    return steps


def _sentences(graph: GraphIndex, hop: Hop, stored: _Stored) -> Iterator[_Sentence]:
    """What speaks for a hop and still stands in the records, the surest first."""
    if hop.chunk == NO_CHUNK:
        rows = [row for pair in _pairs(graph, hop) for row in stored.evidence.get(frozenset(pair), ())]
        for row in sorted(rows, key=lambda row: -row.confidence):
            chunk = stored.chunks.get(row.position)
            if chunk is not None and (place := sentence_place(chunk, row)):
                yield _Sentence(chunk, *place, row.relation, row.confidence, row.head)
        return
    subject = graph.norms[hop.start if hop.forward else hop.end]
    for key in _mentioned(graph, hop):
        row = stored.mentions.get(key)
        chunk = None if row is None else stored.chunks.get(row.position)
        if row is not None and chunk is not None and (place := sentence_of(chunk, row)) and chunk.quote(*place):
            yield _Sentence(chunk, *place, "related_to", row.confidence, subject)


def _step(graph: GraphIndex, hop: Hop, said: _Sentence, language: str) -> PathStep:
    """The hop as people see it."""
    return PathStep(
        entities=(graph.names[hop.start], graph.names[hop.end]),
        relation=relation_name(cast(RelationType, said.relation), language),
        confidence=said.confidence,
        sentence=said.chunk.quote(said.start, said.end),
        document_id=said.chunk.document_id,
        start=said.start,
        end=said.end,
        forward=said.head in _norms(graph, hop.start),
    )
