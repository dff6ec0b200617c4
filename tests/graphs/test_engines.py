"""The three engines under one contract, and what is each one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from graphs.coordinator import Coordinator
from graphs.graph import GraphCoordinator
from graphs.legacy import LegacyCoordinator
from graphs.state import CHECKPOINTED
from graphs.workflow import WorkflowCoordinator
from nodes.events import Refs
from tests.contracts.coordinator import CoordinatorContract, Saying
from tests.parts import CORPUS_QUESTION, Recorder, services
from tools.intent.protocol import Intent
from tools.knowledge.protocol import Passage
from tools.stores.checkpoints import SqlCheckpointSaver
from tools.stores.protocol import NewTurn


class TestLegacy(CoordinatorContract):
    @pytest.fixture
    def coordinator(self) -> Coordinator:
        return LegacyCoordinator(Recorder())


class TestWorkflow(CoordinatorContract):
    @pytest.fixture
    def coordinator(self) -> Coordinator:
        return WorkflowCoordinator(Recorder())


class TestGraph(CoordinatorContract):
    @pytest.fixture
    def coordinator(self) -> Coordinator:
        return GraphCoordinator(Recorder(), InMemorySaver())


async def test_the_graph_looks_nothing_up_for_small_talk(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        await parts.begin(NewTurn("turn_1", "u", "Hello!", "conv_1", make_conversation=True))
        saying = Saying(GraphCoordinator(Recorder(), None), parts.services, "Hello!")
        assert not [event for event in await saying.end() if isinstance(event, Refs)]


async def test_a_turn_is_one_checkpoint_and_goes_with_its_conversation(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        saver = SqlCheckpointSaver(parts.app.database, JsonPlusSerializer(allowed_msgpack_modules=CHECKPOINTED))
        await parts.begin(NewTurn("turn_1", "u", CORPUS_QUESTION, "conv_1", make_conversation=True))
        await Saying(GraphCoordinator(Recorder(), saver), parts.services, CORPUS_QUESTION).end()
        (kept,) = await _checkpoints(saver)
        values = kept.checkpoint["channel_values"]
        assert isinstance(values["intent"], Intent)
        assert {type(passage) for passage in values["passages"]} == {Passage}
        await parts.app.conversations.delete("t", "conv_1")
        assert not await _checkpoints(saver)


async def _checkpoints(saver: SqlCheckpointSaver) -> list[CheckpointTuple]:
    return [kept async for kept in saver.alist({"configurable": {"thread_id": "turn_1"}})]
