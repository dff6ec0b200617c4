"""Vectors in Milvus: a server, or Milvus Lite in this process for small sets.

Milvus Lite searches in Python, under the interpreter's lock, in time that grows with the rows: about 10 ms at
5,000. It gets one request at a time, for its flush fails when somebody writes meanwhile. Its folder belongs to one
process at a time, and a machine that loses power may forget what it acknowledged.

Reads are fast because writes are slow: `replace` returns when everybody finds what it wrote, half a second later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

from tools.errors import StoreUnavailable
from tools.stores.milvus_collection import CREATION_SECONDS, MilvusCollection, collection_name
from tools.stores.milvus_driver import CLOSED, MESSAGE, MilvusAddress
from tools.stores.vector_protocol import Near, Vector, VectorRow, VectorScope

P = ParamSpec("P")
R = TypeVar("R")

READS_AT_ONCE = 8
WRITES_AT_ONCE = 32
"""A write waits twice for the server's clock to tick, every 0.2 s: many at once cost as much as one."""
ROWS_AT_ONCE = 500


class MilvusVectors:
    """A `VectorStore`. Reads wait for a free thread within the time limit; documents wait as long as need be."""

    def __init__(
        self,
        address: MilvusAddress,
        prefix: str,
        embedder: str,
        dimension: int,
        timeout_seconds: float,
    ) -> None:
        """Nothing is connected or imported yet."""
        name = collection_name(prefix, embedder, dimension)
        self._collection = MilvusCollection(address, name, dimension, timeout_seconds)
        self._seconds = timeout_seconds
        self._reading = ThreadPoolExecutor(1 if address.is_lite else READS_AT_ONCE, thread_name_prefix="milvus")
        self._writing = self._reading if address.is_lite else ThreadPoolExecutor(WRITES_AT_ONCE, "milvus-write")
        self._slots = asyncio.Semaphore(1 if address.is_lite else WRITES_AT_ONCE)
        self._replacing: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def nearest(self, tenant_id: str, vector: Vector, number: int, scope: VectorScope) -> Sequence[Near]:
        """See `VectorSearch`; at most 16,384 chunks."""
        return await self._read(self._collection.nearest, tenant_id, vector, number, scope)

    async def cosines(self, tenant_id: str, vector: Vector, positions: Sequence[int]) -> Sequence[Near]:
        """See `VectorSearch`."""
        return await self._read(self._collection.cosines, tenant_id, vector, positions)

    async def replace(self, tenant_id: str, dataset_id: str, document_id: str, rows: Sequence[VectorRow]) -> None:
        """See `VectorProjection`: while it lasts, the document has no vectors or some."""
        lock = self._replacing.setdefault((tenant_id, document_id), asyncio.Lock())
        async with lock, self._slots:
            await self._replace(tenant_id, dataset_id, document_id, rows)

    async def check(self) -> None:
        """See `VectorProjection`."""
        await self._read(self._collection.check)

    async def close(self) -> None:
        """See `VectorProjection`."""
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._writing.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._collection.close)

    async def _replace(self, tenant_id: str, dataset_id: str, document_id: str, rows: Sequence[VectorRow]) -> None:
        store = self._collection
        await self._write(store.remove, tenant_id, document_id)
        if rows:
            await self._write(store.prepare, seconds=CREATION_SECONDS)
        stored = await self._write(store.rows_of, tenant_id, dataset_id, document_id, rows)
        for start in range(0, len(stored), ROWS_AT_ONCE):
            if await self._write(store.insert, stored[start : start + ROWS_AT_ONCE]):
                self._writing.submit(store.flush)  # nobody waits: the rows are safe and found without it
        await self._write(store.settle, tenant_id)

    async def _read(self, work: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        return await _within(self._seconds, self._reading, lambda: work(*arguments, **options))

    async def _write(self, work: Callable[..., R], *arguments: object, seconds: float | None = None) -> R:
        return await _within(seconds or self._seconds, self._writing, lambda: work(*arguments))


async def _within(seconds: float, threads: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    """Work done in a thread, or StoreUnavailable; the thread is free again when its request has run out of time."""
    try:
        future = threads.submit(work)
    except RuntimeError as error:
        raise StoreUnavailable(CLOSED) from error
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(future)
    except TimeoutError as error:
        raise StoreUnavailable(MESSAGE) from error
