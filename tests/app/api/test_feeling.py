"""What a client sees of intent and emotion, and what they change, through the real app."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.parts import CORPUS_QUESTION, ScriptedModel, served

LOW = ["I am so sad, everything goes wrong.", "I feel terrible and so lonely.", "I am so sad and nobody cares."]


def only(events: list[dict[str, Any]], kind: str) -> Mapping[str, Any]:
    (event,) = [event for event in events if event["type"] == kind]
    return event


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["content"] for event in events if event["type"] == "delta")


@pytest.mark.parametrize("engine", ["legacy", "workflow", "langgraph"])
async def test_a_crisis_turn_is_kept_and_the_conversation_goes_on(tmp_path: Path, engine: str) -> None:
    async with served(tmp_path, COORDINATOR_ENGINE=engine) as house:
        events = await house.chat("我不想活了")
        assert only(events, "intent")["crisis"] is True
        assert only(events, "done")["finish_reason"] == "stop"
        conversation = events[0]["conversation_id"]
        kept = (await house.client.get(f"/api/v1/conversations/{conversation}")).json()["messages"]
        assert [message["role"] for message in kept] == ["user", "assistant"]
        assert "12356" in kept[1]["content"]
        following = await house.chat(CORPUS_QUESTION, conversation_id=conversation)
        assert only(following, "intent")["crisis"] is False
        assert only(following, "done")["citations"]


async def test_the_operator_s_help_lines_are_told(tmp_path: Path) -> None:
    lines = "en:\n  - {where: Utopia, name: The Ear, contact: 12345}\n"
    (tmp_path / "help_lines.yaml").write_text(lines, "utf-8")
    async with served(tmp_path) as house:
        assert "The Ear, 12345" in text_of(await house.chat("I want to die"))


async def test_lasting_distress_offers_the_configured_contact_once(tmp_path: Path) -> None:
    async with served(tmp_path, [ScriptedModel("I hear you.")], HANDOVER_CONTACT="Ms Li, +86 10 1234") as house:
        conversation: dict[str, Any] = {}
        offers, flags = [], []
        for message in [*LOW, *LOW]:
            events = await house.chat(message, **conversation)
            conversation = {"conversation_id": events[0]["conversation_id"]}
            flags.append(only(events, "emotion")["handover"])
            offers.append("Ms Li, +86 10 1234" in text_of(events))
        assert flags == offers == [False, False, True, False, False, False]


async def test_the_emotion_event_says_how_it_was_read(tmp_path: Path) -> None:
    async with served(tmp_path) as house:
        event = only(await house.chat("I am so happy, thank you!!"), "emotion")
        assert event["valence"] > 0
        assert {"label", "confidence", "decided_by", "sentiment", "is_sarcastic", "sarcasm_confidence"} <= set(event)
        assert event["mixed_emotions"] == []
