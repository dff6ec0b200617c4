"""The rows of one graph as Neo4j gives them: what both the readers and the writer of that backend ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from tools.stores import neo4j_graph_queries as ask
from tools.stores.graph_protocol import Community, GraphAlias, GraphChunk, GraphEvidence, GraphMention
from tools.stores.graph_rows import EntityRow, Rows
from tools.stores.graph_sql import decoded_sentences
from tools.stores.neo4j_graph_driver import Asking, key_of

KEYS_AT_ONCE = 2000


class OfGraph:
    """Questions about one graph: tenant and data set go with every one of them."""

    def __init__(self, asking: Asking, of: Mapping[str, str]) -> None:
        self._asking = asking
        self._of = of

    def batches(self, query: str, **parameters: Any) -> AsyncIterator[list[list[Any]]]:
        """Records as lists of values, some hundreds at a time."""
        return self._asking.batches(query, **self._of, **parameters)

    async def rows(self, query: str, **parameters: Any) -> list[list[Any]]:
        """All records as lists of values."""
        return await self._asking.rows(query, **self._of, **parameters)

    async def of_many(self, query: str, name: str, values: Iterable[Any], **parameters: Any) -> list[list[Any]]:
        """All records of a query that takes a list, asked for a part of the list at a time."""
        wanted = list(values)
        found: list[list[Any]] = []
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            found += await self.rows(query, **{name: wanted[start : start + KEYS_AT_ONCE]}, **parameters)
        return found

    async def of_keys(self, query: str, norms: Iterable[str], **parameters: Any) -> list[list[Any]]:
        """All records of a query about entities; each norm is asked for once."""
        return await self.of_many(query, "keys", dict.fromkeys(map(key_of, norms)), **parameters)


async def document_rows(graph: OfGraph, document_ids: Sequence[str]) -> Rows:
    """All rows that rest on the documents."""
    titles = await graph.of_many(ask.TITLES, "ids", document_ids)
    rows = Rows(documents=dict(titles))
    if rows.documents:
        positions = [at for (at,) in await graph.of_many(ask.POSITIONS, "ids", rows.documents)]
        await chunk_rows(graph, rows, positions)
        found = await graph.of_many(ask.MENTIONS, "positions", positions)
        rows.mentions = set(map(GraphMention._make, found))
        found = await graph.of_many(ask.EVIDENCE_OF_CHUNKS, "positions", positions)
        rows.evidence = set(map(GraphEvidence._make, found))
        rows.aliases = set(map(GraphAlias._make, await graph.of_many(ask.ALIASES, "positions", positions)))
    return rows


async def chunk_rows(graph: OfGraph, rows: Rows, positions: Sequence[int]) -> None:
    """Put those of the chunks that are there into `rows`."""
    for row in await graph.of_many(ask.CHUNKS, "positions", positions):
        rows.chunks[row[0]] = GraphChunk(*row[:5])
        rows.owners[row[0]] = row[5]


def entity_of(row: Sequence[Any]) -> EntityRow:
    """A record of `ask.ENTITY`."""
    return EntityRow(*row)


async def communities(graph: OfGraph) -> list[Community]:
    """The communities by level and id, members in the order they were given."""
    found = [
        Community(id_, level, parent, members, decoded_sentences(sentences), summary, rests_on)
        for id_, level, parent, members, sentences, summary, rests_on in await graph.rows(ask.COMMUNITIES)
    ]
    return sorted(found, key=lambda community: (community.level, community.id))
