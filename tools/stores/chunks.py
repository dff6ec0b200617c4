"""Chunks in the embedded SQL store, as search reads them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, and_, bindparam, case, func, select

from tools.errors import NotFound
from tools.stores.database import Database
from tools.stores.knowledge_protocol import ChunkReading, KnowledgeVersion, SearchableChunk, StoredChunk
from tools.stores.schema import chunks, datasets, documents, knowledge_versions

_OF_TENANT = chunks.c.tenant_id == bindparam("tenant_id")
_VERSION = select(knowledge_versions.c.version, knowledge_versions.c.removals).where(
    knowledge_versions.c.tenant_id == bindparam("tenant_id")
)
_POSITIONS = select(chunks.c.position).where(_OF_TENANT).order_by(chunks.c.position)
_AFTER = (
    select(
        chunks.c.position,
        chunks.c.dataset_id,
        documents.c.title,
        func.coalesce(documents.c.metadata["date"].as_string(), documents.c.created_at),
        chunks.c.terms,
        case((chunks.c.embedder == bindparam("embedder_name"), chunks.c.vector)),
    )
    .join(documents, documents.c.id == chunks.c.document_id)
    .where(_OF_TENANT, chunks.c.position > bindparam("after_position"))
    .order_by(chunks.c.position)
    .limit(bindparam("at_most"))
)
# One JSON array as the parameter: the statement is the same, and compiled once, however many are asked for.
_POSITIONS_ASKED = select(func.json_each(bindparam("positions")).table_valued("value").c.value)
_CHUNKS = (
    select(
        chunks.c.position,
        chunks.c.id,
        chunks.c.document_id,
        chunks.c.dataset_id,
        documents.c.title,
        chunks.c.heading,
        chunks.c.page,
        chunks.c.start,
        chunks.c.end,
        chunks.c.text,
        chunks.c.language,
    )
    .join(documents, documents.c.id == chunks.c.document_id)
    .where(_OF_TENANT, chunks.c.position.in_(_POSITIONS_ASKED))
)
_DATASETS = select(func.count()).where(
    and_(
        datasets.c.tenant_id == bindparam("tenant_id"),
        datasets.c.id.in_(bindparam("dataset_ids", expanding=True)),
    )
)


class SqlChunkReader:
    """The `ChunkReader` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self, tenant_id: str) -> KnowledgeVersion:
        """See the Protocol."""
        return await self._database.read(lambda connection: _version(connection, tenant_id))

    async def after(self, tenant_id: str, position: int, limit: int, embedder: str) -> Sequence[SearchableChunk]:
        """See the Protocol."""
        parameters = {
            "tenant_id": tenant_id,
            "after_position": position,
            "at_most": limit,
            "embedder_name": embedder,
        }
        return await self._database.read(
            lambda connection: [SearchableChunk(*row) for row in connection.execute(_AFTER, parameters)]
        )

    async def positions(self, tenant_id: str) -> Sequence[int]:
        """See the Protocol."""
        parameters = {"tenant_id": tenant_id}
        return await self._database.read(lambda connection: connection.scalars(_POSITIONS, parameters).all())

    async def read(self, tenant_id: str, positions: Sequence[int], dataset_ids: Sequence[str] = ()) -> ChunkReading:
        """See the Protocol."""

        def work(connection: Connection) -> ChunkReading:
            if dataset_ids:
                _require_datasets(connection, tenant_id, dataset_ids)
            version = _version(connection, tenant_id)
            if not positions:
                return ChunkReading(version, ())
            parameters = {"tenant_id": tenant_id, "positions": orjson.dumps(list(positions)).decode()}
            return ChunkReading(version, [StoredChunk(*row) for row in connection.execute(_CHUNKS, parameters)])

        return await self._database.read(work)


def _version(connection: Connection, tenant_id: str) -> KnowledgeVersion:
    row = connection.execute(_VERSION, {"tenant_id": tenant_id}).one_or_none()
    return KnowledgeVersion(*row) if row is not None else KnowledgeVersion()


def _require_datasets(connection: Connection, tenant_id: str, dataset_ids: Sequence[str]) -> None:
    wanted = set(dataset_ids)
    parameters = {"tenant_id": tenant_id, "dataset_ids": list(wanted)}
    if connection.execute(_DATASETS, parameters).scalar_one() != len(wanted):
        raise NotFound("There is no such data set.")
