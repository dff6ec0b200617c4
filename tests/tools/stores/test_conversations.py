"""The contract of conversation stores, on SQLite."""

from __future__ import annotations

import pytest

from tests.contracts.conversation_store import ConversationStoreContract, Stores
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.turns import SqlTurnStore


class TestSqlConversationStore(ConversationStoreContract):
    @pytest.fixture
    def stores(self, database: Database) -> Stores:
        return Stores(SqlConversationStore(database), SqlTurnStore(database))
