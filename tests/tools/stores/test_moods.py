"""The contract of mood stores, on SQLite."""

from __future__ import annotations

import pytest

from tests.contracts.mood_store import MoodStoreContract, Stores
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.moods import SqlMoodStore
from tools.stores.turns import SqlTurnStore


class TestSqlMoodStore(MoodStoreContract):
    @pytest.fixture
    def stores(self, database: Database) -> Stores:
        return Stores(SqlMoodStore(database), SqlTurnStore(database), SqlConversationStore(database))
