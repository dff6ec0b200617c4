"""The indexes of all tenants: built on first use, brought up to date when documents change, bounded in memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from tools.knowledge.index import TenantIndex
from tools.stores.knowledge_protocol import ChunkReader

P = ParamSpec("P")
R = TypeVar("R")

PAGE = 512
"""Chunks read and taken in at a time, so that no step is long."""
THREADS = 2
"""One may build while another searches."""
MAX_BYTES = 512 * 2**20
"""Memory for all indexes together: about 200,000 chunks."""


class IndexCache:
    """Shares one index per tenant among all requests; the least recently used ones give way.

    An index is a snapshot: whoever holds one may go on with it while a newer one is made.
    """

    def __init__(self, chunks: ChunkReader, embedder: str, dimension: int, max_bytes: int = MAX_BYTES) -> None:
        """Vectors are those that `embedder` made, of `dimension` numbers. A single index may exceed `max_bytes`."""
        self._chunks = chunks
        self._embedder = embedder
        self._dimension = dimension
        self._max_bytes = max_bytes
        self._indexes: OrderedDict[str, TenantIndex] = OrderedDict()
        self._refreshing: dict[str, asyncio.Task[TenantIndex]] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="knowledge")

    @property
    def size_bytes(self) -> int:
        """Memory of all indexes together, within a tenth or so."""
        return sum(index.size_bytes for index in self._indexes.values())

    async def get(self, tenant_id: str) -> TenantIndex:
        """The tenant's index as it is known, built if it is not there; it may be out of date."""
        index = self._indexes.get(tenant_id)
        if index is None:
            return await self.refresh(tenant_id)
        self._indexes.move_to_end(tenant_id)
        return index

    async def refresh(self, tenant_id: str) -> TenantIndex:
        """Bring the tenant's index up to date; callers that come meanwhile wait for the same one."""
        task = self._refreshing.get(tenant_id)
        if task is None:
            task = asyncio.create_task(self._refresh(tenant_id))
            self._refreshing[tenant_id] = task
            task.add_done_callback(lambda _: self._refreshing.pop(tenant_id, None))
        # A caller that gives up does not take the build away from the others.
        return await asyncio.shield(task)

    async def run(self, work: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        """Run heavy work on an index in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*arguments, **options))

    async def close(self) -> None:
        """Stop building and let go of memory and threads."""
        tasks = list(self._refreshing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._indexes.clear()
        self._threads.shutdown(wait=False)

    async def _refresh(self, tenant_id: str) -> TenantIndex:
        """Removals and additions since the index was made.

        The version is read first: what changes while pages are read makes it differ again, and is
        caught by the next refresh.
        """
        index = self._indexes.get(tenant_id, TenantIndex())
        version = await self._chunks.version(tenant_id)
        if version.removals != index.version.removals and len(index):
            index = await self.run(index.without_others, await self._chunks.positions(tenant_id))
        while page := await self._chunks.after(tenant_id, index.last_position, PAGE, self._embedder):
            index = await self.run(index.add, page, self._dimension)
        index = index.at(version)
        self._keep(tenant_id, index)
        return index

    def _keep(self, tenant_id: str, index: TenantIndex) -> None:
        self._indexes[tenant_id] = index
        self._indexes.move_to_end(tenant_id)
        total = self.size_bytes
        while total > self._max_bytes and len(self._indexes) > 1:
            _, evicted = self._indexes.popitem(last=False)
            total -= evicted.size_bytes
