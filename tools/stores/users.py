"""The erasure of a user, in the embedded SQL store."""

from __future__ import annotations

from sqlalchemy import Connection

from tools.stores.database import Database

# Foreign keys take the rest along: messages and turns with conversations; events, checkpoints and moods with turns.
_ERASE = (
    "DELETE FROM conversations WHERE tenant_id = ?1 AND user_id = ?2",
    """
    UPDATE conversations SET summary = '', summary_until = 0
    WHERE id IN (SELECT conversation_id FROM turns WHERE tenant_id = ?1 AND user_id = ?2)
    """,
    "DELETE FROM messages WHERE turn_id IN (SELECT id FROM turns WHERE tenant_id = ?1 AND user_id = ?2)",
    "DELETE FROM turns WHERE tenant_id = ?1 AND user_id = ?2",
    "DELETE FROM moods WHERE tenant_id = ?1 AND user_id = ?2",
    "DELETE FROM mood_opt_outs WHERE tenant_id = ?1 AND user_id = ?2",
)


class SqlUserStore:
    """The `UserStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase(self, tenant_id: str, user_id: str) -> None:
        """See the Protocol."""

        def work(connection: Connection) -> None:
            for statement in _ERASE:
                connection.exec_driver_sql(statement, (tenant_id, user_id))

        await self._database.write(work)
