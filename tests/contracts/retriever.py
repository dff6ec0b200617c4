"""What every `Retriever` must do, seen from outside: documents come and go, questions find passages."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from tools.errors import InvalidInput, NotFound
from tools.knowledge.protocol import Retrieval, RetrievalQuery, Retriever

HARBOUR = "The harbour of Lowick was built in 1874 by the engineer Ada Merrow."
LIGHT = "The lighthouse on Gull Rock was lit for the first time on 3 March 1881."
TEA = "龙井茶产于浙江杭州西湖一带，属于绿茶。"
FILM = "Silver Tide is a drama directed by Mara Quill."
DIRECTOR = "Mara Quill was born in Port Ennis."
TOWN = "Port Ennis has a harbour and a market."
OTHERS = tuple(
    f"{a} {b} was born in {c}." for a in ("Tom", "Ida", "Ben") for b in ("Rusk", "Lane") for c in ("Ely", "Bath")
)
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

    async def settle(self, tenant_id: str, dataset_id: str = "d") -> None:
        """Return when the graph, if there is one, knows of all changes, and searches know of the graph."""
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

    async def test_an_entity_type_that_does_not_exist_is_refused(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            with pytest.raises(InvalidInput):
                await search(library, "harbour", filters={"entity_types": ["planet"]})

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


async def fill(library: Library, tenant_id: str = "t", dataset_id: str = "d") -> dict[str, str]:
    """A film, its director, her town and other people's births, each a document; gives ids by title."""
    titled = {"Silver Tide": FILM, "Mara Quill": DIRECTOR, "Port Ennis": TOWN}
    ids = {
        title: await library.add(tenant_id, text, title=title, dataset_id=dataset_id) for title, text in titled.items()
    }
    for text in OTHERS:
        await library.add(tenant_id, text, title=text.partition(" was")[0], dataset_id=dataset_id)
    await search(library, "Silver Tide", tenant_id)
    await library.settle(tenant_id, dataset_id)
    return ids


BIRTH = "Where was the director of Silver Tide born?"


class GraphRetrieverContract(RetrieverContract):
    """What holds besides where there is a graph."""

    async def test_an_answer_one_document_further_is_found(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library)
            hybrid = await search(library, BIRTH, top_k=2)
            graph = await search(library, BIRTH, top_k=2, search_type="graph")
        assert {passage.text for passage in hybrid.passages} == {FILM, DIRECTOR}
        assert {passage.text for passage in graph.passages} == {FILM, DIRECTOR}
        assert hybrid.notices == graph.notices == []
        assert hybrid.nodes_explored >= 5
        assert {passage.source for passage in graph.passages} == {"graph_traversal"}
        assert all(0 < passage.score <= 1 for passage in [*hybrid.passages, *graph.passages])

    async def test_a_path_tells_its_hops_and_the_sentences_that_say_so(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            ids = await fill(library)
            found = await search(library, BIRTH, top_k=5)
            without = await search(library, BIRTH, top_k=5, use_path_reasoning=False)
        context = next(passage.graph for passage in found.passages if passage.text == DIRECTOR)
        assert context is not None
        assert context.path[0] == "Silver Tide->Mara Quill"
        assert list(context.entities) == ["Silver Tide", "Mara Quill"]
        (step,) = context.path_steps
        assert (step.entities, step.document_id) == (("Silver Tide", "Mara Quill"), ids["Silver Tide"])
        assert f"{FILM}\n"[step.start : step.end] == step.sentence == FILM
        assert list(context.relations) == [step.relation] == ["created_by"]
        assert 0 < step.confidence <= 1
        assert all(passage.graph is None for passage in without.passages)

    async def test_that_a_passage_mentions_what_the_question_names_is_no_path(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library)
            found = await search(library, "Was Mara Quill born in Port Ennis?", top_k=5)
        context = next(passage.graph for passage in found.passages if passage.text == DIRECTOR)
        assert context is not None
        assert set(context.entities) == {"Mara Quill", "Port Ennis"}
        assert (list(context.path), list(context.path_steps), list(context.relations)) == ([], [], [])

    async def test_paths_are_no_longer_than_asked_for(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library)
            for hops in (1, 2, 3):
                found = await search(library, BIRTH, top_k=15, search_type="graph", max_hops=hops)
                context = next(passage.graph for passage in found.passages if passage.text == TOWN)
                assert (context is not None and bool(context.path)) == (hops > 1)
                paths = [path for p in found.passages if p.graph is not None for path in p.graph.path]
                assert all(path.count("->") <= hops for path in paths)

    async def test_relations_are_named_in_the_language_of_the_question(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library)
            found = await search(library, "Silver Tide 的导演在哪里出生的？", top_k=5)
        context = next(passage.graph for passage in found.passages if passage.text == DIRECTOR)
        assert context is not None
        assert list(context.relations) == ["创建者"]

    async def test_what_was_deleted_is_in_no_path(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            ids = await fill(library)
            await library.remove("t", ids["Silver Tide"])
            for settled in (False, True):
                found = await search(library, BIRTH, top_k=10)
                assert FILM not in [passage.text for passage in found.passages]
                shown = [step.sentence for p in found.passages if p.graph for step in p.graph.path_steps]
                assert FILM not in shown
                if not settled:
                    await library.settle("t")

    async def test_a_question_that_names_nothing_is_answered_by_words_and_meaning(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library)
            hybrid = await search(library, "which drama was directed by somebody?")
            vector = await search(library, "which drama was directed by somebody?", search_type="vector")
            graph = await search(library, "which drama was directed by somebody?", search_type="graph")
        assert hybrid.passages == vector.passages
        assert [passage.text for passage in vector.passages][:1] == [FILM]
        assert (graph.passages, graph.notices) == ([], ["no_entity_named"])

    async def test_passages_are_filtered_by_the_types_of_what_they_mention(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library)
            await library.add("t", "Plain words about a harbour and a drama.")
            await search(library, BIRTH)
            await library.settle("t")
            for names in (["work"], ["作品"], ["Work", "metric"]):
                for kind in ("vector", "graph", "hybrid"):
                    found = await search(library, BIRTH, search_type=kind, filters={"entity_types": names})
                    assert [passage.text for passage in found.passages] == [FILM], (names, kind)
                    assert not found.degraded
            nothing = await search(library, BIRTH, filters={"entity_types": ["metric"]})
        assert nothing.passages == []

    async def test_small_talk_finds_nothing_in_a_graph_either(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library)
            for message in ("Hello!", "How are you?", "Thanks, bye", "你好", "What can you do?", "OK"):
                assert await texts(library, message) == [], message
                assert await texts(library, message, search_type="graph") == [], message

    async def test_tenants_and_data_sets_with_the_same_names_stay_apart(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            await fill(library, "a")
            await fill(library, "b", "one")
            await library.add("b", FILM + " It is long.", title="Silver Tide", dataset_id="two")
            await search(library, BIRTH, "b")
            await library.settle("b", "two")
            alone = await search(library, BIRTH, "b", dataset_ids=["two"], search_type="graph", top_k=20)
            both = await search(library, BIRTH, "b", search_type="graph", top_k=20)
            other = await search(library, BIRTH, "a", search_type="graph", top_k=20)
        assert [passage.text for passage in alone.passages] == [FILM + " It is long."]
        assert {passage.dataset_id for passage in both.passages} == {"one", "two"}
        assert {passage.dataset_id for passage in other.passages} == {"d"}
        assert {p.document_id for p in other.passages}.isdisjoint(p.document_id for p in both.passages)

    async def test_a_data_set_that_has_no_graph_yet_is_said(self, tmp_path: Path) -> None:
        async with self.library(tmp_path) as library:
            found = await search(library, "Silver Tide")
        assert found.notices == ["graph_not_available", "no_documents"]
