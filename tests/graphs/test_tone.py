"""A feeling changes how the built-in model begins, in every engine that reads one, and nothing else of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from graphs.coordinator import Coordinator
from graphs.graph import GraphCoordinator
from graphs.workflow import WorkflowCoordinator
from nodes.events import Done
from tests.contracts.coordinator import Saying
from tests.parts import CORPUS_QUESTION, Recorder, services
from tools.emotion.protocol import Emotion
from tools.models.extractive.model import ExtractiveModel
from tools.stores.protocol import NewTurn

ANGER = Emotion("anger", 0.9, -0.8, 0.9, 0.9, 0.9, "ml", "negative")


class Reads:
    """Reads the same feeling in every message."""

    def __init__(self, emotion: Emotion) -> None:
        self._emotion = emotion

    async def read(self, message: str, language: str, history: Sequence[str] = ()) -> Emotion:
        return self._emotion

    async def read_many(self, messages: Sequence[str]) -> Sequence[Emotion]:
        return [self._emotion for _ in messages]

    async def close(self) -> None:
        """Holds nothing."""


def engine(name: str) -> Coordinator:
    return WorkflowCoordinator(Recorder()) if name == "workflow" else GraphCoordinator(Recorder(), InMemorySaver())


@pytest.mark.parametrize("name", ["workflow", "langgraph"])
async def test_the_opening_is_said_and_is_no_unsupported_claim(tmp_path: Path, name: str) -> None:
    texts: list[str] = []
    for emotion in (ANGER, replace(ANGER, confidence=0.2)):
        async with services(tmp_path / str(len(texts)), [ExtractiveModel()]) as parts:
            await parts.begin(NewTurn("turn_1", "u", CORPUS_QUESTION, "conv_1", make_conversation=True))
            feeling = replace(parts.services, emotions=Reads(emotion))
            saying = Saying(engine(name), feeling, CORPUS_QUESTION)
            done = (await saying.end())[-1]
        assert isinstance(done, Done)
        assert done.unsupported == []
        assert done.citations[0].sentence in saying.text
        texts.append(saying.text)
    assert texts[0] == f"Sorry for the trouble.\n\n{texts[1]}"
