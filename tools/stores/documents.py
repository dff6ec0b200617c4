"""Documents in the embedded SQL store: what was uploaded, what came of it, and what is still to be indexed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert as upsert

from tools.errors import Conflict, NotFound
from tools.stores import cursors
from tools.stores.clock import now
from tools.stores.database import Database
from tools.stores.knowledge_protocol import (
    Dataset,
    DatasetStatus,
    Document,
    DocumentText,
    IndexStage,
    IndexType,
    NewDocument,
    Registration,
)
from tools.stores.protocol import Page
from tools.stores.schema import chunks, datasets, documents, knowledge_versions

STAGES: tuple[IndexStage, ...] = ("queued", "parsing", "embedding", "storing", "done")
UNSUPPORTED = "unsupported_type"

_CHUNKS_OF_DOCUMENT = (
    select(func.count()).where(chunks.c.document_id == documents.c.id).correlate(documents).scalar_subquery()
)
DOCUMENT = select(
    *(column for column in documents.c if column.name not in ("text", "pages", "tenant_id", "owner")),
    _CHUNKS_OF_DOCUMENT.label("chunks"),
)
_OF_DATASET = and_(
    documents.c.tenant_id == bindparam("tenant_id"),
    documents.c.dataset_id == bindparam("dataset_id"),
)
_ONE = and_(documents.c.tenant_id == bindparam("tenant_id"), documents.c.id == bindparam("document_id"))
REQUEUED: dict[str, Any] = {
    "status": "queued",
    "stage": "queued",
    "progress": 0.0,
    "owner": None,
    "error_code": None,
    "error": None,
}
_BUMP = upsert(knowledge_versions).values(tenant_id=bindparam("of_tenant"), version=1, removals=bindparam("removed"))
_BUMP = _BUMP.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={
        "version": knowledge_versions.c.version + 1,
        "removals": knowledge_versions.c.removals + _BUMP.excluded.removals,
    },
)


_MARK_STALE = """
INSERT INTO stale_documents (follower, tenant_id, dataset_id, document_id)
SELECT followers.name, documents.tenant_id, documents.dataset_id, documents.id
FROM documents, followers WHERE documents.id = ?
"""


class SqlDocumentStore:
    """The `DocumentStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(
        self,
        tenant_id: str,
        dataset_id: str,
        files: Sequence[NewDocument],
        index_type: IndexType,
        options: Mapping[str, Any],
    ) -> Registration:
        """See the Protocol."""

        def work(connection: Connection) -> Registration:
            made = {"tenant_id": tenant_id, "id": dataset_id, "index_type": index_type, "options": dict(options)}
            connection.execute(upsert(datasets).values(**made, created_at=now()).on_conflict_do_nothing())
            kept, there, replaced = _sort_out(connection, tenant_id, dataset_id, files)
            _remove(connection, tenant_id, replaced)
            rows = _new_rows(tenant_id, dataset_id, files, kept)
            if new := [row for row in rows if row["id"] not in there]:
                connection.execute(insert(documents), new)
            for row in (row for row in rows if row["id"] in there):
                del row["created_at"]  # the same document: of that age, and so of that date
                connection.execute(update(documents).where(documents.c.id == row["id"]).values(**row))
            ids = [kept[file.name, file.sha256] for file in files]
            found = {row.id: row for row in connection.execute(DOCUMENT.where(documents.c.id.in_(ids)))}
            return Registration([document_of(found[id_]) for id_ in ids], replaced)

        return await self._database.write(work)

    async def named(self, tenant_id: str, dataset_id: str, names: Sequence[str]) -> Mapping[str, str]:
        """See the Protocol."""
        one = func.count(documents.c.id) == 1
        query = (
            select(documents.c.name, func.min(documents.c.id).label("id"))
            .where(_OF_DATASET, documents.c.name.in_(names))
            .group_by(documents.c.name)
            .having(one)
        )
        parameters = {"tenant_id": tenant_id, "dataset_id": dataset_id}
        return await self._database.read(
            lambda connection: {row.name: row.id for row in connection.execute(query, parameters)}
        )

    async def get_dataset(self, tenant_id: str, dataset_id: str) -> Dataset:
        """See the Protocol."""

        def work(connection: Connection) -> Dataset:
            row = dataset_row(connection, tenant_id, dataset_id)
            return _dataset(row, *_sizes(connection, tenant_id, [dataset_id]).get(dataset_id, (0, 0)))

        return await self._database.read(work)

    async def datasets(self, tenant_id: str, limit: int, cursor: str | None) -> Page[Dataset]:
        """See the Protocol."""
        after = str(cursors.decode(cursor, str)[0]) if cursor else ""

        def work(connection: Connection) -> Page[Dataset]:
            query = select(datasets).where(datasets.c.tenant_id == tenant_id, datasets.c.id > after)
            rows = connection.execute(query.order_by(datasets.c.id).limit(limit + 1)).all()
            sizes = _sizes(connection, tenant_id, [row.id for row in rows])
            items = [_dataset(row, *sizes.get(row.id, (0, 0))) for row in rows[:limit]]
            return Page(items, cursors.encode(items[-1].id) if len(rows) > limit else None)

        return await self._database.read(work)

    async def delete_dataset(self, tenant_id: str, dataset_id: str) -> Sequence[str]:
        """See the Protocol."""

        def work(connection: Connection) -> Sequence[str]:
            dataset_row(connection, tenant_id, dataset_id)
            parameters = {"tenant_id": tenant_id, "dataset_id": dataset_id}
            ids = connection.scalars(select(documents.c.id).where(_OF_DATASET), parameters).all()
            _remove(connection, tenant_id, ids)
            gone = (datasets.c.tenant_id == tenant_id) & (datasets.c.id == dataset_id)
            connection.execute(delete(datasets).where(gone))
            if not ids:
                bump(connection, tenant_id)
            return ids

        return await self._database.write(work)

    async def status(self, tenant_id: str, dataset_id: str) -> DatasetStatus:
        """See the Protocol."""

        def work(connection: Connection) -> DatasetStatus:
            dataset_row(connection, tenant_id, dataset_id)
            parameters = {"tenant_id": tenant_id, "dataset_id": dataset_id}
            finished = documents.c.status.in_(["ready", "failed"])
            groups = connection.execute(
                select(
                    documents.c.status,
                    documents.c.stage,
                    func.count().label("number"),
                    func.sum(case((finished, 1.0), else_=documents.c.progress)).label("done"),
                )
                .where(_OF_DATASET)
                .group_by(documents.c.status, documents.c.stage),
                parameters,
            ).all()
            failed = DOCUMENT.where(_OF_DATASET, documents.c.status == "failed").order_by(documents.c.created_at)
            rows = connection.execute(failed, parameters).all()
            sizes = _sizes(connection, tenant_id, [dataset_id]).get(dataset_id, (0, 0))
            return _status(groups, sizes[1], [document_of(row) for row in rows])

        return await self._database.read(work)

    async def documents(self, tenant_id: str, dataset_id: str, limit: int, cursor: str | None) -> Page[Document]:
        """See the Protocol."""
        before = tuple(cursors.decode(cursor, str, str)) if cursor else None

        def work(connection: Connection) -> Page[Document]:
            dataset_row(connection, tenant_id, dataset_id)
            key = tuple_(documents.c.created_at, documents.c.id)
            query = DOCUMENT.where(_OF_DATASET)
            if before is not None:
                query = query.where(key < before)
            query = query.order_by(documents.c.created_at.desc(), documents.c.id.desc()).limit(limit + 1)
            rows = connection.execute(query, {"tenant_id": tenant_id, "dataset_id": dataset_id}).all()
            items = [document_of(row) for row in rows[:limit]]
            last = items[-1] if len(rows) > limit else None
            return Page(items, cursors.encode(last.created_at, last.id) if last else None)

        return await self._database.read(work)

    async def get(self, tenant_id: str, document_id: str) -> Document:
        """See the Protocol."""

        def work(connection: Connection) -> Document:
            query = DOCUMENT.where(_ONE)
            row = connection.execute(query, {"tenant_id": tenant_id, "document_id": document_id}).one_or_none()
            if row is None:
                raise _no_document()
            return document_of(row)

        return await self._database.read(work)

    async def text(self, tenant_id: str, document_id: str) -> DocumentText:
        """See the Protocol."""

        def work(connection: Connection) -> DocumentText:
            columns = (documents.c.title, documents.c.text, documents.c.pages, documents.c.metadata)
            query = select(*columns).where(_ONE)
            row = connection.execute(query, {"tenant_id": tenant_id, "document_id": document_id}).one_or_none()
            if row is None:
                raise _no_document()
            if row.text is None:
                raise Conflict("The document has no text: it is not indexed.", code="document_not_ready")
            return DocumentText(row.title, row.text, row.pages or (), row.metadata)

        return await self._database.read(work)

    async def delete(self, tenant_id: str, document_id: str) -> None:
        """See the Protocol."""

        def work(connection: Connection) -> None:
            if not _remove(connection, tenant_id, [document_id]):
                raise _no_document()

        await self._database.write(work)

    async def requeue(self, tenant_id: str, dataset_id: str, index_type: IndexType, options: Mapping[str, Any]) -> int:
        """See the Protocol."""

        def work(connection: Connection) -> int:
            dataset_row(connection, tenant_id, dataset_id)
            this = (datasets.c.tenant_id == tenant_id) & (datasets.c.id == dataset_id)
            connection.execute(update(datasets).where(this).values(index_type=index_type, options=dict(options)))
            readable = or_(documents.c.error_code.is_(None), documents.c.error_code != UNSUPPORTED)
            mine = (documents.c.tenant_id == tenant_id) & (documents.c.dataset_id == dataset_id)
            return connection.execute(update(documents).where(mine, readable).values(**REQUEUED)).rowcount

        return await self._database.write(work)


def _sort_out(
    connection: Connection, tenant_id: str, dataset_id: str, files: Sequence[NewDocument]
) -> tuple[dict[tuple[str, str], str], set[str], list[str]]:
    """Of the documents with the files' names: those that stay, by (name, hash); those that get new content;
    and those that give way."""
    query = select(documents.c.id, documents.c.name, documents.c.sha256, documents.c.status).where(
        documents.c.tenant_id == tenant_id,
        documents.c.dataset_id == dataset_id,
        documents.c.name.in_({file.name for file in files}),
    )
    wanted = {(file.name, file.sha256) for file in files}
    given = {file.id for file in files}
    kept: dict[tuple[str, str], str] = {}
    there: set[str] = set()
    replaced: list[str] = []
    for row in connection.execute(query):
        key = (row.name, row.sha256)
        if key in wanted and key not in kept and row.status != "failed":
            kept[key] = row.id
        elif row.id in given:
            there.add(row.id)
        else:
            replaced.append(row.id)
    return kept, there, replaced


def _new_rows(
    tenant_id: str, dataset_id: str, files: Sequence[NewDocument], kept: dict[tuple[str, str], str]
) -> list[dict[str, Any]]:
    """Rows of the files whose content is not there yet, one for each name and hash; their ids join `kept`."""
    rows: list[dict[str, Any]] = []
    start = datetime.now(UTC)
    for number, file in enumerate(files):
        key = (file.name, file.sha256)
        if key in kept:
            continue
        kept[key] = file.id
        at = (start + timedelta(microseconds=number)).isoformat(timespec="microseconds")
        rows.append(
            {
                "id": file.id,
                "tenant_id": tenant_id,
                "dataset_id": dataset_id,
                "name": file.name,
                "media_type": file.media_type,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
                **REQUEUED,
                "status": "failed" if file.error_code else "queued",
                "error_code": file.error_code,
                "error": file.error,
                "metadata": {},
                "created_at": at.removesuffix("+00:00") + "Z",
            }
        )
    return rows


def _remove(connection: Connection, tenant_id: str, ids: Sequence[str]) -> int:
    """Delete documents with their chunks; gives the number of documents."""
    if not ids:
        return 0
    found = (documents.c.tenant_id == tenant_id) & documents.c.id.in_(ids)
    mine = connection.scalars(select(documents.c.id).where(found)).all()
    if mine:
        mark_stale(connection, mine)
        removed = sum(drop_chunks(connection, document_id) for document_id in mine)
        connection.execute(delete(documents).where(documents.c.id.in_(mine)))
        bump(connection, tenant_id, removals=min(removed, 1))
    return len(mine)


def mark_stale(connection: Connection, document_ids: Sequence[str]) -> None:
    """Note for every follower that these documents change, in the transaction that changes them."""
    parameters = [(document_id,) for document_id in document_ids]
    connection.exec_driver_sql(_MARK_STALE, parameters)


def drop_chunks(connection: Connection, document_id: str) -> int:
    """Delete a document's chunks; gives their number."""
    return connection.execute(delete(chunks).where(chunks.c.document_id == document_id)).rowcount


def bump(connection: Connection, tenant_id: str, removals: int = 0) -> None:
    """Count the tenant's knowledge version up, for a change made in the same transaction."""
    connection.execute(_BUMP, {"of_tenant": tenant_id, "removed": removals})


def dataset_row(connection: Connection, tenant_id: str, dataset_id: str) -> Row[Any]:
    """A data set's row. Raises NotFound."""
    query = select(datasets).where(datasets.c.tenant_id == tenant_id, datasets.c.id == dataset_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no such data set.")
    return row


def _sizes(connection: Connection, tenant_id: str, dataset_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """For each data set that has documents, their number and that of their chunks."""
    query = (
        select(documents.c.dataset_id, func.count(), func.sum(_CHUNKS_OF_DOCUMENT))
        .where(documents.c.tenant_id == tenant_id, documents.c.dataset_id.in_(dataset_ids))
        .group_by(documents.c.dataset_id)
    )
    return {dataset_id: (number, size) for dataset_id, number, size in connection.execute(query)}


def _status(groups: Sequence[Any], chunk_count: int, failed: Sequence[Document]) -> DatasetStatus:
    counts: dict[Any, int] = {}
    for row in groups:
        counts[row.status] = counts.get(row.status, 0) + row.number
    total = sum(counts.values())
    unfinished: list[IndexStage] = [row.stage for row in groups if row.status in ("queued", "indexing")]
    stage: IndexStage = min(unfinished, key=STAGES.index) if unfinished else "done"
    progress = sum(row.done for row in groups) / total if total else 0.0
    return DatasetStatus(counts, stage, progress, chunk_count, failed)


def _dataset(row: Row[Any], number: int, size: int) -> Dataset:
    return Dataset(row.id, row.index_type, row.options, row.created_at, number, size)


def document_of(row: Row[Any]) -> Document:
    """A row of `DOCUMENT` as a value."""
    return Document(**row._mapping)


def _no_document() -> NotFound:
    return NotFound("There is no such document.")
