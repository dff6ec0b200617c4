"""Knowledge graphs on a Neo4j server."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from pydantic import SecretStr

from tools.errors import ZhiyinError
from tools.stores import neo4j_graph_changes as changes
from tools.stores import neo4j_graph_queries as queries
from tools.stores import neo4j_graph_reading as reading
from tools.stores import neo4j_graph_writing as writing
from tools.stores.graph_change import rows_of
from tools.stores.graph_protocol import (
    Community,
    GraphChange,
    GraphEntity,
    GraphEvidence,
    GraphMention,
    GraphRows,
    NameStanding,
    Neighbourhood,
)
from tools.stores.neo4j_graph_driver import Asking, Neo4jDriver
from tools.stores.neo4j_graph_rows import OfGraph, communities

T = TypeVar("T")
Question = Callable[[OfGraph], Awaitable[T]]
LIMIT_SECONDS = 10.0
LOOKS = 3
"""Readings of a graph that others may change meanwhile, before they are made to wait."""


class Neo4jGraphStore:
    """The `GraphStore` on Neo4j; specified by the Protocol.

    The time limit counts for each question to the server, and for all tries of one together. Belongs to the event loop
    that first uses it.
    """

    def __init__(
        self,
        uri: str,
        user: str,
        password: SecretStr | None,
        database: str | None = None,
        limit_seconds: float = LIMIT_SECONDS,
        plan_ahead: bool = True,
    ) -> None:
        """`plan_ahead` has the server plan all queries behind the first call, which takes it some seconds."""
        self._driver = Neo4jDriver(uri, user, password, database, limit_seconds)
        self._opening = asyncio.Lock()
        self._open = False
        self._plan_ahead = plan_ahead
        self._warming: asyncio.Task[None] | None = None

    async def version(self, tenant_id: str, dataset_id: str) -> int:
        """See the Protocol."""
        return (await self._ask(tenant_id, dataset_id, reading.version))[0]

    async def apply(self, tenant_id: str, dataset_id: str, change: GraphChange) -> int:
        """See the Protocol."""
        after = await asyncio.to_thread(rows_of, change.documents)
        of, stamp = _of(tenant_id, dataset_id), secrets.token_hex(8)
        return await self._transact(lambda asking: writing.apply(asking, of, change, after, stamp))

    async def names_of(self, tenant_id: str, dataset_id: str, document_ids: Sequence[str]) -> Sequence[str]:
        """See the Protocol."""
        return await self._ask(tenant_id, dataset_id, lambda graph: reading.names_of(graph, document_ids))

    async def standing(
        self, tenant_id: str, dataset_id: str, norms: Sequence[str], without: Sequence[str] = ()
    ) -> Mapping[str, NameStanding]:
        """See the Protocol."""
        return await self._at_one_version(tenant_id, dataset_id, lambda graph: reading.standing(graph, norms, without))

    async def known_names(self, tenant_id: str, dataset_id: str) -> Sequence[tuple[str, NameStanding]]:
        """See the Protocol."""
        return await self._ask(tenant_id, dataset_id, reading.known_names)

    async def read(self, tenant_id: str, dataset_id: str) -> GraphRows:
        """See the Protocol."""
        return await self._at_one_version(tenant_id, dataset_id, reading.read)

    async def evidence(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, str]], limit: int = 3
    ) -> Sequence[GraphEvidence]:
        """See the Protocol."""
        return await self._ask(tenant_id, dataset_id, lambda graph: reading.evidence(graph, pairs, limit))

    async def mentions(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, int]]
    ) -> Sequence[GraphMention]:
        """See the Protocol."""
        return await self._ask(tenant_id, dataset_id, lambda graph: reading.mentions(graph, pairs))

    async def passages_of(self, tenant_id: str, dataset_id: str, norm: str, limit: int) -> Sequence[GraphMention]:
        """See the Protocol."""
        return await self._ask(tenant_id, dataset_id, lambda graph: reading.passages_of(graph, norm, limit))

    async def neighbourhood(
        self, tenant_id: str, dataset_id: str, norms: Sequence[str], hops: int, limit: int
    ) -> Neighbourhood:
        """See the Protocol."""
        return await self._at_one_version(
            tenant_id, dataset_id, lambda graph: reading.neighbourhood(graph, norms, hops, limit)
        )

    async def find(self, tenant_id: str, dataset_id: str, text: str, limit: int) -> Sequence[GraphEntity]:
        """See the Protocol."""
        return await self._ask(tenant_id, dataset_id, lambda graph: reading.find(graph, text, limit))

    async def keep_communities(
        self, tenant_id: str, dataset_id: str, version: int, communities: Sequence[Community]
    ) -> bool:
        """See the Protocol."""
        of, stamp = _of(tenant_id, dataset_id), secrets.token_hex(8)
        return await self._transact(lambda asking: writing.keep_communities(asking, of, version, communities, stamp))

    async def communities(self, tenant_id: str, dataset_id: str) -> Sequence[Community]:
        """See the Protocol."""
        return await self._ask(tenant_id, dataset_id, communities)

    async def drop(self, tenant_id: str, dataset_id: str) -> None:
        """See the Protocol."""
        while await self._transact(lambda asking: writing.drop_some(asking, _of(tenant_id, dataset_id))):
            pass

    async def counts(self, tenant_id: str, dataset_id: str) -> Mapping[str, int]:
        """See the Protocol."""
        return await self._at_one_version(tenant_id, dataset_id, reading.counts)

    async def check(self) -> None:
        """See the Protocol."""
        await self._ask("", "", reading.version)

    async def close(self) -> None:
        """See the Protocol."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await self._driver.close()

    async def _ask(self, tenant_id: str, dataset_id: str, question: Question[T]) -> T:
        await self._ready()
        return await self._driver.ask(lambda asking: question(OfGraph(asking, _of(tenant_id, dataset_id))))

    async def _transact(self, work: Callable[[Asking], Awaitable[T]]) -> T:
        await self._ready()
        return await self._driver.transact(work)

    async def _at_one_version(self, tenant_id: str, dataset_id: str, question: Question[T]) -> T:
        """The answer to several queries as if asked at one moment: the server shows each what is there just then."""
        of = _of(tenant_id, dataset_id)

        async def look(asking: Asking) -> tuple[bool, T]:
            graph = OfGraph(asking, of)
            before = await reading.version(graph)
            answer = await question(graph)
            return before == await reading.version(graph), answer

        async def look_alone(asking: Asking) -> T:
            graph = OfGraph(asking, of)
            await graph.rows(queries.LOCK_IF_THERE, stamp="")
            return await question(graph)

        await self._ready()
        for _ in range(LOOKS):
            whole, answer = await self._driver.ask(look)
            if whole:
                return answer
        return await self._driver.transact(look_alone)

    async def _ready(self) -> None:
        """Make the constraints and indexes before anything else, once."""
        if self._open:
            return
        async with self._opening:
            if not self._open:
                await self._driver.ask(_make_schema)
                self._open = True
                self._warming = asyncio.create_task(self._warm()) if self._plan_ahead else None

    async def _warm(self) -> None:
        """Let the server plan the queries; whoever comes first would wait for it."""
        with contextlib.suppress(ZhiyinError):
            await self._driver.ask(_plan_reads)
            await self._driver.transact(_plan_writes)


def _of(tenant_id: str, dataset_id: str) -> dict[str, str]:
    return {"tenant": tenant_id, "dataset": dataset_id}


async def _make_schema(asking: Asking) -> None:
    there = {name for (name,) in await asking.rows(queries.INDEXES_THERE)}
    for name, query in queries.SCHEMA.items():
        if name not in there:
            await asking.rows(query.format(name))
    if not there.issuperset(queries.SCHEMA):
        await asking.rows(queries.AWAIT_INDEXES)


NOTHING = {
    **dict.fromkeys(("keys", "ids", "positions", "pairs", "numbers", "frontier", "seen", "rows"), ()),
    "text": "",
    "gazetteer": "",
    "limit": 1,
    "tenant": "",
    "dataset": "",
}
"""Parameters with which no query finds or changes anything."""


async def _plan_reads(asking: Asking) -> None:
    for query in queries.READS:
        await asking.rows(query, **NOTHING)


async def _plan_writes(asking: Asking) -> None:
    for query in changes.OF_ROWS:
        await asking.rows(query, **NOTHING)
