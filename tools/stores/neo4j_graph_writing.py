"""How a change is written to Neo4j: the same difference as everywhere, as batches of rows in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson

from tools.errors import Conflict
from tools.stores import neo4j_graph_changes as write
from tools.stores import neo4j_graph_queries as ask
from tools.stores.graph_change import Difference, difference, documents_of, gained_elsewhere, without_chunks
from tools.stores.graph_protocol import (
    GAZETTEER,
    Community,
    GraphChange,
    GraphMention,
)
from tools.stores.graph_rows import EVIDENCE_COUNTED, Rows, Tally, combined, entity_row, noisy_or, written
from tools.stores.graph_sql import encoded_sentences
from tools.stores.neo4j_graph_driver import Asking, key_of
from tools.stores.neo4j_graph_rows import OfGraph, chunk_rows, communities, document_rows

ROWS_AT_ONCE = 1000
DELETED_AT_ONCE = 2000
Ids = Mapping[str, int]


async def apply(asking: Asking, of: Mapping[str, str], change: GraphChange, after: Rows, stamp: str) -> int:
    """Make the change, whose documents' rows are `after`; gives the new version. Raises Conflict.

    `stamp` tells this change: where the graph bears it already, an earlier try was made after all.
    """
    graph = OfGraph(asking, of)
    ((version, last, numbers),) = await graph.rows(ask.LOCK, stamp=stamp)
    if last == stamp:
        return version
    if version != change.base_version:
        raise Conflict("The graph has changed meanwhile.", code="graph_changed")
    before = await document_rows(graph, documents_of(change))
    elsewhere = await _elsewhere(graph, change, before, after)
    what = await asyncio.to_thread(difference, change, before, after, elsewhere)
    ids, dead, numbers = await _write_names(graph, what, numbers)
    await _remove_rows(graph, what, ids)
    await _add_rows(graph, what, ids, before, after)
    await _write_edges(graph, what, ids)
    await _forget(graph, dead, what.gone)
    await graph.rows(ask.COUNT_UP, version=version + 1, stamp=stamp, numbers=numbers)
    return version + 1


async def _elsewhere(graph: OfGraph, change: GraphChange, before: Rows, after: Rows) -> Rows:
    """Rows of lost and gained names in chunks of documents that the change leaves alone."""
    touched = before.owners.keys() | after.owners.keys()
    lost = await graph.of_keys(ask.LOST, change.lost, gazetteer=GAZETTEER)
    pairs = {(norm, position) for norm, position in lost}
    pairs |= {(mention.norm, mention.position) for mention in gained_elsewhere(change, before, after)}
    pairs = {pair for pair in pairs if pair[1] not in touched}
    rows = Rows()
    if not pairs:
        return rows
    ids = {norm: number for norm, number, _ in await graph.of_keys(ask.NUMBERS, {norm for norm, _ in pairs})}
    known = [[position, ids[norm]] for norm, position in pairs if norm in ids]
    async for part in _parts(known):
        rows.mentions.update(map(GraphMention._make, await graph.rows(ask.MENTIONS_OF_PAIRS, pairs=part)))
    await chunk_rows(graph, rows, sorted({position for _, position in pairs}))
    rows.chunks = {at: chunk for at, chunk in rows.chunks.items() if (chunk.subject, at) in pairs}
    return rows


async def _parts(rows: Iterable[Any]) -> AsyncIterator[list[Any]]:
    """The rows some hundreds at a time, letting others run between two."""
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == ROWS_AT_ONCE:
            yield part
            part = []
            await asyncio.sleep(0)
    if part:
        yield part


async def _write(graph: OfGraph, query: str, rows: Iterable[Any]) -> None:
    async for part in _parts(rows):
        await graph.rows(query, rows=part)


async def _write_names(graph: OfGraph, what: Difference, numbers: int) -> tuple[Ids, list[int], int]:
    """Bring the names that the change touches up to date; gives their numbers, those that nothing names now, and the
    highest number ever given."""
    known = {norm: (number, tally) for norm, number, tally in await graph.of_keys(write.TALLIES, what.names)}
    ids = {norm: number for norm, (number, _) in known.items()}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    dead: list[int] = []
    for norm, delta in what.tallies.items():
        if norm not in known:
            numbers += 1
            ids[norm] = numbers
            new.append(_properties(norm, delta, numbers) | {"norm": norm, "key": key_of(norm)})
        elif total := combined(orjson.loads(known[norm][1]), delta):
            changed.append(_properties(norm, total, ids[norm]))
        else:
            dead.append(ids[norm])
    await _write(graph, write.NEW_ENTITIES, new)
    await _write(graph, write.CHANGED_ENTITIES, changed)
    return ids, dead, numbers


def _properties(norm: str, tally: Tally, number: int) -> dict[str, Any]:
    row = entity_row(norm, tally)
    return {
        "number": number,
        "name": row.name,
        "type": row.type,
        "type_confidence": row.type_confidence,
        "df": row.df,
        "others": list(row.others),
        "target": row.target,
        "target_key": key_of(row.target) or None,
        "renamed": row.renamed,
        "subjects": tally.get("subjects", 0),
        "mentions": tally.get("mentions", 0),
        "named": tally.get("aliases", 0),
        "tally": written(tally),
    }


async def _remove_rows(graph: OfGraph, what: Difference, ids: Ids) -> None:
    rows, gone = what.removed, what.gone
    await _write(graph, write.OLD_CHUNKS, gone)
    await _write(graph, write.OLD_MENTIONS, (row for row in _mentions(rows, ids) if row[0] not in gone))
    await _write(graph, write.OLD_EVIDENCE, (row for row in _evidence(rows, ids) if row["position"] not in gone))
    await _write(graph, write.OLD_ALIASES, (row for row in _aliases(rows) if row["position"] not in gone))
    await _write(graph, write.LOOSEN_CHUNKS, rows.chunks.keys() - gone)
    await _write(graph, write.OLD_DOCUMENTS, rows.documents.keys() - what.added.documents.keys())


async def _add_rows(graph: OfGraph, what: Difference, ids: Ids, before: Rows, after: Rows) -> None:
    rows = what.added
    titles = ({"id": id_, "title": title} for id_, title in rows.documents.items())
    await _write(graph, write.NEW_DOCUMENTS, titles)
    chunks = ({"position": at, "document": rows.owners[at]} for at in rows.chunks)
    await _write(graph, write.CHUNKS, chunks)
    await _write(graph, write.SUBJECTS, _subjects(rows, ids))
    await _write(graph, write.UNLINK, sorted(before.owners.keys() & after.owners.keys()))
    await _write(graph, write.LINK, _neighbours(after.owners))
    await _write(graph, write.NEW_MENTIONS, _mentions(rows, ids))
    await _write(graph, write.NEW_EVIDENCE, _evidence(rows, ids))
    await _write(graph, write.NEW_ALIASES, _aliases(rows))


def _subjects(rows: Rows, ids: Ids) -> Iterator[dict[str, Any]]:
    for chunk in rows.chunks.values():
        if chunk.subject:
            yield {
                "position": chunk.position,
                "entity": ids[chunk.subject],
                "name": chunk.subject_name,
                "type": chunk.subject_type,
                "confidence": chunk.subject_confidence,
            }


def _neighbours(owners: Mapping[int, str]) -> Iterator[list[int]]:
    """Chunks that follow each other in one document."""
    in_order = sorted(owners, key=lambda at: (owners[at], at))
    return ([one, two] for one, two in pairwise(in_order) if owners[one] == owners[two])


def _mentions(rows: Rows, ids: Ids) -> Iterator[list[Any]]:
    return ([row.position, ids[row.norm], *row[2:]] for row in sorted(rows.mentions))


def _evidence(rows: Rows, ids: Ids) -> Iterator[dict[str, Any]]:
    for row in sorted(rows.evidence):
        yield row._asdict() | {"head_number": ids[row.head], "tail_number": ids[row.tail]}


def _aliases(rows: Rows) -> Iterator[dict[str, Any]]:
    return (row._asdict() for row in sorted(rows.aliases))


async def _write_edges(graph: OfGraph, what: Difference, ids: Ids) -> None:
    """Put together anew the edges whose evidence changed."""
    triples = {(ids[one[0]], ids[one[2]], one[1]): what.edges.get(one, 0) for one in what.touched_edges}
    there: dict[tuple[int, int, str], int] = {}
    async for part in _parts(map(list, triples)):
        there |= {(head, tail, kind): number for head, tail, kind, number in await graph.rows(write.EDGES, rows=part)}
    left = [key for key, delta in triples.items() if there.get(key, 0) + delta]
    edges: list[list[Any]] = []
    async for part in _parts(map(list, left)):
        for head, tail, kind, surest in await graph.rows(write.SUREST, rows=part, limit=EVIDENCE_COUNTED):
            number = there.get((head, tail, kind), 0) + triples[head, tail, kind]
            edges.append([head, tail, kind, noisy_or(surest), number])
    await _write(graph, write.NEW_EDGES, (row for row in edges if (row[0], row[1], row[2]) not in there))
    await _write(graph, write.CHANGED_EDGES, (row for row in edges if (row[0], row[1], row[2]) in there))
    await _write(graph, write.OLD_EDGES, map(list, there.keys() - set(left)))


async def _forget(graph: OfGraph, dead: Sequence[int], gone: set[int]) -> None:
    """Take names and chunks that are gone out of the communities, and a summary that rests on such a chunk."""
    await _write(graph, write.OLD_ENTITIES, dead)
    if dead:
        await graph.rows(write.EMPTY_COMMUNITIES)
    if gone:
        changed = without_chunks(await communities(graph), gone)
        await _write(graph, write.CHANGED_COMMUNITIES, map(_community, changed))


def _community(community: Community) -> dict[str, Any]:
    return {
        "id": community.id,
        "level": community.level,
        "parent": community.parent,
        "sentences": encoded_sentences(community.sentences),
        "summary": community.summary,
        "rests_on": list(community.rests_on),
    }


async def keep_communities(
    asking: Asking, of: Mapping[str, str], version: int, new: Sequence[Community], stamp: str
) -> bool:
    """Replace the communities if the graph is at `version`."""
    graph = OfGraph(asking, of)
    row = next(iter(await graph.rows(ask.LOCK_IF_THERE, stamp=stamp)), None)
    if row is None or row[0] != version:
        return version == 0 and row is None
    await graph.rows(write.OLD_COMMUNITIES)
    await _write(graph, write.NEW_COMMUNITIES, map(_community, new))
    members = (
        [community.id, key_of(norm), place]
        for community in new
        for place, norm in enumerate(dict.fromkeys(community.members))
    )
    await _write(graph, write.MEMBERS, members)
    await graph.rows(write.EMPTY_COMMUNITIES)
    return True


async def drop_some(asking: Asking, of: Mapping[str, str]) -> bool:
    """Delete a part of the graph; whether something is left.

    A server keeps what a transaction deletes in memory until its end, so a large graph cannot go in one. The graph's
    own node goes first: from then on there is no graph here, whatever is still to be deleted.
    """
    graph = OfGraph(asking, of)
    for query in write.DROPS:
        if (await graph.rows(query, limit=DELETED_AT_ONCE))[0][0]:
            return True
    return False
