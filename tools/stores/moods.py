"""Moods in the embedded SQL store: gone with their turn, so with their conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, literal_column, select
from sqlalchemy.dialects.sqlite import insert

from tools.errors import InvalidInput
from tools.stores.clock import now
from tools.stores.database import Database
from tools.stores.moods_protocol import Mood
from tools.stores.prepared import Prepared
from tools.stores.schema import mood_opt_outs, moods, turns

_FELT = ("primary_emotion", "valence", "arousal", "intensity", "confidence", "decided_by")
_OF = (moods.c.tenant_id == bindparam("tenant"), moods.c.user_id == bindparam("user"))
_OUT_OF = (mood_opt_outs.c.tenant_id == bindparam("tenant"), mood_opt_outs.c.user_id == bindparam("user"))


def _allowed(tenant: ColumnElement[Any], user: ColumnElement[Any]) -> ColumnElement[bool]:
    return ~exists().where(mood_opt_outs.c.tenant_id == tenant, mood_opt_outs.c.user_id == user)


_RECORD = Prepared(
    insert(moods).from_select(
        ["tenant_id", "user_id", "at", *_FELT],
        select(bindparam("tenant"), bindparam("user"), bindparam("at"), *(bindparam(name) for name in _FELT)).where(
            _allowed(bindparam("tenant"), bindparam("user"))
        ),
    )
)
_RECORD_OF_TURN = Prepared(
    insert(moods)
    .from_select(
        ["tenant_id", "user_id", "turn_id", "at", *_FELT],
        select(
            turns.c.tenant_id, turns.c.user_id, turns.c.id, turns.c.created_at, *(bindparam(name) for name in _FELT)
        ).where(
            and_(turns.c.id == bindparam("turn"), turns.c.tenant_id == bindparam("tenant")),
            _allowed(turns.c.tenant_id, turns.c.user_id),
        ),
    )
    .on_conflict_do_nothing(index_elements=["turn_id"], index_where=literal_column("turn_id IS NOT NULL"))
)
_FORGET_TURN = Prepared(delete(moods).where(moods.c.turn_id == bindparam("turn")))
_BETWEEN = Prepared(
    select(*(moods.c[name] for name in Mood.__dataclass_fields__))
    .where(*_OF, moods.c.at >= bindparam("since"), moods.c.at < bindparam("until"))
    .order_by(moods.c.at.desc(), moods.c.position.desc())
    .limit(bindparam("rows"))
)
_FORGET = Prepared(delete(moods).where(*_OF))
_OPT_OUT = Prepared(insert(mood_opt_outs).on_conflict_do_nothing(), columns=mood_opt_outs.c)
_OPT_IN = Prepared(delete(mood_opt_outs).where(*_OUT_OF))
_OPTED_OUT = Prepared(select(mood_opt_outs.c.at).where(*_OUT_OF))


class SqlMoodStore:
    """The `MoodStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, tenant_id: str, user_id: str, mood: Mood) -> bool:
        """See the Protocol."""
        row = {**_felt(mood), "tenant": tenant_id, "user": user_id, "at": now()}
        return await self._database.write(lambda connection: _RECORD.change(connection, row)) > 0

    async def between(self, tenant_id: str, user_id: str, since: str, until: str, limit: int) -> Sequence[Mood]:
        """See the Protocol."""
        if limit < 1:
            raise InvalidInput("At least one mood must be asked for.")
        parameters = {"tenant": tenant_id, "user": user_id, "since": since, "until": until, "rows": limit}
        rows = await self._database.read(lambda connection: _BETWEEN.rows(connection, parameters))
        return [Mood(*row) for row in reversed(rows)]

    async def forget(self, tenant_id: str, user_id: str) -> int:
        """See the Protocol."""
        whose = {"tenant": tenant_id, "user": user_id}
        return await self._database.write(lambda connection: _FORGET.change(connection, whose))

    async def opt_out(self, tenant_id: str, user_id: str) -> int:
        """See the Protocol."""

        def work(connection: Connection) -> int:
            _OPT_OUT.change(connection, {"tenant_id": tenant_id, "user_id": user_id, "at": now()})
            return _FORGET.change(connection, {"tenant": tenant_id, "user": user_id})

        return await self._database.write(work)

    async def opt_in(self, tenant_id: str, user_id: str) -> None:
        """See the Protocol."""
        whose = {"tenant": tenant_id, "user": user_id}
        await self._database.write(lambda connection: _OPT_IN.change(connection, whose))

    async def opted_out(self, tenant_id: str, user_id: str) -> bool:
        """See the Protocol."""
        whose = {"tenant": tenant_id, "user": user_id}
        return await self._database.read(lambda connection: _OPTED_OUT.row(connection, whose)) is not None


def record_of_turn(connection: Connection, tenant_id: str, turn_id: str, mood: Mood) -> None:
    """Keep the first mood of a turn, dated as its message, unless its user opted out."""
    _RECORD_OF_TURN.change(connection, {**_felt(mood), "turn": turn_id, "tenant": tenant_id})


def forget_turn(connection: Connection, turn_id: str) -> None:
    """Erase the mood of a turn."""
    _FORGET_TURN.change(connection, {"turn": turn_id})


def _felt(mood: Mood) -> dict[str, Any]:
    return {name: getattr(mood, name) for name in _FELT}
