from __future__ import annotations

import pytest

from graphs.state import TurnState
from graphs.step import Stepper
from nodes.detect_intent import detect_intent
from nodes.read_emotion import read_emotion
from nodes.screen_input import screen_input
from tests.nodes.rehearsal import Rehearsal
from tests.parts import Recorder

STATE = TurnState(question="Hello!", language="en")


async def test_a_node_whose_own_part_failed_counts_as_failed_though_the_turn_goes_on() -> None:
    recorder = Recorder()
    stage = Rehearsal(intent=RuntimeError("broken"), emotions={"Hello!": RuntimeError("broken")})
    update = await Stepper("workflow", recorder).side_by_side((detect_intent, read_emotion), STATE, stage.context())
    assert set(update) == {"intent"}
    assert sorted(recorder.steps) == [("emotion.read", False), ("intent.classify", False)]


async def test_each_node_in_turn_sees_what_those_before_it_wrote() -> None:
    recorder = Recorder()
    update = await Stepper("workflow", recorder).in_turn(
        (screen_input, detect_intent), TurnState(), Rehearsal().context("Hello!")
    )
    assert {"question", "language", "intent"} <= set(update)
    assert recorder.steps == [("input.screen", True), ("intent.classify", True)]


async def test_a_node_that_raises_is_counted_and_its_error_passed_on() -> None:
    recorder = Recorder()
    with pytest.raises(KeyError):
        await Stepper("workflow", recorder).step(detect_intent, TurnState(), Rehearsal().context())
    assert recorder.steps == [("intent.classify", False)]
