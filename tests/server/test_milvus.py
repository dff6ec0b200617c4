"""Vectors in a real Milvus server: the contract, its index, and a server that hangs, stops and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar
from uuid import uuid4

import numpy as np
import pytest

from tests.contracts.vector_store import (
    DIMENSION,
    EVERYTHING,
    VectorStoreContract,
    at_angles,
    positions,
    random_vectors,
    tenants,
    unit,
)
from tests.server.milvus import MilvusServer, milvus_server, milvus_uri  # noqa: F401
from tools.errors import StoreUnavailable
from tools.stores.milvus import MilvusVectors
from tools.stores.milvus_collection import collection_name
from tools.stores.milvus_driver import MilvusAddress, driver
from tools.stores.vector_protocol import VectorRow

pytestmark = pytest.mark.server
R = TypeVar("R")
PREFIX = f"test_{uuid4().hex[:8]}"
RECOVERY_SECONDS = 60


def store_at(uri: str, seconds: float = 10.0) -> MilvusVectors:
    return MilvusVectors(MilvusAddress(uri), PREFIX, "an embedder", DIMENSION, seconds)


@pytest.fixture
def vectors(milvus_uri: str) -> Iterator[MilvusVectors]:  # noqa: F811
    store = store_at(milvus_uri)
    yield store
    asyncio.run(store.close())


class TestMilvusServer(VectorStoreContract):
    """The contract, on a server, all tests in one collection."""


async def test_two_processes_may_make_the_collection_at_once_and_see_each_others_writes(
    milvus_uri: str,  # noqa: F811
) -> None:
    prefix, (tenant,) = f"{PREFIX}_race", tenants(1)
    stores = [MilvusVectors(MilvusAddress(milvus_uri), prefix, "e", DIMENSION, 10.0) for _ in range(3)]
    try:
        rows = [at_angles(n, f"doc {n}", 10 * n) for n in range(3)]
        await asyncio.gather(*(stores[n].replace(tenant, "d", f"doc {n}", rows[n]) for n in range(3)))
        assert [await positions(store, tenant) for store in stores] == [[0, 1, 2]] * 3
        await stores[0].replace(tenant, "d", "doc 1", [])
        assert [await positions(store, tenant) for store in stores] == [[0, 2]] * 3
    finally:
        await asyncio.gather(*(store.close() for store in stores))


async def test_the_index_of_a_sealed_segment_finds_what_an_exact_search_finds(
    vectors: MilvusVectors,
    milvus_uri: str,  # noqa: F811
) -> None:
    (tenant,) = tenants(1)
    made = random_vectors(2_000, seed=5)
    await vectors.replace(
        tenant, "d", "doc", [VectorRow(n, "doc", 700_000, each.tobytes()) for n, each in enumerate(made)]
    )
    await asyncio.to_thread(seal, milvus_uri)
    shared = 0
    for query in random_vectors(40, seed=6):
        best = np.argsort(-(made @ query))[:20]
        shared += len({*best.tolist()} & {*await positions(vectors, tenant, 20, towards=query)})
    assert shared / (40 * 20) >= 0.99


def seal(uri: str) -> None:
    """Have the server seal its growing segments and load their indexes."""
    client, name = driver().MilvusClient(uri, dedicated=True), collection_name(PREFIX, "an embedder", DIMENSION)
    client.flush(name, timeout=60)
    client.refresh_load(name, timeout=60)
    client.close()


async def test_a_server_that_hangs_is_given_up_in_time_and_works_when_it_goes_on(
    milvus_server: MilvusServer,  # noqa: F811
) -> None:
    store, (tenant,) = store_at(milvus_server.uri, seconds=1.5), tenants(1)
    try:
        await once_it_answers(lambda: store.replace(tenant, "d", "doc", at_angles(1, "doc", 0, 10)))
        with milvus_server.frozen():
            started = time.monotonic()
            ends = await asyncio.gather(
                *(store.nearest(tenant, unit(1), 5, EVERYTHING) for _ in range(20)),
                *(store.replace(tenant, "d", f"doc {n}", at_angles(10 + n, f"doc {n}", n)) for n in range(40)),
                store.cosines(tenant, unit(1), [1]),
                store.check(),
                return_exceptions=True,
            )
            assert time.monotonic() - started < 10  # the limit is 1.5 s, and the machine may be busy
        assert {type(end) for end in ends} == {StoreUnavailable}
        assert set(await once_it_answers(lambda: positions(store, tenant))) >= {1, 2}
        replays = (
            lambda n=n: store.replace(tenant, "d", f"doc {n}", at_angles(100 + n, f"doc {n}", n)) for n in range(40)
        )
        await asyncio.gather(*map(once_it_answers, replays))
        assert sorted(await positions(store, tenant)) == [1, 2, *range(100, 140)]
    finally:
        await store.close()


@pytest.mark.timeout(240)
async def test_documents_are_all_there_once_each_after_the_server_stopped_while_they_came(
    milvus_server: MilvusServer,  # noqa: F811
) -> None:
    store, (tenant,) = store_at(milvus_server.uri, seconds=3.0), tenants(1)
    documents = {f"doc {n}": at_angles(10 * n, f"doc {n}", n, n + 0.5) for n in range(60)}
    some, waiting = asyncio.Event(), asyncio.Semaphore(8)

    async def project(document_id: str) -> None:
        async with waiting:
            await store.replace(tenant, "d", document_id, documents[document_id])
            some.set()

    try:
        coming = [asyncio.create_task(project(document_id)) for document_id in documents]
        await some.wait()
        await asyncio.to_thread(milvus_server.stop)
        ends = await asyncio.gather(*coming, return_exceptions=True)
        assert {type(end) for end in ends} == {type(None), StoreUnavailable}
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.nearest(tenant, unit(1), 5, EVERYTHING)
        assert time.monotonic() - started < 3.5
        await asyncio.to_thread(milvus_server.start)
        done = {document_id for document_id, end in zip(documents, ends, strict=True) if end is None}
        found = set(await once_it_answers(lambda: positions(store, tenant, 1_000)))
        assert found >= {row.position for document_id in done for row in documents[document_id]}
        await asyncio.gather(*(once_it_answers(lambda name=name: project(name)) for name in documents.keys() - done))
        assert await positions(store, tenant, 1_000) == [row.position for rows in documents.values() for row in rows]
    finally:
        await store.close()


async def once_it_answers(work: Callable[[], Awaitable[R]]) -> R:
    """The result, as soon as the store is not unavailable any more."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            try:
                return await work()
            except StoreUnavailable:
                await asyncio.sleep(0.1)
