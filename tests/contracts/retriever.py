"""What every `Retriever` must do, seen from outside: documents come and go, questions find passages."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from tools.errors import InvalidInput, NotAvailable, NotFound
from tools.knowledge.protocol import Retrieval, RetrievalQuery, Retriever

HARBOUR = "The harbour of Lowick was built in 1874 by the engineer Ada Merrow."
LIGHT = "The lighthouse on Gull Rock was lit for the first time on 3 March 1881."
TEA = "龙井茶产于浙江杭州西湖一带，属于绿茶。"
AGENT = "LangGraph keeps the state of an agent in checkpoints."


class Library(Protocol):
    """Documents that a retriever finds passages in."""

    @property
    def retriever(self) -> Retriever: ...

    async def add(
        self, tenant_id: str, *passages: str, title: str = "", dataset_id: str = "d", date: str | None = None
    ) -> str:
        """Keep a document that has these passages, one a line; gives its id. The data set is made if need be."""
        ...

    async def remove(self, tenant_id: str, document_id: str) -> None:
        """Delete a document."""
        ...


async def search(library: Library, text: str, tenant_id: str = "t", **fields: object) -> Retrieval:
    return await library.retriever.retrieve(tenant_id, RetrievalQuery(text, **fields))  # type: ignore[arg-type]


async def texts(library: Library, text: str, tenant_id: str = "t", **fields: object) -> list[str]:
    return [passage.text for passage in (await search(library, text, tenant_id, **fields)).passages]


class RetrieverContract:
    """Subclass it and open a library over the retriever in question."""

    def library(self, folder: Path) -> AbstractAsyncContextManager[Library]:
        raise NotImplementedError

    async def test_a_tenant_never_sees_another_tenants_records(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("a", HARBOUR, dataset_id="only_a")
            await library.add("b", LIGHT)
            assert await texts(library, "When was Lowick harbour built?", "a") == [HARBOUR]
            assert await texts(library, "When was Lowick harbour built?", "b") == []
            assert await texts(library, "When was Lowick harbour built?", "c") == []
            with pytest.raises(NotFound):
                await search(library, "harbour", "b", dataset_ids=["only_a"])

    async def test_a_passage_says_where_it_stands(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            document_id = await library.add("t", LIGHT, HARBOUR, title="Lowick", dataset_id="sights")
            (passage,) = (await search(library, "Who built the harbour?", top_k=1)).passages
        assert (passage.document_id, passage.dataset_id, passage.title) == (document_id, "sights", "Lowick")
        assert f"{LIGHT}\n{HARBOUR}\n"[passage.start : passage.end] == passage.text == HARBOUR
        assert passage.language == "en"

    async def test_passages_come_best_first_and_no_more_than_asked_for(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("t", *(f"The harbour has pier number {n}, and so on." for n in range(30)))
            await library.add("t", HARBOUR)
            question = "Which engineer built the harbour of Lowick in 1874? And the pier?"
            found = (await search(library, question, top_k=7)).passages
        scores = [passage.score for passage in found]
        assert len(found) == 7
        assert found[0].text == HARBOUR
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)

    async def test_both_languages_are_searched_in_both(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            for text in (HARBOUR, TEA, AGENT):
                await library.add("t", text)
            assert (await texts(library, "龙井茶产自哪里？"))[:1] == [TEA]
            assert (await texts(library, "Who built the harbour?"))[:1] == [HARBOUR]
            assert (await texts(library, "LangGraph 的 checkpoints 是什么？"))[:1] == [AGENT]
            assert (await texts(library, "Is 龙井茶 a green tea?"))[:1] == [TEA]

    async def test_small_talk_finds_nothing(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("t", HARBOUR, LIGHT, TEA, AGENT)
            for message in ("Hello!", "How are you?", "thanks, bye", "你好", "谢谢你", "你是谁？", "?!", "   "):
                assert await texts(library, message) == [], message

    async def test_what_is_added_is_found_and_what_is_removed_is_not(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            before = await search(library, "harbour of Lowick")
            harbour = await library.add("t", HARBOUR)
            await library.add("t", LIGHT)
            after = await search(library, "harbour of Lowick")
            await library.remove("t", harbour)
            gone = await search(library, "harbour of Lowick")
            await library.add("t", HARBOUR)
            assert await texts(library, "harbour of Lowick") == [HARBOUR]
        assert [p.text for p in after.passages] == [HARBOUR]
        assert not gone.passages
        assert before.version < after.version < gone.version

    async def test_only_the_data_sets_asked_for_are_searched(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("t", HARBOUR, dataset_id="one")
            await library.add("t", HARBOUR + " It is deep.", dataset_id="two")
            await library.add("t", HARBOUR + " It is cold.", dataset_id="three")
            found = (await search(library, "Lowick harbour", dataset_ids=["one", "three"])).passages
            assert {passage.dataset_id for passage in found} == {"one", "three"}
            assert len(await texts(library, "Lowick harbour")) == 3

    async def test_an_unknown_data_set_is_not_found(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("t", HARBOUR, dataset_id="one")
            for tenant_id in ("t", "empty"):
                with pytest.raises(NotFound):
                    await search(library, "harbour", tenant_id, dataset_ids=["one", "unknown"])

    async def test_no_documents_is_said(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            assert "no_documents" in (await search(library, "harbour")).notices
            removed = await library.add("t", LIGHT, dataset_id="emptied")
            await library.add("t", HARBOUR)
            await library.remove("t", removed)
            assert "no_documents" in (await search(library, "light", dataset_ids=["emptied"])).notices
            assert "no_documents" not in (await search(library, "nothing of the kind")).notices

    async def test_documents_are_filtered_by_their_dates(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("t", HARBOUR + " Old.", date="2019-05-01")
            await library.add("t", HARBOUR + " New.", date="2024-06-30T10:00:00+08:00")
            await library.add("t", HARBOUR + " Now.")
            for days, expected in {
                "2019-01-01/2019-12-31": {"Old."},
                "2019-05-01/2024-06-30": {"Old.", "New."},
                "../2024-06-29": {"Old."},
                "2024-06-30/..": {"New.", "Now."},
            }.items():
                found = await texts(library, "Lowick harbour", filters={"date_range": days})
                assert {text[-4:] for text in found} == expected, days

    async def test_a_broken_date_range_is_refused(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            for days in ("2024", "2024-01-01/2023-01-01", "2024-13-01/..", "yesterday/today", "a/b/c", 7):
                with pytest.raises(InvalidInput):
                    await search(library, "harbour", filters={"date_range": days})

    async def test_without_a_graph_graph_search_is_refused_and_hybrid_says_so(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("t", HARBOUR)
            with pytest.raises(NotAvailable):
                await search(library, "harbour", search_type="graph")
            hybrid = await search(library, "Lowick harbour", search_type="hybrid")
            vector = await search(library, "Lowick harbour", search_type="vector")
        assert hybrid.notices == ["graph_not_available"]
        assert vector.notices == []
        assert hybrid.passages == vector.passages

    async def test_searches_while_documents_come_and_go_find_only_what_is_there(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await library.add("t", HARBOUR)
            present: set[str] = set()
            possible: set[str] = set()

            async def change() -> None:
                for number in range(8):
                    possible.add(name := f"Lowick harbour has crane number {number}.")
                    document_id = await library.add("t", name)
                    present.add(name)
                    if number % 2:
                        present.discard(name)
                        await library.remove("t", document_id)

            async def ask() -> None:
                while not changing.done():
                    certain = set(present)
                    found = set(await texts(library, "crane of Lowick harbour", top_k=50))
                    assert found - {HARBOUR} <= possible
                    assert certain & present <= found

            changing = asyncio.create_task(change())
            await asyncio.gather(changing, ask(), ask())
            assert set(await texts(library, "crane of Lowick harbour", top_k=50)) == present | {HARBOUR}
