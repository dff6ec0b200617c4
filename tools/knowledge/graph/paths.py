"""How the graph leads to a passage: each hop with the sentence that says so, read from the records as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from tools.errors import StoreUnavailable
from tools.knowledge.extraction.protocol import RelationType
from tools.knowledge.extraction.types import relation_name
from tools.knowledge.graph.graph_index import GraphIndex
from tools.knowledge.graph.routes import NO_CHUNK, Hop, Route, routes
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
    """What a hop rests on: where its sentence stands, and how it reads."""

    position: int
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
    shown = [steps for way in ways if (steps := _steps(graph, way, stored, language))]
    about = int(graph.subjects[chunk])
    names = [graph.names[about]] if about in explored.seeds else []
    names += [name for steps in shown for step in steps for name in step.entities]
    if not names:
        return None
    return GraphContext(
        entities=list(dict.fromkeys(names)),
        relations=list(dict.fromkeys(step.relation for steps in shown for step in steps)),
        path=["->".join((steps[0].entities[0], *(step.entities[1] for step in steps))) for steps in shown],
        path_steps=shown[0] if shown else (),
    )


def _steps(graph: GraphIndex, way: Route, stored: _Stored, language: str) -> list[PathStep]:
    """All hops of a way with their sentences; none when one of them has no sentence."""
    steps: list[PathStep] = []
    for hop in way.hops:
        found = (step for sentence in _sentences(graph, hop, stored)
                 if (step := _step(graph, hop, sentence, stored, language)) is not None)  # fmt: skip
        step = next(found, None)
        if step is None:
            return []
        steps.append(step)
    return steps


def _sentences(graph: GraphIndex, hop: Hop, stored: _Stored) -> list[_Sentence]:
    if hop.chunk == NO_CHUNK:
        rows = [row for pair in _pairs(graph, hop) for row in stored.evidence.get(frozenset(pair), ())]
        rows.sort(key=lambda row: -row.confidence)
        return [
            _Sentence(row.position, row.sentence_start, row.sentence_end, row.relation, row.confidence, row.head)
            for row in rows
        ]
    rows = [stored.mentions[key] for key in _mentioned(graph, hop) if key in stored.mentions]
    subject = graph.norms[hop.start if hop.forward else hop.end]
    return [
        _Sentence(row.position, row.sentence_start, row.sentence_end, "related_to", row.confidence, subject)
        for row in rows
    ]


def _step(graph: GraphIndex, hop: Hop, said: _Sentence, stored: _Stored, language: str) -> PathStep | None:
    """The hop as people see it; None when its sentence does not stand in the records any more."""
    chunk = stored.chunks.get(said.position)
    sentence = "" if chunk is None else chunk.quote(said.start, said.end)
    if chunk is None or not sentence:
        return None
    return PathStep(
        entities=(graph.names[hop.start], graph.names[hop.end]),
        relation=relation_name(cast(RelationType, said.relation), language),
        confidence=said.confidence,
        sentence=sentence,
        document_id=chunk.document_id,
        start=said.start,
        end=said.end,
        forward=said.head in _norms(graph, hop.start),
    )
