"""What is not built yet says so, and makes nothing up."""

from __future__ import annotations

from pathlib import Path

from app.api.planned import PLANNED
from tests.parts import STRANGERS_ARE_REFUSED, bearer, served


async def test_every_planned_route_is_not_available_and_wants_a_token(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        for method, path in PLANNED:
            url = path.replace("{", "").replace("}", "")
            assert (await app.client.request(method, url)).status_code == 401, (method, path)
            answer = await app.client.request(method, url, headers=bearer())
            assert (answer.status_code, answer.json()["code"]) == (501, "not_available"), (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_planned_routes_are_documented_as_not_available(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        paths = (await app.client.get("/openapi.json")).json()["paths"]
        for method, path in PLANNED:
            assert "501" in paths[path][method.lower()]["responses"]
            assert "200" not in paths[path][method.lower()]["responses"]
