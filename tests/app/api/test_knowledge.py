"""Indexing, data sets and documents as clients see them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.app.api.knowledge_client import BASE, client, problem
from tests.tools.knowledge.files import encrypted, pdf


async def test_files_are_accepted_in_order_and_become_ready(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        answer = await api.upload(("b.txt", b"One."), ("dir/a.md", b"# T\n\nTwo."), ("文档.txt", "三。".encode()))
        assert answer.status_code == 202
        body = answer.json()
        assert body["dataset_id"] == "default"
        assert [(d["name"], d["status"]) for d in body["documents"]] == [
            ("b.txt", "queued"),
            ("a.md", "queued"),
            ("文档.txt", "queued"),
        ]
        await asyncio.wait_for(api.shop.ingestor.idle(), 60)
        status = await api.get("/status/default")
        assert (status["status"], status["stage"], status["progress"]) == ("ready", "done", 1.0)
        counts = {"documents": 3, "queued": 0, "indexing": 0, "ready": 3, "failed": 0, "chunks": 3}
        assert status["counts"].items() >= counts.items()
        assert status["errors"] == []


async def test_bad_files_are_named_with_a_code_and_the_data_set_is_partial(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        secret = encrypted(pdf("Secret."), "password")
        await api.indexed(("a.txt", b"Fine."), ("b.pdf", secret), ("c.exe", b"MZ"), ("d.txt", b""), dataset_id="mixed")
        status = await api.get("/status/mixed")
        assert status["status"] == "partial"
        assert {error["name"]: error["code"] for error in status["errors"]} == {
            "b.pdf": "encrypted_pdf",
            "c.exe": "unsupported_type",
            "d.txt": "empty_document",
        }
        assert all(error["document_id"] and error["message"] for error in status["errors"])


async def test_a_data_set_of_bad_files_failed_and_one_without_files_is_empty(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        (document_id,) = await api.indexed(("a.pdf", b"no pdf"))
        assert (await api.get("/status/default"))["status"] == "failed"
        document = await api.get(f"/documents/{document_id}")
        assert document["error"]["code"] == "broken_file"
        assert (await api.http.delete(f"{BASE}/documents/{document_id}")).status_code == 204
        assert (await api.get("/status/default"))["status"] == "empty"


async def test_a_data_set_waits_as_indexing(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        await api.upload(("a.txt", b"x"))
        status = await api.get("/status/default")
        assert (status["status"], status["stage"], status["progress"]) == ("indexing", "queued", 0.0)
        document = (await api.get("/datasets/default/documents"))["items"][0]
        problem(await api.http.get(f"{BASE}/documents/{document['id']}/text"), 409, "document_not_ready")


async def test_the_text_of_a_document_is_what_its_citations_point_into(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        (document_id,) = await api.indexed(("manual.pdf", pdf("First page.", "Second page.")))
        text = await api.get(f"/documents/{document_id}/text")
        assert text["document_id"] == document_id
        assert text["title"] == "manual"
        assert [text["text"][page["start"] : page["end"]] for page in text["pages"]] == ["First page.", "Second page."]
        assert [page["number"] for page in text["pages"]] == [1, 2]


async def test_data_sets_and_documents_are_listed_and_paged(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        await api.upload(("a.txt", b"1"), ("b.txt", b"2"), ("c.txt", b"3"), dataset_id="产品 手册")
        await api.upload(("d.txt", b"4"), dataset_id="other")
        listed = await api.get("/datasets?limit=1")
        rest = await api.get(f"/datasets?cursor={listed['next_cursor']}")
        assert [(d["id"], d["documents"]) for d in listed["items"] + rest["items"]] == [("other", 1), ("产品 手册", 3)]
        first = await api.get("/datasets/产品 手册/documents?limit=2")
        second = await api.get(f"/datasets/产品 手册/documents?limit=2&cursor={first['next_cursor']}")
        assert [d["name"] for d in first["items"] + second["items"]] == ["c.txt", "b.txt", "a.txt"]
        assert second["next_cursor"] is None


async def test_indexing_again_takes_new_options(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        text = b"The committee met in the spring and agreed on the plan for the harbour wall. " * 40
        await api.indexed(("a.txt", text))
        before = (await api.get("/status/default"))["counts"]["chunks"]
        body = {"dataset_id": "default", "index_type": "vector", "options": {"chunk_size": 128, "overlap": 0}}
        answer = await api.http.post(f"{BASE}/index", json=body)
        assert answer.status_code == 202
        assert answer.json()["status"] == "indexing"
        assert answer.json()["notices"] == []
        await asyncio.wait_for(api.shop.ingestor.idle(), 60)
        status = await api.get("/status/default")
        assert status["counts"]["chunks"] > 2 * before
        assert (status["index_type"], status["options"]["chunk_size"]) == ("vector", 128)


async def test_the_graph_is_built_and_taken_back_as_the_data_set_is_indexed(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        await api.indexed(("a.txt", b"Ada Merrow built Lowick Harbour."))
        counts: dict[str, int] = {}
        for index_type, options in (("hybrid", {}), ("vector", {}), ("graph", {}), ("hybrid", {"build_graph": False})):
            body = {"dataset_id": "default", "index_type": index_type, "options": options}
            assert (await api.http.post(f"{BASE}/index", json=body)).status_code == 202
            await asyncio.wait_for(api.shop.ingestor.idle(), 60)
            status = await api.get("/status/default")
            assert (status["status"], status["stage"], status["progress"]) == ("ready", "done", 1.0)
            counts[f"{index_type} {options}"] = status["counts"]["entities"]
        assert [number > 0 for number in counts.values()] == [True, False, True, False]


async def test_a_data_set_is_indexing_until_its_graph_has_caught_up(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        await api.indexed(("a.txt", b"Ada Merrow built Lowick Harbour."))
        (document,) = (await api.get("/datasets/default/documents"))["items"]
        await api.shop.followers.close()
        await api.upload(("b.txt", b"Tarn Bay is a village."))
        while (await api.get(f"/documents/{document['id']}"))["status"] != "ready" or (
            status := await api.get("/status/default")
        )["counts"]["ready"] < 2:
            await asyncio.sleep(0)
        assert (status["status"], status["stage"]) == ("indexing", "graph")
        assert 0.9 < status["progress"] < 1
        await api.shop.followers.start()
        await asyncio.wait_for(api.shop.ingestor.idle(), 60)
        assert (await api.get("/status/default"))["status"] == "ready"


@pytest.mark.parametrize(
    "body",
    [
        {"dataset_id": "default", "options": {"chunk_size": 1}},
        {"dataset_id": "default", "options": {"chunk_size": "512"}},
        {"dataset_id": "default", "options": {"chunk_size": 100, "overlap": 80}},
        {"dataset_id": "default", "options": {"overlap": -1}},
        {"dataset_id": "default", "index_type": "magic"},
        {"dataset_id": "default", "unknown": 1},
        {"dataset_id": 7},
    ],
)
async def test_options_that_mean_nothing_are_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async with client(tmp_path, start=False) as api:
        await api.upload(("a.txt", b"x"))
        refused = problem(await api.http.post(f"{BASE}/index", json=body), 422, "invalid_input")
        assert refused["errors"]


async def test_an_unknown_data_set_or_document_is_not_found_before_anything_else(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        for method, path in (
            ("GET", "/status/x"),
            ("DELETE", "/datasets/x"),
            ("GET", "/datasets/x/documents?limit=0"),
            ("GET", "/documents/x"),
            ("DELETE", "/documents/x"),
            ("GET", "/documents/x/text"),
        ):
            problem(await api.http.request(method, BASE + path), 404, "not_found")
        problem(await api.http.post(f"{BASE}/index", json={"dataset_id": "x", "index_type": "graph"}), 404, "not_found")


async def test_a_tenant_never_sees_another_tenants_records(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        (document_id,) = await api.indexed(("a.txt", b"Secret."), dataset_id="mine")
        missing = (await api.http.get(f"{BASE}/documents/nothing")).json()
        api.as_tenant("u")
        for method, path in (
            ("GET", "/status/mine"),
            ("DELETE", "/datasets/mine"),
            ("GET", "/datasets/mine/documents"),
            ("GET", f"/documents/{document_id}"),
            ("DELETE", f"/documents/{document_id}"),
            ("GET", f"/documents/{document_id}/text"),
        ):
            problem(await api.http.request(method, BASE + path), 404, "not_found")
        denied = (await api.http.get(f"{BASE}/documents/{document_id}")).json()
        assert {**denied, "request_id": ""} == {**missing, "request_id": ""}
        assert (await api.get("/datasets"))["items"] == []
        api.as_tenant("t")
        assert (await api.get(f"/documents/{document_id}"))["status"] == "ready"


async def test_deleting_a_data_set_removes_everything(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        (document_id,) = await api.indexed(("a.txt", b"Secret."))
        assert (await api.http.delete(f"{BASE}/datasets/default")).status_code == 204
        await api.get(f"/documents/{document_id}", status=404)
        await api.get("/status/default", status=404)
        assert api.shop.files() == set()
        assert await api.shop.chunks() == []


async def test_openapi_describes_every_route_and_status(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        paths = api.api.openapi()["paths"]
        upload = paths[f"{BASE}/upload"]["post"]
        assert "multipart/form-data" in upload["requestBody"]["content"]
        assert {"202", "400", "401", "413", "415", "422", "503"} <= set(upload["responses"])
        assert {"202", "404", "422"} <= set(paths[f"{BASE}/index"]["post"]["responses"])
        assert {"200", "404", "409"} <= set(paths[f"{BASE}/documents/{{document_id}}/text"]["get"]["responses"])
        assert all(route["description"] for path in paths.values() for route in path.values())
