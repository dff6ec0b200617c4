"""What every `UserStore` keeps to; a backend's test subclasses it and provides `stores`."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.contracts.mood_store import EVER, JOY
from tools.errors import NotFound
from tools.stores.moods_protocol import MoodStore
from tools.stores.protocol import ConversationStore, NewTurn, StoredEvent, TurnEnd, TurnStore
from tools.stores.users_protocol import UserStore


class Stores(NamedTuple):
    """A user store, and those that hold what is a user's."""

    users: UserStore
    turns: TurnStore
    conversations: ConversationStore
    moods: MoodStore


async def say(stores: Stores, turn_id: str, user: str, conversation: str, *, make: bool, tenant: str = "t") -> None:
    turn = NewTurn(turn_id, user, f"I am {user}", conversation, make_conversation=make)
    await stores.turns.begin(tenant, turn, "owner")
    await stores.turns.append(tenant, turn_id, [StoredEvent(1, "{}")], TurnEnd("done", f"Hello {user}"), JOY)


async def said_in(stores: Stores, conversation: str) -> list[str]:
    return [message.content for message in await stores.conversations.messages("t", conversation)]


class UserStoreContract:
    """One test for each sentence of the Protocol."""

    @pytest.fixture
    def stores(self) -> Stores:
        raise NotImplementedError

    async def test_nothing_of_a_user_is_left(self, stores: Stores) -> None:
        await say(stores, "t1", "ann", "c", make=True)
        await stores.moods.record("t", "ann", JOY)
        await stores.users.erase("t", "ann")
        for call in (stores.conversations.get("t", "c"), stores.turns.get("t", "t1"), stores.turns.events("t", "t1")):
            with pytest.raises(NotFound):
                await call
        assert await stores.moods.between("t", "ann", *EVER, 10) == []

    async def test_a_choice_is_forgotten_too(self, stores: Stores) -> None:
        await stores.moods.opt_out("t", "ann")
        await stores.users.erase("t", "ann")
        assert not await stores.moods.opted_out("t", "ann")

    async def test_a_turn_in_anothers_conversation_goes_with_its_messages_and_the_summary(self, stores: Stores) -> None:
        await say(stores, "t1", "bob", "c", make=True)
        await say(stores, "t2", "ann", "c", make=False)
        last = (await stores.conversations.messages("t", "c"))[-1].position
        await stores.conversations.summarise("t", "c", "Ann said hello.", last)
        await stores.users.erase("t", "ann")
        assert await said_in(stores, "c") == ["I am bob", "Hello bob"]
        conversation, told = await stores.conversations.recall("t", "c")
        assert (conversation.summary, len(told)) == ("", 2)
        with pytest.raises(NotFound):
            await stores.turns.get("t", "t2")

    async def test_others_are_left_alone(self, stores: Stores) -> None:
        await say(stores, "t1", "ann", "c1", make=True)
        await say(stores, "t2", "bob", "c2", make=True)
        await stores.moods.opt_out("t", "cat")
        await stores.users.erase("t", "ann")
        assert await said_in(stores, "c2") == ["I am bob", "Hello bob"]
        assert len(await stores.moods.between("t", "bob", *EVER, 10)) == 1
        assert await stores.moods.opted_out("t", "cat")

    async def test_who_is_unknown_or_erased_already_is_erased_without_complaint(self, stores: Stores) -> None:
        await say(stores, "t1", "ann", "c", make=True)
        for _ in range(2):
            await stores.users.erase("t", "ann")
        await stores.users.erase("t", "nobody")

    async def test_a_tenant_never_sees_another_tenants_records(self, stores: Stores) -> None:
        await say(stores, "t1", "ann", "c", make=True)
        await stores.users.erase("other", "ann")
        assert await said_in(stores, "c") == ["I am ann", "Hello ann"]
