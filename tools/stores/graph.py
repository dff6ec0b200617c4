"""Knowledge graphs in the embedded SQL store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from tools.stores import graph_reading as reading
from tools.stores import graph_writing as writing
from tools.stores.database import Database
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
from tools.stores.graph_sql import Graph, communities, driver_of, graph_of

T = TypeVar("T")


class SqlGraphStore:
    """The `GraphStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self, tenant_id: str, dataset_id: str) -> int:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda _, graph: graph.version)

    async def apply(self, tenant_id: str, dataset_id: str, change: GraphChange) -> int:
        """See the Protocol."""
        after = await asyncio.to_thread(rows_of, change.documents)
        return await self._database.write(
            lambda connection: writing.apply(driver_of(connection), tenant_id, dataset_id, change, after)
        )

    async def names_of(self, tenant_id: str, dataset_id: str, document_ids: Sequence[str]) -> Sequence[str]:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda sql, graph: reading.names_of(sql, graph.id, document_ids))

    async def standing(
        self, tenant_id: str, dataset_id: str, norms: Sequence[str], without: Sequence[str] = ()
    ) -> Mapping[str, NameStanding]:
        """See the Protocol."""
        return await self._read(
            tenant_id, dataset_id, lambda sql, graph: reading.standing(sql, graph.id, norms, without)
        )

    async def known_names(self, tenant_id: str, dataset_id: str) -> Sequence[tuple[str, NameStanding]]:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda sql, graph: reading.known_names(sql, graph.id))

    async def read(self, tenant_id: str, dataset_id: str) -> GraphRows:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, reading.read)

    async def evidence(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, str]], limit: int = 3
    ) -> Sequence[GraphEvidence]:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda sql, graph: reading.evidence(sql, graph.id, pairs, limit))

    async def mentions(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, int]]
    ) -> Sequence[GraphMention]:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda sql, graph: reading.mentions(sql, graph.id, pairs))

    async def passages_of(self, tenant_id: str, dataset_id: str, norm: str, limit: int) -> Sequence[GraphMention]:
        """See the Protocol."""
        return await self._read(
            tenant_id, dataset_id, lambda sql, graph: reading.passages_of(sql, graph.id, norm, limit)
        )

    async def neighbourhood(
        self, tenant_id: str, dataset_id: str, norms: Sequence[str], hops: int, limit: int
    ) -> Neighbourhood:
        """See the Protocol."""
        return await self._read(
            tenant_id, dataset_id, lambda sql, graph: reading.neighbourhood(sql, graph, norms, hops, limit)
        )

    async def find(self, tenant_id: str, dataset_id: str, text: str, limit: int) -> Sequence[GraphEntity]:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda sql, graph: reading.find(sql, graph.id, text, limit))

    async def keep_communities(
        self, tenant_id: str, dataset_id: str, version: int, communities: Sequence[Community]
    ) -> bool:
        """See the Protocol."""

        def work(connection: Connection) -> bool:
            sql = driver_of(connection)
            graph = graph_of(sql, tenant_id, dataset_id)
            if graph.version != version:
                return False
            if graph.id:
                writing.keep_communities(sql, graph.id, communities)
            return True

        return await self._database.write(work)

    async def communities(self, tenant_id: str, dataset_id: str) -> Sequence[Community]:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda sql, graph: communities(sql, graph.id))

    async def drop(self, tenant_id: str, dataset_id: str) -> None:
        """See the Protocol."""

        def work(connection: Connection) -> None:
            sql = driver_of(connection)
            writing.drop(sql, graph_of(sql, tenant_id, dataset_id).id)

        await self._database.write(work)

    async def counts(self, tenant_id: str, dataset_id: str) -> Mapping[str, int]:
        """See the Protocol."""
        return await self._read(tenant_id, dataset_id, lambda sql, graph: reading.counts(sql, graph.id))

    async def check(self) -> None:
        """See the Protocol."""
        await self._read("", "", lambda _, graph: graph.version)

    async def close(self) -> None:
        """The database is its opener's to close."""

    async def _read(self, tenant_id: str, dataset_id: str, ask: Callable[[Any, Graph], T]) -> T:
        def work(connection: Connection) -> T:
            sql = driver_of(connection)
            return ask(sql, graph_of(sql, tenant_id, dataset_id))

        return await self._database.read(work)
