"""Let the chosen model answer, and pass on each word the gate releases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, Literal, NotRequired, TypedDict, cast

from nodes.context import TurnContext
from nodes.events import Delta
from nodes.ready_answer import ReadyAnswer
from tools.emotion.protocol import Emotion
from tools.intent.protocol import Intent
from tools.knowledge.protocol import Passage
from tools.models.protocol import ChatMessage, ChatRequest, Evidence, Language, ModelChoice, TokenUsage, Tone
from tools.models.tokens import estimate_tokens
from tools.safety.release import ReleaseGate

FinishReason = Literal["stop", "length", "refused"]
SURE = 0.5
"""Confidence from which a feeling sets the tone."""
PLEASANT = 0.15
"""Valence from which it is called positive, and below whose negative it is called negative."""


class WriteAnswerInput(TypedDict):
    """All that is known of the turn; `intent` and `model` are there unless the answer is ready."""

    language: Language
    intent: Intent
    model: ModelChoice
    ready: NotRequired[ReadyAnswer | None]
    emotion: NotRequired[Emotion]
    handover: NotRequired[bool]
    history: NotRequired[Sequence[ChatMessage]]
    summary: NotRequired[str]
    passages: NotRequired[Sequence[Passage]]


class WriteAnswerUpdate(TypedDict, total=False):
    """`answer` is the text as released; characters `claims` of it are the model's, but for words of courtesy."""

    answer: str
    claims: tuple[int, int]
    finish_reason: FinishReason


async def write_answer(state: WriteAnswerInput, context: TurnContext) -> WriteAnswerUpdate:
    """Stream the model's answer, or say the one that is ready; offer a person where that is due."""
    if ready := state.get("ready"):
        _say(ready.text, context)
        return {"answer": ready.text + _offer(state, context), "finish_reason": ready.finish_reason}
    request = _request(state, context)
    gate = ReleaseGate([evidence.label for evidence in request.evidence])
    finish_reason: FinishReason = "stop"
    usage: TokenUsage | None = None
    claims_from = 0
    model = context.services.models.get(state["model"].model)
    try:
        async with aclosing(cast(Any, model.stream(request))) as chunks:
            async for chunk in chunks:
                if text := gate.add(chunk.text):
                    _say(text, context)
                if chunk.aside:
                    claims_from = len(gate.released)
                usage = chunk.usage or usage
                finish_reason = chunk.finish_reason or finish_reason
    finally:
        # Whatever ends it: what the model said and the gate still holds is part of the answer.
        if text := gate.finish():
            _say(text, context)
    context.meter.usage = usage or _estimated(request, gate.released)
    claims = claims_from, len(gate.released)
    return {"answer": gate.released + _offer(state, context), "claims": claims, "finish_reason": finish_reason}


def _say(text: str, context: TurnContext) -> None:
    if context.meter.first_token_at is None:
        context.meter.first_token_at = time.perf_counter()
    context.emit(Delta(content=text))


def _offer(state: WriteAnswerInput, context: TurnContext) -> str:
    """The paragraph that offers a person, said; empty where none is due."""
    if not state.get("handover"):
        return ""
    offer = f"\n\n{context.services.handover.offer(state['language'])}"
    _say(offer, context)
    return offer


def _tone(emotion: Emotion | None) -> Tone | None:
    """What the answer may take from the reading; None where nothing is felt, or it is not sure."""
    if emotion is None or emotion.primary_emotion == "neutral" or emotion.confidence < SURE:
        return None
    pleasant, unpleasant = emotion.valence >= PLEASANT, emotion.valence <= -PLEASANT
    valence = "positive" if pleasant else "negative" if unpleasant else "neutral"
    return Tone(emotion.primary_emotion, valence, emotion.intensity)


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
        tone=_tone(state.get("emotion")),
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
