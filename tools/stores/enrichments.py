"""Enrichments in the embedded SQL store: gone with their chunk, counted by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any

import orjson
from sqlalchemy import Connection

from tools.stores.database import Database
from tools.stores.documents import mark_stale
from tools.stores.enrichment_protocol import Enrichment, EnrichmentStats, Spent, WaitingChunk

_DATASETS = "SELECT tenant_id, id FROM datasets WHERE index_type <> 'vector' ORDER BY tenant_id, id"
_NEWEST = "SELECT seq FROM sqlite_sequence WHERE name = 'chunks'"
_WAITING = """
SELECT chunks.position, chunks.document_id, documents.title, chunks.heading, chunks.text, chunks.language
FROM chunks JOIN documents ON documents.id = chunks.document_id
WHERE chunks.tenant_id = ?1 AND chunks.dataset_id = ?2 AND chunks.position > ?3
  AND EXISTS (SELECT 1 FROM extractions WHERE extractions.position = chunks.position)
  AND NOT EXISTS (SELECT 1 FROM enrichments WHERE enrichments.position = chunks.position)
ORDER BY chunks.position LIMIT ?4
"""
_THERE = """
SELECT position, document_id FROM chunks
WHERE tenant_id = ?1 AND dataset_id = ?2 AND position IN (SELECT value FROM json_each(?3)) ORDER BY position
"""
_KEEP = """
INSERT INTO enrichments (position, tenant_id, model, data, descriptions) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (position) DO UPDATE SET model = ?3, data = ?4, descriptions = ?5
"""
_COUNTS = [column.name for column in fields(Spent)]
_SPEND = f"""
INSERT INTO enrichment_spending (tenant_id, dataset_id, day, {", ".join(_COUNTS)})
VALUES (?, ?, ?, {", ".join("?" for _ in _COUNTS)})
ON CONFLICT (tenant_id, dataset_id, day) DO UPDATE SET
{", ".join(f"{name} = {name} + excluded.{name}" for name in _COUNTS)}
"""  # noqa: S608 - the names are ours
_READ = """
SELECT position, data FROM enrichments
WHERE tenant_id = ?1 AND position IN (SELECT value FROM json_each(?2)) ORDER BY position
"""
_DESCRIPTIONS = """
SELECT said.key, said.value FROM enrichments, json_each(enrichments.descriptions) AS said
WHERE enrichments.tenant_id = ?1 AND enrichments.position IN (SELECT value FROM json_each(?2))
  AND said.key IN (SELECT value FROM json_each(?3))
ORDER BY enrichments.position DESC
"""
_TOKENS = """
SELECT coalesce(sum(tokens), 0) FROM enrichment_spending
WHERE day = ?1 AND (?2 IS NULL OR tenant_id = ?2) AND (?3 IS NULL OR dataset_id = ?3)
"""
_SUMS = f"""
SELECT {", ".join(f"coalesce(sum({name}), 0)" for name in _COUNTS)} FROM enrichment_spending
WHERE tenant_id = ?1 AND dataset_id = ?2 AND (?3 IS NULL OR day = ?3)
"""  # noqa: S608 - the names are ours
_FAR = """
SELECT count(*), count(enrichments.position) FROM chunks
JOIN extractions ON extractions.position = chunks.position
LEFT JOIN enrichments ON enrichments.position = chunks.position
WHERE chunks.tenant_id = ?1 AND chunks.dataset_id = ?2
"""


class SqlEnrichmentStore:
    """The `EnrichmentStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def datasets(self) -> Sequence[tuple[str, str]]:
        """See the Protocol."""
        return await self._database.read(lambda connection: _rows(connection, _DATASETS))

    async def newest(self) -> int:
        """See the Protocol."""
        found = await self._database.read(lambda connection: _rows(connection, _NEWEST))
        return found[0][0] if found else 0

    async def waiting(self, tenant_id: str, dataset_id: str, after: int, limit: int) -> Sequence[WaitingChunk]:
        """See the Protocol."""
        return await self._database.read(
            lambda connection: [
                WaitingChunk(*row) for row in _rows(connection, _WAITING, tenant_id, dataset_id, after, limit)
            ]
        )

    async def keep(
        self, tenant_id: str, dataset_id: str, model: str, day: str, enrichments: Sequence[Enrichment], spent: Spent
    ) -> Sequence[int]:
        """See the Protocol."""

        def work(connection: Connection) -> Sequence[int]:
            asked = _json([enrichment.position for enrichment in enrichments])
            there = dict(_rows(connection, _THERE, tenant_id, dataset_id, asked))
            kept = [enrichment for enrichment in enrichments if enrichment.position in there]
            rows = [(e.position, tenant_id, model, e.data, _json(dict(e.descriptions))) for e in kept]
            if rows:
                connection.exec_driver_sql(_KEEP, rows)
                mark_stale(connection, sorted({there[enrichment.position] for enrichment in kept}))
            connection.exec_driver_sql(_SPEND, (tenant_id, dataset_id, day, *astuple(spent)))
            return sorted(enrichment.position for enrichment in kept)

        return await self._database.write(work)

    async def read(self, tenant_id: str, positions: Sequence[int]) -> Sequence[tuple[int, str]]:
        """See the Protocol."""
        asked = _json(list(positions))
        return await self._database.read(lambda connection: _rows(connection, _READ, tenant_id, asked))

    async def descriptions(self, tenant_id: str, positions: Sequence[int], norms: Sequence[str]) -> Mapping[str, str]:
        """See the Protocol."""
        asked = _json(list(positions)), _json(list(norms))
        return dict(await self._database.read(lambda connection: _rows(connection, _DESCRIPTIONS, tenant_id, *asked)))

    async def tokens(self, day: str, tenant_id: str | None = None, dataset_id: str | None = None) -> int:
        """See the Protocol."""
        return await self._database.read(
            lambda connection: _rows(connection, _TOKENS, day, tenant_id, dataset_id)[0][0]
        )

    async def stats(self, tenant_id: str, dataset_id: str, day: str) -> EnrichmentStats:
        """See the Protocol."""

        def work(connection: Connection) -> EnrichmentStats:
            today, total = (Spent(*_rows(connection, _SUMS, tenant_id, dataset_id, of)[0]) for of in (day, None))
            chunks, enriched = _rows(connection, _FAR, tenant_id, dataset_id)[0]
            return EnrichmentStats(chunks, enriched, today, total)

        return await self._database.read(work)


def _rows(connection: Connection, statement: str, *parameters: Any) -> list[Any]:
    return [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
