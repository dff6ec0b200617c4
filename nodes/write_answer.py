"""Let the chosen model answer, and pass on each word the gate releases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, Literal, NotRequired, TypedDict, cast

from nodes.context import TurnContext
from nodes.events import Delta
from tools.intent.protocol import Intent
from tools.knowledge.protocol import Passage
from tools.models.protocol import ChatMessage, ChatRequest, Evidence, Language, ModelChoice, TokenUsage
from tools.models.tokens import estimate_tokens
from tools.safety.release import ReleaseGate

FinishReason = Literal["stop", "length", "refused"]


class WriteAnswerInput(TypedDict):
    """All that is known of the turn; `intent` and `model` are there unless there is a refusal."""

    language: Language
    intent: Intent
    model: ModelChoice
    refusal: NotRequired[str | None]
    history: NotRequired[Sequence[ChatMessage]]
    summary: NotRequired[str]
    passages: NotRequired[Sequence[Passage]]


class WriteAnswerUpdate(TypedDict, total=False):
    """`answer` is the text as released."""

    answer: str
    finish_reason: FinishReason


async def write_answer(state: WriteAnswerInput, context: TurnContext) -> WriteAnswerUpdate:
    """Stream the model's answer, or the refusal when there is one."""
    if refusal := state.get("refusal"):
        _say(refusal, context)
        return {"answer": refusal, "finish_reason": "refused"}
    request = _request(state, context)
    gate = ReleaseGate([evidence.label for evidence in request.evidence])
    finish_reason: FinishReason = "stop"
    usage: TokenUsage | None = None
    model = context.services.models.get(state["model"].model)
    try:
        async with aclosing(cast(Any, model.stream(request))) as chunks:
            async for chunk in chunks:
                if text := gate.add(chunk.text):
                    _say(text, context)
                usage = chunk.usage or usage
                finish_reason = chunk.finish_reason or finish_reason
    finally:
        # Whatever ends it: what the model said and the gate still holds is part of the answer.
        if text := gate.finish():
            _say(text, context)
    context.meter.usage = usage or _estimated(request, gate.released)
    return {"answer": gate.released, "finish_reason": finish_reason}


def _say(text: str, context: TurnContext) -> None:
    if context.meter.first_token_at is None:
        context.meter.first_token_at = time.perf_counter()
    context.emit(Delta(content=text))


def _request(state: WriteAnswerInput, context: TurnContext) -> ChatRequest:
    turn = context.turn
    passages = state.get("passages", ())
    return ChatRequest(
        message=turn.message,
        language=state["language"],
        persona=context.services.personas.of(turn.tenant_id),
        history=state.get("history", ()),
        summary=state.get("summary", ""),
        evidence=[Evidence(str(n), p.title, p.text) for n, p in enumerate(passages, start=1)],
        intent=state["intent"].label,
        temperature=turn.options.temperature,
    )


def _estimated(request: ChatRequest, answer: str) -> TokenUsage:
    told = [
        request.message,
        request.summary,
        *(m.content for m in request.history),
        *(e.text for e in request.evidence),
    ]
    return TokenUsage(sum(map(estimate_tokens, told)), estimate_tokens(answer), counted=False)
