"""A tenant's index in memory, held against a plain BM25 and against itself built otherwise."""

from __future__ import annotations

import asyncio
import math
import random
import threading
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tools.knowledge.index import BACKGROUND, EXPECTED_WORDS, K1, B, TenantIndex
from tools.knowledge.indexes import PAGE, IndexCache
from tools.knowledge.ranking import COSINE_FLOOR, COSINE_VETO, RELEVANCE_FLOOR, rank
from tools.knowledge.segment import NO_VECTOR, TITLE_WEIGHT
from tools.knowledge.terms import terms, weight
from tools.stores.knowledge_protocol import ChunkReading, KnowledgeVersion, SearchableChunk

DIMENSION = 8
WORDS = [f"word{number}" for number in range(40)] + ["龙井", "井茶", "绿茶", "茶的", "café"]
TITLES = ["", "word1 word2", "A report on word3", "龙井茶"]


def chunk(
    position: int, words: str, *, title: str = "", dataset: str = "d", vector: bytes | None = None
) -> SearchableChunk:
    return SearchableChunk(position, dataset, title, "2024-01-01T00:00:00Z", words, vector)


def random_chunks(number: int, seed: int = 0) -> list[SearchableChunk]:
    draw, numbers = random.Random(seed), np.random.default_rng(seed)
    return [
        SearchableChunk(
            position,
            draw.choice(["one", "two", "three"]),
            title := draw.choice(TITLES),
            draw.choice(["2020-02-03", "2024-01-01T00:00:00Z", "some day"]),
            " ".join([*terms(title, "en"), *draw.choices(WORDS, k=draw.randint(0, 60))]),
            numbers.standard_normal(DIMENSION).astype("<f4").tobytes() if draw.random() < 0.7 else None,
        )
        for position in range(3, 3 * number + 3, 3)
    ]


def index_of(chunks: Sequence[SearchableChunk], page: int = 1_000) -> TenantIndex:
    index = TenantIndex()
    for start in range(0, len(chunks), page):
        index = index.add(chunks[start : start + page], DIMENSION)
    return index


def plain_relevance(chunks: Sequence[SearchableChunk], query: Sequence[str]) -> list[float]:
    """BM25 as the textbook has it, on one chunk after the other."""
    bags = []
    for each in chunks:
        bag = Counter(each.terms.split())
        for word in terms(each.title, "en"):
            bag[word] += TITLE_WEIGHT - 1
        bags.append(bag)
    average = sum(bag.total() for bag in bags) / len(bags)
    distinct = list(dict.fromkeys(query))
    found_in = {word: sum(word in bag for bag in bags) for word in distinct}
    population = len(bags) + BACKGROUND
    idf = {w: math.log(1 + (population - n + 0.5) / (n + 0.5)) * weight(w) for w, n in found_in.items()}
    best = sum(sorted(idf.values())[-EXPECTED_WORDS:])
    return [
        sum(idf[w] * bag[w] / (bag[w] + K1 * (1 - B + B * bag.total() / average)) for w in distinct) / best
        for bag in bags
    ]


def same(one: TenantIndex, other: TenantIndex) -> None:
    """Both find the same in the same places."""
    query, vector = WORDS[::3], np.ones(DIMENSION, dtype=np.float32)
    assert one.positions.tolist() == other.positions.tolist()
    assert_allclose(one.relevance(query), other.relevance(query), rtol=1e-5)
    assert_allclose(one.cosines(vector), other.cosines(vector), rtol=1e-5, atol=1e-5)
    for datasets in (None, ["one"], ["two", "three"], ["none"]):
        assert one.mask(datasets, 1, 737_800).tolist() == other.mask(datasets, 1, 737_800).tolist()


@pytest.mark.parametrize("page", [7, 1_000])
def test_relevance_is_bm25_over_text_and_title(page: int) -> None:
    chunks = random_chunks(120)
    for query in (["word1"], ["word1", "word2", "word1", "龙井", "nowhere"], WORDS):
        assert_allclose(index_of(chunks, page).relevance(query), plain_relevance(chunks, query), rtol=1e-4, atol=1e-6)


def test_nothing_is_relevant_to_no_words_or_unknown_words() -> None:
    index = index_of(random_chunks(5))
    assert not index.relevance([]).any()
    assert not index.relevance(["nowhere"]).any()
    assert len(TenantIndex().relevance(["word1"])) == len(TenantIndex().cosines(np.ones(DIMENSION, np.float32))) == 0


def test_a_long_query_can_be_answered_by_part_of_it() -> None:
    index = index_of([chunk(1, " ".join(WORDS[:6])), chunk(2, "word9")])
    alone = index.relevance(WORDS[:6])[0]
    in_company = index.relevance([*WORDS[:6], *(f"other{n}" for n in range(200))])[0]
    assert in_company > 0.3 * alone


def test_a_word_of_every_chunk_of_a_small_corpus_still_counts() -> None:
    index = index_of([chunk(n, "warranti last two year") for n in (1, 2, 3)])
    assert index.relevance(["warranti", "period"]).min() > RELEVANCE_FLOOR


def test_a_lone_character_is_found_inside_the_pairs() -> None:
    index = index_of([chunk(1, "龙井 井茶"), chunk(2, "word1"), chunk(3, "绿茶 井茶 茶")])
    found = index.relevance(["茶"])
    assert found[1] == 0
    assert found[2] > found[0] > RELEVANCE_FLOOR


def test_cosines_are_those_of_the_vectors() -> None:
    chunks = random_chunks(50)
    vector = np.random.default_rng(1).standard_normal(DIMENSION).astype(np.float32)
    expected = [NO_VECTOR if c.vector is None else float(np.frombuffer(c.vector, "<f4") @ vector) for c in chunks]
    assert_allclose(index_of(chunks, 7).cosines(vector), expected, rtol=1e-5, atol=1e-5)


def test_a_vector_of_the_wrong_size_is_none() -> None:
    index = index_of([chunk(1, "word1", vector=b"\0" * 12)])
    assert index.cosines(np.ones(DIMENSION, np.float32)).tolist() == [NO_VECTOR]


def test_masks_follow_data_sets_and_days() -> None:
    chunks = random_chunks(60)
    index = index_of(chunks, 7)
    in_2020 = index.mask(None, *(737_425, 737_790))  # 2020-01-01 to 2020-12-31
    assert in_2020.tolist() == [c.date == "2020-02-03" for c in chunks]
    assert index.mask(["one", "three"], 1, 3_652_059).tolist() == [c.dataset_id != "two" for c in chunks]
    assert not index.mask(["none"], 1, 3_652_059).any()


@pytest.mark.parametrize("page", [1, 5, 64])
def test_page_by_page_gives_the_same_as_all_at_once(page: int) -> None:
    chunks = random_chunks(130)
    index = index_of(chunks, page)
    same(index, index_of(chunks))
    assert index.last_position == chunks[-1].position
    assert len(index.segments) <= 5


@pytest.mark.parametrize("seed", range(4))
def test_taking_chunks_away_gives_the_same_as_never_having_had_them(seed: int) -> None:
    chunks, draw = random_chunks(90, seed), random.Random(seed)
    kept = [each for each in chunks if draw.random() < 0.6]
    index = index_of(chunks, 16).without_others([each.position for each in kept])
    same(index, index_of(kept))
    assert index.last_position == chunks[-1].position
    assert sum(len(s.postings.vocabulary) for s in index.segments) <= len(index.segments) * (len(WORDS) + 5)


def test_an_index_in_use_does_not_change_when_chunks_come_and_go() -> None:
    chunks = random_chunks(40)
    old = index_of(chunks[:20])
    before = old.relevance(WORDS).copy()
    old.add(chunks[20:], DIMENSION)
    old.without_others([3])
    assert_allclose(old.relevance(WORDS), before)


def test_memory_is_counted() -> None:
    chunks = random_chunks(200)
    vectors = sum(len(each.vector or b"") for each in chunks)
    assert TenantIndex().size_bytes > 0
    assert vectors < index_of(chunks).size_bytes < vectors + 200_000


def array(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def test_ranking_adds_up_reciprocal_ranks() -> None:
    hits = rank(array(0.9, 0.8, 0.7), array(0.5, 0.9, 0.6), None, 3)
    assert [hit.row for hit in hits] == [1, 0, 2]
    assert [hit.source for hit in hits] == ["vector", "bm25", "vector"]
    assert_allclose(
        [hit.score for hit in hits],
        [61 * (1 / 62 + 1 / 61) / 2, 61 * (1 / 61 + 1 / 63) / 2, 61 * (1 / 63 + 1 / 62) / 2],
    )


def test_first_in_all_lists_scores_one_and_ties_go_to_the_earlier_row() -> None:
    assert rank(array(0.5, 0.9), None, None, 1)[0] == (1, 1.0, "bm25")
    assert rank(array(0.5, 0.9), array(0.1, 0.9), None, 1)[0] == (1, 1.0, "bm25")
    assert [hit.row for hit in rank(array(*[0.5] * 300), None, None, 120)] == list(range(120))


def test_only_allowed_rows_are_ranked() -> None:
    hits = rank(array(0.9, 0.8, 0.7), array(0.9, 0.8, 0.7), np.array([False, True, True]), 3)
    assert [hit.row for hit in hits] == [1, 2]
    assert hits[0].score == 1


def test_a_row_must_have_words_or_a_vector_that_speaks_for_it() -> None:
    words, little = RELEVANCE_FLOOR + 0.01, RELEVANCE_FLOOR - 0.01
    relevance = array(words, words, words, little, little, little)
    cosines = array(
        COSINE_VETO + 0.01, COSINE_VETO - 0.01, NO_VECTOR, COSINE_FLOOR + 0.01, COSINE_FLOOR - 0.01, NO_VECTOR
    )
    assert {hit.row for hit in rank(relevance, cosines, None, 10)} == {0, 2, 3}
    assert {hit.row for hit in rank(relevance, None, None, 10)} == {0, 1, 2}
    assert rank(array(0, 0), array(0, 0), None, 5) == []


class ListReader:
    """A `ChunkReader` of one tenant over a list."""

    def __init__(self, chunks: list[SearchableChunk]) -> None:
        self.chunks = chunks
        self.now = KnowledgeVersion(1, 0)
        self.pages: list[int] = []

    async def version(self, tenant_id: str) -> KnowledgeVersion:
        return self.now

    async def after(self, tenant_id: str, position: int, limit: int, embedder: str) -> Sequence[SearchableChunk]:
        self.pages.append(position)
        return [each for each in self.chunks if each.position > position][:limit]

    async def positions(self, tenant_id: str) -> Sequence[int]:
        return [each.position for each in self.chunks]

    async def read(self, tenant_id: str, positions: Sequence[int], dataset_ids: Sequence[str] = ()) -> ChunkReading:
        raise AssertionError("An index reads no texts.")


async def test_a_refresh_reads_only_what_is_new() -> None:
    chunks = random_chunks(PAGE + 10)
    reader = ListReader(chunks[:-5])
    cache = IndexCache(reader, "e", DIMENSION)
    await cache.get("t")
    reader.chunks, reader.now, reader.pages = chunks, KnowledgeVersion(2, 0), []
    index = await cache.refresh("t")
    assert reader.pages == [chunks[-6].position, chunks[-1].position]
    assert index.version == reader.now
    same(index, index_of(chunks))
    await cache.close()


async def test_a_refresh_after_removals_forgets_them_and_takes_in_what_is_new() -> None:
    chunks = random_chunks(60)
    reader = ListReader(chunks[:50])
    cache = IndexCache(reader, "e", DIMENSION)
    await cache.get("t")
    reader.chunks, reader.now = chunks[10:30] + chunks[50:], KnowledgeVersion(3, 1)
    same(await cache.refresh("t"), index_of(reader.chunks))
    await cache.close()


async def test_building_happens_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    loop_turned = threading.Event()
    add = TenantIndex.add

    def patient_add(index: TenantIndex, chunks: Sequence[SearchableChunk], dimension: int) -> TenantIndex:
        assert loop_turned.wait(10), "the loop stands still while an index is built"
        return add(index, chunks, dimension)

    monkeypatch.setattr(TenantIndex, "add", patient_add)
    reader = ListReader(random_chunks(20))
    cache = IndexCache(reader, "e", DIMENSION)
    building = asyncio.create_task(cache.get("t"))
    while not reader.pages:
        await asyncio.sleep(0)
    loop_turned.set()
    assert len(await building) == 20
    await cache.close()


async def test_the_least_recently_used_index_gives_way() -> None:
    reader = ListReader(random_chunks(20))
    cache = IndexCache(reader, "e", DIMENSION)
    size = (await cache.get("a")).size_bytes
    await cache.close()
    cache = IndexCache(reader, "e", DIMENSION, max_bytes=2 * size)
    for tenant_id in ("a", "b", "a", "c"):
        await cache.get(tenant_id)
    reader.pages.clear()
    await cache.get("a")
    await cache.get("c")
    assert reader.pages == []
    await cache.get("b")
    assert reader.pages
    await cache.close()
