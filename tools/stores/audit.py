"""The append-only record of who changed or refused what, in the embedded SQL store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select

from tools.errors import InvalidInput
from tools.stores import cursors
from tools.stores.clock import now
from tools.stores.database import Database
from tools.stores.protocol import AuditRow, Page
from tools.stores.schema import audit

_APPEND = insert(audit)
_NEWEST = (
    select(*(audit.c[name] for name in AuditRow.__dataclass_fields__))
    .where(audit.c.tenant_id == bindparam("tenant"), audit.c.position < bindparam("before_position"))
    .order_by(audit.c.position.desc())
    .limit(bindparam("rows"))
)
_FIRST_PAGE = 2**63 - 1
"""A position past all rows."""


class SqlAuditStore:
    """The `AuditStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, tenant_id: str, row: AuditRow) -> None:
        """See the Protocol."""
        values: dict[str, Any] = {
            "at": now(),
            "tenant_id": tenant_id,
            "principal": row.principal,
            "action": row.action,
            "target": row.target,
            "before": row.before,
            "after": row.after,
            "request_id": row.request_id,
        }
        await self._database.write(lambda connection: connection.execute(_APPEND, values).rowcount)

    async def list(self, tenant_id: str, limit: int, cursor: str | None) -> Page[AuditRow]:
        """See the Protocol."""
        if limit < 1:
            raise InvalidInput("A page has at least one item.")
        before = _FIRST_PAGE if cursor is None else cursors.decode(cursor, int)[0]
        parameters = {"tenant": tenant_id, "before_position": before, "rows": limit + 1}
        rows = await self._database.read(lambda connection: connection.execute(_NEWEST, parameters).all())
        items = [AuditRow(*row) for row in rows[:limit]]
        return Page(items, cursors.encode(items[-1].position) if len(rows) > limit else None)
