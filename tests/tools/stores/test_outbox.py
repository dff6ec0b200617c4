"""The outbox: told in the transaction that changes a document, emptied only by those who settle."""

from __future__ import annotations

from tests.tools.stores.test_chunks import keep
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.outbox import SqlOutbox


async def all_waiting(outbox: SqlOutbox, tenant_id: str = "t") -> set[str]:
    return set(await outbox.waiting("graph", tenant_id))


async def test_a_tenant_never_sees_another_tenants_records(database: Database) -> None:
    outbox, reader = SqlOutbox(database), SqlChunkReader(database)
    await outbox.enlist("graph", "here")
    document_id = await keep(database, "a", "one.txt")
    positions = await reader.positions("a")
    assert await outbox.waiting("graph", "b") == []
    assert await outbox.documents("b", "d", [document_id]) == []
    assert await outbox.texts("b", "d", 0, 10) == []
    assert await outbox.extractions("b", positions) == []


async def test_nobody_is_told_before_enlisting_and_a_new_follower_is_told_of_everything(database: Database) -> None:
    outbox = SqlOutbox(database)
    early = await keep(database, "t", "early.txt")
    assert await all_waiting(outbox) == set()
    await outbox.enlist("graph", "here")
    late = await keep(database, "t", "late.txt")
    assert await all_waiting(outbox) == {early, late}


async def test_enlisting_again_changes_nothing_unless_the_store_is_another_one(database: Database) -> None:
    outbox = SqlOutbox(database)
    await outbox.enlist("graph", "here")
    document_id = await keep(database, "t", "one.txt")
    batch = await outbox.next_batch("graph", 10)
    assert batch is not None
    await outbox.settle("graph", batch)
    await outbox.enlist("graph", "here")
    assert await all_waiting(outbox) == set()
    await outbox.enlist("graph", "elsewhere")
    assert await all_waiting(outbox) == {document_id}


async def test_who_is_dismissed_has_nothing_left_to_do(database: Database) -> None:
    outbox = SqlOutbox(database)
    await outbox.enlist("graph", "here")
    await keep(database, "t", "one.txt")
    await outbox.dismiss("graph")
    await keep(database, "t", "two.txt")
    assert await outbox.next_batch("graph", 10) is None


async def test_what_changes_after_a_batch_was_taken_stays_to_do(database: Database) -> None:
    outbox = SqlOutbox(database)
    await outbox.enlist("graph", "here")
    document_id = await keep(database, "t", "one.txt")
    batch = await outbox.next_batch("graph", 10)
    assert batch is not None
    await SqlDocumentStore(database).delete("t", document_id)
    await outbox.settle("graph", batch)
    again = await outbox.next_batch("graph", 10)
    assert again is not None
    assert again.document_ids == [document_id]
    await outbox.settle("graph", again)
    assert await outbox.next_batch("graph", 10) is None


async def test_batches_are_of_one_data_set_and_data_sets_take_turns(database: Database) -> None:
    outbox = SqlOutbox(database)
    await outbox.enlist("graph", "here")
    first = [await keep(database, "t", f"{n}.txt", "one") for n in range(3)]
    second = await keep(database, "t", "other.txt", "two")
    batch = await outbox.next_batch("graph", 2)
    assert batch is not None
    assert (batch.dataset_id, batch.document_ids) == ("one", first[:2])
    turn = await outbox.next_batch("graph", 2, ("t", "one"))
    assert turn is not None
    assert (turn.dataset_id, turn.document_ids) == ("two", [second])
    around = await outbox.next_batch("graph", 2, ("t", "two"))
    assert around is not None
    assert around.dataset_id == "one"
    await outbox.settle("graph", batch)
    assert set(await outbox.waiting("graph", "t", ["one"])) == {first[2]}
    assert set(await outbox.waiting("graph", "t", ["one", "two"])) == {first[2], second}


async def test_documents_come_with_their_chunks_as_they_are_now(database: Database) -> None:
    outbox = SqlOutbox(database)
    there, gone = await keep(database, "t", "one.txt", date="2019-05-01"), await keep(database, "t", "two.txt")
    await SqlDocumentStore(database).delete("t", gone)
    (document,) = await outbox.documents("t", "d", [there, gone, "unknown"], "e")
    assert (document.id, document.title, document.date) == (there, "Title of one.txt", "2019-05-01")
    assert [chunk.text for chunk in document.chunks] == ["One.", "Two."]
    assert [chunk.vector is None for chunk in document.chunks] == [False, True]
    assert [text.text for text in await outbox.texts("t", "d", document.chunks[0].position, 10)] == ["Two."]
