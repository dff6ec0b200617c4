"""The documents still to be indexed, shared by all processes on the data folder: each is one owner's at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select, update

from tools.stores.clock import now
from tools.stores.database import Database
from tools.stores.documents import DOCUMENT, REQUEUED, bump, dataset_row, document_of, drop_chunks
from tools.stores.knowledge_protocol import Claim, DocumentText, IndexStage, NewChunk
from tools.stores.schema import documents

_IN_HAND = and_(
    documents.c.tenant_id == bindparam("of_tenant"),
    documents.c.id == bindparam("of_document"),
    documents.c.owner == bindparam("of_owner"),
    documents.c.status == "indexing",
)
_ADVANCE = (
    update(documents)
    .where(_IN_HAND)
    .values(stage=bindparam("to_stage"), progress=func.max(documents.c.progress, bindparam("to_progress")))
)
_INSERT = """
INSERT INTO chunks
(tenant_id, dataset_id, document_id, id, heading, page, start, "end", text, language, terms, vector, embedder)
VALUES (?1, (SELECT dataset_id FROM documents WHERE id = ?2), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
"""
"""For the driver: SQLAlchemy's own bulk insert takes twice as long, and all other writes wait for it."""


class SqlIndexQueue:
    """The `IndexQueue` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenants_waiting(self) -> Sequence[str]:
        """See the Protocol."""
        query = select(documents.c.tenant_id).where(documents.c.status == "queued").distinct()
        return await self._database.read(lambda connection: connection.scalars(query).all())

    async def claim(self, tenant_id: str, owner: str) -> Claim | None:
        """See the Protocol."""

        def work(connection: Connection) -> Claim | None:
            waiting = DOCUMENT.where(documents.c.tenant_id == tenant_id, documents.c.status == "queued")
            row = connection.execute(waiting.order_by(documents.c.created_at, documents.c.id).limit(1)).one_or_none()
            if row is None:
                return None
            this = (documents.c.id == row.id) & (documents.c.status == "queued")
            claimed = {"status": "indexing", "stage": "parsing", "owner": owner}
            connection.execute(update(documents).where(this).values(**claimed))
            options = dataset_row(connection, tenant_id, row.dataset_id).options
            return Claim(document_of(row), options)

        return await self._database.write(work)

    async def advance(self, tenant_id: str, document_id: str, owner: str, stage: IndexStage, progress: float) -> bool:
        """See the Protocol."""
        parameters = {**_in_hand(tenant_id, document_id, owner), "to_stage": stage, "to_progress": progress}
        return await self._database.write(lambda connection: bool(connection.execute(_ADVANCE, parameters).rowcount))

    async def keep_chunks(
        self, tenant_id: str, document_id: str, owner: str, content: DocumentText, chunks: Sequence[NewChunk]
    ) -> bool:
        """See the Protocol."""
        ready = {
            "title": content.title,
            "text": content.text,
            "pages": list(content.pages),
            "metadata": dict(content.metadata),
            "status": "ready",
            "stage": "done",
            "progress": 1.0,
            "owner": None,
            "error_code": None,
            "error": None,
        }

        rows = await asyncio.to_thread(_rows, tenant_id, document_id, chunks)

        def work(connection: Connection) -> bool:
            statement = update(documents).where(_IN_HAND).values(**ready, indexed_at=now())
            if not connection.execute(statement, _in_hand(tenant_id, document_id, owner)).rowcount:
                return False
            removed = drop_chunks(connection, document_id)
            if rows:
                connection.exec_driver_sql(_INSERT, rows)
            bump(connection, tenant_id, removals=min(removed, 1))
            return True

        return await self._database.write(work)

    async def fail(self, tenant_id: str, document_id: str, owner: str, code: str, message: str) -> bool:
        """See the Protocol."""
        values = {"status": "failed", "owner": None, "error_code": code, "error": message}
        statement = update(documents).where(_IN_HAND).values(**values)
        parameters = _in_hand(tenant_id, document_id, owner)
        return await self._database.write(lambda connection: bool(connection.execute(statement, parameters).rowcount))

    async def owners_of_indexing(self) -> Sequence[str]:
        """See the Protocol."""
        query = select(documents.c.owner).where(documents.c.status == "indexing").distinct()
        return await self._database.read(lambda connection: [owner for owner in connection.scalars(query) if owner])

    async def release(self, owner: str) -> int:
        """See the Protocol."""
        mine = (documents.c.owner == owner) & (documents.c.status == "indexing")
        statement = update(documents).where(mine).values(**REQUEUED)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def _rows(tenant_id: str, document_id: str, new: Sequence[NewChunk]) -> list[tuple[Any, ...]]:
    """The chunks as `_INSERT` takes them; ids of one indexing count up, which keeps their index cheap."""
    batch = secrets.token_hex(8)
    return [
        (
            tenant_id,
            document_id,
            f"chunk_{batch}_{number}",
            piece.heading,
            piece.page,
            piece.start,
            piece.end,
            piece.text,
            piece.language,
            piece.terms,
            piece.vector,
            piece.embedder,
        )
        for number, piece in enumerate(new)
    ]


def _in_hand(tenant_id: str, document_id: str, owner: str) -> dict[str, str]:
    return {"of_tenant": tenant_id, "of_document": document_id, "of_owner": owner}
