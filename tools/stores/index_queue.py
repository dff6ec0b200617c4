"""The documents still to be indexed, shared by all processes on the data folder: each is one owner's at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, func, select, update

from tools.stores.clock import now
from tools.stores.database import Database
from tools.stores.documents import DOCUMENT, REQUEUED, bump, dataset_row, document_of, mark_stale
from tools.stores.knowledge_protocol import Claim, DocumentText, EncodedChunk, IndexStage, NewChunk
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
_ID = 2
"""The place of a chunk's id in a row for `_INSERT`."""
_KEY = slice(3, 5)
"""Heading and page in a row for `_INSERT`; `_KEY_REST` is what follows the offsets."""
_KEY_REST = slice(7, 12)
_THERE = """
SELECT id, heading, page, text, language, terms, vector, embedder FROM chunks WHERE document_id = ? ORDER BY position
"""
_MOVE = 'UPDATE chunks SET start = ?1, "end" = ?2 WHERE id = ?3'
_DROP_OTHERS = "DELETE FROM chunks WHERE document_id = ?1 AND id NOT IN (SELECT value FROM json_each(?2))"
_WRITE_EXTRACTION = """
INSERT INTO extractions (tenant_id, data, position) VALUES (?1, ?2, (SELECT position FROM chunks WHERE id = ?3))
ON CONFLICT (position) DO UPDATE SET data = ?2
"""
_FORGET_EXTRACTION = "DELETE FROM extractions WHERE position = (SELECT position FROM chunks WHERE id = ?)"
_DATE = "SELECT coalesce(json_extract(metadata, '$.date'), created_at) FROM documents WHERE id = ?"
_VECTORS = """
SELECT documents.title, chunks.heading, chunks.text, chunks.vector
FROM chunks JOIN documents ON documents.id = chunks.document_id
WHERE chunks.tenant_id = ?1 AND chunks.document_id = ?2 AND chunks.embedder = ?3
"""


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
            dataset = dataset_row(connection, tenant_id, row.dataset_id)
            return Claim(document_of(row), dataset.options, dataset.index_type)

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
        ids: list[str] = [row[_ID] for row in rows]

        def work(connection: Connection) -> bool:
            date = _date(connection, document_id)
            statement = update(documents).where(_IN_HAND).values(**ready, indexed_at=now())
            if not connection.execute(statement, _in_hand(tenant_id, document_id, owner)).rowcount:
                return False
            stay = _staying(connection, document_id, rows) if date == _date(connection, document_id) else {}
            removed = _drop_others(connection, document_id, stay.values())
            _write(connection, rows, stay)
            _write_extractions(connection, tenant_id, chunks, [stay.get(id_, id_) for id_ in ids])
            mark_stale(connection, [document_id])
            bump(connection, tenant_id, removals=min(removed, 1))
            return True

        return await self._database.write(work)

    async def vectors(self, tenant_id: str, document_id: str, embedder: str) -> Sequence[EncodedChunk]:
        """See the Protocol."""
        parameters = (tenant_id, document_id, embedder)
        return await self._database.read(
            lambda connection: [EncodedChunk(*row) for row in connection.exec_driver_sql(_VECTORS, parameters)]
        )

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


def _date(connection: Connection, document_id: str) -> Any:
    """What filters by date compare, for all chunks of the document."""
    return connection.exec_driver_sql(_DATE, (document_id,)).scalar()


def _staying(connection: Connection, document_id: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """For the ids of those of `rows` that are there already, but for their offsets, the ids they have."""
    there: dict[tuple[Any, ...], list[str]] = {}
    for id_, *content in connection.exec_driver_sql(_THERE, (document_id,)):
        there.setdefault(tuple(content), []).append(id_)
    stay: dict[str, str] = {}
    for row in rows:
        if ids := there.get((*row[_KEY], *row[_KEY_REST])):
            stay[row[_ID]] = ids.pop(0)
    return stay


def _drop_others(connection: Connection, document_id: str, staying: Iterable[str]) -> int:
    """Delete the document's chunks but these; gives the number of those deleted."""
    parameters = (document_id, orjson.dumps(list(staying)).decode())
    return connection.exec_driver_sql(_DROP_OTHERS, parameters).rowcount


def _write(connection: Connection, rows: Sequence[tuple[Any, ...]], stay: Mapping[str, str]) -> None:
    """Insert the rows that are new, and give those that stay their offsets."""
    if new := [row for row in rows if row[_ID] not in stay]:
        connection.exec_driver_sql(_INSERT, new)
    if moved := [(row[5], row[6], stay[row[_ID]]) for row in rows if row[_ID] in stay]:
        connection.exec_driver_sql(_MOVE, moved)


def _write_extractions(connection: Connection, tenant_id: str, chunks: Sequence[NewChunk], ids: Sequence[str]) -> None:
    """Keep what was read out of the chunks, which have these ids, and nothing for the others."""
    pairs = list(zip(chunks, ids, strict=True))
    if found := [(tenant_id, piece.extraction, id_) for piece, id_ in pairs if piece.extraction is not None]:
        connection.exec_driver_sql(_WRITE_EXTRACTION, found)
    if nothing := [(id_,) for piece, id_ in pairs if piece.extraction is None]:
        connection.exec_driver_sql(_FORGET_EXTRACTION, nothing)


def _in_hand(tenant_id: str, document_id: str, owner: str) -> dict[str, str]:
    return {"of_tenant": tenant_id, "of_document": document_id, "of_owner": owner}
