"""Nobody reads, changes or stops what is another tenant's, nor another user's talk of the same tenant."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.parts import CORPUS, STRANGERS_ARE_REFUSED, ScriptedModel, Served, bearer, events_of, served, upload

CHAT = "/api/v1/chat/stream"
ANN, BOB_OF_A, BEN_OF_B = bearer("a", "ann"), bearer("a", "bob"), bearer("b", "ben")
ANN_OF_B = bearer("b", "ann")
DEPUTY = bearer("a", "deb", "impersonate")


@asynccontextmanager
async def strangers(folder: Path, *models: ScriptedModel) -> AsyncIterator[Served]:
    async with served(folder, list(models) or None, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        yield app


async def ask(app: Served, headers: dict[str, str], message: str = "Hello", **fields: Any) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": message}], **fields}
    return await app.client.post(CHAT, json=body, headers=headers)


async def ids_of_ann(app: Served) -> dict[str, str]:
    """What Ann of tenant `a` has: a conversation with a turn, a data set and a document."""
    await upload(app.app, "a", CORPUS, "anns")
    start = events_of((await ask(app, ANN)).text)[0]
    documents = (await app.client.get("/api/v1/knowledge/datasets/anns/documents", headers=ANN)).json()["items"]
    return {
        "conversation_id": start["conversation_id"],
        "turn_id": start["turn_id"],
        "dataset_id": "anns",
        "document_id": documents[0]["id"],
    }


def plain(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """A problem without what differs from request to request."""
    return answer.status_code, {name: value for name, value in answer.json().items() if name != "request_id"}


async def test_another_tenant_s_ids_answer_like_missing_ones_on_every_route(tmp_path: Path) -> None:
    async with strangers(tmp_path) as app:
        known = await ids_of_ann(app)
        paths = (await app.client.get("/openapi.json")).json()["paths"]
        tried = 0
        for path, operations in paths.items():
            names = [name for name in known if "{" + name + "}" in path]
            for method in operations if names and "501" not in str(operations) else ():
                theirs = path.format_map(known)
                missing = path.format_map(dict.fromkeys(known, "none_0"))
                for body in ({}, {"title": "x"}):
                    foreign = await app.client.request(method, theirs, json=body, headers=BEN_OF_B)
                    absent = await app.client.request(method, missing, json=body, headers=BEN_OF_B)
                    assert foreign.status_code == 404, (method, path, foreign.text)
                    assert plain(foreign) == plain(absent)
                tried += 1
        assert tried >= 12
        assert (await ids_still_there(app, known)) == [200] * 4


async def ids_still_there(app: Served, known: dict[str, str]) -> list[int]:
    paths = (
        f"/api/v1/conversations/{known['conversation_id']}",
        f"/api/v1/turns/{known['turn_id']}/events",
        f"/api/v1/knowledge/status/{known['dataset_id']}",
        f"/api/v1/knowledge/documents/{known['document_id']}",
    )
    return [(await app.client.get(path, headers=ANN)).status_code for path in paths]


async def test_ids_in_bodies_are_no_way_round(tmp_path: Path) -> None:
    async with strangers(tmp_path) as app:
        known = await ids_of_ann(app)
        for name, field in (("conversation_id", known["conversation_id"]), ("dataset_ids", ["anns"])):
            none = ["none"] if isinstance(field, list) else "none"
            foreign = await ask(app, BEN_OF_B, **{name: field})
            assert foreign.status_code == 404
            assert plain(foreign) == plain(await ask(app, BEN_OF_B, **{name: none}))
        search = {"query": "harbour", "dataset_ids": ["anns"]}
        assert (await app.client.post("/api/v1/search/graph", json=search, headers=BEN_OF_B)).status_code == 404
        index = {"dataset_id": "anns", "index_type": "vector"}
        assert (await app.client.post("/api/v1/knowledge/index", json=index, headers=BEN_OF_B)).status_code in {
            404,
            422,
        }
        assert (await ask(app, BEN_OF_B, tenant_id="a")).status_code == 422
        assert (await ids_still_there(app, known)) == [200] * 4


async def test_lists_searches_and_answers_hold_nothing_of_another_tenant(tmp_path: Path) -> None:
    model = ScriptedModel()
    async with strangers(tmp_path, model) as app:
        await ids_of_ann(app)
        for path in ("/api/v1/conversations", "/api/v1/knowledge/datasets"):
            assert (await app.client.get(path, headers=BEN_OF_B)).json()["items"] == []
        found = await app.client.post("/api/v1/search/graph", json={"query": "Lowick harbour"}, headers=BEN_OF_B)
        assert found.json()["results"] == []
        events = events_of((await ask(app, BEN_OF_B, "When was Lowick harbour built?")).text)
        assert [event["references"] for event in events if event["type"] == "refs"] == [[]]
        assert not model.requests[-1].evidence


async def test_the_same_name_in_another_tenant_is_another_user(tmp_path: Path) -> None:
    async with strangers(tmp_path) as app:
        known = await ids_of_ann(app)
        path = f"/api/v1/conversations/{known['conversation_id']}"
        assert (await app.client.get(path, headers=ANN_OF_B)).status_code == 404
        assert (await app.client.get(path, headers={**ANN_OF_B, "X-Tenant-ID": "a"})).status_code == 403


async def test_users_of_one_tenant_do_not_read_stop_or_continue_each_other_s_talk(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with strangers(tmp_path, model) as app:
        asking = asyncio.create_task(ask(app, ANN, "My secret"))
        async with asyncio.timeout(10):
            while not model.requests:
                await asyncio.sleep(0.005)
        (turn_id,) = app.app.turns.live_ids()
        mine = (await app.client.get("/api/v1/conversations", headers=ANN)).json()["items"]
        conversation = mine[0]["id"]
        for live in (True, False):
            for method, path in (
                ("GET", f"/api/v1/turns/{turn_id}/events"),
                ("POST", f"/api/v1/turns/{turn_id}/cancel"),
                ("GET", f"/api/v1/conversations/{conversation}"),
                ("PATCH", f"/api/v1/conversations/{conversation}"),
                ("DELETE", f"/api/v1/conversations/{conversation}"),
                ("GET", f"/api/v1/conversations/{conversation}/export"),
            ):
                missing = path.replace(turn_id, "turn_none").replace(conversation, "conv_none")
                refused = await app.client.request(method, path, headers=BOB_OF_A)
                assert refused.status_code == 404, (live, method, path)
                assert plain(refused) == plain(await app.client.request(method, missing, headers=BOB_OF_A))
            for on_busy in ("reject", "enqueue", "interrupt", "rollback"):
                joined = await ask(app, BOB_OF_A, "What did Ann say?", conversation_id=conversation, on_busy=on_busy)
                assert joined.status_code == 404, (live, on_busy)
            model.let_go()
            assert events_of((await asking).text)[-1]["finish_reason"] == "stop"
        assert (await app.client.get("/api/v1/conversations", headers=BOB_OF_A)).json()["items"] == []
        assert len(model.requests) == 1


async def test_whoever_may_act_for_others_reads_and_stops_their_talk(tmp_path: Path) -> None:
    async with strangers(tmp_path) as app:
        known = await ids_of_ann(app)
        for method, path in (
            ("GET", f"/api/v1/conversations/{known['conversation_id']}"),
            ("GET", f"/api/v1/turns/{known['turn_id']}/events"),
            ("POST", f"/api/v1/turns/{known['turn_id']}/cancel"),
        ):
            assert (await app.client.request(method, path, headers=DEPUTY)).status_code == 200
        other_tenant = bearer("b", "deb", "impersonate admin")
        path = f"/api/v1/conversations/{known['conversation_id']}"
        assert (await app.client.get(path, headers=other_tenant)).status_code == 404


async def test_what_is_not_the_callers_is_404_before_its_body_is_judged(tmp_path: Path) -> None:
    async with strangers(tmp_path) as app:
        known = await ids_of_ann(app)
        path = f"/api/v1/conversations/{known['conversation_id']}"
        assert (await app.client.patch(path, json={"nonsense": 1}, headers=BEN_OF_B)).status_code == 404
        assert (await app.client.patch(path, json={"nonsense": 1}, headers=ANN)).status_code == 422
        events = f"/api/v1/turns/{known['turn_id']}/events"
        last = {"Last-Event-ID": "nonsense"}
        assert (await app.client.get(events, headers={**BEN_OF_B, **last})).status_code == 404
        assert (await app.client.get(events, headers={**ANN, **last})).status_code == 422


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_doings_of_three_tenants_stay_their_own(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with strangers(tmp_path, ScriptedModel("Yes.")) as app:
        headers = {tenant: bearer(tenant, "u") for tenant in "abc"}
        model: dict[str, dict[str, str]] = {tenant: {} for tenant in headers}
        for step in range(60):
            tenant = dice.choice("abc")
            everything = [(owner, id_) for owner, owned in model.items() for id_ in owned]
            action = dice.choice(("make", "read", "rename", "delete", "chat"))
            if action == "make" or not everything:
                made = await app.client.post(
                    "/api/v1/conversations", json={"title": str(step)}, headers=headers[tenant]
                )
                model[tenant][made.json()["id"]] = str(step)
                continue
            owner, id_ = dice.choice(everything)
            path = f"/api/v1/conversations/{id_}"
            if action == "read":
                answer = await app.client.get(path, headers=headers[tenant])
            elif action == "rename":
                answer = await app.client.patch(path, json={"title": f"r{step}"}, headers=headers[tenant])
            elif action == "delete":
                answer = await app.client.delete(path, headers=headers[tenant])
            else:
                answer = await ask(app, headers[tenant], conversation_id=id_)
            assert (answer.status_code == 404) is (owner != tenant), (step, action)
            if owner == tenant and action == "rename":
                model[tenant][id_] = f"r{step}"
            if owner == tenant and action == "delete":
                del model[tenant][id_]
        for tenant, owned in model.items():
            listed = (await app.client.get("/api/v1/conversations?limit=100", headers=headers[tenant])).json()["items"]
            assert {item["id"]: item["title"] for item in listed} == owned
