"""The contract of history stores, on SQLite."""

from __future__ import annotations

import pytest

from tests.contracts.history_store import HistoryStoreContract, Stores
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.histories import SqlHistoryStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.turns import SqlTurnStore


class TestSqlHistoryStore(HistoryStoreContract):
    @pytest.fixture
    def stores(self, database: Database) -> Stores:
        return Stores(
            SqlHistoryStore(database),
            SqlTurnStore(database),
            SqlConversationStore(database),
            SqlDocumentStore(database),
            SqlIndexQueue(database),
        )
