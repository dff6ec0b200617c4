from __future__ import annotations

from nodes.recall_memory import HISTORY_TOKENS, recall_memory
from tests.nodes.rehearsal import Rehearsal
from tools.models.protocol import ChatMessage
from tools.stores.protocol import Message


async def test_earlier_messages_come_back_in_order_without_the_one_being_answered() -> None:
    messages = [
        Message("m1", "user", "I am Ada.", "turn_0"),
        Message("m2", "assistant", "Hello Ada.", "turn_0"),
        Message("m3", "user", "Who am I?", "turn_1"),
    ]
    stage = Rehearsal(kept=messages, summary="user: spoke of tea")
    update = await recall_memory({}, stage.context("Who am I?"))
    assert update["history"] == [ChatMessage("user", "I am Ada."), ChatMessage("assistant", "Hello Ada.")]
    assert update["summary"] == "user: spoke of tea"
    assert update["history_is_long"] is False
    assert stage.asked == [("t", "conv_1")]


async def test_a_turn_that_opens_a_conversation_asks_for_nothing() -> None:
    stage = Rehearsal()
    update = await recall_memory({}, stage.context(opens_conversation=True))
    assert (update["history"], update["summary"], stage.asked) == ([], "", [])


async def test_what_does_not_fit_is_left_out_from_the_oldest_on() -> None:
    long = "word " * (HISTORY_TOKENS // 2)
    messages = [Message(f"m{n}", "user", f"{n} {long}", f"turn_old{n}") for n in range(4)]
    update = await recall_memory({}, Rehearsal(kept=messages).context())
    assert update["history_is_long"] is True
    kept = [message.content[0] for message in update["history"]]
    assert kept == ["0", "1", "2", "3"][-len(kept) :]
    assert 0 < len(kept) < 4
