"""Vectors searched in memory, beside what other vector stores promise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from typing import cast

import numpy as np
import pytest

from tests.contracts.vector_store import (
    DIMENSION,
    EVERYTHING,
    VectorStoreContract,
    at_angles,
    positions,
    random_vectors,
    unit,
)
from tools.knowledge.indexes import IndexCache
from tools.knowledge.vectors import ROWS_ON_LOOP, IndexedVectors
from tools.stores.knowledge_protocol import ChunkReader, KnowledgeVersion, SearchableChunk
from tools.stores.vector_protocol import Near, Vector, VectorRow, VectorScope

PER_DOCUMENT = "document"


class Chunks:
    """A `ChunkReader` of one process: chunks in lists, versions counted as the stores count them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[str, SearchableChunk]]] = {}
        self.versions: dict[str, KnowledgeVersion] = {}

    def replace(self, tenant_id: str, dataset_id: str, document_id: str, rows: Sequence[VectorRow]) -> None:
        """Give a document these chunks; with the ones it has, nothing happens."""
        kept = self.rows.setdefault(tenant_id, [])
        now = [(document_id, _chunk(dataset_id, row)) for row in rows]
        before = [each for each in kept if each[0] == document_id]
        if now == before:
            return
        self.rows[tenant_id] = sorted([*(each for each in kept if each[0] != document_id), *now], key=_position)
        was = self.versions.get(tenant_id, KnowledgeVersion())
        self.versions[tenant_id] = KnowledgeVersion(was.version + 1, was.removals + bool(before))

    async def version(self, tenant_id: str) -> KnowledgeVersion:
        return self.versions.get(tenant_id, KnowledgeVersion())

    async def after(self, tenant_id: str, position: int, limit: int, embedder: str) -> Sequence[SearchableChunk]:
        return [chunk for _, chunk in self.rows.get(tenant_id, []) if chunk.position > position][:limit]

    async def positions(self, tenant_id: str) -> Sequence[int]:
        return [chunk.position for _, chunk in self.rows.get(tenant_id, [])]


class Library:
    """The embedded search over records that are written to, as one `VectorStore`."""

    def __init__(self) -> None:
        self.chunks = Chunks()
        self.indexes = IndexCache(cast("ChunkReader", self.chunks), "e", DIMENSION)
        self.search = IndexedVectors(self.indexes)

    async def nearest(self, tenant_id: str, vector: Vector, number: int, scope: VectorScope) -> Sequence[Near]:
        return await self.search.nearest(tenant_id, vector, number, scope)

    async def cosines(self, tenant_id: str, vector: Vector, positions: Sequence[int]) -> Sequence[Near]:
        return await self.search.cosines(tenant_id, vector, positions)

    async def replace(self, tenant_id: str, dataset_id: str, document_id: str, rows: Sequence[VectorRow]) -> None:
        self.chunks.replace(tenant_id, dataset_id, document_id, rows)
        while (await self.indexes.refresh(tenant_id)).version != await self.chunks.version(tenant_id):
            """Somebody else's refresh began before our chunks were there."""

    async def check(self) -> None:
        """It is here."""

    async def close(self) -> None:
        await self.indexes.close()


def _chunk(dataset_id: str, row: VectorRow) -> SearchableChunk:
    day = date.fromordinal(row.day).isoformat()
    return SearchableChunk(row.position, dataset_id, "", day, "word", row.vector)


def _position(row: tuple[str, SearchableChunk]) -> int:
    return row[1].position


@pytest.fixture
def vectors() -> Iterator[Library]:
    library = Library()
    yield library
    asyncio.run(library.close())


class TestIndexedVectors(VectorStoreContract):
    """The contract, on the index in memory."""


async def test_a_chunk_without_a_vector_is_no_neighbour_however_far_the_others_are(vectors: Library) -> None:
    rows = [VectorRow(1, "doc", 700_000, b""), *at_angles(2, "doc", 180)]
    await vectors.replace("t", "d", "doc", rows)
    assert [*await vectors.nearest("t", unit(1), 5, EVERYTHING)] == [Near(2, -1.0)]


async def test_a_large_index_is_searched_off_the_loop_with_the_same_result(
    vectors: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = random_vectors(ROWS_ON_LOOP + 1, seed=4)
    rows = [VectorRow(n + 1, "doc", 700_000, vector.tobytes()) for n, vector in enumerate(made)]
    await vectors.replace("t", "d", "doc", rows)
    best = (np.argsort(-(made @ unit(1)))[:10] + 1).tolist()
    work: list[str] = []
    run = vectors.indexes.run

    async def seen(task, *arguments):
        work.append(task.__name__)
        return await run(task, *arguments)

    monkeypatch.setattr(vectors.indexes, "run", seen)
    assert await positions(vectors, "t", 10) == best
    assert len(await vectors.cosines("t", unit(1), range(1, ROWS_ON_LOOP + 2))) == ROWS_ON_LOOP + 1
    assert work == ["_nearest", "cosines_at"]
