"""Conversations: made, listed in pages, read, renamed, deleted, exported."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.parts import CORPUS_ANSWER, CORPUS_QUESTION, ScriptedModel, served

ROOT = "/api/v1/conversations"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


async def test_a_conversation_is_made_renamed_read_and_deleted(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        made = await app.client.post(ROOT, json={"title": "Tea"})
        assert made.status_code == 201
        path = f"{ROOT}/{made.json()['id']}"
        assert TIME.fullmatch(made.json()["created_at"])
        renamed = await app.client.patch(path, json={"title": "龙井茶"})
        assert (renamed.status_code, renamed.json()["title"]) == (200, "龙井茶")
        read = (await app.client.get(path)).json()
        assert (read["title"], read["messages"], read["running_turn_id"]) == ("龙井茶", [], None)
        assert (await app.client.delete(path)).status_code == 204
        assert (await app.client.get(path)).status_code == 404
        assert (await app.client.delete(path)).status_code == 404


async def test_a_conversation_can_be_made_without_a_body(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        assert (await app.client.post(ROOT)).status_code == 201


async def test_messages_carry_their_turn_and_their_citations(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        start, *_, done = await app.chat(CORPUS_QUESTION)
        path = f"{ROOT}/{start['conversation_id']}"
        read = (await app.client.get(path)).json()
        assert read["title"] == CORPUS_QUESTION
        question, answer = read["messages"]
        assert (question["role"], question["content"]) == ("user", CORPUS_QUESTION)
        assert (answer["role"], answer["content"], answer["status"]) == ("assistant", CORPUS_ANSWER, "complete")
        assert answer["turn_id"] == question["turn_id"] == start["turn_id"]
        assert answer["citations"] == done["citations"]


async def test_pages_hold_every_conversation_once_latest_activity_first(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        made = [(await app.client.post(ROOT, json={"title": str(n)})).json()["id"] for n in range(5)]
        await app.chat("Hello", conversation_id=made[1])
        found: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = (await app.client.get(ROOT, params=query)).json()
            assert len(page["items"]) <= 2
            found += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert found == [made[1], made[4], made[3], made[2], made[0]]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "cursor=%F0%9F%8D%B5"])
async def test_bad_pages_are_refused(tmp_path: Path, query: str) -> None:
    async with served(tmp_path, corpus={}) as app:
        assert (await app.client.get(f"{ROOT}?{query}")).status_code == 422


@pytest.mark.parametrize(
    "body",
    [{}, {"title": ""}, {"title": "x" * 201}, {"title": 7}, {"title": None}, {"title": "x", "user_id": "bob"}, []],
)
async def test_bad_titles_are_refused_and_change_nothing(tmp_path: Path, body: object) -> None:
    async with served(tmp_path, corpus={}) as app:
        made = (await app.client.post(ROOT, json={"title": "Tea"})).json()["id"]
        assert (await app.client.patch(f"{ROOT}/{made}", json=body)).status_code == 422
        assert (await app.client.get(f"{ROOT}/{made}")).json()["title"] == "Tea"
        assert (await app.client.patch(f"{ROOT}/conv_none", json=body)).status_code == 404


async def test_deleting_stops_the_running_turn_and_takes_all_that_came_of_it(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with served(tmp_path, [model], corpus={}) as app:
        asking = asyncio.create_task(app.chat("Hello"))
        async with asyncio.timeout(10):
            while not model.requests:
                await asyncio.sleep(0.005)
        (conversation,) = (await app.client.get(ROOT)).json()["items"]
        path = f"{ROOT}/{conversation['id']}"
        turn_id = (await app.client.get(path)).json()["running_turn_id"]
        assert (await app.client.delete(path)).status_code == 204
        assert model.closed.is_set()
        assert (await asking)[-1]["finish_reason"] == "cancelled"
        for gone in (path, f"{path}/export", f"/api/v1/turns/{turn_id}/events"):
            assert (await app.client.get(gone)).status_code == 404
        assert (await app.client.get(ROOT)).json()["items"] == []


async def test_an_export_is_a_file_with_all_messages(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        start = (await app.chat("Hello"))[0]
        answer = await app.client.get(f"{ROOT}/{start['conversation_id']}/export")
        assert answer.headers["content-disposition"] == f'attachment; filename="{start["conversation_id"]}.json"'
        assert [message["content"] for message in answer.json()["messages"]] == ["Hello", CORPUS_ANSWER]
        assert answer.json()["id"] == start["conversation_id"]
