"""Whatever needs the message's vector in a turn shares one run of the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from app.wiring import Replacements, open_app
from graphs.coordinator import Coordinator
from graphs.graph import GraphCoordinator
from graphs.legacy import LegacyCoordinator
from graphs.workflow import WorkflowCoordinator
from nodes.events import Done, Refs
from nodes.query import MAX_QUERY_CHARS
from tests.contracts.coordinator import Saying
from tests.parts import CORPUS, CORPUS_QUESTION, Recorder, ScriptedModel, settings, upload, with_database
from tools.models.embedders.onnx import OnnxEmbedder, OnnxEncoder
from tools.models.protocol import Vectors
from tools.stores.protocol import NewTurn

LONG_QUESTION = f"{CORPUS_QUESTION} I ask because of what stands in the chronicle of the town. " * 60


class CountedEncoder:
    """The real encoder, with the number of texts that it ran for."""

    def __init__(self, encoder: OnnxEncoder) -> None:
        self.batch_tokens = encoder.batch_tokens
        self.texts = 0
        self._encoder = encoder

    def tokenise(self, text: str) -> list[int]:
        return self._encoder.tokenise(text)

    def encode(self, batch: Sequence[list[int]]) -> Vectors:
        self.texts += len(batch)
        return self._encoder.encode(batch)


class CountedEmbedder(OnnxEmbedder):
    """The app's own embedder over a counted encoder."""

    encoder: CountedEncoder

    def _load(self) -> CountedEncoder:  # type: ignore[override]
        self.encoder = CountedEncoder(super()._load())
        return self.encoder


@pytest.mark.parametrize("engine", [LegacyCoordinator, WorkflowCoordinator, GraphCoordinator])
@pytest.mark.parametrize("message", [CORPUS_QUESTION, f" {CORPUS_QUESTION}\u200b ", LONG_QUESTION])
async def test_a_turn_encodes_exactly_one_text(tmp_path: Path, engine: type, message: str) -> None:
    assert len(LONG_QUESTION) > MAX_QUERY_CHARS
    coordinator: Coordinator = engine(Recorder(), InMemorySaver()) if engine is GraphCoordinator else engine(Recorder())
    embedder = CountedEmbedder()
    parts = Replacements(chat_models=[ScriptedModel()], embedder=embedder)
    async with open_app(settings(with_database(tmp_path)), parts) as app:
        await upload(app, "t", CORPUS)
        await app.turn_store.begin("t", NewTurn("turn_1", "u", message, "conv_1", make_conversation=True), "owner")
        before = embedder.encoder.texts
        events = await Saying(coordinator, app.services, message).end()
        assert isinstance(events[-1], Done)
        assert [event for event in events if isinstance(event, Refs) and event.references]
        assert embedder.encoder.texts - before == 1
