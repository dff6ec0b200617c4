from __future__ import annotations

import asyncio
import gzip
import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.contracts.chat_model import answer_of, text_of
from tests.tools.models.asking import ask, ask_in_vain, model_at
from tests.upstream import Act, Upstream, babbles, closes, hangs, piece, refuses, resets, says, sends
from tools.errors import UpstreamMalformed, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from tools.models.openai_errors import retry_after_seconds

KEY = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    "act",
    [
        *map(refuses, (408, 429, 500, 502, 503)),
        resets(before_head=True),
        resets(),
        sends({"error": {"message": "overloaded", "type": "server_error"}}),
    ],
)
async def test_a_failure_before_the_first_word_is_tried_again(upstream: Upstream, act: Act) -> None:
    chunks = await ask(upstream, act, act, says("Hello"))
    assert text_of(chunks) == "Hello"
    assert len(upstream.requests) == 3


async def test_tries_end_after_the_retries_that_are_set(upstream: Upstream) -> None:
    error, _ = await ask_in_vain(upstream, refuses(503), upstream_retries=1)
    assert isinstance(error, UpstreamUnavailable)
    assert error.retryable
    assert len(upstream.requests) == 2


async def test_nobody_there_is_unavailable() -> None:
    with Upstream() as gone:
        url = gone.url
    model = model_at(url)
    with pytest.raises(UpstreamUnavailable):
        await answer_of(model)
    await model.close()


@pytest.mark.parametrize(
    ("status", "body", "says_so"),
    [
        (401, b"{}", "key"),
        (403, b"{}", "key"),
        (404, b"{}", "no such model"),
        (400, b"<html>", "declined"),
        (307, b"", "declined"),
        (400, b'{"error": {"code": "context_length_exceeded"}}', "too long"),
        (400, b'{"error": {"code": "content_filter"}}', "content"),
        (429, b'{"error": {"code": "insufficient_quota"}}', "quota"),
    ],
)
async def test_a_refusal_is_final(upstream: Upstream, status: int, body: bytes, says_so: str) -> None:
    error, _ = await ask_in_vain(upstream, refuses(status, {"Location": "/v1/elsewhere"}, body))
    assert isinstance(error, UpstreamRejected)
    assert says_so in error.message
    assert not error.retryable
    assert len(upstream.requests) == 1


async def test_a_server_that_asks_for_a_short_pause_gets_it(upstream: Upstream) -> None:
    started = time.monotonic()
    await ask(upstream, refuses(429, {"Retry-After": "0.3"}), says("x"))
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    "asked",
    ["3600", "1e9", pytest.param(format_datetime(datetime.now(UTC) + timedelta(hours=2)), id="in two hours")],
)
async def test_a_server_that_asks_for_a_long_pause_is_left_alone(upstream: Upstream, asked: str) -> None:
    started = time.monotonic()
    error, _ = await ask_in_vain(upstream, refuses(429, {"Retry-After": asked}))
    assert isinstance(error, UpstreamUnavailable)
    assert len(upstream.requests) == 1
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("asked", ["soon", "nan", "-5", "Sun, 99 Foo 2024", ""])
async def test_a_pause_that_cannot_be_read_is_ours_to_choose(upstream: Upstream, asked: str) -> None:
    assert text_of(await ask(upstream, refuses(429, {"Retry-After": asked}), says("Hello"))) == "Hello"


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60))
    assert retry_after_seconds("7") == 7
    assert retry_after_seconds(in_a_minute) == pytest.approx(60, abs=2)
    assert retry_after_seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    assert retry_after_seconds("inf") is None


@pytest.mark.parametrize("act", [hangs(before_head=True), hangs(), None])
async def test_silence_before_the_first_word_has_an_end(upstream: Upstream, act: Act | None) -> None:
    started = time.monotonic()
    error, text = await ask_in_vain(upstream, act or _comments, upstream_first_token_seconds=0.3)
    assert isinstance(error, UpstreamTimeout)
    assert text == ""
    assert time.monotonic() - started < 2
    assert len(upstream.requests) == 1
    assert await upstream.left()


async def _comments(exchange: Any) -> None:
    exchange.head()
    while True:
        await exchange.raw(b": still here\n\n")
        await asyncio.sleep(0.02)


async def test_the_time_for_the_first_word_holds_for_all_tries_together(upstream: Upstream) -> None:
    started = time.monotonic()
    error, _ = await ask_in_vain(
        upstream, refuses(429, {"Retry-After": "0.2"}), upstream_first_token_seconds=0.3, upstream_retries=10
    )
    assert isinstance(error, UpstreamUnavailable)
    assert time.monotonic() - started < 2


async def test_thinking_aloud_counts_as_a_sign_of_life(upstream: Upstream) -> None:
    async def thinks(exchange: Any) -> None:
        exchange.head()
        for _ in range(6):
            await exchange.frame(piece({"reasoning_content": "hm"}))
            await asyncio.sleep(0.1)
        await exchange.frame(piece({"content": "Hello"}, "stop"))
        await exchange.end()

    assert text_of(await ask(upstream, thinks, upstream_first_token_seconds=0.3)) == "Hello"


async def test_silence_in_mid_answer_keeps_what_was_said_and_is_not_tried_again(upstream: Upstream) -> None:
    error, text = await ask_in_vain(upstream, hangs("Half an", " answer"), upstream_idle_seconds=0.2)
    assert isinstance(error, UpstreamTimeout)
    assert text == "Half an answer"
    assert len(upstream.requests) == 1
    assert await upstream.left()


async def test_a_whole_answer_has_an_end_too(upstream: Upstream) -> None:
    async def trickles(exchange: Any) -> None:
        exchange.head()
        while True:
            await exchange.frame(piece({"content": "more "}))
            await asyncio.sleep(0.02)

    error, text = await ask_in_vain(upstream, trickles, upstream_total_seconds=0.4)
    assert isinstance(error, UpstreamTimeout)
    assert text.startswith("more ")


@pytest.mark.parametrize("act", [resets("Half an", " answer"), closes("Half an", " answer")])
async def test_a_cut_in_mid_answer_keeps_what_was_said_and_is_not_tried_again(upstream: Upstream, act: Act) -> None:
    error, text = await ask_in_vain(upstream, act)
    assert isinstance(error, UpstreamUnavailable)
    assert text == "Half an answer"
    assert len(upstream.requests) == 1


async def test_an_error_in_mid_answer_keeps_what_was_said(upstream: Upstream) -> None:
    error, text = await ask_in_vain(upstream, sends(piece({"content": "Half"}), {"error": {"message": KEY}}))
    assert isinstance(error, UpstreamUnavailable)
    assert text == "Half"
    assert KEY not in error.message
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "act",
    [
        sends(piece({"content": "Half"}), b'{"choices": [{"del'),
        sends(raw=[b'data: {"choices":[{"delta":{"content":"Half"}}]}\n\ndata: {broken\n\n']),
        sends(piece({"content": "Half"}), b'{"choices": [{"delta": {"content": "\xff\xfe"}}]}'),
        sends(piece({"content": "Half"}), b"[1, 2]"),
        sends(piece({"content": "Half"}), {"choices": "none"}),
        sends(piece({"content": "Half"}), {"choices": ["none"]}),
        sends(piece({"content": "Half"}), {"choices": [{"delta": "text"}]}),
        sends(piece({"content": "Half"}), piece({"content": 7})),
    ],
)
async def test_what_cannot_be_read_ends_the_answer_and_keeps_what_was_said(upstream: Upstream, act: Act) -> None:
    error, text = await ask_in_vain(upstream, act)
    assert isinstance(error, UpstreamMalformed)
    assert text == "Half"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "act",
    [
        sends(),
        sends(b"[DONE]"),
        sends(raw=[b"<!doctype html><title>Welcome</title>"], headers={"Content-Type": "text/html"}),
        sends(raw=[b"[]"]),
        sends(raw=[gzip.compress(b"data: [DONE]\n\n")], headers={"Content-Encoding": "gzip"}),
    ],
)
async def test_a_reply_that_is_no_answer_is_malformed(upstream: Upstream, act: Act) -> None:
    error, text = await ask_in_vain(upstream, act)
    assert isinstance(error, UpstreamMalformed)
    assert text == ""


async def test_babble_is_cut_at_the_limit(upstream: Upstream) -> None:
    frame = b'data: {"choices":[{"delta":{"content":"' + b"blah " * 2000 + b'"}}]}\n\n'
    chunks = await ask(upstream, babbles(frame, 10_000), upstream_max_chars=25_000)
    assert len(text_of(chunks)) == 25_000
    assert chunks[-1].finish_reason == "length"
    assert await upstream.left()


@pytest.mark.parametrize(
    "babble",
    [
        b"data: " + b"x" * 65_536,
        b": nothing to say " * 4096 + b"\n",
        b'data: {"choices":[]}\n\n' * 4096,
        b"\x00" * 65_536,
    ],
)
async def test_a_hundred_megabytes_without_an_answer_are_not_read(upstream: Upstream, babble: bytes) -> None:
    error, _ = await ask_in_vain(upstream, babbles(babble, 1600), upstream_max_chars=2000)
    assert isinstance(error, UpstreamMalformed)
    assert await upstream.left()


async def test_an_error_of_a_hundred_megabytes_is_not_read(upstream: Upstream) -> None:
    async def endless_error(exchange: Any) -> None:
        exchange.head(400)
        for _ in range(1600):
            await exchange.raw(b"x" * 65_536)

    error, _ = await ask_in_vain(upstream, endless_error)
    assert isinstance(error, UpstreamMalformed | UpstreamRejected)
    assert await upstream.left()


@pytest.mark.parametrize(
    "act", [refuses(401, body=KEY.encode()), refuses(500, body=KEY.encode()), resets("x"), sends(b"?")]
)
async def test_the_key_is_in_no_error_and_no_log(
    upstream: Upstream, act: Act, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        error, _ = await ask_in_vain(upstream, act, openai_api_key=KEY)
    assert KEY not in repr(error) + str(error.__cause__)
    assert error.__suppress_context__
    assert KEY not in "\n".join(record.getMessage() + str(record.exc_info) for record in caplog.records)
