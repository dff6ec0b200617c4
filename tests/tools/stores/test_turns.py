"""The contract of turn stores, on SQLite."""

from __future__ import annotations

import pytest

from tests.contracts.conversation_store import Stores
from tests.contracts.turn_store import TurnStoreContract
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.turns import SqlTurnStore


class TestSqlTurnStore(TurnStoreContract):
    @pytest.fixture
    def stores(self, database: Database) -> Stores:
        return Stores(SqlConversationStore(database), SqlTurnStore(database))
