"""What every engine owes a turn: one suite for legacy, workflow and graph."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flags.snapshot import Decision, FlagSnapshot
from graphs.channel import EventChannel
from graphs.coordinator import INTERRUPTED, Coordinator, run_turn
from graphs.observer import COMPONENTS
from nodes.context import Services, TurnContext
from nodes.events import Delta, Done, Failed, ModelEvent, Refs, Start, TurnEvent
from nodes.turn import Turn, TurnOptions
from tests.parts import CORPUS_ANSWER, CORPUS_QUESTION, Recorder, ScriptedModel, services
from tools.errors import UpstreamUnavailable
from tools.intent.protocol import Intent
from tools.models.protocol import ChatChunk, ChatRequest
from tools.stores.protocol import NewTurn


class Saying:
    """A turn taken through an engine, with all it said."""

    def __init__(
        self,
        coordinator: Coordinator,
        parts: Services,
        message: str,
        deadline: float = 10,
        options: TurnOptions | None = None,
    ) -> None:
        self.turn = Turn(
            id="turn_1",
            conversation_id="conv_1",
            tenant_id="t",
            user_id="u",
            message=message,
            options=options or TurnOptions(),
        )
        self.events: list[TurnEvent] = []
        self.recorder = Recorder()
        channel = EventChannel()

        def emit(event: TurnEvent) -> None:
            self.events.append(event)
            channel.put(event)

        decision = Decision(engine=coordinator.name, variant="v", reason="STATIC")
        context = TurnContext(self.turn, FlagSnapshot(), decision, parts, emit)
        self.task = asyncio.create_task(run_turn(coordinator, context, self.recorder, deadline))

    async def end(self) -> list[TurnEvent]:
        await asyncio.wait_for(self.task, 20)
        return self.events

    @property
    def text(self) -> str:
        return "".join(event.content for event in self.events if isinstance(event, Delta))


class _Stalls:
    """Stands in for one part and never answers; `reached` is set when it is asked."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def _wait(self, *_: Any, **__: Any) -> Any:
        self.reached.set()
        await asyncio.Event().wait()

    detect = read = retrieve = recall = _wait


class _Broken:
    """Stands in for a model whose every use fails."""

    async def _fail(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("broken")

    detect = read = read_many = _fail


class _Says:
    """An intent detector with one opinion."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent

    async def detect(self, message: str, language: str, history: Sequence[str] = ()) -> Intent:
        return self.intent


class _StallingModel(ScriptedModel):
    """Says one word, then nothing."""

    def __init__(self) -> None:
        super().__init__("")
        self.reached = asyncio.Event()

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        yield ChatChunk(text="Well, ")
        self.reached.set()
        await asyncio.Event().wait()


class _BreakingModel(ScriptedModel):
    """Says half a sentence, then its upstream is gone."""

    def __init__(self, error: Exception) -> None:
        super().__init__("")
        self.error = error

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        yield ChatChunk(text="The harbour was bui")
        raise self.error


class CoordinatorContract:
    """Subclasses give `coordinator`."""

    @pytest.fixture
    def coordinator(self) -> Coordinator:
        raise NotImplementedError

    async def _say(self, coordinator: Coordinator, tmp_path: Path, message: str, **changes: Any) -> Saying:
        async with services(tmp_path) as parts:
            await parts.begin(NewTurn("turn_1", "u", message, "conv_1", make_conversation=True))
            saying = Saying(coordinator, replace(parts.services, **changes), message)
            await saying.end()
            return saying

    async def test_start_comes_first_and_one_terminal_event_last(
        self, coordinator: Coordinator, tmp_path: Path
    ) -> None:
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION)
        assert isinstance(saying.events[0], Start)
        assert saying.events[0].coordinator == coordinator.name
        assert [type(event) for event in saying.events if isinstance(event, Done | Failed)] == [Done]
        assert isinstance(saying.events[-1], Done)

    async def test_references_and_the_model_are_told_before_the_first_word(
        self, coordinator: Coordinator, tmp_path: Path
    ) -> None:
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION)
        order = list(dict.fromkeys(event.type for event in saying.events if event.type != "emotion"))
        assert order == ["start", "intent", "refs", "model", "delta", "done"]

    async def test_citations_quote_the_document_verbatim_and_carry_a_sentence_of_the_answer(
        self, coordinator: Coordinator, tmp_path: Path
    ) -> None:
        async with services(tmp_path) as parts:
            await parts.begin(NewTurn("turn_1", "u", CORPUS_QUESTION, "conv_1", make_conversation=True))
            saying = Saying(coordinator, parts.services, CORPUS_QUESTION)
            done = (await saying.end())[-1]
            assert isinstance(done, Done)
            assert done.citations
            for citation in done.citations:
                text = await parts.document_text(citation.document_id)
                assert text[citation.start : citation.end] == citation.quote
                assert citation.sentence in saying.text

    async def test_a_message_of_nothing_but_invisible_characters_is_refused_before_anything_is_looked_up(
        self, coordinator: Coordinator, tmp_path: Path
    ) -> None:
        saying = await self._say(coordinator, tmp_path, "\u200b\u2060")
        done = saying.events[-1]
        assert isinstance(done, Done)
        assert done.finish_reason == "refused"
        assert saying.text
        assert not [event for event in saying.events if isinstance(event, Refs | ModelEvent)]

    @pytest.mark.parametrize(("message", "line"), [("I want to kill myself", "988"), ("我不想活了", "12356")])
    async def test_a_crisis_is_answered_with_help_lines_before_anything_is_looked_up_or_asked(
        self, coordinator: Coordinator, tmp_path: Path, message: str, line: str
    ) -> None:
        model = ScriptedModel()
        saying = await self._say(coordinator, tmp_path, message, models=model.as_router())
        assert [event.type for event in saying.events] == ["start", "intent", "delta", "done"]
        assert line in saying.text
        assert model.requests == []
        assert saying.recorder.turns == ["stop"]

    @pytest.mark.parametrize("failing", ["intents", "emotions"])
    async def test_a_model_that_understands_nothing_today_fails_no_turn(
        self, coordinator: Coordinator, tmp_path: Path, failing: str
    ) -> None:
        if coordinator.name == "legacy":
            pytest.skip("the legacy engine has keywords, and reads no emotion")
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION, **{failing: _Broken()})
        assert saying.recorder.turns == ["stop"]
        assert CORPUS_ANSWER in saying.text

    async def test_what_is_surely_unsafe_is_refused_and_asks_no_model(
        self, coordinator: Coordinator, tmp_path: Path
    ) -> None:
        model, detector = ScriptedModel(), _Says(Intent("unsafe", 0.99, "ml"))
        changes = {"intents": detector, "keywords": detector, "models": model.as_router()}
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION, **changes)
        if coordinator.name == "legacy":
            assert saying.recorder.turns == ["stop"]  # it has only its keywords, which know nothing of this
            return
        assert saying.recorder.turns == ["refused"]
        assert not [event for event in saying.events if isinstance(event, Refs | ModelEvent)]
        assert model.requests == []

    async def test_what_may_lie_outside_is_looked_for_first(self, coordinator: Coordinator, tmp_path: Path) -> None:
        detector = _Says(Intent("out_of_scope", 0.9, "ml"))
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION, intents=detector, keywords=detector)
        assert [event for event in saying.events if isinstance(event, Refs)]
        assert CORPUS_ANSWER in saying.text

    @pytest.mark.parametrize("part", ["conversations", "intents", "emotions", "retriever", "model"])
    async def test_a_cancel_ends_the_turn_at_whatever_step_it_is_in(
        self, coordinator: Coordinator, tmp_path: Path, part: str
    ) -> None:
        if part == "emotions" and coordinator.name == "legacy":
            pytest.skip("the legacy engine reads no emotion")
        async with services(tmp_path) as parts:
            await parts.begin(NewTurn("turn_1", "u", CORPUS_QUESTION, "conv_1", make_conversation=True))
            stalled = _StallingModel() if part == "model" else _Stalls()
            changed = self._with(parts.services, part, stalled)
            saying = Saying(coordinator, changed, CORPUS_QUESTION)
            await asyncio.wait_for(stalled.reached.wait(), 10)
            saying.task.cancel()
            done = (await saying.end())[-1]
            assert isinstance(done, Done)
            assert done.finish_reason == "cancelled"
            assert saying.recorder.turns == ["cancelled"]

    def _with(self, parts: Services, part: str, stalled: Any) -> Services:
        if part == "model":
            return replace(parts, models=stalled.as_router())
        if part == "intents":
            return replace(parts, intents=stalled, keywords=stalled)
        return replace(parts, **{part: stalled})

    async def test_a_shutdown_ends_the_turn_as_interrupted(self, coordinator: Coordinator, tmp_path: Path) -> None:
        async with services(tmp_path) as parts:
            await parts.begin(NewTurn("turn_1", "u", CORPUS_QUESTION, "conv_1", make_conversation=True))
            model = _StallingModel()
            saying = Saying(coordinator, replace(parts.services, models=model.as_router()), CORPUS_QUESTION)
            await asyncio.wait_for(model.reached.wait(), 10)
            saying.task.cancel(INTERRUPTED)
            failed = (await saying.end())[-1]
            assert isinstance(failed, Failed)
            assert failed.code == "interrupted"

    async def test_an_upstream_that_breaks_off_ends_in_its_typed_error_with_the_words_so_far(
        self, coordinator: Coordinator, tmp_path: Path
    ) -> None:
        model = _BreakingModel(UpstreamUnavailable("The model's server closed the connection."))
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION, models=model.as_router())
        failed = saying.events[-1]
        assert isinstance(failed, Failed)
        assert (failed.code, failed.retryable) == ("upstream_unavailable", True)
        assert saying.text == "The harbour was bui"

    async def test_a_bug_ends_in_an_internal_error_that_tells_nothing(
        self, coordinator: Coordinator, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        model = _BreakingModel(RuntimeError("secret detail"))
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION, models=model.as_router())
        failed = saying.events[-1]
        assert isinstance(failed, Failed)
        assert failed.code == "internal"
        assert "secret" not in failed.message

    async def test_the_deadline_ends_a_turn_that_hangs(self, coordinator: Coordinator, tmp_path: Path) -> None:
        async with services(tmp_path) as parts:
            await parts.begin(NewTurn("turn_1", "u", CORPUS_QUESTION, "conv_1", make_conversation=True))
            model = _StallingModel()
            changed = replace(parts.services, models=model.as_router())
            saying = Saying(coordinator, changed, CORPUS_QUESTION, deadline=0.3)
            failed = (await saying.end())[-1]
            assert isinstance(failed, Failed)
            assert failed.code == "deadline_exceeded"

    async def test_every_step_is_timed_under_a_known_component(self, coordinator: Coordinator, tmp_path: Path) -> None:
        saying = await self._say(coordinator, tmp_path, CORPUS_QUESTION)
        done = saying.events[-1]
        assert isinstance(done, Done)
        assert {"screen_input", "retrieve_knowledge", "write_answer"} <= set(done.usage.node_ms)
        assert {component for component, _ in saying.recorder.steps} <= set(COMPONENTS.values())
        assert done.usage.total_ms > 0
        assert saying.recorder.turns == ["stop"]

    async def test_the_client_chooses_how_many_passages_count(self, coordinator: Coordinator, tmp_path: Path) -> None:
        async with services(tmp_path) as parts:
            await parts.begin(NewTurn("turn_1", "u", CORPUS_QUESTION, "conv_1", make_conversation=True))
            saying = Saying(coordinator, parts.services, CORPUS_QUESTION, options=TurnOptions(top_k=1))
            (refs,) = [event for event in await saying.end() if isinstance(event, Refs)]
            assert len(refs.references) == 1
