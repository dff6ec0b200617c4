"""A user's turns across conversations, in the embedded SQL store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from tools.stores.database import Database
from tools.stores.histories_protocol import PastTurn, Quote, QuotedExtraction

# The answer of a turn is its one message of the assistant; a turn that was taken back has no messages.
_TURNS = """
SELECT turns.id, turns.created_at, said.content, answered.citations
FROM turns
JOIN messages AS said ON said.turn_id = turns.id AND said.role = 'user'
LEFT JOIN messages AS answered ON answered.turn_id = turns.id AND answered.role = 'assistant'
WHERE turns.tenant_id = ?1 AND turns.user_id = ?2
ORDER BY turns.created_at DESC, turns.id LIMIT ?3
"""
_EXTRACTIONS = """
SELECT asked.key, chunks.start, extractions.data
FROM json_each(?2) AS asked
JOIN chunks ON chunks.document_id = asked.value ->> 0 AND chunks.tenant_id = ?1
  AND chunks.start < asked.value ->> 2 AND chunks."end" > asked.value ->> 1
JOIN extractions ON extractions.position = chunks.position
ORDER BY asked.key, chunks.position
"""


class SqlHistoryStore:
    """The `HistoryStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def turns(self, tenant_id: str, user_id: str, limit: int) -> Sequence[PastTurn]:
        """See the Protocol."""
        rows = await self._database.read(lambda connection: _rows(connection, _TURNS, tenant_id, user_id, limit))
        return [PastTurn(id_, at, said, orjson.loads(citations or "[]")) for id_, at, said, citations in rows]

    async def extractions(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[QuotedExtraction]:
        """See the Protocol."""
        asked = orjson.dumps([list(quote) for quote in quotes]).decode()
        rows = await self._database.read(lambda connection: _rows(connection, _EXTRACTIONS, tenant_id, asked))
        return [QuotedExtraction(*row) for row in rows]


def _rows(connection: Connection, statement: str, *parameters: Any) -> list[Any]:
    return [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]
