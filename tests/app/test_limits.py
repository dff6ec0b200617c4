"""The door: what is let in, what is kept out, and the id that stands on every answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

import app.limits
from app.auth import Authenticator
from app.errors import Malformed
from app.limits import Door, check_json
from tests.parts import Served, served
from tools.errors import InvalidInput

JSON = {"content-type": "application/json"}


async def raw(served: Served, *pieces: bytes, every_seconds: float = 0) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are and read one answer: its status, headers and body."""
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writing = asyncio.create_task(write(writer, pieces, every_seconds))
    try:
        async with asyncio.timeout(10):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split()[1]), headers, body
    finally:
        writing.cancel()
        writer.transport.abort()
        await asyncio.gather(writing, writer.wait_closed(), return_exceptions=True)


async def write(writer: asyncio.StreamWriter, pieces: Iterable[bytes], every_seconds: float) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(every_seconds)


def post(*headers: str, path: str = "/api/v1/conversations") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def test_a_chunked_body_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.limits, "BODY_TIMEOUT_SECONDS", 0.2)
    async with served(tmp_path, corpus={}) as zhiyin:
        status, headers, body = await raw(zhiyin, post("Transfer-Encoding: chunked"), b'a\r\n{"title":"\r\n')
        assert status == 408
        assert b'"request_timeout"' in body
        assert headers["x-request-id"].encode() in body
        status, _, _ = await raw(zhiyin, post("Content-Length: 100"), b"{")
        assert status == 408


async def test_a_body_that_trickles_does_not_outlive_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.limits, "BODY_TIMEOUT_SECONDS", 0.3)

    drops = [b"1\r\nx\r\n"] * 500
    async with served(tmp_path, corpus={}) as zhiyin:
        head = post("Transfer-Encoding: chunked")
        status, _, _ = await asyncio.wait_for(raw(zhiyin, head, *drops, every_seconds=0.02), 5)
        assert status == 408


async def test_an_upload_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.limits, "BODY_TIMEOUT_SECONDS", 0.2)
    async with served(tmp_path, corpus={}) as zhiyin:
        head = post("Transfer-Encoding: chunked", path="/api/v1/knowledge/upload").replace(
            b"application/json", b"multipart/form-data; boundary=b"
        )
        status, _, body = await raw(zhiyin, head, b"5\r\n--b\r\n\r\n")
        assert (status, b'"request_timeout"' in body) == (408, True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("req-7", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("", False),
        ("a b", False),
        ("知", False),
        ("<i>", False),
    ],
)
async def test_a_request_id_is_echoed_if_it_is_one(given: str, kept: bool) -> None:
    async with door() as client:
        answer = await client.get("/", headers={"x-request-id": given.encode()})
    found = answer.headers["x-request-id"]
    assert (found == given) is kept
    assert kept or re.fullmatch(r"req_[0-9a-f]{32}", found)


async def test_line_breaks_in_a_request_id_reach_no_header() -> None:
    async with door() as client:
        answer = await client.get("/", headers={b"x-request-id": b"a\r\nset-cookie: stolen=1"})
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-request-id"].startswith("req_")


async def test_every_answer_carries_its_request_id_and_forbids_sniffing(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as zhiyin:
        for method, path, content in (
            ("GET", "/", None),
            ("GET", "/health/live", None),
            ("GET", "/metrics", None),
            ("GET", "/api/v1/nothing", None),
            ("PUT", "/api/v1/conversations", None),
            ("OPTIONS", "/api/v1/conversations", None),
            ("HEAD", "/api/v1/conversations", None),
            ("POST", "/api/v1/conversations", b"{"),
            ("POST", "/api/v1/conversations", b"x" * 2**21),
            ("GET", "/page/nothing.js", None),
        ):
            answer = await zhiyin.client.request(method, path, content=content, headers={"x-request-id": "r1", **JSON})
            assert answer.headers["x-request-id"] == "r1", (method, path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32"),
        b'{"title":"\xc0\xaf"}',
        b'{"title":"\xed\xa0\x80"}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 1_025 + b"1" + b"}" * 1_025,
        b"1" * 10_000,
        b"{'title': 1}",
        b'{"title": 01}',
        b'{"title": "\x00"}',
        b"{} {}",
        b"\x00",
        b" ",
    ],
)
def test_what_is_not_json_in_utf8_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        check_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b"NaN",
        b'{"a":Infinity}',
        b"[-Infinity]",
        b'{"a":1e999}',
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b'{"a":"\\ud83d"}',
    ],
)
def test_values_that_cannot_be_kept_are_invalid(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        check_json(body)


@pytest.mark.parametrize(
    "body", [b"{}", b"-0", b'"\\u0000"', "知音".join('""').encode(), b'{"a":1,"a":2}', b"[" * 150 + b"]" * 150]
)
def test_other_json_passes(body: bytes) -> None:
    check_json(body)


async def test_of_a_key_that_is_given_twice_the_last_one_counts(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as zhiyin:
        answer = await zhiyin.client.post(
            "/api/v1/conversations", content=b'{"title":"first","title":"last"}', headers=JSON
        )
        assert (answer.status_code, answer.json()["title"]) == (201, "last")


@pytest.mark.parametrize("depth", [300, 950, 1_020, 1_030, 100_000])
async def test_deep_nesting_is_a_fault_of_the_caller(tmp_path: Path, depth: int) -> None:
    async with served(tmp_path, corpus={}) as zhiyin:
        body = b'{"title":' + b"[" * depth + b"]" * depth + b"}"
        answer = await zhiyin.client.post("/api/v1/conversations", content=body, headers=JSON)
        assert answer.status_code in {400, 422}


async def test_nul_and_other_odd_characters_are_kept_as_they_are(tmp_path: Path) -> None:
    message = "a\x00b\u2028c\u202ed\U000e0041 \r\n data: x\n\nid: y"
    async with served(tmp_path, corpus={}) as zhiyin:
        events = await zhiyin.chat(message)
        assert events[-1]["type"] == "done"
        kept = await zhiyin.client.get(f"/api/v1/conversations/{events[0]['conversation_id']}")
        assert kept.json()["messages"][0]["content"] == message


async def test_odd_paths_and_queries_are_never_our_fault(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as zhiyin:
        for path in (
            "/api/v1/conversations/%00",
            "/api/v1/conversations/%ff%fe",
            "/api/v1/conversations/..%2f..%2fetc",
            "/api/v1/conversations/" + "x" * 5_000,
            "/api/v1/conversations?cursor=%00",
            "/api/v1/conversations?cursor=" + "x" * 5_000,
            "/api/v1/conversations?limit=1e999",
            "/api/v1/conversations?limit=" + "9" * 5_000,
            "/api/v1/conversations?limit=0",
            "/api/v1/turns/%00/events",
            "/page/%00",
            "/page/%2e%2e/%2e%2e/etc/passwd",
        ):
            answer = await zhiyin.client.get(path)
            assert 400 <= answer.status_code < 500, (path[:60], answer.status_code, answer.text)
            assert answer.headers["content-type"] == "application/problem+json", path[:60]


async def test_a_declared_length_that_is_no_number_is_not_believed(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}) as zhiyin:
        status, _, _ = await raw(zhiyin, post("Content-Length: 99999999999999999999999"), b"{}")
        assert status in {400, 413}


async def test_a_failure_of_ours_is_a_problem_that_says_nothing() -> None:
    async with door(fails=True) as client:
        answer = await client.get("/", headers={"x-request-id": "r1"})
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "code": "internal",
        "detail": "Something went wrong on our side.",
        "request_id": "r1",
    }


def door(fails: bool = False) -> httpx.AsyncClient:
    """A client to a door with an empty room behind it."""

    async def room(_scope: Any, _receive: Any, send: Any) -> None:
        if fails:
            raise RuntimeError("a secret")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    entered = Door(room, Authenticator(None, None, None), max_body_bytes=100, max_upload_bytes=1_000)
    return httpx.AsyncClient(transport=httpx.ASGITransport(entered), base_url="http://x")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "application/json"}, b'"' + b"x" * 98 + b'"', 200),
        ({"content-type": "application/json"}, b'"' + b"x" * 99 + b'"', 413),
        ({"content-type": "application/vnd.x+json; charset=utf-8"}, b"{}", 200),
        ({"content-type": "APPLICATION/JSON"}, b"{}", 200),
        ({"content-type": "application/jsonx"}, b"{}", 415),
        ({"content-type": "text/plain"}, b"", 200),
        ({"content-type": "application/json", "content-encoding": "br"}, b"{}", 415),
        ({"content-type": "application/json", "content-encoding": "identity"}, b"{}", 200),
        ({"content-type": "multipart/form-data; boundary=b"}, b"x" * 101, 413),
        ({"content-type": "multipart/form-data; boundary=b"}, b"x", 415),
    ],
)
async def test_a_body_is_read_up_to_its_limit_and_only_in_a_known_type(
    headers: dict[str, str], body: bytes, status: int
) -> None:
    async with door() as client:
        assert (await client.post("/", content=body, headers=headers)).status_code == status


@pytest.mark.parametrize(("size", "status"), [(1_000, 200), (1_001, 413)])
async def test_a_form_may_be_larger_where_forms_are_read(size: int, status: int) -> None:
    async with door() as client:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        answer = await client.post("/api/v1/knowledge/upload", content=b"x" * size, headers=headers)
    assert answer.status_code == status
