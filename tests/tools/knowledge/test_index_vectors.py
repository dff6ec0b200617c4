"""The cosines of an index in memory, beside what vector stores promise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from typing import cast

import pytest

from tests.contracts.vector_store import (
    DIMENSION,
    EVERYTHING,
    VectorStoreContract,
    at_angles,
    unit,
)
from tests.tools.knowledge.vectors_of_index import cosines_in, nearest_in
from tools.knowledge.indexes import IndexCache
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
    """The cosines that search computes from its index, over records that are written to, as one `VectorStore`."""

    def __init__(self) -> None:
        self.chunks = Chunks()
        self.indexes = IndexCache(cast("ChunkReader", self.chunks), "e", DIMENSION)

    async def nearest(self, tenant_id: str, vector: Vector, number: int, scope: VectorScope) -> Sequence[Near]:
        return nearest_in(await self.indexes.get(tenant_id), vector, number, scope)

    async def cosines(self, tenant_id: str, vector: Vector, positions: Sequence[int]) -> Sequence[Near]:
        return cosines_in(await self.indexes.get(tenant_id), vector, positions)

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


class TestVectorsOfAnIndex(VectorStoreContract):
    """The contract, on the index in memory."""


async def test_a_chunk_without_a_vector_is_no_neighbour_however_far_the_others_are(vectors: Library) -> None:
    rows = [VectorRow(1, "doc", 700_000, b""), *at_angles(2, "doc", 180)]
    await vectors.replace("t", "d", "doc", rows)
    assert [*await vectors.nearest("t", unit(1), 5, EVERYTHING)] == [Near(2, -1.0)]
