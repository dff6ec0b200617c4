"""What is known of a user, and the user's say on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from tests.app.moods import keep_moods
from tests.parts import (
    CORPUS_QUESTION,
    STRANGERS_ARE_REFUSED,
    Served,
    bearer,
    served,
    settings,
)

ROOT = "/api/v1/profile"
ANN, BOB, BEN = bearer("a", "ann"), bearer("a", "bob"), bearer("b", "ann")
DEPUTY = bearer("a", "deb", "impersonate")


@asynccontextmanager
async def app_of(folder: Path) -> AsyncIterator[Served]:
    async with served(folder, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        yield app


async def profile(app: Served, user: str = "local", headers: dict[str, str] | None = None) -> Any:
    answer = await app.client.get(f"{ROOT}/{user}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def choose(app: Served, recording: bool, user: str = "local") -> Any:
    answer = await app.client.put(f"{ROOT}/{user}/mood", json={"recording": recording})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_who_has_said_nothing_has_an_empty_profile(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        found = await profile(app)
    assert (found["user_id"], found["turns"], found["interests"], found["recent_topics"]) == ("local", 0, [], [])
    mood = found["mood"]
    assert (mood["recording"], mood["readings"], mood["trend"], mood["baseline_valence"]) == (True, 0, None, None)


async def test_what_answers_were_quoted_from_are_interests(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        await app.chat(CORPUS_QUESTION)
        await app.chat("Tell me when Lowick harbour was built")
        found = await profile(app)
        assert found["turns"] == 2
        interests = {one["name"]: one for one in found["interests"]}
        title = interests["Lowick Harbour"]
        assert (title["kind"], title["count"]) in {("document", 2), ("entity", 2)}
        assert "Ada Merrow" in interests
        assert interests["Ada Merrow"]["kind"] == "entity"
        assert interests["Ada Merrow"]["last_seen"] > "2020"
        assert "1874" not in interests
        assert {one["name"] for one in found["recent_topics"]} == set(interests)
        assert found["mood"]["readings"] == 2


async def test_a_deleted_conversation_is_gone_from_the_profile(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        start = (await app.chat(CORPUS_QUESTION))[0]
        await app.client.delete(f"/api/v1/conversations/{start['conversation_id']}")
        found = await profile(app)
        assert (found["turns"], found["interests"], found["mood"]["readings"]) == (0, [], 0)


async def test_rebuilding_gives_the_profile_as_of_then(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        before = await profile(app)
        await app.chat("Hello")
        answer = await app.client.post(f"{ROOT}/local")
        assert answer.status_code == 200
        assert answer.json()["built_at"] > before["built_at"]
        assert answer.json()["turns"] == 1


async def test_the_caller_s_own_profile_needs_no_name(tmp_path: Path) -> None:
    async with app_of(tmp_path) as app:
        assert (await app.client.get(ROOT)).status_code == 401
        assert (await app.client.get(ROOT, headers=ANN)).json()["user_id"] == "ann"


async def test_who_opts_out_has_moods_erased_and_none_recorded(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        keep_moods(app.app.database.path, [(n, "joy", 0.5) for n in range(10)], "local", "local")
        assert (await profile(app))["mood"]["trend"] == "stable"
        assert await choose(app, recording=False) == {"user_id": "local", "recording": False, "erased": 10}
        await app.chat("I am so happy today!")
        mood = (await profile(app))["mood"]
        assert (mood["recording"], mood["readings"], mood["trend"]) == (False, 0, None)
        assert (await choose(app, recording=True))["recording"] is True
        await app.chat("I am so happy today!")
        mood = (await profile(app))["mood"]
        assert (mood["recording"], mood["readings"]) == (True, 1)


async def test_forgetting_erases_moods_and_goes_on(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        await app.chat("Hello")
        for _ in range(2):
            assert (await app.client.delete(f"{ROOT}/local/mood")).status_code == 204
        assert (await profile(app))["mood"]["readings"] == 0
        await app.chat("Hello")
        assert (await profile(app))["mood"]["readings"] == 1


@pytest.mark.parametrize("body", [{}, {"recording": None}, {"recording": 1}, {"recording": True, "x": 1}, []])
async def test_a_choice_that_is_none_is_refused_and_changes_nothing(tmp_path: Path, body: object) -> None:
    async with served(tmp_path, corpus={}) as app:
        answer = await app.client.put(f"{ROOT}/local/mood", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
        assert (await profile(app))["mood"]["recording"] is True


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", ""), ("PUT", "/mood"), ("DELETE", "/mood")], ids=str
)
async def test_another_user_is_like_one_that_is_not_there(tmp_path: Path, method: str, path: str) -> None:
    async with app_of(tmp_path) as app:
        url, wrong = f"{ROOT}/ann{path}", {"wrong": 1}
        assert (await app.client.request(method, url, json=wrong)).status_code == 401
        refused = await app.client.request(method, url, json=wrong, headers=BOB)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
        for headers in (ANN, DEPUTY, BEN):
            answer = await app.client.request(method, url, json={"recording": False}, headers=headers)
            assert answer.status_code in {200, 204}


async def test_tenants_share_no_user(tmp_path: Path) -> None:
    async with app_of(tmp_path) as app:
        keep_moods(app.app.database.path, [(1, "joy", 0.5)], "a", "ann")
        await app.client.put(f"{ROOT}/ann/mood", json={"recording": False}, headers=BEN)
        mood = (await profile(app, "ann", ANN))["mood"]
        assert (mood["recording"], mood["readings"]) == (True, 1)


async def test_paths_without_a_version_are_the_same_routes(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        for path in ("/api/profile", "/api/profile/local"):
            assert (await app.client.get(path)).status_code == 200
        assert (await app.client.post("/api/profile/local")).status_code == 200


def test_openapi_describes_every_status(tmp_path: Path) -> None:
    paths = create_app(settings(tmp_path)).openapi()["paths"]
    for method in ("get", "post"):
        assert {"200", "401", "403", "404", "503"} <= paths[f"{ROOT}/{{user_id}}"][method]["responses"].keys()
    chosen = paths[f"{ROOT}/{{user_id}}/mood"]["put"]["responses"]
    assert {"200", "400", "401", "403", "404", "408", "413", "415", "422", "503"} <= chosen.keys()
    assert "/api/profile/{user_id}" not in paths
