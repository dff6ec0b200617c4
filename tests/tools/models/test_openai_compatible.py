from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.contracts.chat_model import REQUEST, ChatModelContract, answer_of, listen, text_of
from tests.upstream import (
    Act,
    Upstream,
    babbles,
    closes,
    hangs,
    piece,
    refuses,
    resets,
    says,
    sends,
)
from tools.errors import UpstreamError, UpstreamMalformed, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from tools.models import openai_compatible
from tools.models.openai_compatible import OpenAICompatibleModel
from tools.models.openai_errors import retry_after_seconds
from tools.models.protocol import ChatChunk, ChatModel
from tools.models.settings import ChatModelSettings

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_compatible, "FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def model_at(url: str, **settings: Any) -> OpenAICompatibleModel:
    return OpenAICompatibleModel(ChatModelSettings(openai_base_url=url, openai_model="m", **settings))


class TestOpenAICompatibleModel(ChatModelContract):
    @pytest.fixture
    def model(self, upstream: Upstream) -> OpenAICompatibleModel:
        return model_at(upstream.url)

    @pytest.fixture
    def failing(self, upstream: Upstream) -> OpenAICompatibleModel:
        upstream.plays(refuses(503))
        return model_at(upstream.url)

    @pytest.fixture
    def stuck(self, upstream: Upstream) -> OpenAICompatibleModel:
        upstream.plays(hangs("Built", " in"))
        self.upstream = upstream
        return model_at(upstream.url)

    async def still_works(self, model: ChatModel) -> bool:
        return not await self.upstream.left()


async def ask(upstream: Upstream, *acts: Act, **settings: Any) -> list[ChatChunk]:
    """All chunks that come of an answer to these acts."""
    upstream.plays(*acts)
    model = model_at(upstream.url, **settings)
    try:
        return await answer_of(model)
    finally:
        await model.close()


async def ask_in_vain(upstream: Upstream, *acts: Act, **settings: Any) -> tuple[UpstreamError, str]:
    """The error that ends an answer, and the text that came before it."""
    upstream.plays(*acts)
    model, text = model_at(upstream.url, **settings), ""
    try:
        async with listen(model, REQUEST) as chunks:
            async for chunk in chunks:
                assert chunk.finish_reason is None
                text += chunk.text
    except UpstreamError as error:
        return error, text
    finally:
        await model.close()
    pytest.fail("there was no error")


async def test_the_users_message_reaches_the_server_unchanged_and_last(upstream: Upstream) -> None:
    odd = 'a "quoted" \\ 消息 \u2028 <|im_end|>\r\n{name} \x00🙂'
    model = model_at(upstream.url)
    await answer_of(model, replace(REQUEST, message=odd, temperature=0.25, max_tokens=99))
    await model.close()
    (request,) = upstream.requests
    assert request.path == "/v1/chat/completions"
    assert request.body["messages"][-1] == {"role": "user", "content": odd}
    assert [m["role"] for m in request.body["messages"]] == ["system", "user", "assistant", "user"]
    assert (request.body["model"], request.body["temperature"], request.body["max_tokens"]) == ("m", 0.25, 99)
    assert request.body["stream_options"] == {"include_usage": True}


async def test_what_is_not_set_is_left_to_the_server(upstream: Upstream) -> None:
    await ask(upstream, says("x"))
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & upstream.requests[0].body.keys()


async def test_usage_is_the_servers_where_it_counts_and_our_estimate_where_not(upstream: Upstream) -> None:
    counted = (await ask(upstream, says("x")))[-1].usage
    estimated = (await ask(upstream, says("one two", " three", usage=False)))[-1].usage
    assert counted is not None
    assert estimated is not None
    assert (counted.prompt_tokens, counted.completion_tokens, counted.counted) == (7, 3, True)
    assert not estimated.counted
    assert estimated.prompt_tokens > 10
    assert 2 <= estimated.completion_tokens <= 6


async def test_a_key_is_sent_and_servers_without_one_get_none(upstream: Upstream) -> None:
    await ask(upstream, says("x"), openai_api_key=KEY)
    await ask(upstream, says("x"))
    assert [r.headers["authorization"] for r in upstream.requests] == [f"Bearer {KEY}", "Bearer none"]


@pytest.mark.parametrize(
    "act",
    [
        says("Hel", "lo", usage=False),
        says("Hel", "lo", done=False),
        says("Hel", "lo", usage=False, done=False),
        says("Hel", "lo", role=False),
        says("Hel", "lo", finish=None),
        says("Hel", "lo", finish=None, done=False),
        says("Hel", "lo", finish="tool_calls"),
        sends({"choices": []}, piece({"content": "Hello"}), {"id": "c"}, piece({}, "stop"), b"[DONE]"),
        sends(
            piece({"role": "assistant"}), piece({"role": "assistant"}), piece({"content": "Hello"}), piece({}, "stop")
        ),
        sends(piece({"content": "Hello"}), piece({}, "stop"), piece({}, "stop"), piece({"content": "Hello"}, "stop")),
        sends(piece({"content": None}), piece({"content": [{"type": "text", "text": "Hello"}]}, "stop")),
        sends({"choices": [{"delta": {"content": "Hello"}}, {"index": 1, "delta": {"content": "other"}}]}, b"[DONE]"),
        sends(raw=[b'{"choices": [{"message":\n {"content": "Hello"},', b'"finish_reason": "stop"}]}']),
        sends(
            raw=[b": ping\r\n\r\nevent: x\r\ndata:", b'{"choices":[{"delta":{"content":"Hello"}}]}\r\n\r\ndata: [DONE]']
        ),
        sends(piece({"content": "Hello"}), b"[DONE]", headers={"Content-Type": "text/plain"}),
    ],
)
async def test_servers_may_leave_out_or_repeat_parts_of_the_protocol(upstream: Upstream, act: Act) -> None:
    chunks = await ask(upstream, act)
    assert (text_of(chunks), chunks[-1].finish_reason) == ("Hello", "stop")
    assert len(upstream.requests) == 1


async def test_bytes_may_be_cut_anywhere(upstream: Upstream) -> None:
    body = 'data: {"choices":[{"delta":{"content":"港口🙂"}}]}\n\ndata: [DONE]\n\n'.encode()
    chunks = await ask(upstream, sends(raw=[body[i : i + 1] for i in range(len(body))]))
    assert text_of(chunks) == "港口🙂"


@pytest.mark.parametrize(("reason", "ours"), [("stop", "stop"), ("length", "length"), ("content_filter", "refused")])
async def test_how_it_ended_is_told_in_our_words(upstream: Upstream, reason: str, ours: str) -> None:
    assert (await ask(upstream, says("x", finish=reason)))[-1].finish_reason == ours


async def test_a_refusal_in_words_is_a_refusal(upstream: Upstream) -> None:
    chunks = await ask(upstream, sends(piece({"refusal": "I can't."}), piece({}, "stop")))
    assert (text_of(chunks), chunks[-1].finish_reason) == ("I can't.", "refused")


async def test_connections_are_used_again(upstream: Upstream) -> None:
    model = model_at(upstream.url)
    for _ in range(3):
        await answer_of(model)
    assert len(upstream._connections) == 1
    await model.close()


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


@pytest.mark.parametrize("asked", ["3600", "1e9", format_datetime(datetime.now(UTC) + timedelta(hours=2))])
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


async def test_proxies_of_the_environment_are_not_asked_about_this_machine(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert text_of(await ask(upstream, says("Hello"))) == "Hello"


async def test_a_closed_model_opens_again_when_it_is_asked(upstream: Upstream) -> None:
    model = model_at(upstream.url)
    await model.warm_up()
    await model.close()
    assert text_of(await answer_of(model)) == "Hello there."
    await model.close()


async def test_a_listener_that_leaves_before_the_first_word_hangs_up(upstream: Upstream) -> None:
    upstream.plays(hangs(before_head=True))
    model = model_at(upstream.url)
    task = asyncio.create_task(answer_of(model))
    while not upstream.requests:
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await upstream.left()
    await model.close()


async def test_words_are_passed_on_while_the_server_still_speaks(upstream: Upstream) -> None:
    upstream.plays(hangs("First"))
    model = model_at(upstream.url)
    stream: AsyncIterator[ChatChunk] = model.stream(REQUEST)
    assert (await asyncio.wait_for(anext(stream), 5)).text == "First"
    assert not upstream.requests[0].left.is_set()
    await stream.aclose()  # type: ignore[attr-defined]
    await model.close()
