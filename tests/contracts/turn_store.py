"""What every `TurnStore` keeps to; a backend's test subclasses it and provides `stores`."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from tests.contracts.conversation_store import Stores, make, say
from tools.errors import Conflict, InvalidInput, NotFound, TurnInProgress
from tools.stores.protocol import Message, NewTurn, StoredEvent, TurnEnd

LAST = '{"type":"error","seq":{seq},"code":"interrupted","message":"{cut}"}'


async def begin(stores: Stores, turn_id: str, message: str = "Hi", *, owner: str = "owner", tenant: str = "t") -> None:
    """A running turn in a conversation of its own, named `c_<turn_id>`."""
    turn = NewTurn(turn_id, "u", message, f"c_{turn_id}", make_conversation=True)
    await stores.turns.begin(tenant, turn, owner)


def event(seq: int, type_: str = "delta", content: str = "") -> StoredEvent:
    return StoredEvent(seq, orjson.dumps({"type": type_, "seq": seq, "content": content}).decode())


async def contents(stores: Stores, conversation_id: str, tenant: str = "t") -> list[str]:
    return [m.content for m in await stores.conversations.messages(tenant, conversation_id)]


async def answer_of(stores: Stores, turn_id: str) -> Message:
    return (await stores.conversations.messages("t", f"c_{turn_id}"))[-1]


class TurnStoreContract:
    """One test for each sentence of the Protocol."""

    @pytest.fixture
    def stores(self) -> Stores:
        raise NotImplementedError

    # begin

    async def test_a_turn_begins_with_its_conversation_history_and_message(self, stores: Stores) -> None:
        turn = NewTurn("t1", "u", "And now?", "c", True, [("system", "Be brief."), ("user", "Hi"), ("assistant", "Yo")])
        await stores.turns.begin("t", turn, "owner")
        conversation, messages = await stores.conversations.recall("t", "c")
        assert conversation.user_id == "u"
        assert [(m.role, m.content) for m in messages] == [*turn.history, ("user", "And now?")]
        assert [m.turn_id for m in messages] == [None, None, None, "t1"]
        assert {m.status for m in messages} == {"complete"}
        assert len({m.id for m in messages if m.id.startswith("msg_")}) == 4
        record = await stores.turns.get("t", "t1")
        assert (record.conversation_id, record.user_id, record.status, record.owner) == ("c", "u", "running", "owner")
        assert record.cancel_requested is False

    async def test_history_does_not_touch_a_conversation_that_is_there(self, stores: Stores) -> None:
        await make(stores, "c")
        await stores.turns.begin("t", NewTurn("t1", "u", "Hi", "c", history=[("user", "forged")]), "owner")
        assert await contents(stores, "c") == ["Hi"]

    async def test_a_conversation_is_made_once(self, stores: Stores) -> None:
        await make(stores, "c")
        with pytest.raises(Conflict) as caught:
            await stores.turns.begin("t", NewTurn("t1", "u", "Hi", "c", make_conversation=True), "owner")
        assert not isinstance(caught.value, TurnInProgress)
        assert await contents(stores, "c") == []

    @pytest.mark.parametrize(
        ("message", "title"),
        [
            ("How deep is the sea?", "How deep is the sea?"),
            ("\n  \n  First\tline \nsecond", "First line"),
            ("x" * 80, "x" * 80),
            ("海" * 200, "海" * 79 + "…"),
            (" \n ", ""),
        ],
    )
    async def test_the_message_gives_an_untitled_conversation_its_title(
        self, stores: Stores, message: str, title: str
    ) -> None:
        await make(stores, "c")
        await stores.conversations.rename("t", "c", "")
        await stores.turns.begin("t", NewTurn("t1", "u", message, "c"), "owner")
        await begin(stores, "t2", message)
        assert (await stores.conversations.get("t", "c")).title == title
        assert (await stores.conversations.get("t", "c_t2")).title == title

    async def test_a_title_that_is_there_stays(self, stores: Stores) -> None:
        await make(stores, "c")
        await say(stores, "c", "hello")
        assert (await stores.conversations.get("t", "c")).title == "c"

    async def test_beginning_and_ending_are_activity(self, stores: Stores) -> None:
        await make(stores, "c")
        made = (await stores.conversations.get("t", "c")).updated_at
        await stores.turns.begin("t", NewTurn("t1", "u", "Hi", "c"), "owner")
        begun = (await stores.conversations.get("t", "c")).updated_at
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("done"))
        ended = (await stores.conversations.get("t", "c")).updated_at
        assert made < begun < ended

    async def test_a_turn_in_an_unknown_conversation_is_not_found(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            await stores.turns.begin("t", NewTurn("t1", "u", "Hi", "none"), "owner")
        with pytest.raises(NotFound):
            await stores.turns.get("t", "t1")

    async def test_a_conversation_has_one_running_turn(self, stores: Stores) -> None:
        await begin(stores, "t1")
        with pytest.raises(TurnInProgress):
            await stores.turns.begin("t", NewTurn("t2", "u", "Me too", "c_t1"), "another process")
        assert await contents(stores, "c_t1") == ["Hi"]
        with pytest.raises(NotFound):
            await stores.turns.get("t", "t2")

    async def test_of_many_turns_at_once_one_begins(self, stores: Stores) -> None:
        await make(stores, "c")
        begun = await asyncio.gather(
            *(stores.turns.begin("t", NewTurn(f"t{n}", "u", "Hi", "c"), "owner") for n in range(10)),
            return_exceptions=True,
        )
        assert [outcome for outcome in begun if not isinstance(outcome, TurnInProgress)] == [None]
        assert await contents(stores, "c") == ["Hi"]

    @pytest.mark.parametrize("status", ["done", "cancelled", "error"])
    async def test_after_an_end_the_next_turn_begins(self, stores: Stores, status: str) -> None:
        await begin(stores, "t1")
        await stores.turns.append("t", "t1", [event(1)], TurnEnd(status, "Hello."))  # type: ignore[arg-type]
        assert (await stores.turns.get("t", "t1")).status == status
        await stores.turns.begin("t", NewTurn("t2", "u", "More", "c_t1"), "owner")
        assert await contents(stores, "c_t1") == ["Hi", "Hello.", "More"]

    # append, events

    async def test_events_are_kept_in_order_and_to_the_letter(self, stores: Stores) -> None:
        await begin(stores, "t1")
        said = [StoredEvent(n, f'{{"type":"delta","seq":{n},"content":"好\\u0007 {{seq}}"}}') for n in range(1, 8)]
        await stores.turns.append("t", "t1", said[:1])
        await stores.turns.append("t", "t1", said[1:4])
        await stores.turns.append("t", "t1", said[4:])
        assert await stores.turns.events("t", "t1") == said
        assert await stores.turns.events("t", "t1", after=3) == said[3:]
        assert await stores.turns.events("t", "t1", after=7) == []

    async def test_events_of_an_unknown_turn_are_not_found(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            await stores.turns.events("t", "none")
        with pytest.raises(NotFound):
            await stores.turns.append("t", "none", [event(1)])

    async def test_a_done_turn_leaves_its_answer_with_citations(self, stores: Stores) -> None:
        await begin(stores, "t1")
        citations = [{"id": "1", "quote": "海深", "page": None, "score": 0.5}]
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("done", "Deep [1].", citations))
        answer = await answer_of(stores, "t1")
        assert (answer.role, answer.content, answer.status, answer.turn_id) == (
            "assistant",
            "Deep [1].",
            "complete",
            "t1",
        )
        assert list(answer.citations) == citations

    @pytest.mark.parametrize("status", ["cancelled", "error"])
    async def test_an_answer_that_was_cut_is_partial(self, stores: Stores, status: str) -> None:
        await begin(stores, "t1")
        await stores.turns.append("t", "t1", [], TurnEnd(status, "So f"))  # type: ignore[arg-type]
        assert (await answer_of(stores, "t1")).status == "partial"

    async def test_an_empty_answer_is_no_message(self, stores: Stores) -> None:
        await begin(stores, "t1")
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("cancelled"))
        assert await contents(stores, "c_t1") == ["Hi"]

    async def test_an_ended_turn_says_nothing_more(self, stores: Stores) -> None:
        await begin(stores, "t1")
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("done", "Hello."))
        for events, end in (([event(2)], None), ([event(2)], TurnEnd("error", "Late")), ([], TurnEnd("error", "Late"))):
            with pytest.raises(NotFound):
                await stores.turns.append("t", "t1", events, end)
        assert await stores.turns.events("t", "t1") == [event(1)]
        assert await contents(stores, "c_t1") == ["Hi", "Hello."]
        assert (await stores.turns.get("t", "t1")).status == "done"

    async def test_events_and_end_are_kept_together_or_not_at_all(self, stores: Stores) -> None:
        await begin(stores, "t1")
        with pytest.raises(InvalidInput):
            await stores.turns.append("t", "t1", [event(1)], TurnEnd("done", "half a pair \ud800"))
        assert await stores.turns.events("t", "t1") == []
        assert (await stores.turns.get("t", "t1")).status == "running"

    # running, cancel

    async def test_the_running_turn_is_named_until_its_end(self, stores: Stores) -> None:
        await begin(stores, "t1")
        assert await stores.turns.running("t", "c_t1") == "t1"
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("done"))
        assert await stores.turns.running("t", "c_t1") is None
        assert await stores.turns.running("t", "none") is None

    async def test_a_cancel_request_reaches_the_turns_owner(self, stores: Stores) -> None:
        await begin(stores, "t1", owner="a")
        await begin(stores, "t2", owner="a")
        await begin(stores, "t3", owner="b")
        record = await stores.turns.request_cancel("t", "t1")
        assert (record.status, record.cancel_requested, record.owner) == ("running", True, "a")
        await stores.turns.request_cancel("t", "t3")
        assert await stores.turns.cancel_requests("a") == ["t1"]
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("cancelled"))
        assert await stores.turns.cancel_requests("a") == []

    async def test_a_cancel_request_leaves_an_ended_turn_alone(self, stores: Stores) -> None:
        await begin(stores, "t1")
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("done", "Hello."))
        before = await stores.turns.get("t", "t1")
        assert await stores.turns.request_cancel("t", "t1") == before
        assert before.cancel_requested is False
        with pytest.raises(NotFound):
            await stores.turns.request_cancel("t", "none")

    # roll_back

    async def test_rolling_back_removes_message_and_answer_of_that_turn(self, stores: Stores) -> None:
        await make(stores, "c")
        await say(stores, "c", "one")
        turn_id = await say(stores, "c", "two")
        await stores.turns.roll_back("t", turn_id)
        assert await contents(stores, "c") == ["one", "Yes."]
        assert (await stores.turns.get("t", turn_id)).status == "rolled_back"
        assert len(await stores.turns.events("t", turn_id)) == 1
        await stores.turns.roll_back("t", turn_id)
        await say(stores, "c", "three")
        assert await contents(stores, "c") == ["one", "Yes.", "three", "Yes."]

    async def test_a_running_turn_is_not_rolled_back(self, stores: Stores) -> None:
        await begin(stores, "t1")
        with pytest.raises(Conflict):
            await stores.turns.roll_back("t", "t1")
        assert await contents(stores, "c_t1") == ["Hi"]
        with pytest.raises(NotFound):
            await stores.turns.roll_back("t", "none")

    async def test_a_title_goes_with_the_message_it_was_taken_from(self, stores: Stores) -> None:
        await begin(stores, "t1", "A secret")
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("cancelled"))
        await stores.turns.roll_back("t", "t1")
        assert (await stores.conversations.get("t", "c_t1")).title == ""

    async def test_a_title_from_elsewhere_survives_rolling_back(self, stores: Stores) -> None:
        await begin(stores, "t1", "Hi")
        await stores.turns.append("t", "t1", [event(1)], TurnEnd("done"))
        await stores.turns.roll_back("t", await say(stores, "c_t1", "Hi"))
        assert (await stores.conversations.get("t", "c_t1")).title == "Hi"
        await make(stores, "named")
        await stores.turns.roll_back("t", await say(stores, "named", "Hi"))
        assert (await stores.conversations.get("t", "named")).title == "named"

    # owners, interrupt

    async def test_owners_are_those_with_running_turns(self, stores: Stores) -> None:
        assert await stores.turns.owners_of_running() == []
        for turn_id, owner in (("t1", "a"), ("t2", "a"), ("t3", "b"), ("t4", "c")):
            await begin(stores, turn_id, owner=owner, tenant=turn_id)
        await stores.turns.append("t4", "t4", [event(1)], TurnEnd("done"))
        assert sorted(await stores.turns.owners_of_running()) == ["a", "b"]

    async def test_interrupting_ends_all_turns_of_an_owner_with_one_last_event(self, stores: Stores) -> None:
        for turn_id, owner in (("t1", "dead"), ("t2", "dead"), ("t3", "alive")):
            await begin(stores, turn_id, owner=owner)
        await stores.turns.append("t", "t1", [event(1), event(2)])
        await stores.turns.append("t", "t3", [event(1)])
        assert await stores.turns.interrupt("dead", LAST) == 2
        assert await stores.turns.events("t", "t1", after=2) == [StoredEvent(3, LAST.replace("{seq}", "3"))]
        assert await stores.turns.events("t", "t2") == [StoredEvent(1, LAST.replace("{seq}", "1"))]
        assert await stores.turns.events("t", "t3") == [event(1)]
        statuses = [(await stores.turns.get("t", turn_id)).status for turn_id in ("t1", "t2", "t3")]
        assert statuses == ["error", "error", "running"]
        assert await stores.turns.interrupt("dead", LAST) == 0
        await stores.turns.begin("t", NewTurn("t4", "u", "Still there?", "c_t1"), "alive")

    async def test_an_interrupted_answer_is_kept_as_far_as_it_went(self, stores: Stores) -> None:
        for turn_id in ("deltas", "replaced", "silent"):
            await begin(stores, turn_id, owner="dead")
        await stores.turns.append("t", "deltas", [event(1, "start"), event(2, content="Lo")])
        await stores.turns.append("t", "deltas", [event(3, content="wick\n港")])
        await stores.turns.append(
            "t", "replaced", [event(1, content="Wrong"), event(2, "replace", "Right"), event(3, content="er")]
        )
        await stores.turns.append("t", "silent", [event(1, "start")])
        await stores.turns.interrupt("dead", LAST)
        answer = await answer_of(stores, "deltas")
        assert (answer.role, answer.content, answer.status) == ("assistant", "Lowick\n港", "partial")
        assert (await answer_of(stores, "replaced")).content == "Righter"
        assert await contents(stores, "c_silent") == ["Hi"]

    async def test_a_tenant_never_sees_another_tenants_records(self, stores: Stores) -> None:
        await begin(stores, "t1")
        await stores.turns.append("t", "t1", [event(1)])
        store = stores.turns
        for call in (
            store.begin("other", NewTurn("t2", "u", "Hi", "c_t1"), "owner"),
            store.append("other", "t1", [event(2)]),
            store.append("other", "t1", [], TurnEnd("done", "Forged.")),
            store.get("other", "t1"),
            store.events("other", "t1"),
            store.request_cancel("other", "t1"),
            store.roll_back("other", "t1"),
        ):
            with pytest.raises(NotFound):
                await call
        assert await store.running("other", "c_t1") is None
        record = await store.get("t", "t1")
        assert (record.status, record.cancel_requested) == ("running", False)
        assert await store.events("t", "t1") == [event(1)]
        assert await contents(stores, "c_t1") == ["Hi"]
