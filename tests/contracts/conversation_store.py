"""What every `ConversationStore` keeps to; a backend's test subclasses it and provides `stores`."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest

from tools.errors import Conflict, InvalidInput, NotFound
from tools.stores import cursors
from tools.stores.protocol import Conversation, ConversationStore, NewTurn, Page, StoredEvent, TurnEnd, TurnStore


class Stores(NamedTuple):
    """A conversation store and the turn store that writes the messages it reads."""

    conversations: ConversationStore
    turns: TurnStore


async def say(stores: Stores, conversation_id: str, text: str, answer: str = "Yes.", tenant: str = "t") -> str:
    """One whole turn in a conversation that is there; gives the turn's id, which is made of the text."""
    turn = NewTurn(f"turn_{conversation_id}_{text}", "u", text, conversation_id)
    await stores.turns.begin(tenant, turn, "owner")
    await stores.turns.append(tenant, turn.id, [StoredEvent(1, "{}")], TurnEnd("done", answer))
    return turn.id


async def make(stores: Stores, *ids: str, user: str = "u", tenant: str = "t") -> None:
    for id_ in ids:
        await stores.conversations.create(tenant, Conversation(id_, user, title=id_))


async def all_pages(stores: Stores, user: str | None, limit: int) -> list[Page[Conversation]]:
    pages = [await stores.conversations.list("t", user, limit, None)]
    while pages[-1].next_cursor is not None:
        pages.append(await stores.conversations.list("t", user, limit, pages[-1].next_cursor))
    return pages


def ids(page: Page[Conversation]) -> list[str]:
    return [conversation.id for conversation in page.items]


class ConversationStoreContract:
    """One test for each sentence of the Protocol."""

    @pytest.fixture
    def stores(self) -> Stores:
        raise NotImplementedError

    async def test_a_new_conversation_is_kept_as_given_with_the_stores_times(self, stores: Stores) -> None:
        given = Conversation("c", "u", "Tides", "so far", 3, created_at="1999", updated_at="1999")
        made = await stores.conversations.create("t", given)
        assert (made.id, made.user_id, made.title, made.summary, made.summary_until) == ("c", "u", "Tides", "so far", 3)
        assert made.created_at == made.updated_at > "2020"
        assert made.created_at.endswith("Z")
        assert await stores.conversations.get("t", "c") == made

    async def test_an_id_is_taken_once(self, stores: Stores) -> None:
        await make(stores, "c")
        for tenant in ("t", "other"):
            with pytest.raises(Conflict):
                await stores.conversations.create(tenant, Conversation("c", "u", "thief"))
        assert (await stores.conversations.get("t", "c")).title == "c"

    async def test_an_unknown_conversation_is_not_found_anywhere(self, stores: Stores) -> None:
        store = stores.conversations
        for call in (
            store.get("t", "none"),
            store.rename("t", "none", "x"),
            store.delete("t", "none"),
            store.messages("t", "none"),
            store.recall("t", "none"),
            store.summarise("t", "none", "x", 1),
        ):
            with pytest.raises(NotFound):
                await call

    async def test_the_list_shows_newest_activity_first(self, stores: Stores) -> None:
        await make(stores, "a", "b", "c")
        assert ids(await stores.conversations.list("t", "u", 10, None)) == ["c", "b", "a"]
        await say(stores, "b", "hello")
        assert ids(await stores.conversations.list("t", "u", 10, None)) == ["b", "c", "a"]

    async def test_the_list_is_one_users_or_the_whole_tenants(self, stores: Stores) -> None:
        await make(stores, "a", user="ann")
        await make(stores, "b", user="bob")
        assert ids(await stores.conversations.list("t", "ann", 10, None)) == ["a"]
        assert ids(await stores.conversations.list("t", "nobody", 10, None)) == []
        assert ids(await stores.conversations.list("t", None, 10, None)) == ["b", "a"]

    @pytest.mark.parametrize("user", ["u", None])
    async def test_pages_hold_every_conversation_once(self, stores: Stores, user: str | None) -> None:
        names = [f"c{n}" for n in range(7)]
        await make(stores, *names)
        pages = await all_pages(stores, user, 3)
        assert [len(page.items) for page in pages] == [3, 3, 1]
        assert [id_ for page in pages for id_ in ids(page)] == names[::-1]

    async def test_a_full_last_page_has_no_cursor(self, stores: Stores) -> None:
        await make(stores, "a", "b")
        assert (await stores.conversations.list("t", "u", 2, None)).next_cursor is None

    async def test_a_conversation_made_between_two_pages_repeats_nothing(self, stores: Stores) -> None:
        await make(stores, "a", "b", "c", "d")
        first = await stores.conversations.list("t", "u", 2, None)
        await make(stores, "e")
        second = await stores.conversations.list("t", "u", 2, first.next_cursor)
        assert ids(first) + ids(second) == ["d", "c", "b", "a"]

    @pytest.mark.parametrize(
        "cursor",
        ["", "nonsense", "%%%", "游标", "\ud800", "A" * 5000, cursors.encode(7), cursors.encode("only one"), "W10"],
    )
    async def test_a_bad_cursor_is_invalid_input(self, stores: Stores, cursor: str) -> None:
        with pytest.raises(InvalidInput):
            await stores.conversations.list("t", "u", 10, cursor)

    async def test_a_page_of_nothing_is_invalid_input(self, stores: Stores) -> None:
        for limit in (0, -1):
            with pytest.raises(InvalidInput):
                await stores.conversations.list("t", "u", limit, None)

    async def test_renaming_sets_the_title_and_is_no_activity(self, stores: Stores) -> None:
        await make(stores, "a", "b")
        renamed = await stores.conversations.rename("t", "a", "Ebb")
        assert renamed.title == "Ebb"
        assert await stores.conversations.get("t", "a") == renamed
        assert ids(await stores.conversations.list("t", "u", 10, None)) == ["b", "a"]

    async def test_deleting_removes_messages_turns_and_events_of_that_conversation_alone(self, stores: Stores) -> None:
        await make(stores, "gone", "kept")
        turns = [await say(stores, "gone", "one"), await say(stores, "gone", "two")]
        kept = await say(stores, "kept", "one")
        assert sorted(await stores.conversations.delete("t", "gone")) == sorted(turns)
        with pytest.raises(NotFound):
            await stores.conversations.get("t", "gone")
        for turn_id in turns:
            with pytest.raises(NotFound):
                await stores.turns.events("t", turn_id)
        await make(stores, "gone")
        assert await stores.conversations.messages("t", "gone") == []
        assert len(await stores.conversations.messages("t", "kept")) == 2
        assert len(await stores.turns.events("t", kept)) == 1

    async def test_messages_come_in_order_and_from_any_position(self, stores: Stores) -> None:
        await make(stores, "c")
        for text in ("one", "two"):
            await say(stores, "c", text, answer=text.upper())
        messages = await stores.conversations.messages("t", "c")
        assert [m.content for m in messages] == ["one", "ONE", "two", "TWO"]
        assert [m.role for m in messages] == ["user", "assistant"] * 2
        assert [m.position for m in messages] == sorted({m.position for m in messages})
        later = await stores.conversations.messages("t", "c", after=messages[1].position)
        assert later == messages[2:]

    async def test_a_limit_takes_the_last_messages(self, stores: Stores) -> None:
        await make(stores, "c")
        for text in ("one", "two"):
            await say(stores, "c", text)
        messages = await stores.conversations.messages("t", "c")
        assert await stores.conversations.messages("t", "c", limit=3) == messages[1:]
        assert await stores.conversations.messages("t", "c", after=messages[2].position, limit=3) == messages[3:]
        assert await stores.conversations.messages("t", "c", limit=99) == messages

    async def test_recall_gives_what_the_summary_does_not_tell(self, stores: Stores) -> None:
        await make(stores, "c")
        for text in ("one", "two"):
            await say(stores, "c", text)
        messages = await stores.conversations.messages("t", "c")
        assert await stores.conversations.recall("t", "c") == (await stores.conversations.get("t", "c"), messages)
        await stores.conversations.summarise("t", "c", "They said one.", messages[1].position)
        conversation, rest = await stores.conversations.recall("t", "c")
        assert (conversation.summary, conversation.summary_until) == ("They said one.", messages[1].position)
        assert rest == messages[2:]

    async def test_recall_reads_at_one_moment(self, stores: Stores) -> None:
        for n in range(20):
            await make(stores, f"c{n}")
            await say(stores, f"c{n}", "one")
            recalled, _ = await asyncio.gather(
                stores.conversations.recall("t", f"c{n}"),
                stores.conversations.delete("t", f"c{n}"),
                return_exceptions=True,
            )
            assert isinstance(recalled, NotFound) or (isinstance(recalled, tuple) and len(recalled[1]) == 2)

    async def test_a_message_after_a_removed_one_is_recalled(self, stores: Stores) -> None:
        await make(stores, "c")
        removed = await say(stores, "c", "one")
        last = (await stores.conversations.messages("t", "c"))[-1].position
        await stores.conversations.summarise("t", "c", "They said one.", last)
        await stores.turns.roll_back("t", removed)
        await say(stores, "c", "two")
        _, messages = await stores.conversations.recall("t", "c")
        assert [m.content for m in messages] == ["two", "Yes."]

    @pytest.mark.parametrize("text", ["两行\n文字", "nul \x00 in it", "🎐 e\u0301", "' OR 1=1 --", "x" * 100_000])
    async def test_text_is_kept_to_the_letter(self, stores: Stores, text: str) -> None:
        await make(stores, "c")
        await say(stores, "c", text, answer=text)
        assert [m.content for m in await stores.conversations.messages("t", "c")] == [text, text]

    async def test_what_is_no_unicode_is_invalid_input(self, stores: Stores) -> None:
        await make(stores, "c")
        with pytest.raises(InvalidInput):
            await stores.conversations.rename("t", "c", "half a pair \ud800")
        with pytest.raises(InvalidInput):
            await stores.conversations.messages("t", "c", after=2**70)
        assert (await stores.conversations.get("t", "c")).title == "c"

    async def test_a_tenant_never_sees_another_tenants_records(self, stores: Stores) -> None:
        await make(stores, "c")
        await say(stores, "c", "one")
        store = stores.conversations
        before = await store.recall("t", "c")
        for call in (
            store.get("other", "c"),
            store.rename("other", "c", "x"),
            store.delete("other", "c"),
            store.messages("other", "c"),
            store.recall("other", "c"),
            store.summarise("other", "c", "x", 1),
        ):
            with pytest.raises(NotFound):
                await call
        for user in (None, "u"):
            assert ids(await store.list("other", user, 10, None)) == []
        await make(stores, "d")
        cursor = (await store.list("t", "u", 1, None)).next_cursor
        assert cursor is not None
        assert ids(await store.list("other", None, 10, cursor)) == []
        assert await store.recall("t", "c") == before
