"""What every `DocumentStore` with its `IndexQueue` must do, seen through the `ChunkReader` that search uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from tools.errors import Conflict, InvalidInput, NotFound
from tools.stores.knowledge_protocol import (
    ChunkReader,
    Document,
    DocumentStore,
    DocumentText,
    IndexQueue,
    NewChunk,
    NewDocument,
    StoredChunk,
)

OPTIONS = {"chunk_size": 512}
TEXT = DocumentText("A title", "One. Two.", [{"number": 1, "start": 0, "end": 9}], {"date": "2024-05-01"})
CHUNKS = [
    NewChunk("H", 1, 0, 4, "One.", "en", "one", b"\0" * 8, "e"),
    NewChunk("H", 1, 5, 9, "Two.", "en", "two"),
]


@dataclass(frozen=True)
class Stores:
    """The three faces of the documents of one backend."""

    documents: DocumentStore
    queue: IndexQueue
    reader: ChunkReader

    async def add(self, tenant_id: str, *names: str, dataset_id: str = "d", content: str = "") -> list[Document]:
        """Register files whose hash follows from name and content."""
        files = [file(name, content) for name in names]
        return list((await self.documents.register(tenant_id, dataset_id, files, "hybrid", OPTIONS)).documents)

    async def index(
        self, tenant_id: str, document_id: str, owner: str = "o", chunks: Sequence[NewChunk] | None = None
    ) -> None:
        """Claim everything up to the document and keep chunks for it."""
        while (claim := await self.queue.claim(tenant_id, owner)) is not None:
            if claim.document.id == document_id:
                break
        kept = CHUNKS if chunks is None else chunks
        assert await self.queue.keep_chunks(tenant_id, document_id, owner, TEXT, kept)

    async def found(self, tenant_id: str) -> Sequence[StoredChunk]:
        """All chunks of the tenant, in order."""
        positions = await self.reader.positions(tenant_id)
        return sorted((await self.reader.read(tenant_id, positions)).chunks)

    async def version(self, tenant_id: str) -> tuple[int, int]:
        """The knowledge version and the removals."""
        now = await self.reader.version(tenant_id)
        return now.version, now.removals


def file(name: str, content: str = "", number: list[int] = [0]) -> NewDocument:  # noqa: B006
    """A file with a new id; its hash is that of its name and content."""
    number[0] += 1
    return NewDocument(f"doc_{number[0]}", name, "text/plain", 3, f"{name}/{content}")


class DocumentStoreContract:
    """Subclass and provide a fixture `stores`."""

    async def test_an_upload_is_queued_in_order_in_a_data_set_made_for_it(self, stores: Stores) -> None:
        documents = await stores.add("t", "b.txt", "a.txt")
        assert [(d.name, d.status, d.progress, d.chunks) for d in documents] == [
            ("b.txt", "queued", 0.0, 0),
            ("a.txt", "queued", 0.0, 0),
        ]
        dataset = await stores.documents.get_dataset("t", "d")
        assert (dataset.documents, dataset.chunks, dataset.index_type, dataset.options) == (2, 0, "hybrid", OPTIONS)

    async def test_a_later_upload_leaves_the_options_of_its_data_set(self, stores: Stores) -> None:
        await stores.add("t", "a.txt")
        await stores.documents.register("t", "d", [file("b.txt")], "vector", {"chunk_size": 64})
        dataset = await stores.documents.get_dataset("t", "d")
        assert (dataset.index_type, dataset.options) == ("hybrid", OPTIONS)

    async def test_the_same_content_again_keeps_the_document(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.index("t", document.id)
        before = await stores.version("t")
        (again,) = await stores.add("t", "a.txt")
        assert (again.id, again.status) == (document.id, "ready")
        assert await stores.version("t") == before

    async def test_new_content_under_a_name_replaces_the_old_with_its_chunks(self, stores: Stores) -> None:
        (old,) = await stores.add("t", "a.txt", content="old")
        await stores.index("t", old.id)
        registration = await stores.documents.register("t", "d", [file("a.txt", "new")], "hybrid", OPTIONS)
        assert registration.replaced == [old.id]
        assert await stores.found("t") == []
        assert (await stores.documents.get_dataset("t", "d")).documents == 1
        with pytest.raises(NotFound):
            await stores.documents.get("t", old.id)

    async def test_new_content_for_a_document_is_queued_and_the_old_found_until_then(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt", content="old")
        await stores.index("t", document.id)
        assert await stores.documents.named("t", "d", ["a.txt", "b.txt"]) == {"a.txt": document.id}
        new = replace(file("a.txt", "new"), id=document.id)
        registration = await stores.documents.register("t", "d", [new], "hybrid", OPTIONS)
        assert registration.replaced == []
        (changed,) = registration.documents
        assert (changed.id, changed.status, changed.sha256) == (document.id, "queued", "a.txt/new")
        assert changed.created_at == document.created_at
        assert len(await stores.found("t")) == 2
        await stores.index("t", document.id, chunks=[])
        assert await stores.found("t") == []

    async def test_a_name_that_two_documents_have_names_neither(self, stores: Stores) -> None:
        await stores.documents.register("t", "d", [file("a.txt", "1"), file("a.txt", "2")], "hybrid", OPTIONS)
        assert await stores.documents.named("t", "d", ["a.txt"]) == {}
        assert await stores.documents.named("u", "d", ["a.txt"]) == {}

    async def test_chunks_that_are_there_already_keep_id_and_position_wherever_they_move(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.index("t", document.id)
        one, two = await stores.found("t")
        await stores.documents.requeue("t", "d", "hybrid", OPTIONS)
        moved = [replace(CHUNKS[1], start=0, end=4), replace(CHUNKS[0], start=10, end=14, text="Uno.")]
        await stores.index("t", document.id, chunks=moved)
        kept, new = await stores.found("t")
        assert (kept.id, kept.position, kept.start, kept.end) == (two.id, two.position, 0, 4)
        assert new.text == "Uno."
        assert new.position > two.position > one.position

    async def test_a_repeated_chunk_stays_as_often_as_it_still_stands_there(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.index("t", document.id, chunks=[CHUNKS[0], CHUNKS[0], CHUNKS[0]])
        first = [chunk.id for chunk in await stores.found("t")]
        await stores.documents.requeue("t", "d", "hybrid", OPTIONS)
        await stores.index("t", document.id, chunks=[CHUNKS[0], CHUNKS[0]])
        assert [chunk.id for chunk in await stores.found("t")] == first[:2]

    async def test_vectors_of_an_earlier_indexing_are_given_to_their_owner(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.index("t", document.id)
        found = await stores.queue.vectors("t", document.id, "e")
        assert found == [("A title", "H", "One.", b"\0" * 8)]
        assert await stores.queue.vectors("t", document.id, "other") == []
        assert await stores.queue.vectors("u", document.id, "e") == []

    async def test_a_name_is_replaced_in_its_own_data_set_only(self, stores: Stores) -> None:
        (old,) = await stores.add("t", "a.txt", dataset_id="one", content="old")
        await stores.add("t", "a.txt", dataset_id="two", content="new")
        assert (await stores.documents.get("t", old.id)).dataset_id == "one"

    async def test_different_files_of_one_name_in_one_upload_all_stay(self, stores: Stores) -> None:
        files = [file("a.txt", "one"), file("a.txt", "two"), file("a.txt", "one")]
        registration = await stores.documents.register("t", "d", files, "hybrid", OPTIONS)
        first, second, third = registration.documents
        assert first.id == third.id != second.id
        assert (await stores.documents.get_dataset("t", "d")).documents == 2

    async def test_a_failed_document_gives_way_to_the_same_content(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.queue.claim("t", "o")
        assert await stores.queue.fail("t", document.id, "o", "broken_file", "It is broken.")
        (again,) = await stores.add("t", "a.txt")
        assert again.id != document.id
        assert again.status == "queued"

    async def test_a_file_registered_as_failed_is_never_claimed(self, stores: Stores) -> None:
        bad = NewDocument("bad", "a.exe", "application/octet-stream", 1, "h", "unsupported_type", "No.")
        await stores.documents.register("t", "d", [bad], "hybrid", OPTIONS)
        assert await stores.documents.requeue("t", "d", "hybrid", OPTIONS) == 0
        assert await stores.queue.claim("t", "o") is None
        assert (await stores.documents.get("t", "bad")).error_code == "unsupported_type"

    async def test_kept_chunks_are_found_and_the_text_is_served(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        with pytest.raises(Conflict):
            await stores.documents.text("t", document.id)
        await stores.index("t", document.id)
        assert await stores.documents.text("t", document.id) == TEXT
        ready = await stores.documents.get("t", document.id)
        assert (ready.status, ready.stage, ready.progress, ready.chunks) == ("ready", "done", 1.0, 2)
        assert (ready.title, ready.metadata) == ("A title", {"date": "2024-05-01"})
        assert ready.indexed_at is not None
        kept = [(c.text, c.heading, c.page, c.start, c.end, c.dataset_id) for c in await stores.found("t")]
        assert kept == [("One.", "H", 1, 0, 4, "d"), ("Two.", "H", 1, 5, 9, "d")]
        assert [chunk.vector for chunk in await stores.reader.after("t", 0, 10, "e")] == [b"\0" * 8, None]

    async def test_every_change_counts_the_version_up_and_a_removal_the_removals(self, stores: Stores) -> None:
        assert await stores.version("t") == (0, 0)
        one, two = await stores.add("t", "a.txt", "b.txt")
        assert await stores.version("t") == (0, 0)
        await stores.index("t", one.id)
        assert await stores.version("t") == (1, 0)
        await stores.documents.requeue("t", "d", "vector", OPTIONS)
        assert await stores.version("t") == (1, 0)
        await stores.index("t", one.id)
        assert await stores.version("t") == (2, 0)
        await stores.documents.requeue("t", "d", "vector", OPTIONS)
        await stores.index("t", one.id, chunks=CHUNKS[:1])
        assert await stores.version("t") == (3, 1)
        await stores.documents.delete("t", two.id)
        assert await stores.version("t") == (4, 1)
        await stores.documents.delete_dataset("t", "d")
        assert await stores.version("t") == (5, 2)

    async def test_a_document_is_claimed_once_and_the_longest_queued_first(self, stores: Stores) -> None:
        one, two = await stores.add("t", "b.txt", "a.txt")
        first, second = await stores.queue.claim("t", "o1"), await stores.queue.claim("t", "o2")
        assert first is not None
        assert second is not None
        assert (first.document.id, second.document.id) == (one.id, two.id)
        assert first.options == OPTIONS
        assert await stores.queue.claim("t", "o3") is None
        assert sorted(await stores.queue.owners_of_indexing()) == ["o1", "o2"]

    async def test_progress_only_grows(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.queue.claim("t", "o")
        for progress in (0.2, 0.7, 0.5):
            assert await stores.queue.advance("t", document.id, "o", "embedding", progress)
        now = await stores.documents.get("t", document.id)
        assert (now.status, now.stage, now.progress) == ("indexing", "embedding", 0.7)

    async def test_what_a_lost_claim_still_writes_is_refused(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.queue.claim("t", "o")
        await stores.documents.requeue("t", "d", "hybrid", OPTIONS)
        assert not await stores.queue.advance("t", document.id, "o", "storing", 0.9)
        assert not await stores.queue.keep_chunks("t", document.id, "o", TEXT, CHUNKS)
        assert not await stores.queue.fail("t", document.id, "o", "broken_file", "It is broken.")
        assert (await stores.documents.get("t", document.id)).status == "queued"
        assert await stores.found("t") == []

    async def test_chunks_of_a_deleted_document_are_never_kept(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.queue.claim("t", "o")
        await stores.documents.delete("t", document.id)
        assert not await stores.queue.keep_chunks("t", document.id, "o", TEXT, CHUNKS)
        assert await stores.found("t") == []

    async def test_a_released_document_is_queued_again(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.queue.claim("t", "dead")
        assert await stores.queue.tenants_waiting() == []
        assert await stores.queue.release("dead") == 1
        assert await stores.queue.tenants_waiting() == ["t"]
        claim = await stores.queue.claim("t", "o")
        assert claim is not None
        assert claim.document.id == document.id

    async def test_a_failure_keeps_what_an_earlier_indexing_made(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.index("t", document.id)
        await stores.documents.requeue("t", "d", "hybrid", OPTIONS)
        await stores.queue.claim("t", "o")
        await stores.queue.fail("t", document.id, "o", "parse_timeout", "Too slow.")
        assert len(await stores.found("t")) == 2
        failed = await stores.documents.get("t", document.id)
        assert (failed.status, failed.error_code, failed.error) == ("failed", "parse_timeout", "Too slow.")

    async def test_the_status_sums_up_the_documents(self, stores: Stores) -> None:
        one, two, _ = await stores.add("t", "a.txt", "b.txt", "c.txt")
        await stores.index("t", one.id)
        await stores.queue.claim("t", "o")
        await stores.queue.fail("t", two.id, "o", "broken_file", "It is broken.")
        status = await stores.documents.status("t", "d")
        assert status.counts == {"ready": 1, "failed": 1, "queued": 1}
        assert (status.stage, status.chunks) == ("queued", 2)
        assert status.progress == pytest.approx(2 / 3)
        assert [(d.id, d.error_code) for d in status.failed] == [(two.id, "broken_file")]

    async def test_documents_are_paged_newest_first(self, stores: Stores) -> None:
        await stores.add("t", *(f"{n}.txt" for n in range(5)))
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            page = await stores.documents.documents("t", "d", 2, cursor)
            seen += [document.name for document in page.items]
            cursor = page.next_cursor
        assert seen == ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"]
        assert cursor is None

    async def test_data_sets_are_paged_by_id(self, stores: Stores) -> None:
        for dataset_id in ("c", "a", "b"):
            await stores.add("t", "x.txt", "y.txt", dataset_id=dataset_id)
        page = await stores.documents.datasets("t", 2, None)
        rest = await stores.documents.datasets("t", 2, page.next_cursor)
        assert [(d.id, d.documents) for d in (*page.items, *rest.items)] == [("a", 2), ("b", 2), ("c", 2)]
        assert rest.next_cursor is None

    async def test_a_bad_cursor_is_refused(self, stores: Stores) -> None:
        await stores.add("t", "a.txt")
        with pytest.raises(InvalidInput):
            await stores.documents.documents("t", "d", 2, "nonsense")
        with pytest.raises(InvalidInput):
            await stores.documents.datasets("t", 2, "nonsense")

    async def test_deleting_a_data_set_removes_all_that_is_in_it(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.add("t", "b.txt", dataset_id="other")
        await stores.index("t", document.id)
        assert await stores.documents.delete_dataset("t", "d") == [document.id]
        assert await stores.found("t") == []
        with pytest.raises(NotFound):
            await stores.documents.get_dataset("t", "d")
        with pytest.raises(NotFound):
            await stores.documents.text("t", document.id)
        assert [dataset.id for dataset in (await stores.documents.datasets("t", 9, None)).items] == ["other"]

    async def test_a_tenant_never_sees_another_tenants_records(self, stores: Stores) -> None:
        (document,) = await stores.add("t", "a.txt")
        await stores.index("t", document.id)
        await stores.add("t", "b.txt")
        before = await stores.version("t")
        queued = await stores.queue.claim("t", "o")
        assert queued is not None
        documents, queue = stores.documents, stores.queue
        for call in (
            documents.get_dataset("u", "d"),
            documents.status("u", "d"),
            documents.documents("u", "d", 5, None),
            documents.delete_dataset("u", "d"),
            documents.requeue("u", "d", "hybrid", OPTIONS),
            documents.get("u", document.id),
            documents.text("u", document.id),
            documents.delete("u", document.id),
        ):
            with pytest.raises(NotFound):
                await call
        assert (await documents.datasets("u", 5, None)).items == []
        assert await queue.claim("u", "o") is None
        assert not await queue.advance("u", queued.document.id, "o", "storing", 0.9)
        assert not await queue.keep_chunks("u", queued.document.id, "o", TEXT, CHUNKS)
        assert not await queue.fail("u", queued.document.id, "o", "broken_file", "No.")
        assert await stores.found("u") == []
        assert await stores.version("u") == (0, 0)
        assert await stores.version("t") == before

    async def test_two_tenants_may_use_the_same_names(self, stores: Stores) -> None:
        (one,) = await stores.add("t", "a.txt")
        (two,) = await stores.add("u", "a.txt")
        assert one.id != two.id
        await stores.documents.delete_dataset("u", "d")
        assert (await stores.documents.get("t", one.id)).name == "a.txt"
