"""How messages feel, and a user's mood over days."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from tests.app.moods import keep_moods
from tests.parts import STRANGERS_ARE_REFUSED, Served, bearer, served, settings

ROOT = "/api/v1/cognitive/emotion"
ANN, BOB, BEN = bearer("a", "ann"), bearer("a", "bob"), bearer("b", "ann")
DEPUTY = bearer("a", "deb", "impersonate")
FIELDS = {
    "primary_emotion",
    "primary_score",
    "all_emotions",
    "sentiment",
    "ekman",
    "plutchik",
    "intensity",
    "valence",
    "arousal",
    "is_sarcastic",
    "sarcasm_confidence",
    "mixed_emotions",
    "confidence",
    "decided_by",
    "sentiment_scores",
    "ekman_scores",
    "plutchik_scores",
}


@asynccontextmanager
async def app_of(folder: Path) -> AsyncIterator[Served]:
    async with served(folder, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        yield app


async def trajectory(app: Served, user: str = "local", headers: dict[str, str] | None = None, **query: Any) -> Any:
    answer = await app.client.get(f"{ROOT}/{user}/trajectory", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_text_is_read_with_every_field_of_the_contract(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        answer = await app.client.post(ROOT, json={"user_id": "u1", "text": "I am so happy today!"})
    assert answer.status_code == 200
    found = answer.json()
    assert found.keys() == FIELDS
    assert found["valence"] > 0
    assert {type(found[name]) for name in ("sentiment", "ekman", "plutchik", "primary_emotion")} == {str}


async def test_many_texts_are_read_in_their_order(tmp_path: Path) -> None:
    texts = ["I am so happy today!", "", "这太让人难过了", "🎐", "  ", "x" * 100_000]
    async with served(tmp_path, corpus={}) as app:
        answer = await app.client.post(ROOT, json={"texts": texts})
    results = answer.json()["results"]
    assert [result.keys() for result in results] == [FIELDS] * len(texts)
    assert results[0]["valence"] > 0 > results[2]["valence"]


async def test_the_reading_of_a_named_user_joins_the_users_trajectory_and_no_other_does(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        for body in ({"user_id": "u1", "text": "Great!"}, {"text": "Great!"}, {"texts": ["Great!"]}):
            assert (await app.client.post(ROOT, json=body)).status_code == 200
        (point,) = (await trajectory(app, "u1"))["trajectory"]
        assert point["turn_id"] is None
        assert (await trajectory(app))["trajectory"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": "u"},
        {"text": None},
        {"text": 7},
        {"text": "x", "more": 1},
        {"text": "x", "user_id": ""},
        {"texts": []},
        {"texts": ["x"] * 257},
        {"texts": ["x", 7]},
        {"texts": "x"},
        {"texts": ["x"], "user_id": "u"},
        {"texts": ["x"], "text": "x"},
        [],
        None,
    ],
)
async def test_a_body_that_is_neither_one_text_nor_some_is_refused_and_not_echoed(tmp_path: Path, body: object) -> None:
    async with served(tmp_path, corpus={}) as app:
        answer = await app.client.post(ROOT, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
        assert (await trajectory(app, "u"))["trajectory"] == []


async def test_reading_for_another_user_needs_a_scope(tmp_path: Path) -> None:
    async with app_of(tmp_path) as app:
        body = {"user_id": "ann", "text": "Great!"}
        assert (await app.client.post(ROOT, json=body)).status_code == 401
        refused = await app.client.post(ROOT, json=body, headers=BOB)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        for headers in (ANN, DEPUTY):
            assert (await app.client.post(ROOT, json=body, headers=headers)).status_code == 200
        assert len((await trajectory(app, "ann", ANN))["trajectory"]) == 2


async def test_each_turn_leaves_a_point_as_its_event_told_it(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        events = await app.chat("I am so happy today!", user_id="u1")
        emotion = next(event for event in events if event["type"] == "emotion")
        found = await trajectory(app, "u1")
    (point,) = found["trajectory"]
    assert point["turn_id"] == events[0]["turn_id"]
    assert point["primary_emotion"] == emotion["label"]
    told = ("valence", "arousal", "intensity", "confidence", "decided_by")
    assert [point[name] for name in told] == [emotion[name] for name in told]
    assert found["recording"] is True


async def test_a_deleted_conversation_takes_its_points_along(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        start = (await app.chat("I am so happy today!"))[0]
        await app.chat("How sad.")
        await app.client.delete(f"/api/v1/conversations/{start['conversation_id']}")
        (point,) = (await trajectory(app))["trajectory"]
        assert point["turn_id"] != start["turn_id"]


async def test_figures_that_readings_are_too_few_for_are_null_and_named(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        found = await trajectory(app)
        withheld = {"baseline_valence", "valence_std", "baseline_arousal", "volatility", "trend", "slope", "trend_line"}
        assert all(found[name] is None for name in withheld)
        assert found["change_points"] == found["dominant_emotions"] == []
        assert set(found["insufficient"]) == {*withheld, "change_points", "expected_next"}


async def test_weeks_of_improvement_are_told_as_such(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        rising = [(29 - day, "sadness" if day < 15 else "joy", -0.7 + day / 20 + day % 3 / 20) for day in range(30)]
        keep_moods(app.app.database.path, rising, "local", "local")
        found = await trajectory(app)
        assert found["trend"] == "improving"
        low, high = found["slope_interval"]
        assert low < 0.05 < high
        assert low <= found["slope"] <= high
        assert found["trend_line"][0] < found["trend_line"][1]
        assert found["insufficient"] == []
        assert [e["emotion"] for e in found["dominant_emotions"]] == ["joy", "sadness"]
        assert sum(e["share"] for e in found["dominant_emotions"]) == pytest.approx(1)
        low, high = found["expected_next"]["valence_interval"]
        assert low <= found["expected_next"]["valence"] <= high
        week = await trajectory(app, days=7)
        assert len(week["trajectory"]) == 7
        assert week["trend"] is None


async def test_of_very_many_readings_the_newest_are_shown(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        keep_moods(app.app.database.path, [(n / 100, "joy", 0.5) for n in range(2_100)], "local", "local")
        points = (await trajectory(app))["trajectory"]
        assert len(points) == 2_000
        assert [point["at"] for point in points] == sorted(point["at"] for point in points)
        assert points[-1]["at"] > (await trajectory(app, days=1))["trajectory"][0]["at"]


@pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1.5", ""])
async def test_a_window_out_of_range_is_refused(tmp_path: Path, days: str) -> None:
    async with served(tmp_path, corpus={}) as app:
        answer = await app.client.get(f"{ROOT}/local/trajectory", params={"days": days})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_another_user_s_trajectory_is_like_one_that_is_not_there(tmp_path: Path) -> None:
    async with app_of(tmp_path) as app:
        await app.client.post(ROOT, json={"user_id": "ann", "text": "Great!"}, headers=ANN)
        url = f"{ROOT}/ann/trajectory"
        assert (await app.client.get(url, params={"days": "x"})).status_code == 401
        for user in ("ann", "nobody"):
            refused = await app.client.get(f"{ROOT}/{user}/trajectory", params={"days": "x"}, headers=BOB)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
        assert len((await trajectory(app, "ann", DEPUTY))["trajectory"]) == 1
        assert (await trajectory(app, "ann", BEN))["trajectory"] == []


async def test_paths_without_a_version_are_the_same_routes(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as app:
        assert (await app.client.post("/api/cognitive/emotion", json={"text": "Great!"})).status_code == 200
        assert (await app.client.get("/api/cognitive/emotion/local/trajectory")).status_code == 200


def test_openapi_describes_both_bodies_and_every_status(tmp_path: Path) -> None:
    paths = create_app(settings(tmp_path)).openapi()["paths"]
    read = paths[ROOT]["post"]
    assert len(read["requestBody"]["content"]["application/json"]["schema"]["oneOf"]) == 2
    assert {"200", "400", "401", "403", "408", "413", "415", "422", "503"} <= read["responses"].keys()
    over_time = paths[f"{ROOT}/{{user_id}}/trajectory"]["get"]
    assert {"200", "401", "403", "404", "422", "503"} <= over_time["responses"].keys()
    assert "/api/cognitive/emotion" not in paths
