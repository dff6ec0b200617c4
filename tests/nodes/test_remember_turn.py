from __future__ import annotations

from nodes.remember_turn import KEPT_TOKENS, remember_turn
from tests.nodes.rehearsal import Rehearsal
from tools.stores.protocol import Message


async def test_a_short_history_is_left_alone() -> None:
    stage = Rehearsal(kept=[Message("m1", "user", "Hello")])
    assert await remember_turn({"history_is_long": False}, stage.context()) == {"folded": 0}
    assert await remember_turn({}, stage.context()) == {"folded": 0}
    assert stage.asked == []


async def test_the_oldest_messages_are_folded_up_to_their_position() -> None:
    long = "word " * (KEPT_TOKENS // 2)
    messages = [Message(f"m{n}", "user", f"Message {n}. {long}", position=10 * n) for n in range(1, 6)]
    stage = Rehearsal(kept=messages, summary="user: spoke of tea")
    folded = (await remember_turn({"history_is_long": True}, stage.context()))["folded"]
    assert 0 < folded <= 3
    (_, told) = stage.asked
    assert told[:3] == ("summarise", "t", "conv_1")
    assert told[3].split("\n") == ["user: spoke of tea", *(f"user: Message {n}." for n in range(1, folded + 1))]
    assert told[4] == 10 * folded


async def test_the_last_question_and_answer_stay_even_if_they_are_long() -> None:
    long = "word " * (KEPT_TOKENS * 2)
    messages = [Message(f"m{n}", "user", long, position=n) for n in (1, 2)]
    stage = Rehearsal(kept=messages)
    assert await remember_turn({"history_is_long": True}, stage.context()) == {"folded": 0}
    assert len(stage.asked) == 1
