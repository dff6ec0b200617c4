from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from nodes.events import Delta
from nodes.ready_answer import ReadyAnswer
from nodes.turn import TurnOptions
from nodes.write_answer import SURE, WriteAnswerInput, write_answer
from tests.doubles import ScriptedChatModel
from tests.nodes.rehearsal import Rehearsal, passage
from tools.emotion.protocol import Emotion
from tools.errors import UpstreamUnavailable
from tools.intent.protocol import Intent
from tools.models.protocol import ChatChunk, ChatMessage, ChatRequest, ModelChoice, Tone

INTENT = Intent("knowledge_question", 1, "rules")
CHOICE = ModelChoice("scripted", "embedded", "only_model")


def asked() -> WriteAnswerInput:
    return {"language": "en", "intent": INTENT, "model": CHOICE, "passages": [passage("Built in 1874.")]}


def heard(stage: Rehearsal) -> str:
    return "".join(event.content for event in stage.said if isinstance(event, Delta))


async def test_the_model_s_words_are_said_and_handed_on() -> None:
    stage = Rehearsal(model=ScriptedChatModel("It was built ", "in 1874 [1]."))
    context = stage.context("When?")
    update = await write_answer(asked(), context)
    assert update == {"answer": "It was built in 1874 [1].", "claims": (0, 25), "finish_reason": "stop"}
    assert heard(stage) == update["answer"]
    assert (context.meter.usage.prompt_tokens, context.meter.usage.counted) == (10, True)
    assert context.meter.first_token_at is not None


async def test_the_model_is_given_all_that_is_known() -> None:
    model = ScriptedChatModel("Yes.")
    stage = Rehearsal(model=model)
    history = [ChatMessage("user", "Hello")]
    state: WriteAnswerInput = {**asked(), "history": history, "summary": "user: tea"}
    await write_answer(state, stage.context(" Ｗhen? ", options=TurnOptions(temperature=0.5)))
    (request,) = model.requests
    assert (request.message, request.language, request.temperature) == (" Ｗhen? ", "en", 0.5)
    assert (request.history, request.summary, request.intent) == (history, "user: tea", "knowledge_question")
    assert [(e.label, e.title, e.text) for e in request.evidence] == [("1", "Title 1", "Built in 1874.")]
    assert stage.asked == ["t"]


@pytest.mark.parametrize("ready", [ReadyAnswer("I can't.", "refused"), ReadyAnswer("Call 988.", "stop")])
async def test_an_answer_that_is_ready_is_said_without_asking_a_model(ready: ReadyAnswer) -> None:
    model = ScriptedChatModel("never")
    stage = Rehearsal(model=model)
    update = await write_answer({**asked(), "ready": ready}, stage.context())
    assert update == {"answer": ready.text, "finish_reason": ready.finish_reason}
    assert (heard(stage), model.requests) == (ready.text, [])


def felt(label: str, valence: float, confidence: float) -> Emotion:
    return Emotion(label, 0.9, valence, 0.5, 0.8, confidence, "ml")


@pytest.mark.parametrize(
    ("emotion", "tone"),
    [
        (felt("anger", -0.8, SURE), Tone("anger", "negative", 0.8)),
        (felt("joy", 0.7, 0.9), Tone("joy", "positive", 0.8)),
        (felt("surprise", 0.1, 0.9), Tone("surprise", "neutral", 0.8)),
        (felt("anger", -0.8, SURE - 0.01), None),
        (felt("neutral", 0.0, 0.99), None),
    ],
)
async def test_a_sure_feeling_sets_the_tone_and_no_other(emotion: Emotion, tone: Tone | None) -> None:
    model = ScriptedChatModel("Yes.")
    await write_answer({**asked(), "emotion": emotion}, Rehearsal(model=model).context())
    assert model.requests[0].tone == tone


async def test_a_person_is_offered_after_the_answer_in_a_paragraph_that_claims_nothing() -> None:
    stage = Rehearsal(model=ScriptedChatModel("It was built in 1874 [1]."))
    update = await write_answer({**asked(), "handover": True}, stage.context())
    answer = update["answer"]
    assert answer == heard(stage)
    assert answer.startswith("It was built in 1874 [1].\n\n")
    assert "the care team" in answer
    start, end = update["claims"]
    assert answer[start:end] == "It was built in 1874 [1]."


async def test_what_a_model_says_aside_claims_nothing() -> None:
    stage = Rehearsal(model=Courteous())
    update = await write_answer(asked(), stage.context())
    start, end = update["claims"]
    assert update["answer"] == "I'm sorry.\n\nIt was built in 1874 [1]."
    assert update["answer"][start:end] == "It was built in 1874 [1]."


class Courteous:
    """A model that begins with a kind word."""

    name, tier = "scripted", "embedded"

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        yield ChatChunk(text="I'm sorry.\n\n", aside=True)
        yield ChatChunk(text="It was built in 1874 [1].")
        yield ChatChunk(finish_reason="stop")

    async def close(self) -> None:
        """Holds nothing."""


class Careless:
    """A model that counts no tokens and stops at its limit."""

    name, tier = "scripted", "embedded"

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        await asyncio.sleep(0)
        yield ChatChunk(text="Half a")
        yield ChatChunk(finish_reason="length")

    async def close(self) -> None:
        """Holds nothing."""


async def test_tokens_nobody_counted_are_estimated_and_marked() -> None:
    stage = Rehearsal(model=Careless())
    context = stage.context("When was it built?")
    assert (await write_answer(asked(), context))["finish_reason"] == "length"
    assert context.meter.usage.counted is False
    assert context.meter.usage.prompt_tokens > 0
    assert context.meter.usage.completion_tokens > 0


async def test_what_was_said_before_a_failure_stays_said_and_the_model_is_let_go() -> None:
    model = ScriptedChatModel("It was built. ", "Then ", failure=UpstreamUnavailable("gone"))
    stage = Rehearsal(model=model)
    with pytest.raises(UpstreamUnavailable):
        await write_answer(asked(), stage.context())
    assert heard(stage).startswith("It was built.")
    assert model.listeners == 0


async def test_a_cancel_lets_the_model_go() -> None:
    model = ScriptedChatModel("One. ", "Two.", gates=[asyncio.Event()])
    stage = Rehearsal(model=model)
    writing = asyncio.create_task(write_answer(asked(), stage.context()))
    async with asyncio.timeout(5):
        while not model.listeners:
            await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert model.listeners == 0
