"""How the Neo4j graph store answers; the arithmetic is that of every backend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from tools.stores import neo4j_graph_queries as ask
from tools.stores.graph_columns import Columns, graph_rows
from tools.stores.graph_protocol import (
    GAZETTEER,
    GraphEdge,
    GraphEntity,
    GraphEvidence,
    GraphMention,
    GraphRows,
    NameStanding,
    Neighbourhood,
)
from tools.stores.graph_rows import (
    EntityRow,
    Walk,
    as_they_stand,
    entities_of,
    kept_names,
    picture,
    surest_first,
    tallies,
)
from tools.stores.neo4j_graph_rows import OfGraph, document_rows, entity_of


async def version(graph: OfGraph) -> tuple[int, str]:
    """The version and the stamp of the change that made it; zero before the first."""
    rows = await graph.rows(ask.VERSION)
    return (rows[0][0], rows[0][1]) if rows else (0, "")


async def names_of(graph: OfGraph, document_ids: Sequence[str]) -> list[str]:
    """Norms that the documents' own rows name, in order."""
    found = await graph.of_many(ask.OWN_NAMES, "ids", document_ids, gazetteer=GAZETTEER)
    return sorted({norm for (norm,) in found})


async def standing(graph: OfGraph, norms: Sequence[str], without: Sequence[str]) -> dict[str, NameStanding]:
    """What all rows add up to for each name, less what the documents `without` add."""
    totals = await graph.of_keys(ask.STANDING, norms)
    less = tallies(await document_rows(graph, without)) if without and totals else {}
    found: dict[str, NameStanding] = {}
    for norm, *numbers in sorted(totals):
        kinds = zip(("subjects", "mentions", "aliases"), numbers, strict=True)
        left = [number - less.get(norm, {}).get(kind, 0) for kind, number in kinds]
        if any(left):
            found[norm] = NameStanding(left[0], left[1])
    return found


async def known_names(graph: OfGraph) -> list[tuple[str, NameStanding]]:
    """All names that own rows speak of, in order."""
    found = await graph.rows(ask.KNOWN_NAMES)
    return sorted((norm, NameStanding(subjects, mentions)) for norm, subjects, mentions in found)


async def evidence(graph: OfGraph, pairs: Sequence[tuple[str, str]], limit: int) -> list[GraphEvidence]:
    """For each pair its surest rows, in the order of `graph_rows.surest_first`."""
    groups = await _groups(graph, dict.fromkeys(chain.from_iterable(pairs)))
    ids = await _numbers(graph, chain.from_iterable(groups.values()))
    asked = [[[ids[norm] for norm in groups[name] if norm in ids] for name in pair] for pair in pairs]
    found = await graph.rows(ask.EVIDENCE_OF_PAIRS, pairs=asked, limit=limit) if ids else []
    placed = [(place, GraphEvidence._make(row)) for *row, place in found]
    placed.sort(key=lambda one: (one[0], surest_first(one[1])))
    return [row for _, row in placed]


async def mentions(graph: OfGraph, pairs: Sequence[tuple[str, int]]) -> list[GraphMention]:
    """The first mention for each pair that has one, in the order of the pairs."""
    ids = await _numbers(graph, (norm for norm, _ in pairs))
    wanted = dict.fromkeys((position, ids[norm]) for norm, position in pairs if norm in ids)
    found = await graph.of_many(ask.MENTIONS_OF_PAIRS, "pairs", map(list, wanted))
    first: dict[tuple[str, int], GraphMention] = {}
    for row in sorted(map(GraphMention._make, found), key=as_they_stand):
        first.setdefault((row.norm, row.position), row)
    return [first[pair] for pair in pairs if pair in first]


async def passages_of(graph: OfGraph, norm: str, limit: int) -> list[GraphMention]:
    """First mentions of the entity, or of what it is merged with, chunk by chunk."""
    group = (await _groups(graph, [norm]))[norm]
    numbers = list((await _numbers(graph, group)).values())
    first: dict[int, GraphMention] = {}
    found = map(GraphMention._make, await graph.rows(ask.PASSAGES, numbers=numbers, limit=limit))
    for row in sorted(found, key=as_they_stand):
        first.setdefault(row.position, row)
    return list(first.values())


async def find(graph: OfGraph, text: str, limit: int) -> list[GraphEntity]:
    """Entities one of whose names contains the text."""
    found = await graph.rows(ask.FIND, text=text, limit=limit)
    return await _entities(graph, [norm for (norm,) in found])


async def neighbourhood(graph: OfGraph, norms: Sequence[str], hops: int, limit: int) -> Neighbourhood:
    """What is around the entities, or the best-known ones of the graph."""
    number, _ = await version(graph)
    if norms:
        kept = await _kept(graph, norms)
        known = {
            (-df, norm) for norm, _, df in await graph.of_keys(ask.NUMBERS, [kept.get(norm, norm) for norm in norms])
        }
        walk = Walk([norm for _, norm in sorted(known)], hops, limit)
    else:
        best = await graph.rows(ask.BEST_KNOWN, limit=limit + 1)
        walk = Walk([norm for (norm,) in best], 0, limit)
    reached, complete = await _walked(graph, walk)
    groups = await _groups(graph, reached)
    ids = list((await _numbers(graph, chain.from_iterable(groups.values()))).values())
    own = list((await _numbers(graph, reached)).values())
    entities = await _entities(graph, reached)
    edges = [GraphEdge(*row) for row in await graph.rows(ask.EDGES_AMONG, numbers=ids)]
    together = [(one, two, chunks) for one, two, chunks in await graph.rows(ask.TOGETHER, numbers=ids)]
    community_of = dict(await graph.rows(ask.COMMUNITY_OF, numbers=own))
    merged = {other: norm for norm, group in groups.items() for other in group}
    return picture(number, entities, edges, together, community_of, complete, merged)


async def _walked(graph: OfGraph, walk: Walk) -> tuple[list[str], bool]:
    """Let the walk go where the edges lead, of whatever name."""
    seen: set[int] = set()
    while walk.wanted is not None:
        frontier, number = walk.wanted
        groups = await _groups(graph, frontier)
        ids = (await _numbers(graph, chain.from_iterable(groups.values()))).values()
        seen |= set(ids)
        near = {"frontier": list(ids), "seen": list(seen), "limit": number}
        walk.take([norm for norm, _ in await graph.rows(ask.NEIGHBOURS, **near)])
    return walk.reached, walk.complete


async def _kept(graph: OfGraph, norms: Iterable[str]) -> dict[str, str]:
    """For those of the names that are merged, what with."""
    return {one.norm: one.merged_into for one in await _entities(graph, norms) if one.merged_into}


async def _groups(graph: OfGraph, norms: Iterable[str]) -> dict[str, list[str]]:
    """For each name all that are one with it: what it is merged with, and what is merged with that."""
    wanted = list(norms)
    merged = await _kept(graph, wanted)
    kept = {norm: merged.get(norm, norm) for norm in wanted}
    rows = await _rows_around(graph, list(dict.fromkeys(kept.values())))
    groups = {norm: [norm] for norm in kept.values()}
    for other, norm in kept_names(rows).items():
        if norm in groups:
            groups[norm].append(other)
    return {norm: groups[name] for norm, name in kept.items()}


async def _numbers(graph: OfGraph, norms: Iterable[str]) -> dict[str, int]:
    return {norm: number for norm, number, _ in await graph.of_keys(ask.NUMBERS, norms)}


async def _entities(graph: OfGraph, norms: Iterable[str]) -> list[GraphEntity]:
    """The entities in the order of `norms`, with what they are merged with."""
    wanted = list(norms)
    rows = {row.norm: row for row in map(entity_of, await graph.of_keys(ask.ENTITIES, wanted))}
    around = await _rows_around(graph, [*rows, *(row.target for row in rows.values() if row.target)])
    known = {entity.norm: entity for entity in entities_of(rows.values(), around)}
    return [known[norm] for norm in wanted if norm in known]


async def _rows_around(graph: OfGraph, norms: Sequence[str]) -> list[EntityRow]:
    """The names themselves, and those that are other names of them."""
    rows = await graph.of_keys(ask.ENTITIES, norms) + await graph.of_keys(ask.RENAMED_TO, norms)
    return list(map(entity_of, rows))


async def read(graph: OfGraph) -> GraphRows:
    """The whole graph; rows go straight into columns."""
    number, _ = await version(graph)
    entities = sorted([row async for batch in graph.batches(ask.ALL_ENTITIES) for row in batch], key=lambda row: row[1])
    documents = [id_ for (id_,) in await graph.rows(ask.ALL_DOCUMENTS)]
    chunks = Columns("number", "number", "text")
    async for batch in graph.batches(ask.ALL_CHUNKS):
        chunks.add(batch)
    mentions = Columns("number", "number")
    async for batch in graph.batches(ask.ALL_MENTIONS):
        mentions.add([(position, entity) for position, found in batch for entity in found])
    edges = Columns("number", "number", "text", "confidence")
    async for batch in graph.batches(ask.ALL_EDGES):
        edges.add(batch)
    return await asyncio.to_thread(_put_together, number, entities, documents, chunks, mentions, edges)


def _put_together(
    number: int,
    rows: Sequence[Sequence[Any]],
    documents: Sequence[str],
    chunks: Columns,
    mentions: Columns,
    edges: Columns,
) -> GraphRows:
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    found = [entity_of(row[1:]) for row in rows]
    entities = entities_of(found, (row for row in found if row.renamed))
    pairs = mentions.numbers(0), mentions.numbers(1)
    return graph_rows(number, entities, ids, documents, chunks, pairs, edges)


async def counts(graph: OfGraph) -> Mapping[str, int]:
    """How many entities, edges, mentions and communities there are."""
    questions = {
        "entities": ask.COUNT_ENTITIES,
        "edges": ask.COUNT_EDGES,
        "mentions": ask.COUNT_MENTIONS,
        "communities": ask.COUNT_COMMUNITIES,
    }
    return {what: (await graph.rows(query))[0][0] for what, query in questions.items()}
