from __future__ import annotations

from sqlalchemy import insert

from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.enrichment_protocol import Enrichment, Spent
from tools.stores.enrichments import SqlEnrichmentStore
from tools.stores.outbox import SqlOutbox
from tools.stores.schema import chunks, datasets, documents, extractions

DAY = "2026-05-05"


async def shelve(
    database: Database,
    texts: dict[str, list[str]],
    tenant_id: str = "t",
    dataset_id: str = "d",
    index_type: str = "hybrid",
    *,
    extracted: bool = True,
) -> None:
    """Documents by name with their chunks; ids begin with the tenant."""

    def work(connection: object) -> None:
        run = connection.execute  # type: ignore[attr-defined]
        owner = {"tenant_id": tenant_id, "dataset_id": dataset_id}
        run(
            insert(datasets),
            [{"tenant_id": tenant_id, "id": dataset_id, "index_type": index_type, "options": {}, "created_at": ""}],
        )
        for number, (name, pieces) in enumerate(texts.items()):
            id_ = f"{tenant_id}-{name}"
            fixed = {"media_type": "text/plain", "size_bytes": 1, "sha256": "", "status": "ready", "stage": "done"}
            at = f"2025-01-01T00:00:{number:02}Z"
            row = {**owner, **fixed, "id": id_, "name": name, "title": name, "metadata": {}, "created_at": at}
            run(insert(documents), [{**row, "indexed_at": at}])
            for place, text in enumerate(pieces):
                chunk = {**owner, "id": f"{id_}-{place}", "document_id": id_, "start": 0, "end": len(text)}
                made = run(insert(chunks).values(**chunk, text=text, language="en", terms="x"))
                if extracted:
                    at_ = made.inserted_primary_key[0]
                    run(insert(extractions).values(position=at_, tenant_id=tenant_id, data="{}"))

    await database.write(work)


async def keep(store: SqlEnrichmentStore, *positions: int, spent: Spent | None = None, day: str = DAY) -> list[int]:
    rows = [Enrichment(at, f'{{"at": {at}}}', {"ada": f"Ada of {at}."}) for at in positions]
    return list(await store.keep("t", "d", "m", day, rows, spent or Spent(1, 10)))


async def waiting(store: SqlEnrichmentStore, after: int = 0, limit: int = 9) -> list[int]:
    return [chunk.position for chunk in await store.waiting("t", "d", after, limit)]


async def test_chunks_wait_until_they_are_kept(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    await shelve(database, {"a": ["one", "two"], "b": ["three"]})
    assert await waiting(store) == [1, 2, 3]
    assert (await waiting(store, after=1), await waiting(store, limit=1)) == ([2, 3], [1])
    assert await keep(store, 2) == [2]
    assert await waiting(store) == [1, 3]
    assert await store.read("t", [1, 2, 3]) == [(2, '{"at": 2}')]
    (first, *_) = await store.waiting("t", "d", 0, 1)
    assert (first.document_id, first.title, first.text, first.language) == ("t-a", "a", "one", "en")


async def test_chunks_without_an_extraction_do_not_wait(database: Database) -> None:
    await shelve(database, {"a": ["one"]}, extracted=False)
    assert await waiting(SqlEnrichmentStore(database)) == []


async def test_data_sets_of_vectors_alone_are_left_out(database: Database) -> None:
    await shelve(database, {"a": ["one"]})
    await shelve(database, {"b": ["one"]}, dataset_id="plain", index_type="vector")
    assert await SqlEnrichmentStore(database).datasets() == [("t", "d")]


async def test_a_deleted_chunk_takes_its_enrichment_along(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    await shelve(database, {"a": ["one"], "b": ["two"]})
    await keep(store, 1, 2)
    await SqlDocumentStore(database).delete("t", "t-a")
    assert await store.read("t", [1, 2]) == [(2, '{"at": 2}')]
    assert await store.descriptions("t", [1, 2], ["ada"]) == {"ada": "Ada of 2."}


async def test_what_comes_for_a_chunk_that_is_gone_is_passed_over(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    await shelve(database, {"a": ["one"], "b": ["two"]})
    await SqlDocumentStore(database).delete("t", "t-a")
    assert await keep(store, 1, 2) == [2]
    assert (await store.stats("t", "d", DAY)).enriched == 1


async def test_followers_are_told_of_the_documents(database: Database) -> None:
    store, outbox = SqlEnrichmentStore(database), SqlOutbox(database)
    await shelve(database, {"a": ["one", "two"], "b": ["three"]})
    await outbox.enlist("graph", "here")
    batch = await outbox.next_batch("graph", 9)
    assert batch is not None
    await outbox.settle("graph", batch)
    await keep(store, 1, 2)
    told = await outbox.next_batch("graph", 9)
    assert told is not None
    assert told.document_ids == ["t-a"]


async def test_the_earliest_chunk_describes_an_entity(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    await shelve(database, {"a": ["one", "two"]})
    await keep(store, 1, 2)
    assert await store.descriptions("t", [2, 1], ["ada", "bo"]) == {"ada": "Ada of 1."}
    assert await store.descriptions("t", [2], ["ada"]) == {"ada": "Ada of 2."}


async def test_what_is_spent_adds_up_by_day(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    await shelve(database, {"a": ["one", "two"]})
    await keep(store, 1, spent=Spent(requests=1, tokens=70, mentions=3, dropped=2))
    await keep(store, 2, spent=Spent(requests=1, tokens=30, relations=1, failed=1))
    await keep(store, spent=Spent(requests=1, tokens=5), day="2026-05-06")
    stats = await store.stats("t", "d", DAY)
    assert stats.today == Spent(requests=2, tokens=100, mentions=3, relations=1, dropped=2, failed=1)
    assert stats.total.tokens == 105
    assert (stats.chunks, stats.enriched) == (2, 2)
    assert [await store.tokens(day) for day in (DAY, "2026-05-06", "2026-05-07")] == [100, 5, 0]


async def test_a_data_set_made_anew_has_not_been_paid_for_less(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    await shelve(database, {"a": ["one"]})
    await keep(store, 1)
    await SqlDocumentStore(database).delete_dataset("t", "d")
    assert await store.tokens(DAY, "t", "d") == 10


async def test_the_newest_position_stays_when_chunks_go(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    assert await store.newest() == 0
    await shelve(database, {"a": ["one", "two"]})
    assert await store.newest() == 2
    await SqlDocumentStore(database).delete("t", "t-a")
    assert await store.newest() == 2


async def test_a_tenant_never_sees_another_tenants_records(database: Database) -> None:
    store = SqlEnrichmentStore(database)
    await shelve(database, {"a": ["one"]})
    await shelve(database, {"b": ["two"]}, tenant_id="u")
    await keep(store, 1, 2)  # the second is not this tenant's
    assert await store.read("u", [1, 2]) == []
    assert await store.descriptions("u", [1], ["ada"]) == {}
    assert [chunk.position for chunk in await store.waiting("u", "d", 0, 9)] == [2]
    assert (await store.stats("u", "d", DAY)).total == Spent()
    assert await store.tokens(DAY, "u", "d") == 0
