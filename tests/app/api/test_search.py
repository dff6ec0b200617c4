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
    assert first["source"] in ("bm25", "vector")
    assert first["graph_context"] is None
    assert 0 < first["score"] <= 1


async def test_metadata_says_how_the_results_came_about(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        before = (await ask(server.client)).json()["metadata"]
        await upload(server.app, "local", {"new.md": "# New\n\nA new document."})
        after = (await ask(server.client, search_type="vector")).json()["metadata"]
    assert before["total_nodes_explored"] == before["communities_found"] == 0
    assert before["execution_time_ms"] > 0
    assert before["degraded"] is False
    assert before["notices"] == ["graph_not_available"]
    assert after["notices"] == []
    assert after["graph_version"] > before["graph_version"]


async def test_chinese_finds_chinese(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        results = (await ask(server.client, "龙井茶产自哪里？")).json()["results"]
    assert "杭州" in results[0]["content"]
    assert results[0]["source"] == "bm25"


async def test_graph_search_is_not_available(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        answer = await ask(server.client, search_type="graph")
    assert answer.status_code == 501
    assert answer.json()["code"] == "not_available"


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
            filters={"entity_types": ["概念"], "date_range": "2024-01-01/.."},
        )
    assert answer.status_code == 200
    assert answer.json()["metadata"]["degraded"] is True
    assert answer.json()["metadata"]["notices"] == ["graph_not_available", "entity_types_not_available"]
    assert answer.json()["results"]
