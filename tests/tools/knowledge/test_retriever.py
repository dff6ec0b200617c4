"""The retriever by BM25 and vectors, over the real stores."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contracts.retriever import HARBOUR, LIGHT, TEA, RetrieverContract, search, texts
from tests.doubles import HashingEmbedder
from tools.errors import InvalidInput, StoreUnavailable
from tools.knowledge import retriever as retriever_module
from tools.knowledge.language import detect_language
from tools.knowledge.preparing import indexed_text
from tools.knowledge.retriever import HybridRetriever
from tools.knowledge.terms import terms
from tools.models.protocol import Embedder, Vectors
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import DocumentText, NewChunk, NewDocument, SearchableChunk


class EnglishEmbedder(HashingEmbedder):
    """Covers English alone, and keeps what it was asked for."""

    languages = frozenset({"en"})


@dataclass
class SqlLibrary:
    """Documents written as the indexer writes them, and a retriever over them."""

    database: Database
    embedder: Embedder
    retriever: HybridRetriever

    async def add(
        self, tenant_id: str, *passages: str, title: str = "", dataset_id: str = "d", date: str | None = None
    ) -> str:
        store, queue, name = SqlDocumentStore(self.database), SqlIndexQueue(self.database), uuid.uuid4().hex
        file = NewDocument(f"doc_{name}", f"{name}.txt", "text/plain", 1, name)
        await store.register(tenant_id, dataset_id, [file], "hybrid", {})
        await queue.claim(tenant_id, "owner")
        chunks, start = [], 0
        for passage in passages:
            chunks.append(await self._chunk(title, passage, start))
            start += len(passage) + 1
        content = DocumentText(title, "".join(f"{p}\n" for p in passages), (), {"date": date} if date else {})
        assert await queue.keep_chunks(tenant_id, file.id, "owner", content, chunks)
        return file.id

    async def remove(self, tenant_id: str, document_id: str) -> None:
        await SqlDocumentStore(self.database).delete(tenant_id, document_id)

    async def _chunk(self, title: str, passage: str, start: int) -> NewChunk:
        language, seen = detect_language(passage), indexed_text(title, "", passage)
        words = " ".join(terms(seen, language))
        end = start + len(passage)
        if language not in self.embedder.languages:
            return NewChunk("", None, start, end, passage, language, words)
        vector = (await self.embedder.embed([seen]))[0].tobytes()
        return NewChunk("", None, start, end, passage, language, words, vector, self.embedder.name)


@asynccontextmanager
async def open_library(
    folder: Path, embedder: Embedder | None = None, max_bytes: int = 2**20
) -> AsyncIterator[SqlLibrary]:
    database, chosen = Database(folder / "x.db"), embedder or EnglishEmbedder()
    retriever = HybridRetriever(SqlChunkReader(database), chosen, max_bytes)
    try:
        yield SqlLibrary(database, chosen, retriever)
    finally:
        await retriever.close()
        await database.close()


class TestHybridRetriever(RetrieverContract):
    """The contract with an embedder for English."""

    def library(self, folder: Path) -> AbstractAsyncContextManager[SqlLibrary]:
        return open_library(folder)


class TestHybridRetrieverInThreads(TestHybridRetriever):
    """The contract with every search in a thread, as for a large index."""

    @pytest.fixture(autouse=True)
    def small_loop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retriever_module, "ROWS_ON_LOOP", -1)


async def test_a_chinese_query_never_reaches_an_english_embedder(tmp_path: Path) -> None:
    embedder = EnglishEmbedder()
    async with open_library(tmp_path, embedder) as library:
        await library.add("t", TEA, HARBOUR)
        embedder.texts.clear()
        found = await search(library, "龙井茶产自哪里？")
        assert embedder.texts == []
        assert [(p.text, p.source) for p in found.passages] == [(TEA, "bm25")]
        await search(library, "Where does the tea come from?")
        assert embedder.texts == ["Where does the tea come from?"]


async def test_a_chinese_query_reaches_an_embedder_that_covers_chinese(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    async with open_library(tmp_path, embedder) as library:
        await library.add("t", TEA)
        embedder.texts.clear()
        assert await texts(library, "龙井茶产自哪里？") == [TEA]
        assert embedder.texts == ["龙井茶产自哪里？"]


async def test_a_passage_without_a_word_of_the_query_is_found_by_its_vector(tmp_path: Path) -> None:
    class Meaning(EnglishEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            return await super().embed(["port" if "harbour" in text or "port" in text else text for text in texts])

    async with open_library(tmp_path, Meaning()) as library:
        await library.add("t", HARBOUR)
        await library.add("t", LIGHT)
        (passage,) = (await search(library, "Which port?")).passages
    assert (passage.text, passage.source, passage.score) == (HARBOUR, "vector", 0.5)


async def test_vectors_of_another_embedder_are_not_compared(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", HARBOUR)

    class Other(EnglishEmbedder):
        name = "other"

    async with open_library(tmp_path, Other()) as library:
        found = await search(library, HARBOUR)
    assert [(p.text, p.source) for p in found.passages] == [(HARBOUR, "bm25")]


async def test_a_failing_embedder_leaves_the_words_and_is_told(tmp_path: Path) -> None:
    embedder = EnglishEmbedder()
    async with open_library(tmp_path, embedder) as library:
        await library.add("t", HARBOUR)
        await embedder.close()
        found = await search(library, "Who built the harbour?", search_type="vector")
    assert [p.text for p in found.passages] == [HARBOUR]
    assert found.degraded
    assert found.notices == ["embedder_unavailable"]


async def test_text_that_cannot_be_embedded_is_the_callers_fault(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        with pytest.raises(InvalidInput):
            await search(library, "harbour \ud800")


async def test_a_filter_by_entity_type_is_said_to_be_left_out(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", HARBOUR)
        found = await search(library, "harbour", search_type="vector", filters={"entity_types": ["Place"]})
    assert found.degraded
    assert found.notices == ["entity_types_not_available"]


async def test_what_another_process_writes_is_found(tmp_path: Path) -> None:
    async with open_library(tmp_path) as reader, open_library(tmp_path) as writer:
        assert await texts(reader, "Lowick harbour") == []
        harbour = await writer.add("t", HARBOUR)
        assert await texts(reader, "Lowick harbour") == [HARBOUR]
        await writer.remove("t", harbour)
        assert await texts(reader, "Lowick harbour") == []


async def test_the_indexes_of_many_tenants_stay_within_their_memory(tmp_path: Path) -> None:
    async with open_library(tmp_path, max_bytes=12_000) as library:
        for number in range(6):
            await library.add(f"t{number}", HARBOUR, LIGHT)
        for _ in range(2):
            for number in range(6):
                assert (await texts(library, "Who built the harbour?", f"t{number}"))[0] == HARBOUR
        assert 0 < library.retriever.memory_bytes <= 12_000


class CountingReader(SqlChunkReader):
    """Counts pages, and fails the first `failures` of them."""

    pages = 0
    failures = 0

    async def after(self, tenant_id: str, position: int, limit: int, embedder: str) -> Sequence[SearchableChunk]:
        self.pages += 1
        if self.pages <= self.failures:
            raise StoreUnavailable("The database cannot serve right now.")
        return await super().after(tenant_id, position, limit, embedder)


async def test_concurrent_searches_wait_for_one_build(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", HARBOUR)
        reader = CountingReader(library.database)
        library.retriever = HybridRetriever(reader, library.embedder)
        found = await asyncio.gather(*(texts(library, "Lowick harbour") for _ in range(20)))
        assert found == [[HARBOUR]] * 20
        assert reader.pages == 2  # the one with the chunk, and the empty one after it
        await library.retriever.close()


async def test_a_caller_that_gives_up_does_not_stop_the_build_for_others(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", HARBOUR)
        reader = CountingReader(library.database)
        library.retriever = HybridRetriever(reader, library.embedder)
        first = asyncio.create_task(texts(library, "Lowick harbour"))
        second = asyncio.create_task(texts(library, "Lowick harbour"))
        while not reader.pages:
            await asyncio.sleep(0)
        first.cancel()
        assert await second == [HARBOUR]
        assert reader.pages == 2
        await library.retriever.close()


async def test_a_failed_build_is_tried_again(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", HARBOUR)
        reader = CountingReader(library.database)
        reader.failures = 1
        library.retriever = HybridRetriever(reader, library.embedder)
        with pytest.raises(StoreUnavailable):
            await texts(library, "Lowick harbour")
        assert await texts(library, "Lowick harbour") == [HARBOUR]
        await library.retriever.close()
