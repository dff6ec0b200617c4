"""What every `HistoryStore` keeps to; a backend's test subclasses it and provides `stores`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from tools.stores.histories_protocol import HistoryStore, PastTurn, Quote, QuotedExtraction
from tools.stores.knowledge_protocol import DocumentStore, DocumentText, IndexQueue, NewChunk, NewDocument
from tools.stores.protocol import ConversationStore, NewTurn, StoredEvent, TurnEnd, TurnStore

CITATION = {"document_id": "d", "title": "Tides", "start": 3, "end": 9}


class Stores(NamedTuple):
    """A history store, and those that write what it reads."""

    histories: HistoryStore
    turns: TurnStore
    conversations: ConversationStore
    documents: DocumentStore
    queue: IndexQueue


async def say(stores: Stores, turn_id: str, text: str, end: TurnEnd | None, user: str = "u", tenant: str = "t") -> None:
    """A turn in a conversation of its own (`c_<turn_id>`), which is ended as told."""
    turn = NewTurn(turn_id, user, text, f"c_{turn_id}", make_conversation=True, history=[("user", "before")])
    await stores.turns.begin(tenant, turn, "owner")
    if end is not None:
        await stores.turns.append(tenant, turn_id, [StoredEvent(1, "{}")], end)


async def keep(stores: Stores, document_id: str, *chunks: tuple[int, int, str], tenant: str = "t") -> None:
    """A document of chunks given as start, end and extraction."""
    await stores.documents.register(
        tenant, "ds", [NewDocument(document_id, f"{document_id}.txt", "text/plain", 1, document_id)], "hybrid", {}
    )
    await stores.queue.claim(tenant, "owner")
    rows = [NewChunk("", None, start, end, f"{data * 9}", "en", "x", extraction=data) for start, end, data in chunks]
    assert await stores.queue.keep_chunks(tenant, document_id, "owner", DocumentText("T", "x" * 99, (), {}), rows)


class HistoryStoreContract:
    """One test for each sentence of the Protocol."""

    @pytest.fixture
    def stores(self) -> Stores:
        raise NotImplementedError

    async def turns(self, stores: Stores, user: str = "u", limit: int = 10, tenant: str = "t") -> Sequence[PastTurn]:
        return await stores.histories.turns(tenant, user, limit)

    async def test_turns_of_all_conversations_come_newest_first_with_their_citations(self, stores: Stores) -> None:
        await say(stores, "t1", "One?", TurnEnd("done", "Yes [1].", [CITATION]))
        await say(stores, "t2", "Two?", None)
        newest, first = await self.turns(stores)
        assert (first.id, first.message, first.citations) == ("t1", "One?", [CITATION])
        assert (newest.id, newest.message, newest.citations) == ("t2", "Two?", [])
        assert "2020" < first.at <= newest.at
        assert [turn.id for turn in await self.turns(stores, limit=1)] == ["t2"]

    async def test_a_turn_that_was_taken_back_or_deleted_is_none(self, stores: Stores) -> None:
        for name in ("t1", "t2", "t3"):
            await say(stores, name, "Hi", TurnEnd("done", "Yes."))
        await stores.turns.roll_back("t", "t1")
        await stores.conversations.delete("t", "c_t2")
        assert [turn.id for turn in await self.turns(stores)] == ["t3"]

    async def test_another_users_turns_are_not_told(self, stores: Stores) -> None:
        await say(stores, "t1", "Hi", TurnEnd("done", "Yes."), user="ann")
        assert await self.turns(stores, "bob") == []

    async def test_extractions_are_those_of_the_chunks_that_a_quote_overlaps(self, stores: Stores) -> None:
        await keep(stores, "d1", (0, 10, "a"), (10, 20, "b"), (20, 30, "c"))
        await keep(stores, "d2", (0, 10, "e"))
        quotes = [Quote("d1", 12, 18), Quote("d2", 0, 1), Quote("d1", 5, 11), Quote("gone", 0, 9)]
        assert await stores.histories.extractions("t", quotes) == [
            QuotedExtraction(0, 10, "b"),
            QuotedExtraction(1, 0, "e"),
            QuotedExtraction(2, 0, "a"),
            QuotedExtraction(2, 10, "b"),
        ]
        assert await stores.histories.extractions("t", []) == []
        await stores.documents.delete("t", "d1")
        assert [found.data for found in await stores.histories.extractions("t", quotes)] == ["e"]

    async def test_a_tenant_never_sees_another_tenants_records(self, stores: Stores) -> None:
        await say(stores, "t1", "Hi", TurnEnd("done", "Yes.", [CITATION]))
        await keep(stores, "d", (0, 10, "a"))
        assert await self.turns(stores, tenant="other") == []
        assert await stores.histories.extractions("other", [Quote("d", 0, 9)]) == []
