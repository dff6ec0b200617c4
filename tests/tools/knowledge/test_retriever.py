"""The retriever by BM25 and vectors, over the real stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.contracts.retriever import (
    BIRTH,
    DIRECTOR,
    FILM,
    HARBOUR,
    LIGHT,
    TEA,
    GraphRetrieverContract,
    RetrieverContract,
    fill,
    search,
    texts,
)
from tests.doubles import HashingEmbedder
from tests.tools.knowledge.sql_library import EnglishEmbedder, SqlLibrary, open_graph_library, open_library
from tests.tools.knowledge.vectors_of_index import cosines_in, nearest_in
from tools.errors import InvalidInput, NotAvailable, StoreUnavailable
from tools.knowledge import retriever as retriever_module
from tools.knowledge.index import TenantIndex
from tools.knowledge.indexes import IndexCache
from tools.knowledge.protocol import RetrievalQuery
from tools.knowledge.retriever import HybridRetriever
from tools.models.protocol import Embedder, Vectors
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphEvidence
from tools.stores.knowledge_protocol import SearchableChunk
from tools.stores.vector_protocol import Near, Vector, VectorScope


class TestHybridRetriever(RetrieverContract):
    """The contract with an embedder for English."""

    def library(self, folder: Path) -> AbstractAsyncContextManager[SqlLibrary]:
        return open_library(folder)


class TestHybridRetrieverWithGraph(GraphRetrieverContract):
    """The contract with a graph in the same database."""

    def library(self, folder: Path) -> AbstractAsyncContextManager[SqlLibrary]:
        return open_graph_library(folder)


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


async def test_without_a_graph_hybrid_says_so_and_graph_finds_nothing(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", HARBOUR)
        graph = await search(library, "harbour", search_type="graph")
        hybrid = await search(library, "Lowick harbour", search_type="hybrid")
        vector = await search(library, "Lowick harbour", search_type="vector")
    assert (graph.passages, graph.notices) == ([], ["graph_not_available"])
    assert hybrid.notices == ["graph_not_available"]
    assert vector.notices == []
    assert hybrid.passages == vector.passages


async def test_a_filter_by_entity_type_is_said_to_be_left_out(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", HARBOUR)
        found = await search(library, "harbour", search_type="vector", filters={"entity_types": ["location"]})
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


class AwayGraphs(SqlGraphStore):
    """A graph store that can be taken away; `evidence_only` keeps all but the sentences."""

    away = False
    evidence_only = False

    async def version(self, tenant_id: str, dataset_id: str) -> int:
        if self.away and not self.evidence_only:
            raise StoreUnavailable("The graph store is away.")
        return await super().version(tenant_id, dataset_id)

    async def evidence(
        self, tenant_id: str, dataset_id: str, pairs: Sequence[tuple[str, str]], limit: int = 3
    ) -> Sequence[GraphEvidence]:
        if self.away:
            raise StoreUnavailable("The graph store is away.")
        return await super().evidence(tenant_id, dataset_id, pairs, limit)


async def test_without_its_graph_store_a_search_answers_from_what_is_left_and_says_so(tmp_path: Path) -> None:
    graphs = AwayGraphs(Database(tmp_path / "x.db"))
    async with open_library(tmp_path, graphs=graphs) as library:
        await fill(library)
        await library.retriever.close()
        graphs.away = True
        fresh = library.retriever = HybridRetriever(SqlChunkReader(library.database), library.embedder, graphs=graphs)
        found = await search(library, BIRTH)
        vector = await search(library, BIRTH, search_type="vector")
        assert (found.degraded, found.notices) == (True, ["graph_unreachable"])
        assert found.passages == vector.passages
        assert not vector.degraded
        graphs.away = False
        await search(library, BIRTH)
        await fresh.renewed()
        back = await search(library, BIRTH, top_k=2)
        assert not back.degraded
        assert {passage.text for passage in back.passages} == {FILM, DIRECTOR}
    await graphs._database.close()


async def test_the_last_graph_answers_while_its_store_is_away(tmp_path: Path) -> None:
    graphs = AwayGraphs(Database(tmp_path / "x.db"))
    async with open_library(tmp_path, graphs=graphs) as library:
        await fill(library)
        graphs.away = True
        await search(library, BIRTH)
        await library.retriever.renewed()
        found = await search(library, BIRTH, top_k=2)
    await graphs._database.close()
    assert {passage.text for passage in found.passages} == {FILM, DIRECTOR}
    assert (found.degraded, found.notices) == (True, ["graph_unreachable"])


async def test_passages_come_without_paths_when_their_sentences_cannot_be_read(tmp_path: Path) -> None:
    graphs = AwayGraphs(Database(tmp_path / "x.db"))
    async with open_library(tmp_path, graphs=graphs) as library:
        await fill(library)
        graphs.away = graphs.evidence_only = True
        found = await search(library, BIRTH, top_k=2)
    await graphs._database.close()
    assert {passage.text for passage in found.passages} == {FILM, DIRECTOR}
    assert all(passage.graph is None for passage in found.passages)
    assert (found.degraded, found.notices) == (True, ["graph_unreachable"])


class ElsewhereVectors:
    """The records' own vectors, as a store elsewhere would tell them."""

    def __init__(self, chunks: SqlChunkReader, embedder: Embedder) -> None:
        self._indexes = IndexCache(chunks, embedder.name, embedder.dimension)
        self.away = False

    async def nearest(self, tenant_id: str, vector: Vector, number: int, scope: VectorScope) -> Sequence[Near]:
        return nearest_in(await self._index(tenant_id), vector, number, scope)

    async def cosines(self, tenant_id: str, vector: Vector, positions: Sequence[int]) -> Sequence[Near]:
        return cosines_in(await self._index(tenant_id), vector, positions)

    async def _index(self, tenant_id: str) -> TenantIndex:
        if self.away:
            raise StoreUnavailable("The vector store is away.")
        return await self._indexes.refresh(tenant_id)

    async def close(self) -> None:
        await self._indexes.close()


@asynccontextmanager
async def open_library_with_vectors_elsewhere(folder: Path) -> AsyncIterator[tuple[SqlLibrary, ElsewhereVectors]]:
    async with open_graph_library(folder) as library:
        await library.retriever.close()
        reader = SqlChunkReader(library.database)
        vectors = ElsewhereVectors(reader, library.embedder)
        graphs = SqlGraphStore(library.database)
        library.retriever = HybridRetriever(reader, library.embedder, graphs=graphs, vectors=vectors)
        yield library, vectors
        await vectors.close()


class TestHybridRetrieverWithVectorsElsewhere(GraphRetrieverContract):
    """The contract with vectors that another store tells."""

    @asynccontextmanager
    async def library(self, folder: Path) -> AsyncIterator[SqlLibrary]:  # type: ignore[override]
        async with open_library_with_vectors_elsewhere(folder) as (library, _):
            yield library


async def test_vectors_elsewhere_rank_as_those_at_hand(tmp_path: Path) -> None:
    async with open_library_with_vectors_elsewhere(tmp_path) as (library, _):
        await fill(library)
        at_hand = HybridRetriever(
            SqlChunkReader(library.database), library.embedder, graphs=SqlGraphStore(library.database)
        )
        for kind in ("vector", "hybrid"):
            for text in (BIRTH, "who was born in Bath?", "market and harbour"):
                query = RetrievalQuery(text, search_type=kind, use_path_reasoning=False)
                elsewhere = await library.retriever.retrieve("t", query)
                assert elsewhere.passages == (await at_hand.retrieve("t", query)).passages
        await at_hand.close()


async def test_without_its_vector_store_a_search_goes_by_words_and_graph(tmp_path: Path) -> None:
    async with open_library_with_vectors_elsewhere(tmp_path) as (library, vectors):
        await fill(library)
        vectors.away = True
        found = await search(library, BIRTH, top_k=2)
    assert {passage.text for passage in found.passages} == {FILM, DIRECTOR}
    assert (found.degraded, found.notices) == (True, ["vectors_unreachable"])


class Backwards:
    """Ranks texts by how late they come in the alphabet; fails when told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.texts: list[str] = []
        self._error = error

    async def score(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        self.texts = list(texts)
        if self._error is not None:
            raise self._error
        return [sorted(texts).index(text) / len(texts) for text in texts]

    async def close(self) -> None:
        pass


async def test_a_reranker_has_the_last_word(tmp_path: Path) -> None:
    reranker = Backwards()
    async with open_library(tmp_path) as library:
        await library.add("t", *(f"The harbour has pier {letter}." for letter in "cabd"), title="Piers")
        library.retriever = HybridRetriever(SqlChunkReader(library.database), library.embedder, reranker=reranker)
        found = await search(library, "Which pier has the harbour?", top_k=2)
        await library.retriever.close()
    assert [passage.text[-2] for passage in found.passages] == ["d", "c"]
    assert [passage.score for passage in found.passages] == [0.75, 0.5]
    assert len(reranker.texts) == 4
    assert all(text.startswith("Piers\n") for text in reranker.texts)


async def test_a_failing_reranker_leaves_the_order_and_is_told(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.add("t", *(f"The harbour has pier {letter}." for letter in "cabd"))
        plain = await search(library, "Which pier has the harbour?", top_k=2, search_type="vector")
        failing = Backwards(NotAvailable("The model cannot be loaded."))
        library.retriever = HybridRetriever(SqlChunkReader(library.database), library.embedder, reranker=failing)
        found = await search(library, "Which pier has the harbour?", top_k=2, search_type="vector")
        await library.retriever.close()
    assert found.passages == plain.passages
    assert (found.degraded, found.notices) == (True, ["reranker_unavailable"])
