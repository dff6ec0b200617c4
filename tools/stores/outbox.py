"""The outbox in the embedded SQL store, and what followers read of the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from tools.stores.database import Database
from tools.stores.following_protocol import ChunkText, FollowedChunk, FollowedDocument, StaleBatch

_ENLIST = "INSERT INTO followers (name, identity) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET identity = ?2"
_MARK_ALL = """
INSERT INTO stale_documents (follower, tenant_id, dataset_id, document_id)
SELECT ?1, tenant_id, dataset_id, id FROM documents WHERE indexed_at IS NOT NULL ORDER BY created_at, id
"""
_NEXT_DATASET = """
SELECT tenant_id, dataset_id FROM stale_documents
WHERE follower = ?1 AND (tenant_id, dataset_id) > (?2, ?3) ORDER BY tenant_id, dataset_id LIMIT 1
"""
_BATCH = """
SELECT document_id, max(position) FROM (
  SELECT document_id, position FROM stale_documents
  WHERE follower = ?1 AND tenant_id = ?2 AND dataset_id = ?3 ORDER BY position LIMIT ?4
) GROUP BY document_id ORDER BY min(position)
"""
_SETTLE = """
DELETE FROM stale_documents WHERE follower = ?1 AND tenant_id = ?2 AND dataset_id = ?3 AND position <= ?4
"""
_WAITING = """
SELECT DISTINCT document_id FROM stale_documents WHERE follower = ?1 AND tenant_id = ?2
AND (?3 IS NULL OR dataset_id IN (SELECT value FROM json_each(?3)))
"""
_DOCUMENTS = """
SELECT id, title, coalesce(json_extract(metadata, '$.date'), created_at) FROM documents
WHERE tenant_id = ?1 AND dataset_id = ?2 AND id IN (SELECT value FROM json_each(?3)) AND indexed_at IS NOT NULL
ORDER BY created_at, id
"""
_CHUNKS = """
SELECT document_id, chunks.position, start, text, language, extractions.data, CASE WHEN embedder = ?3 THEN vector END,
  enrichments.data
FROM chunks LEFT JOIN extractions ON extractions.position = chunks.position
LEFT JOIN enrichments ON enrichments.position = chunks.position
WHERE chunks.tenant_id = ?1 AND document_id IN (SELECT value FROM json_each(?2))
ORDER BY document_id, start, chunks.position
"""
_TEXTS = """
SELECT position, document_id, start, text FROM chunks
WHERE tenant_id = ?1 AND dataset_id = ?2 AND position > ?3 ORDER BY position LIMIT ?4
"""
_EXTRACTIONS = """
SELECT position, data FROM extractions
WHERE tenant_id = ?1 AND position IN (SELECT value FROM json_each(?2))
UNION ALL SELECT enrichments.position, enrichments.data FROM enrichments
JOIN extractions ON extractions.position = enrichments.position
WHERE enrichments.tenant_id = ?1 AND enrichments.position IN (SELECT value FROM json_each(?2)) ORDER BY 1
"""


class SqlOutbox:
    """The `Outbox` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enlist(self, follower: str, identity: str) -> None:
        """See the Protocol."""

        def work(connection: Connection) -> None:
            known = _rows(connection, "SELECT identity FROM followers WHERE name = ?1", follower)
            if known == [(identity,)]:
                return
            connection.exec_driver_sql("DELETE FROM stale_documents WHERE follower = ?1", (follower,))
            connection.exec_driver_sql(_ENLIST, (follower, identity))
            connection.exec_driver_sql(_MARK_ALL, (follower,))

        await self._database.write(work)

    async def dismiss(self, follower: str) -> None:
        """See the Protocol."""

        def work(connection: Connection) -> None:
            connection.exec_driver_sql("DELETE FROM stale_documents WHERE follower = ?1", (follower,))
            connection.exec_driver_sql("DELETE FROM followers WHERE name = ?1", (follower,))

        await self._database.write(work)

    async def next_batch(self, follower: str, limit: int, after: tuple[str, str] = ("", "")) -> StaleBatch | None:
        """See the Protocol."""

        def work(connection: Connection) -> StaleBatch | None:
            waiting = _rows(connection, _NEXT_DATASET, follower, *after)
            waiting = waiting or _rows(connection, _NEXT_DATASET, follower, "", "")
            if not waiting:
                return None
            rows = _rows(connection, _BATCH, follower, *waiting[0], limit)
            tenant_id, dataset_id = waiting[0]
            return StaleBatch(tenant_id, dataset_id, [row[0] for row in rows], max(row[1] for row in rows))

        return await self._database.read(work)

    async def settle(self, follower: str, batch: StaleBatch) -> None:
        """See the Protocol."""
        parameters = (follower, batch.tenant_id, batch.dataset_id, batch.until)
        await self._database.write(lambda connection: connection.exec_driver_sql(_SETTLE, parameters).close())

    async def waiting(self, follower: str, tenant_id: str, dataset_ids: Sequence[str] | None = None) -> Sequence[str]:
        """See the Protocol."""
        asked = None if dataset_ids is None else _json(dataset_ids)
        return await self._database.read(
            lambda connection: [row[0] for row in _rows(connection, _WAITING, follower, tenant_id, asked)]
        )

    async def documents(
        self, tenant_id: str, dataset_id: str, document_ids: Sequence[str], embedder: str = ""
    ) -> Sequence[FollowedDocument]:
        """See the Protocol."""

        def work(connection: Connection) -> list[FollowedDocument]:
            found = _rows(connection, _DOCUMENTS, tenant_id, dataset_id, _json(document_ids))
            chunks: dict[str, list[FollowedChunk]] = {row[0]: [] for row in found}
            for document_id, *chunk in _rows(connection, _CHUNKS, tenant_id, _json(list(chunks)), embedder):
                chunks[document_id].append(FollowedChunk(*chunk))
            return [FollowedDocument(id_, title, date, chunks[id_]) for id_, title, date in found]

        return await self._database.read(work)

    async def texts(self, tenant_id: str, dataset_id: str, after: int, limit: int) -> Sequence[ChunkText]:
        """See the Protocol."""
        return await self._database.read(
            lambda connection: [
                ChunkText(*row) for row in _rows(connection, _TEXTS, tenant_id, dataset_id, after, limit)
            ]
        )

    async def extractions(self, tenant_id: str, positions: Sequence[int]) -> Sequence[tuple[int, str]]:
        """See the Protocol."""
        asked = _json(list(positions))
        return await self._database.read(lambda connection: _rows(connection, _EXTRACTIONS, tenant_id, asked))


def _rows(connection: Connection, statement: str, *parameters: Any) -> list[Any]:
    """All rows, from the driver itself: followers read whole data sets, for which SQLAlchemy takes far longer."""
    driver: Any = connection.connection.dbapi_connection
    return driver.execute(statement, parameters).fetchall()


def _json(values: Sequence[Any]) -> str:
    return orjson.dumps(list(values)).decode()
