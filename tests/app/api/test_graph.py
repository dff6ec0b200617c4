"""The graph over HTTP: what is around a name, what it rests on, and nothing of what was deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.app.api.knowledge_client import Client, client, problem

HARBOUR = ("harbour.md", b"# Lowick Harbour\n\nLowick Harbour was built in 1874 by Ada Merrow.\n")
MERROW = ("merrow.md", b"# Ada Merrow\n\nAda Merrow was born in Tarn Bay.\n")
BAY = ("bay.md", b"# Tarn Bay\n\nTarn Bay is a village in Norland.\n")
GRAPH = "/graph/default"


async def names(api: Client, query: str = "") -> set[str]:
    return {node["id"] for node in (await api.get(f"{GRAPH}{query}"))["nodes"]}


async def test_the_graph_is_shown_as_a_whole_or_around_a_name(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        await api.indexed(HARBOUR, MERROW, BAY)
        assert {"lowick harbour", "ada merrow", "tarn bay"} <= await names(api)
        around = await api.get(f"{GRAPH}?q=Lowick%20Harbour&hops=1")
        assert {"lowick harbour", "ada merrow"} <= {node["id"] for node in around["nodes"]}
        assert "norland" not in {node["id"] for node in around["nodes"]}
        shown = {node["id"] for node in around["nodes"]}
        assert all({edge["source"], edge["target"]} <= shown for edge in around["edges"])
        assert await names(api, "?q=nobody") == set()
        assert (await api.get(f"{GRAPH}?limit=1"))["complete"] is False


async def test_labels_are_in_the_language_asked_for(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        await api.indexed(HARBOUR, MERROW)
        labels = {edge["label"] for edge in (await api.get(f"{GRAPH}?language=zh"))["edges"]}
        assert labels
        assert all(not label.isascii() for label in labels)


async def test_an_entity_has_passages_and_a_relation_a_sentence_in_the_documents(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        await api.indexed(HARBOUR, MERROW, BAY)
        found = (await api.get(f"{GRAPH}/passages?entity=Ada%20Merrow"))["items"]
        assert {item["title"] for item in found} == {"Lowick Harbour", "Ada Merrow"}
        for item in found:
            text = (await api.get(f"/documents/{item['document_id']}/text"))["text"]
            assert text[item["mention_start"] : item["mention_end"]] == "Ada Merrow"
            assert text[item["start"] : item["end"]] == item["text"]
        edges = [edge for edge in (await api.get(GRAPH))["edges"] if edge["confidence"] > 0]
        assert edges
        for edge in edges:
            said = (await api.get(f"{GRAPH}/evidence?source={edge['source']}&target={edge['target']}"))["items"]
            assert said
            for one in said:
                text = (await api.get(f"/documents/{one['document_id']}/text"))["text"]
                assert text[one["start"] : one["end"]] == one["sentence"]


async def test_what_is_not_the_callers_is_not_there(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        await api.indexed(HARBOUR)
        api.as_tenant("other")
        for path in (GRAPH, f"{GRAPH}/passages?entity=x", f"{GRAPH}/evidence?source=x&target=y"):
            problem(await api.http.get(f"/api/v1/knowledge{path}"), 404, "not_found")


async def test_bad_parameters_are_refused(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        await api.indexed(HARBOUR)
        for query in ("?hops=9", "?limit=0", "?limit=9999999", "?language=fr", "/passages", "/evidence?source=x"):
            answer = await api.http.get(f"/api/v1/knowledge{GRAPH}{query}")
            assert answer.status_code == 422, query


async def test_a_deleted_document_shows_nowhere_even_while_the_graph_has_not_followed(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        harbour, _ = await api.indexed(HARBOUR, MERROW)
        await api.shop.followers.close()
        await api.shop.documents.delete("t", harbour)
        shown = await api.get(GRAPH)
        assert shown["degraded"] is True
        assert "lowick harbour" not in {node["id"] for node in shown["nodes"]}
        assert (await api.get(f"{GRAPH}/passages?entity=lowick%20harbour"))["items"] == []
        assert (await api.get(f"{GRAPH}/evidence?source=lowick%20harbour&target=ada%20merrow"))["items"] == []
        await api.shop.followers.start()
        await asyncio.wait_for(api.shop.ingestor.idle(), 60)
        after = await api.get(GRAPH)
        assert after["degraded"] is False
        assert "lowick harbour" not in {node["id"] for node in after["nodes"]}
