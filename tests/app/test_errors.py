"""Problem details: which status each error has, and what their bodies hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import orjson
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, field_validator
from starlette.exceptions import HTTPException

import app.errors
import tools.errors
from app.errors import (
    TITLES,
    Forbidden,
    Malformed,
    RequestTimeout,
    Unauthenticated,
    UnsupportedMediaType,
    install,
    problem_of,
    responses,
    status_of,
)
from tools.errors import (
    Conflict,
    InvalidInput,
    NotAvailable,
    NotFound,
    StoreUnavailable,
    TooLarge,
    TurnInProgress,
    UpstreamMalformed,
    ZhiyinError,
)


def all_errors(root: type[ZhiyinError] = ZhiyinError) -> Iterator[type[ZhiyinError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from all_errors(kind)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Malformed, 400),
        (Unauthenticated, 401),
        (Forbidden, 403),
        (NotFound, 404),
        (RequestTimeout, 408),
        (Conflict, 409),
        (TurnInProgress, 409),
        (TooLarge, 413),
        (UnsupportedMediaType, 415),
        (InvalidInput, 422),
        (NotAvailable, 501),
        (StoreUnavailable, 503),
        (UpstreamMalformed, 503),
        (ZhiyinError, 500),
    ],
)
def test_each_error_has_its_status(error: type[ZhiyinError], status: int) -> None:
    assert status_of(error("x")) == status


def test_every_error_has_a_status_of_its_own_or_its_parent_s_and_a_stable_code() -> None:
    kinds = [kind for kind in all_errors() if kind.__module__ in {tools.errors.__name__, app.errors.__name__}]
    assert len(kinds) > 12
    for kind in kinds:
        assert status_of(kind("x")) in TITLES
        assert status_of(kind("x")) != 500
        assert re.fullmatch(r"[a-z][a-z0-9_.]*", kind.code)


def test_a_problem_says_which_request_it_answers_and_when_to_come_again() -> None:
    answer = problem_of(StoreUnavailable("The disk is full.", code="disk_full"), "r1")
    assert answer.media_type == "application/problem+json"
    assert answer.headers["retry-after"].isdecimal()
    assert orjson.loads(answer.body) == {
        "type": "about:blank",
        "title": "Unavailable",
        "status": 503,
        "code": "disk_full",
        "detail": "The disk is full.",
        "request_id": "r1",
    }
    assert problem_of(Unauthenticated("x"), "r1").headers["www-authenticate"].startswith("Bearer")


def test_documented_problems_name_their_schema() -> None:
    described = responses(404, 422)
    assert list(described) == [404, 422]
    assert described[404]["model"] is app.errors.Problem


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: str
    size: int = 0

    @field_validator("colour")
    @classmethod
    def _known(cls, colour: str) -> str:
        if colour not in {"red", "blue"}:
            raise ValueError(f"{colour} is no colour")
        return colour


def client() -> httpx.AsyncClient:
    api = FastAPI()
    install(api)

    @api.post("/paint")
    async def paint(body: Body) -> None:
        """Do nothing."""

    @api.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "secret words", headers={"X-Tea": "green"})

    async def with_id(scope: dict[str, object], receive: object, send: object) -> None:
        scope["request_id"] = "r1"
        await api(scope, receive, send)  # type: ignore[arg-type]

    return httpx.AsyncClient(transport=httpx.ASGITransport(with_id), base_url="http://x")  # type: ignore[arg-type]


async def test_field_problems_name_the_field_and_never_its_value() -> None:
    async with client() as http:
        answer = await http.post("/paint", json={"colour": "mauve-and-secret", "size": "hidden-size"})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "invalid_input")
    assert [problem["loc"] for problem in body["errors"]] == [["body", "colour"], ["body", "size"]]
    assert all(set(problem) == {"loc", "code", "message"} for problem in body["errors"])
    assert "mauve" not in answer.text
    assert "hidden" not in answer.text


async def test_a_made_up_key_is_not_sent_back() -> None:
    async with client() as http:
        answer = await http.post("/paint", json={"colour": "red", "my secret is": 1, "x" * 65: 1, "size": "large"})
    found = sorted(problem["loc"] for problem in answer.json()["errors"])
    assert found == [["body", "size"], ["body", "…"], ["body", "…"]]
    assert "secret" not in answer.text


async def test_a_thousand_faults_are_not_a_thousand_lines() -> None:
    async with client() as http:
        answer = await http.post("/paint", json=["x"] * 1_000)
    assert len(answer.json()["errors"]) <= 50


async def test_other_http_errors_are_problems_without_their_words_but_with_their_headers() -> None:
    async with client() as http:
        answer = await http.get("/teapot")
        missing = await http.get("/nothing")
        wrong = await http.get("/paint")
    assert (answer.status_code, answer.headers["x-tea"]) == (418, "green")
    assert "secret" not in answer.text
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"
