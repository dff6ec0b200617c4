"""The document store and index queue on SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from tests.contracts.document_store import CHUNKS, OPTIONS, TEXT, DocumentStoreContract, Stores, file
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.index_queue import SqlIndexQueue


def stores_of(database: Database) -> Stores:
    return Stores(SqlDocumentStore(database), SqlIndexQueue(database), SqlChunkReader(database))


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    database = Database(tmp_path / "x.db")
    yield stores_of(database)
    asyncio.run(database.close())


class TestSqlDocumentStore(DocumentStoreContract):
    """The contract on SQLite."""


async def test_two_processes_never_claim_the_same_document(tmp_path: Path) -> None:
    databases = [Database(tmp_path / "x.db"), Database(tmp_path / "x.db")]
    one, two = map(stores_of, databases)
    await one.documents.register("t", "d", [file(f"{n}.txt") for n in range(40)], "hybrid", OPTIONS)

    async def drain(stores: Stores, owner: str) -> list[str]:
        claimed = []
        while (claim := await stores.queue.claim("t", owner)) is not None:
            claimed.append(claim.document.id)
        return claimed

    taken = await asyncio.gather(drain(one, "o1"), drain(two, "o2"), drain(one, "o3"))
    assert len(set().union(*taken)) == sum(map(len, taken)) == 40
    for database in databases:
        await database.close()


async def test_an_error_while_keeping_chunks_leaves_everything_as_it_was(stores: Stores) -> None:
    (document,) = await stores.add("t", "a.txt")
    await stores.index("t", document.id)
    before = await stores.version("t"), await stores.found("t")
    await stores.documents.requeue("t", "d", "hybrid", OPTIONS)
    await stores.queue.claim("t", "o")
    broken = [CHUNKS[0], replace(CHUNKS[1], text=None)]  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        await stores.queue.keep_chunks("t", document.id, "o", TEXT, broken)
    assert (await stores.version("t"), await stores.found("t")) == before
    assert (await stores.documents.get("t", document.id)).status == "indexing"
