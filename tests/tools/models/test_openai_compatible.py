from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.contracts.chat_model import REQUEST, ChatModelContract, answer_of, text_of
from tests.tools.models.asking import ask, model_at
from tests.upstream import Act, Upstream, hangs, piece, refuses, says, sends
from tools.models.openai_compatible import OpenAICompatibleModel
from tools.models.protocol import ChatChunk, ChatModel

KEY = "sk-very-secret-0123456789"


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


async def test_an_answer_may_be_held_to_a_schema(upstream: Upstream) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    upstream.plays(says('{"n": 1}'))
    model = model_at(upstream.url)
    try:
        await answer_of(model, replace(REQUEST, json_schema=schema))
        await answer_of(model, REQUEST)
    finally:
        await model.close()
    held, free = (request.body for request in upstream.requests)
    assert held["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }
    assert "response_format" not in free
