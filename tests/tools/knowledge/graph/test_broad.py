from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tools.knowledge.graph.library import FILES, Library, library
from tools.errors import InvalidInput, NotFound, StoreUnavailable
from tools.knowledge.graph.broad import BroadSearch, Speaker, answer_broadly, candidates
from tools.knowledge.protocol import Retrieval, RetrievalQuery
from tools.stores.database import Database
from tools.stores.knowledge_protocol import StoredChunk
from tools.stores.spread_chunks import SqlSpreadChunks

BROAD = RetrievalQuery("What are these documents about?", dataset_ids=["d"])


async def ask(shelves: Library, tenant_id: str = "t", **changes: Any) -> Retrieval:
    found = await shelves.search.search(tenant_id, replace(BROAD, **changes))
    assert found is not None
    return found


async def test_a_broad_question_is_answered_from_all_communities(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        found = await ask(shelves, top_k=4)
        assert found.communities_found == 2
        assert {passage.title for passage in found.passages} == {"Tea", "Lake", "Ship", "Port"}
        assert {passage.source for passage in found.passages} == {"community"}
        scores = [passage.score for passage in found.passages]
        assert scores == sorted(scores, reverse=True)
        assert 0 < scores[-1] <= scores[0] <= 1
        assert not found.notices
        assert found.version == (await shelves.shop.reader.version("t")).version


async def test_passages_stand_verbatim_in_their_documents(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        for passage in (await ask(shelves)).passages:
            text = (await shelves.shop.documents.text("t", passage.document_id)).text
            assert text[passage.start : passage.end] == passage.text


async def test_documents_that_no_community_speaks_of_fill_what_is_left(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        found = await ask(shelves, top_k=5)
        assert found.passages[-1].title == "Notes"
        assert found.communities_found == 2


async def test_the_first_two_passages_are_of_different_communities(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        first, second = (await ask(shelves, top_k=2)).passages
        assert len({first.title, second.title} & {"Tea", "Lake"}) == 1


async def test_a_data_set_without_a_graph_is_answered_by_its_documents(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.shop.index(FILES)
        found = await ask(shelves, text="总结一下", top_k=5)
        assert len({passage.document_id for passage in found.passages}) == 5
        assert found.communities_found == 0
        assert found.notices == ["communities_not_available"]


async def test_one_document_is_told_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        parts = [f"## Part {n}\n\n" + f"Part number {n} speaks of machine {n} at length. " * 20 for n in range(12)]
        await shelves.shop.index({"long.md": "\n\n".join(parts).encode()})
        found = await ask(shelves, text="Summarise this document", top_k=4)
        starts = [passage.start for passage in found.passages]
        text = (await shelves.shop.documents.text("t", found.passages[0].document_id)).text
        assert len(starts) == 4
        assert min(starts) < len(text) / 8
        assert max(starts) > len(text) / 2


async def test_a_deleted_document_is_never_quoted(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        ids = await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        await ask(shelves)
        await shelves.shop.documents.delete("t", ids["ship.md"])
        found = await ask(shelves, top_k=10)  # the graph has not heard of it yet
        assert ids["ship.md"] not in {passage.document_id for passage in found.passages}
        assert not any("crosses" in passage.text for passage in found.passages)


async def test_all_data_sets_answer_when_none_is_named(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill({"tea.md": FILES["tea.md"]}, dataset_id="one")
        await shelves.fill({"ship.md": FILES["ship.md"]}, dataset_id="two")
        await shelves.builder.refresh("t", "one")
        found = await ask(shelves, dataset_ids=None)
        assert {passage.dataset_id for passage in found.passages} == {"one", "two"}
        assert found.communities_found == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Who built the Skua?"},
        {"use_community": False},
        {"search_type": "vector"},
        {"filters": {"entity_types": ["person"]}},
        {"text": ""},
    ],
)
async def test_what_is_not_broad_is_left_to_others(tmp_path: Path, changes: dict[str, Any]) -> None:
    async with library(tmp_path) as shelves:
        assert await shelves.search.search("t", replace(BROAD, **changes)) is None


async def test_dates_bound_the_documents(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        dated = b"---\ndate: 2020-05-05\n---\n# Old\n\nLongjing from Hangzhou was dear in that year, so they wrote."
        await shelves.fill({"old.md": dated})
        await shelves.builder.refresh("t", "d")
        today = await ask(shelves, filters={"date_range": "2021-01-01/.."}, top_k=20)
        before = await ask(shelves, filters={"date_range": "../2020-12-31"}, top_k=20)
        assert {passage.title for passage in today.passages} == {"Tea", "Lake", "Ship", "Port", "Notes"}
        assert {passage.title for passage in before.passages} <= {"Old"}
        with pytest.raises(InvalidInput):
            await ask(shelves, filters={"date_range": "soon"})


async def test_other_tenants_documents_are_not_there(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        with pytest.raises(NotFound):
            await ask(shelves, "u")
        found = await ask(shelves, "u", dataset_ids=None)
        assert found.passages == []
        assert found.notices == ["no_documents"]


async def test_without_the_graph_store_the_answer_is_degraded(tmp_path: Path) -> None:
    class Away:
        async def version(self, tenant_id: str, dataset_id: str) -> int:
            raise StoreUnavailable("no")

    async with library(tmp_path) as shelves:
        await shelves.shop.index(FILES)
        database = Database(tmp_path / "x.db")
        search = BroadSearch(Away(), shelves.shop.reader, SqlSpreadChunks(database))  # type: ignore[arg-type]
        found = await search.search("t", BROAD)
        await database.close()
        assert found is not None
        assert found.degraded
        assert len(found.passages) == 5


def stored(position: int, document: str) -> StoredChunk:
    return StoredChunk(position, f"c{position}", document, "d", document, "", None, 0, 1, "x", "en")


def test_large_communities_speak_first_and_take_turns() -> None:
    speakers = [Speaker("big", 90, 0, "", [1, 2, 3]), Speaker("small", 9, 0, "", [4, 5])]
    chunks = {n: stored(n, f"doc{n}") for n in range(1, 6)}
    chosen = answer_broadly(speakers, chunks, [], 4)
    assert [one.community for one in chosen] == ["big", "small", "big", "small"]
    assert candidates(speakers, 3) == [1, 2, 3]


def test_documents_take_turns_too() -> None:
    speakers = [Speaker("one", 10, 0, "", [1, 2, 3])]
    chunks = {1: stored(1, "a"), 2: stored(2, "a"), 3: stored(3, "b")}
    assert [one.chunk.position for one in answer_broadly(speakers, chunks, [], 3)] == [1, 3, 2]


def test_a_part_of_a_community_counts_as_the_same() -> None:
    speakers = [
        Speaker("whole", 50, 0, "", [1]),
        Speaker("part", 30, 1, "whole", [2]),
        Speaker("other", 4, 0, "", [3]),
    ]
    chunks = {n: stored(n, f"doc{n}") for n in (1, 2, 3)}
    assert [one.chunk.position for one in answer_broadly(speakers, chunks, [], 2)] == [1, 3]
