"""Messages to a conversation whose turn is still running."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.app.api.chat_reader import CHAT, Reader, asking
from tests.parts import CORPUS_ANSWER, ScriptedModel, Served, served


class Busy:
    """A conversation whose turn waits for the model."""

    def __init__(self, app: Served, model: ScriptedModel) -> None:
        self.app = app
        self.model = model
        self.reader = Reader(app, asking("first"))

    async def conversation(self) -> str:
        start = await self.reader.until("start")
        await self.reader.until("model")
        return str(start["conversation_id"])

    async def contents(self, conversation_id: str) -> list[str]:
        kept = (await self.app.client.get(f"/api/v1/conversations/{conversation_id}")).json()
        return [message["content"] for message in kept["messages"]]


async def test_a_second_message_is_rejected_while_a_turn_runs(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with served(tmp_path, [model]) as app:
        busy = Busy(app, model)
        conversation = await busy.conversation()
        answer = await app.client.post(CHAT, json=asking("second", conversation_id=conversation))
        assert answer.status_code == 409
        assert answer.json()["code"] == "turn_in_progress"
        model.let_go()
        await busy.reader.end()
        assert await busy.contents(conversation) == ["first", CORPUS_ANSWER]


async def test_enqueued_messages_run_next_and_in_order(tmp_path: Path) -> None:
    model = ScriptedModel("Yes.", hold=True)
    async with served(tmp_path, [model]) as app:
        busy = Busy(app, model)
        conversation = await busy.conversation()
        second = Reader(app, asking("second", conversation_id=conversation, on_busy="enqueue"))
        while app.app.turns.in_flight < 2:
            await asyncio.sleep(0.005)
        third = Reader(app, asking("third", conversation_id=conversation, on_busy="enqueue"))
        while app.app.turns.in_flight < 3:
            await asyncio.sleep(0.005)
        assert not second.events
        model.let_go()
        for reader in (busy.reader, second, third):
            assert (await reader.end())[-1]["finish_reason"] == "stop"
        assert await busy.contents(conversation) == ["first", "Yes.", "second", "Yes.", "third", "Yes."]


async def test_an_interrupt_keeps_the_partial_answer(tmp_path: Path) -> None:
    model = ScriptedModel("Well now, let us see.", hold=True)
    async with served(tmp_path, [model]) as app:
        busy = Busy(app, model)
        conversation = await busy.conversation()
        model.let_go(3)
        await busy.reader.until("delta")
        second = Reader(app, asking("second", conversation_id=conversation, on_busy="interrupt"))
        await second.until("model")
        assert (await busy.reader.end())[-1]["finish_reason"] == "cancelled"
        model.let_go()
        assert (await second.end())[-1]["finish_reason"] == "stop"
        first, partial, *rest = await busy.contents(conversation)
        assert first == "first"
        assert partial
        assert "Well now, let us see.".startswith(partial)
        assert rest == ["second", "Well now, let us see."]


async def test_a_rollback_removes_the_message_and_its_answer(tmp_path: Path) -> None:
    model = ScriptedModel("Yes.", hold=True)
    async with served(tmp_path, [model]) as app:
        busy = Busy(app, model)
        conversation = await busy.conversation()
        second = Reader(app, asking("second", conversation_id=conversation, on_busy="rollback"))
        await second.until("model")
        model.let_go()
        await second.end()
        assert await busy.contents(conversation) == ["second", "Yes."]


async def test_a_waiting_turn_can_be_cancelled(tmp_path: Path) -> None:
    model = ScriptedModel("Yes.", hold=True)
    async with served(tmp_path, [model]) as app:
        busy = Busy(app, model)
        conversation = await busy.conversation()
        second = Reader(app, asking("second", conversation_id=conversation, on_busy="enqueue"))
        while app.app.turns.in_flight < 2:
            await asyncio.sleep(0.005)
        (waiting,) = [t for t in app.app.turns.live_ids() if t != busy.reader.events[0]["turn_id"]]
        assert (await app.client.post(f"/api/v1/turns/{waiting}/cancel")).status_code == 200
        assert (await second.end())[-1]["finish_reason"] == "cancelled"
        model.let_go()
        await busy.reader.end()
        assert await busy.contents(conversation) == ["first", "Yes."]
