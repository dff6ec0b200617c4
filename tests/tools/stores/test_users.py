"""The contract of user stores, on SQLite; and that no table holds on to a user."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from tests.contracts.user_store import Stores, UserStoreContract, say
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.moods import SqlMoodStore
from tools.stores.schema import metadata
from tools.stores.turns import SqlTurnStore
from tools.stores.users import SqlUserStore


def stores_over(database: Database) -> Stores:
    return Stores(
        SqlUserStore(database), SqlTurnStore(database), SqlConversationStore(database), SqlMoodStore(database)
    )


class TestSqlUserStore(UserStoreContract):
    @pytest.fixture
    def stores(self, database: Database) -> Stores:
        return stores_over(database)


async def test_every_table_that_names_users_is_empty_of_one_who_is_erased(database: Database) -> None:
    stores = stores_over(database)
    await say(stores, "t1", "ann", "c", make=True)
    await stores.moods.opt_out("t", "ann")
    tables = [table.name for table in metadata.sorted_tables if "user_id" in table.c]

    def rows(connection: Connection) -> dict[str, int]:
        count = "SELECT count(*) FROM {} WHERE user_id = 'ann'"
        return {name: connection.exec_driver_sql(count.format(name)).scalar_one() for name in tables}

    assert {"conversations", "turns", "moods", "mood_opt_outs"} <= set(tables)
    assert sum((await database.read(rows)).values()) > 2
    await stores.users.erase("t", "ann")
    assert set((await database.read(rows)).values()) == {0}
