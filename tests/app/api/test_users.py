"""A user who is erased leaves nothing behind but the note that it was done."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.main import create_app
from tests.app.moods import keep_moods
from tests.parts import STRANGERS_ARE_REFUSED, ScriptedModel, bearer, served, settings

ROOT = "/api/v1/users"


async def test_an_erased_user_has_no_conversation_mood_or_profile(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        await app.chat("I am so happy today!")
        keep_moods(app.app.database.path, [(n, "joy", 0.5) for n in range(10)], "local", "local")
        await app.client.put("/api/v1/profile/local/mood", json={"recording": False})
        for _ in range(2):
            assert (await app.client.delete(f"{ROOT}/local")).status_code == 204
        found = (await app.client.get("/api/v1/profile/local")).json()
        assert (found["turns"], found["mood"]["readings"], found["mood"]["recording"]) == (0, 0, True)
        assert (await app.client.get("/api/v1/conversations")).json()["items"] == []
        noted = (await app.client.get("/api/v1/audit")).json()["items"]
        assert [(row["action"], row["target"]) for row in noted] == [("user.erase", "local")] * 2


async def test_a_running_turn_is_stopped_first(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with served(tmp_path, [model], corpus={}) as app:
        asking = asyncio.create_task(app.chat("Hello"))
        async with asyncio.timeout(10):
            while not model.requests:
                await asyncio.sleep(0.005)
        assert (await app.client.delete(f"{ROOT}/local")).status_code == 204
        assert model.closed.is_set()
        assert (await asking)[-1]["finish_reason"] == "cancelled"
        assert (await app.client.get("/api/v1/conversations")).json()["items"] == []


async def test_nobody_erases_another_without_a_scope(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        keep_moods(app.app.database.path, [(1, "joy", 0.5)], "a", "ann")
        assert (await app.client.delete(f"{ROOT}/ann")).status_code == 401
        assert (await app.client.delete(f"{ROOT}/ann", headers=bearer("a", "bob"))).status_code == 404
        assert (await app.client.delete(f"{ROOT}/ann", headers=bearer("b", "ann"))).status_code == 204
        profile = await app.client.get("/api/v1/profile", headers=bearer("a", "ann"))
        assert profile.json()["mood"]["readings"] == 1
        deputy = bearer("a", "deb", "impersonate")
        assert (await app.client.delete(f"{ROOT}/ann", headers=deputy)).status_code == 204
        profile = await app.client.get("/api/v1/profile", headers=bearer("a", "ann"))
        assert profile.json()["mood"]["readings"] == 0


def test_openapi_describes_every_status(tmp_path: Path) -> None:
    erase = create_app(settings(tmp_path)).openapi()["paths"][f"{ROOT}/{{user_id}}"]["delete"]
    assert {"204", "401", "403", "404", "503"} <= erase["responses"].keys()
