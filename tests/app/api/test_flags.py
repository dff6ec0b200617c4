"""Flags and audit over HTTP, with the real door, the real flags and the real audit table."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI

from app import errors
from app.api import flags as routes
from app.auth import Authenticator
from app.limits import Door
from app.settings import KNOWN_NAMES
from flags.source import FlagSource
from flags.values import FLAG_NAMES
from tools.errors import StoreUnavailable
from tools.stores.audit import SqlAuditStore
from tools.stores.database import Database

SECRET = "q7Zr2mXw9LkT4vBn8HsYc3JdFgPa6EuR"


@dataclass(frozen=True, slots=True)
class Served:
    """The routes behind the door, and the flags behind the routes."""

    client: httpx.AsyncClient
    flags: FlagSource
    audit: SqlAuditStore

    async def actions(self) -> list[tuple[str, str]]:
        rows = (await self.client.get("/api/v1/audit")).json()["items"]
        return [(row["action"], row["target"]) for row in rows]


@asynccontextmanager
async def served(folder: Path, secret: str | None = None, **environ: str) -> AsyncIterator[Served]:
    flags = FlagSource(folder / ".env", folder / "flags.json", environ, KNOWN_NAMES)
    database = Database(folder / "zhiyin.db")
    audit = SqlAuditStore(database)
    api = FastAPI()
    api.include_router(routes.router)
    api.state.app = SimpleNamespace(flags=flags, audit=audit)
    errors.install(api)
    door = Door(api, Authenticator(secret, None, None), 2**20, 2**20)
    transport = httpx.ASGITransport(door)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Served(client, flags, audit)
    finally:
        await flags.close()
        await database.close()


def token(scope: str, tenant: str = "north") -> dict[str, str]:
    claims = {"sub": "anna", "tenant_id": tenant, "aud": "zhiyin", "exp": time.time() + 60, "scope": scope}
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET)}"}


async def test_flags_are_listed_with_their_sources(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COORDINATOR_ENGINE=legacy\n")
    async with served(tmp_path, AB_TRAFFIC_SPLIT="0.5") as app:
        items = (await app.client.get("/api/v1/flags")).json()["items"]
    seen = {item["name"]: (item["value"], item["source"]) for item in items}
    assert set(seen) == set(FLAG_NAMES)
    assert seen["COORDINATOR_ENGINE"] == ("legacy", ".env")
    assert seen["AB_TRAFFIC_SPLIT"] == (0.5, "environment")
    assert seen["KILL_SWITCH"] == (False, "default")
    assert all(item["doc"] for item in items)


async def test_a_flag_is_set_at_once_and_taken_back_with_null(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        answer = await app.client.put("/api/v1/flags/coordinator_engine", json={"value": "graph"})
        assert answer.status_code == 200
        assert (answer.json()["value"], answer.json()["source"]) == ("langgraph", "override")
        assert app.flags.current().coordinator_engine == "langgraph"
        assert json.loads((tmp_path / "flags.json").read_bytes()) == {"COORDINATOR_ENGINE": "langgraph"}
        answer = await app.client.put("/api/v1/flags/COORDINATOR_ENGINE", json={"value": None})
        assert answer.json()["source"] == "default"
        assert json.loads((tmp_path / "flags.json").read_bytes()) == {}


async def test_the_kill_switch_is_one_request(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        await app.client.put("/api/v1/flags/kill_switch", json={"value": True})
        _, decision = app.flags.decide("anybody")
    assert (decision.engine, decision.reason) == ("legacy", "DISABLED")


async def test_several_flags_are_set_all_or_none(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        good = {"AB_TESTING_ENABLED": True, "AB_TRAFFIC_SPLIT": 0.1}
        answer = await app.client.put("/api/v1/flags", json=good)
        assert [(item["name"], item["value"]) for item in answer.json()["items"]] == list(good.items())
        for bad in ({"KILL_SWITCH": True, "AB_TRAFFIC_SPLIT": 2}, {"KILL_SWITCH": True, "AB_TRAFIC_SPLIT": 0.2}):
            answer = await app.client.put("/api/v1/flags", json=bad)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
            assert "AB_TRAFFIC_SPLIT" in answer.json()["detail"]
        assert not app.flags.current().kill_switch
        assert app.flags.current().ab_traffic_split == 0.1
        assert len(await app.actions()) == 2


async def test_every_change_leaves_a_row_that_says_who_and_what(tmp_path: Path) -> None:
    async with served(tmp_path, SECRET) as app:
        headers = token("admin") | {"X-Request-ID": "req-7"}
        await app.client.put("/api/v1/flags/ab_traffic_split", json={"value": 0.25}, headers=headers)
        page = (await app.client.get("/api/v1/audit", headers=headers)).json()
    (row,) = page["items"]
    assert row.pop("at").endswith("Z")
    assert row == {
        "principal": "anna",
        "action": "flag.set",
        "target": "AB_TRAFFIC_SPLIT",
        "before": {"value": 0.0, "source": "default"},
        "after": {"value": 0.25, "source": "override"},
        "request_id": "req-7",
    }
    assert page["next_cursor"] is None


async def test_the_audit_is_paged_newest_first_and_each_tenants_own(tmp_path: Path) -> None:
    async with served(tmp_path, SECRET) as app:
        for share in (0.1, 0.2, 0.3):
            await app.client.put("/api/v1/flags/ab_traffic_split", json={"value": share}, headers=token("admin"))
        shares: list[float] = []
        cursor: str | None = None
        while len(shares) < 3:
            params: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await app.client.get("/api/v1/audit", params=params, headers=token("admin"))).json()
            shares += [row["after"]["value"] for row in page["items"]]
            cursor = page["next_cursor"]
        assert (shares, cursor) == ([0.3, 0.2, 0.1], None)
        other = await app.client.get("/api/v1/audit", headers=token("admin", tenant="south"))
        assert other.json()["items"] == []
        bad = await app.client.get("/api/v1/audit", params={"cursor": "nonsense"}, headers=token("admin"))
        assert bad.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/flags", None),
        ("PUT", "/api/v1/flags", {"NOTHING": 1}),
        ("PUT", "/api/v1/flags/kill_switch", {"wrong": True}),
        ("PUT", "/api/v1/flags/no_such_flag", {"value": True}),
        ("GET", "/api/v1/audit", None),
    ],
)
async def test_only_admins_come_in_and_others_learn_nothing(
    tmp_path: Path, method: str, path: str, body: dict[str, Any] | None
) -> None:
    async with served(tmp_path, SECRET) as app:
        answer = await app.client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (401, "auth_missing")
        answer = await app.client.request(method, path, json=body, headers=token("impersonate"))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert await app.audit.list("north", 10, None) == await app.audit.list("south", 10, None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"value": "lagacy"}, 422),
        ({"value": 1}, 422),
        ({"value": ["legacy"]}, 422),
        ({"value": "legacy", "more": 1}, 422),
        ({}, 422),
    ],
)
async def test_a_bad_value_is_refused_and_never_echoed(tmp_path: Path, body: dict[str, Any], status: int) -> None:
    async with served(tmp_path) as app:
        answer = await app.client.put("/api/v1/flags/coordinator_engine", json=body)
        assert answer.status_code == status
        assert "lagacy" not in answer.text
        assert await app.actions() == []


async def test_an_unknown_flag_is_not_found_before_its_value_is_looked_at(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        answer = await app.client.put("/api/v1/flags/coordinatr_engine", json={"wrong": 1})
    assert answer.status_code == 404
    assert "COORDINATOR_ENGINE" in answer.json()["detail"]


async def test_nothing_changes_that_cannot_be_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path) as app:

        async def refuse(*_: object) -> None:
            raise StoreUnavailable("The database is locked.")

        monkeypatch.setattr(app.audit, "append", refuse)
        answer = await app.client.put("/api/v1/flags/kill_switch", json={"value": True})
        assert answer.status_code == 503
        assert not app.flags.current().kill_switch


async def test_a_change_that_cannot_be_kept_is_refused_and_recorded(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        (tmp_path / "flags.json").write_text("{")
        answer = await app.client.put("/api/v1/flags/kill_switch", json={"value": True})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        (tmp_path / "flags.json").unlink()
        (tmp_path / "flags.json").mkdir()
        answer = await app.client.put("/api/v1/flags/kill_switch", json={"value": True})
        assert answer.status_code == 503
        assert not app.flags.current().kill_switch
        assert await app.actions() == [("flag.set_failed", "KILL_SWITCH"), ("flag.set", "KILL_SWITCH")] * 2
