"""The reading side of the chunks on SQLite."""

from __future__ import annotations

import pytest

from tests.contracts.document_store import CHUNKS, OPTIONS, file
from tools.errors import NotFound
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import DocumentText, KnowledgeVersion


async def keep(database: Database, tenant_id: str, name: str, dataset_id: str = "d", date: str | None = None) -> str:
    """Index a document with the two chunks of the document store's contract."""
    store, queue = SqlDocumentStore(database), SqlIndexQueue(database)
    (document,) = (await store.register(tenant_id, dataset_id, [file(name)], "hybrid", OPTIONS)).documents
    await queue.claim(tenant_id, "o")
    content = DocumentText(f"Title of {name}", "One. Two.", (), {"date": date} if date else {})
    assert await queue.keep_chunks(tenant_id, document.id, "o", content, CHUNKS)
    return document.id


async def test_a_tenant_never_sees_another_tenants_records(database: Database) -> None:
    reader = SqlChunkReader(database)
    await keep(database, "a", "one.txt", "only_a")
    mine = await reader.positions("a")
    assert await reader.positions("b") == []
    assert await reader.after("b", 0, 10, "e") == []
    assert (await reader.read("b", mine)).chunks == []
    assert await reader.version("b") == KnowledgeVersion(0, 0)
    with pytest.raises(NotFound):
        await reader.read("b", mine, ["only_a"])


async def test_pages_go_on_where_the_last_one_ended(database: Database) -> None:
    reader = SqlChunkReader(database)
    for name in ("one.txt", "two.txt"):
        await keep(database, "t", name)
    pages, position = [], 0
    while page := await reader.after("t", position, 3, "e"):
        pages.append(len(page))
        position = page[-1].position
    assert pages == [3, 1]
    everything = await reader.after("t", 0, 10, "e")
    assert [chunk.position for chunk in everything] == await reader.positions("t")
    assert [chunk.title for chunk in everything] == ["Title of one.txt"] * 2 + ["Title of two.txt"] * 2


async def test_vectors_are_those_of_the_embedder_asked_for(database: Database) -> None:
    reader = SqlChunkReader(database)
    await keep(database, "t", "one.txt")
    assert [chunk.vector for chunk in await reader.after("t", 0, 10, "e")] == [CHUNKS[0].vector, None]
    assert [chunk.vector for chunk in await reader.after("t", 0, 10, "other")] == [None, None]


async def test_a_documents_own_date_goes_before_the_time_of_upload(database: Database) -> None:
    reader = SqlChunkReader(database)
    await keep(database, "t", "dated.txt", date="2019-05-01")
    undated = await keep(database, "t", "undated.txt")
    uploaded = (await SqlDocumentStore(database).get("t", undated)).created_at
    assert [chunk.date for chunk in await reader.after("t", 0, 10, "e")] == ["2019-05-01"] * 2 + [uploaded] * 2


async def test_a_reading_gives_what_is_left_and_the_version_of_that_moment(database: Database) -> None:
    reader, documents = SqlChunkReader(database), SqlDocumentStore(database)
    gone = await keep(database, "t", "one.txt")
    await keep(database, "t", "two.txt")
    positions = await reader.positions("t")
    before = await reader.read("t", positions, ["d"])
    await documents.delete("t", gone)
    after = await reader.read("t", positions, ["d", "d"])
    assert [chunk.text for chunk in sorted(before.chunks)] == ["One.", "Two."] * 2
    assert [chunk.position for chunk in sorted(after.chunks)] == positions[2:]
    assert after.version.version > before.version.version
    assert after.version.removals == before.version.removals + 1
    assert after.version == await reader.version("t")
    assert (await reader.read("t", [])).version == after.version
