"""Searching over HTTP: what comes back, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.parts import CORPUS, CORPUS_QUESTION, served, upload

PATH = "/api/v1/search/graph"


async def ask(client: httpx.AsyncClient, query: str = CORPUS_QUESTION, **fields: Any) -> httpx.Response:
    return await client.post(PATH, json={"query": query, **fields})


async def test_results_are_references_with_their_content(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        answer = await ask(server.client)
        assert answer.status_code == 200
        body = answer.json()
        first = body["results"][0]
        text = (await server.client.get(f"/api/v1/knowledge/documents/{first['document_id']}/text")).json()["text"]
    assert set(first) == {
        "id", "title", "document_id", "page", "start", "end", "quote", "score",
        "content", "source", "dataset_id", "graph_context",
    }  # fmt: skip
    assert first["title"] == "Lowick Harbour"
    assert "1874" in first["content"]
    assert text[first["start"] : first["end"]] == first["quote"] == first["content"]
    assert [result["id"] for result in body["results"]] == [str(n) for n in range(1, len(body["results"]) + 1)]
    assert first["source"] in ("bm25", "vector", "graph_traversal")
    assert first["graph_context"]["entities"] == ["Lowick Harbour"]
    assert 0 < first["score"] <= 1


async def test_metadata_says_how_the_results_came_about(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        before = (await ask(server.client)).json()["metadata"]
        await upload(server.app, "local", {"new.md": "# New\n\nA new document."})
        after = (await ask(server.client, search_type="vector")).json()["metadata"]
    assert before["total_nodes_explored"] > 2
    assert after["total_nodes_explored"] == before["communities_found"] == 0
    assert before["execution_time_ms"] > 0
    assert before["degraded"] is after["degraded"] is False
    assert before["notices"] == after["notices"] == []
    assert after["graph_version"] > before["graph_version"]


async def test_chinese_finds_chinese(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        results = (await ask(server.client, "龙井茶产自哪里？")).json()["results"]
    assert "杭州" in results[0]["content"]
    assert results[0]["source"] == "bm25"


CHAIN = {
    "harbour.md": "# Lowick Harbour\n\nLowick Harbour was built in 1874 by the engineer Ada Merrow.\n",
    "merrow.md": "# Ada Merrow\n\nAda Merrow was born in Tarn Bay in 1840.\n",
    "bay.md": "# Tarn Bay\n\nTarn Bay is a village in Norland, known for herring.\n",
}


async def test_an_answer_shows_its_path_with_sentences_that_stand_in_the_documents(tmp_path: Path) -> None:
    async with served(tmp_path, corpus=CHAIN) as server:
        question = "What is the birthplace of the engineer of Lowick Harbour known for?"
        body = (await ask(server.client, question, graph_options={"max_hops": 3})).json()
        assert {result["title"] for result in body["results"]} == {"Lowick Harbour", "Ada Merrow", "Tarn Bay"}
        (far,) = [result for result in body["results"] if result["title"] == "Tarn Bay"]
        found = far["graph_context"]
        assert found["path"][0] == "Lowick Harbour->Ada Merrow->Tarn Bay"
        assert [step["entities"] for step in found["path_steps"]] == [
            ["Lowick Harbour", "Ada Merrow"],
            ["Ada Merrow", "Tarn Bay"],
        ]
        assert len(found["relations"]) > 0
        for step in found["path_steps"]:
            read = await server.client.get(f"/api/v1/knowledge/documents/{step['document_id']}/text")
            assert read.json()["text"][step["start"] : step["end"]] == step["sentence"]
            assert 0 < step["confidence"] <= 1


async def test_paths_are_left_out_when_nobody_wants_them(tmp_path: Path) -> None:
    async with served(tmp_path, corpus=CHAIN) as server:
        answer = await ask(server.client, graph_options={"use_path_reasoning": False})
    assert all(result["graph_context"] is None for result in answer.json()["results"])


async def test_graph_search_gives_what_the_walk_comes_to(tmp_path: Path) -> None:
    async with served(tmp_path, corpus=CHAIN) as server:
        body = (await ask(server.client, "Lowick Harbour", search_type="graph")).json()
        nothing = (await ask(server.client, "bananas", search_type="graph")).json()
    assert {result["source"] for result in body["results"]} == {"graph_traversal"}
    assert {result["title"] for result in body["results"]} >= {"Lowick Harbour", "Ada Merrow"}
    assert (nothing["results"], nothing["metadata"]["notices"]) == ([], ["no_entity_named"])


async def test_passages_are_filtered_by_the_types_of_entities_they_mention(tmp_path: Path) -> None:
    async with served(tmp_path, corpus=CHAIN) as server:

        async def status_of(*types: str) -> int:
            return (await ask(server.client, filters={"entity_types": list(types)})).status_code

        assert await status_of("location", "地点") == 200
        assert await status_of("planet") == 422


async def test_broad_questions_are_answered_over_the_documents(tmp_path: Path) -> None:
    async with served(tmp_path, corpus=CHAIN) as server:
        await server.app.settled()
        body = (await ask(server.client, "What are these documents about?")).json()
    assert {result["source"] for result in body["results"]} == {"community"}
    assert {result["title"] for result in body["results"]} == {"Lowick Harbour", "Ada Merrow", "Tarn Bay"}
    assert body["metadata"]["communities_found"] >= 1


async def test_a_missing_data_set_is_told_before_a_missing_graph(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as server:
        answer = await ask(server.client, search_type="graph", dataset_ids=["none"])
    assert answer.status_code == 404


async def test_no_documents_is_an_answer(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as server:
        answer = await ask(server.client)
    assert answer.status_code == 200
    assert answer.json()["results"] == []
    assert "no_documents" in answer.json()["metadata"]["notices"]


async def test_top_k_data_sets_and_dates_narrow_the_search(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        dated = f"---\ndate: 2019-05-01\n---\n{CORPUS['harbour.md']}"
        await upload(server.app, "local", {"old.md": dated}, "archive")

        async def places(**fields: Any) -> list[str]:
            return [result["dataset_id"] for result in (await ask(server.client, **fields)).json()["results"]]

        assert len(await places(top_k=1)) == 1
        assert set(await places()) == {"default", "archive"}
        assert set(await places(dataset_ids=["archive"])) == {"archive"}
        assert set(await places(filters={"date_range": "2019-01-01/2019-12-31"})) == {"archive"}
        assert await places(filters={"date_range": "../2018-12-31"}) == []


async def test_an_unknown_data_set_is_404(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        answer = await ask(server.client, dataset_ids=["default", "secret"])
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": "  \n "},
        {"query": "x" * 2_001},
        {"query": 7},
        {"query": "q", "unknown": 1},
        {"query": "q", "search_type": "fuzzy"},
        {"query": "q", "top_k": 0},
        {"query": "q", "top_k": 101},
        {"query": "q", "top_k": "5"},
        {"query": "q", "top_k": 2.5},
        {"query": "q", "dataset_ids": []},
        {"query": "q", "dataset_ids": "default"},
        {"query": "q", "graph_options": {"max_hops": 0}},
        {"query": "q", "graph_options": {"max_hops": 7}},
        {"query": "q", "graph_options": {"depth": 1}},
        {"query": "q", "filters": {"date_range": "2024-01-01"}},
        {"query": "q", "filters": {"date_range": "2024-02-30/2024-03-01"}},
        {"query": "q", "filters": {"date_range": "2025-01-01/2024-01-01"}},
        {"query": "q", "filters": {"colour": "red"}},
    ],
)
async def test_what_is_out_of_range_or_unknown_is_422(refusing: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await refusing.post(PATH, json=body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "invalid_input"
    assert all(set(field) == {"loc", "code", "message"} for field in problem["errors"])


@pytest.fixture
def refusing() -> httpx.AsyncClient:
    """The route behind the app's own handlers, and nothing it could search with."""
    from fastapi import FastAPI

    from app import errors
    from app.api import search
    from app.auth import Authenticator
    from app.limits import Door

    api = FastAPI()
    api.include_router(search.router)
    errors.install(api)
    api.state.app = None
    api.add_middleware(Door, authenticator=Authenticator(None, None, None), max_body_bytes=2**20, max_upload_bytes=0)
    return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://zhiyin")


async def test_the_whole_contract_body_is_accepted(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        answer = await ask(
            server.client,
            search_type="hybrid",
            graph_options={"max_hops": 2, "use_community": True, "use_path_reasoning": True},
            top_k=10,
            dataset_ids=["default"],
            filters={"entity_types": ["人物", "地点", "时间"], "date_range": "2024-01-01/.."},
        )
    assert answer.status_code == 200
    assert answer.json()["metadata"]["degraded"] is False
    assert answer.json()["metadata"]["notices"] == []
