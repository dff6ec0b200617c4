"""What every `MoodStore` keeps to; a backend's test subclasses it and provides `stores`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from tools.errors import InvalidInput
from tools.stores.moods_protocol import Mood, MoodStore
from tools.stores.protocol import ConversationStore, NewTurn, StoredEvent, TurnEnd, TurnStore

JOY = Mood("joy", 0.8, 0.6, 0.5, 0.9, "ml")
GRIEF = Mood("grief", -0.9, 0.3, 0.7, 0.6, "lexicon")
EVER = ("0000", "9999")


class Stores(NamedTuple):
    """A mood store, and the stores whose rows take moods along."""

    moods: MoodStore
    turns: TurnStore
    conversations: ConversationStore


async def all_of(stores: Stores, user: str = "u", tenant: str = "t") -> Sequence[Mood]:
    return await stores.moods.between(tenant, user, *EVER, 1000)


async def feel(stores: Stores, turn_id: str, *moods: Mood, user: str = "u", conversation: str | None = None) -> None:
    """A whole turn in a conversation of its own (`c_<turn_id>`) or of that name, which says what it felt."""
    turn = NewTurn(turn_id, user, "Hi", conversation or f"c_{turn_id}", make_conversation=conversation is None)
    await stores.turns.begin("t", turn, "owner")
    for place, mood in enumerate(moods, start=1):
        await stores.turns.append("t", turn_id, [StoredEvent(place, "{}")], mood=mood)
    await stores.turns.append("t", turn_id, [StoredEvent(len(moods) + 1, "{}")], TurnEnd("done", "Yes."))


class MoodStoreContract:
    """One test for each sentence of the Protocol."""

    @pytest.fixture
    def stores(self) -> Stores:
        raise NotImplementedError

    # moods of turns

    async def test_a_turns_mood_is_kept_with_its_event_for_the_turns_user(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY)
        (kept,) = await all_of(stores)
        assert kept == replace(JOY, at=kept.at, turn_id="t1")
        assert kept.at > "2020"
        assert kept.at.endswith("Z")

    async def test_a_turn_has_one_mood_the_first(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY, GRIEF)
        assert [mood.primary_emotion for mood in await all_of(stores)] == ["joy"]

    async def test_a_turn_that_ended_without_one_has_none(self, stores: Stores) -> None:
        await feel(stores, "t1")
        assert await all_of(stores) == []

    async def test_a_conversation_takes_its_moods_along(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY)
        await feel(stores, "t2", GRIEF)
        await feel(stores, "t3", JOY, conversation="c_t1")
        await stores.conversations.delete("t", "c_t1")
        assert [mood.turn_id for mood in await all_of(stores)] == ["t2"]

    async def test_a_turn_that_is_rolled_back_felt_nothing(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY)
        await feel(stores, "t2", GRIEF)
        await stores.turns.roll_back("t", "t1")
        assert [mood.turn_id for mood in await all_of(stores)] == ["t2"]

    # moods of other messages

    async def test_a_message_that_is_no_turn_is_kept_dated_now(self, stores: Stores) -> None:
        await feel(stores, "t1", GRIEF)
        assert await stores.moods.record("t", "u", replace(JOY, at="1999", turn_id="forged"))
        before, kept = await all_of(stores)
        assert kept == replace(JOY, at=kept.at, turn_id=None)
        assert kept.at >= before.at

    # reading

    async def test_moods_come_oldest_first_and_of_many_the_newest(self, stores: Stores) -> None:
        for place in range(5):
            await stores.moods.record("t", "u", replace(JOY, intensity=place / 10))
        assert [mood.intensity for mood in await all_of(stores)] == [0.0, 0.1, 0.2, 0.3, 0.4]
        newest = await stores.moods.between("t", "u", *EVER, 2)
        assert [mood.intensity for mood in newest] == [0.3, 0.4]

    async def test_the_window_holds_its_beginning_and_not_its_end(self, stores: Stores) -> None:
        for turn in ("t1", "t2", "t3"):
            await feel(stores, turn, JOY)
        first, second, third = (mood.at for mood in await all_of(stores))
        assert first < second < third
        within = await stores.moods.between("t", "u", first, third, 10)
        assert [mood.at for mood in within] == [first, second]

    async def test_asking_for_no_mood_is_invalid_input(self, stores: Stores) -> None:
        with pytest.raises(InvalidInput):
            await stores.moods.between("t", "u", *EVER, 0)

    async def test_a_user_sees_the_users_own_moods_alone(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY, user="ann")
        await feel(stores, "t2", GRIEF, user="bob")
        assert [mood.turn_id for mood in await all_of(stores, "ann")] == ["t1"]
        assert await all_of(stores, "nobody") == []

    # erasing

    async def test_forgetting_erases_one_users_moods_and_ends_nothing(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY)
        await stores.moods.record("t", "u", GRIEF)
        await feel(stores, "t2", GRIEF, user="bob")
        assert await stores.moods.forget("t", "u") == 2
        assert await stores.moods.forget("t", "u") == 0
        assert await all_of(stores) == []
        assert len(await all_of(stores, "bob")) == 1
        await feel(stores, "t3", JOY)
        assert len(await all_of(stores)) == 1

    async def test_who_opts_out_has_no_moods_and_gets_none(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY)
        assert not await stores.moods.opted_out("t", "u")
        assert await stores.moods.opt_out("t", "u") == 1
        assert await stores.moods.opt_out("t", "u") == 0
        assert await stores.moods.opted_out("t", "u")
        await feel(stores, "t2", JOY)
        assert not await stores.moods.record("t", "u", JOY)
        assert await all_of(stores) == []
        assert await stores.moods.record("t", "bob", JOY)

    async def test_who_opts_in_again_starts_anew(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY)
        await stores.moods.opt_out("t", "u")
        await stores.moods.opt_in("t", "u")
        await stores.moods.opt_in("t", "u")
        assert not await stores.moods.opted_out("t", "u")
        assert await all_of(stores) == []
        await feel(stores, "t2", GRIEF)
        assert [mood.turn_id for mood in await all_of(stores)] == ["t2"]

    async def test_a_turn_begun_before_the_opt_out_keeps_nothing_after_it(self, stores: Stores) -> None:
        await stores.turns.begin("t", NewTurn("t1", "u", "Hi", "c", make_conversation=True), "owner")
        await stores.moods.opt_out("t", "u")
        await stores.turns.append("t", "t1", [StoredEvent(1, "{}")], mood=JOY)
        assert await all_of(stores) == []

    async def test_a_tenant_never_sees_another_tenants_records(self, stores: Stores) -> None:
        await feel(stores, "t1", JOY)
        assert await all_of(stores, tenant="other") == []
        assert await stores.moods.forget("other", "u") == 0
        assert await stores.moods.opt_out("other", "u") == 0
        assert not await stores.moods.opted_out("t", "u")
        assert len(await all_of(stores)) == 1
