"""Health, metrics and the API's documentation."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from app.api.page import FILES
from app.main import create_app
from app.observability.health import PartHealth, overall
from tests.parts import served, settings
from tools.stores.database import Database

ROOT = Path(__file__).parents[3]


async def test_a_running_app_is_live_started_and_ready(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        assert (await app.client.get("/health/live")).json() == {"status": "ok"}
        assert (await app.client.get("/health/startup")).json() == {"status": "ok"}
        ready = await app.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")
        assert {name: part["status"] for name, part in ready.json()["parts"].items()} == {
            "store": "ok",
            "embedder": "ok",
            "graph_store": "ok",
            "intent_model": "ok",
            "emotion_model": "ok",
            "chat_model": "ok",
        }
        assert (await app.client.get("/health")).json() == ready.json()


async def test_without_its_store_no_turn_can_be_served(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        await app.app.database.close()
        ready = await app.client.get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["store"]["status"]) == (503, "down")
        assert (await app.client.get("/health/live")).status_code == 200
        refused = await app.client.get("/api/v1/conversations")
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert refused.headers["retry-after"].isdecimal()
        reopened = Database(app.app.database.path)
        await reopened.close()


async def test_without_the_encoder_the_app_is_degraded_and_still_answers(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        await app.app.embedder.close()
        ready = await app.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert (await app.chat("When was Lowick harbour built?"))[-1]["type"] == "done"


def test_a_part_that_is_not_needed_degrades_and_one_that_is_brings_down() -> None:
    fine = PartHealth("ok", needed=True)
    assert overall({"a": fine, "b": PartHealth("ok", needed=False)}) == "ok"
    assert overall({"a": fine, "b": PartHealth("down", needed=False)}) == "degraded"
    assert overall({"a": PartHealth("degraded", needed=True)}) == "degraded"
    assert overall({"a": PartHealth("down", needed=True)}) == "down"


async def test_metrics_count_turns_and_steps_by_engine_and_variant(tmp_path: Path) -> None:
    async with served(tmp_path) as app:
        await app.chat("When was Lowick harbour built?")
        text = (await app.client.get("/metrics")).text
        assert 'zhiyin_turns_total{engine="langgraph",outcome="stop",variant="langgraph"} 1.0' in text
        assert 'zhiyin_step_seconds_count{component="answer.generate",engine="langgraph"' in text
        assert "zhiyin_turns_in_flight 0.0" in text


async def test_the_documentation_is_served_from_our_own_files(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        docs = await app.client.get("/docs")
        assert docs.status_code == 200
        assert "http" not in docs.text
        assert "script-src" not in docs.headers["content-security-policy"]
        assert "default-src 'self'" in docs.headers["content-security-policy"]
        for file in ("vendor/swagger/swagger-ui-bundle.js", "vendor/swagger/swagger-ui.css", "scripts/docs.js"):
            assert f"/page/{file}" in docs.text
            assert (await app.client.get(f"/page/{file}")).status_code == 200


def test_swagger_ui_is_the_one_that_notice_names() -> None:
    notice = (ROOT / "NOTICE").read_text()
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert hashlib.sha256((FILES / "vendor/swagger" / name).read_bytes()).hexdigest() in notice


def schema_of(folder: Path) -> dict[str, Any]:
    return create_app(settings(folder)).openapi()


def test_every_route_is_documented_with_its_problems(tmp_path: Path) -> None:
    api = create_app(settings(tmp_path))
    schema = api.openapi()
    assert schema["openapi"].startswith("3.")
    operations = {(path, method): found for path, item in schema["paths"].items() for method, found in item.items()}
    assert len({found["operationId"] for found in operations.values()}) == len(operations)
    assert len(operations) > 45
    for (path, method), found in operations.items():
        statuses = set(found["responses"])
        assert path_parameters(found) == set(re.findall(r"{(\w+)}", path)), (method, path)
        assert found.get("description") or found.get("summary")
        if not path.startswith(("/api/", "/v1/")):
            continue
        assert {"401", "403", "503"} <= statuses, (method, path)
        assert "{" not in path or statuses & {"404", "501"}, (method, path)
        assert "requestBody" not in found or {"400", "408", "413", "415", "422"} <= statuses, (method, path)
        for status in statuses - {"200", "201", "202", "204"}:
            kinds = found["responses"][status]["content"]
            assert kinds["application/problem+json"]["schema"]["$ref"].endswith("/Problem"), (method, path, status)


def path_parameters(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}


def test_every_reference_of_the_schema_leads_somewhere(tmp_path: Path) -> None:
    schema = schema_of(tmp_path)
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    used = set(references(schema))
    assert used
    assert used <= known


def references(part: object) -> list[str]:
    if isinstance(part, dict):
        found = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return found + [name for value in part.values() for name in references(value)]
    return [name for value in part for name in references(value)] if isinstance(part, list) else []
