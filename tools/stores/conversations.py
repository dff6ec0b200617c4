"""Conversations and their messages in the embedded SQL store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from tools.errors import Conflict, InvalidInput, NotFound
from tools.stores import cursors
from tools.stores.clock import now
from tools.stores.database import Database
from tools.stores.prepared import Prepared
from tools.stores.protocol import Conversation, Message, Page
from tools.stores.schema import conversations, messages, turns

_FIELDS = [conversations.c[name] for name in Conversation.__dataclass_fields__]
_MINE = and_(conversations.c.id == bindparam("conversation"), conversations.c.tenant_id == bindparam("tenant"))
_MAKE = Prepared(insert(conversations).on_conflict_do_nothing(), columns=conversations.c)
_FIND = Prepared(select(*_FIELDS).where(_MINE))
_RENAME = Prepared(update(conversations).where(_MINE).values(title=bindparam("to")).returning(*_FIELDS))
_SUMMARISE = Prepared(
    update(conversations).where(_MINE).values(summary=bindparam("text"), summary_until=bindparam("until"))
)
_TURNS = Prepared(select(turns.c.id).where(turns.c.conversation_id == bindparam("conversation")))
_DELETE = Prepared(delete(conversations).where(_MINE))
_LATEST = (
    select(*_FIELDS)
    .where(
        conversations.c.tenant_id == bindparam("tenant"),
        tuple_(conversations.c.updated_at, conversations.c.id) < tuple_(bindparam("at"), bindparam("id")),
    )
    .order_by(conversations.c.updated_at.desc(), conversations.c.id.desc())
    .limit(bindparam("rows"))
)
_LATEST_OF_TENANT = Prepared(_LATEST)
_LATEST_OF_USER = Prepared(_LATEST.where(conversations.c.user_id == bindparam("user")))
_FIRST_PAGE = ("9999", "")
"""A sort key past all conversations."""
_MESSAGES_AFTER = select(*(messages.c[name] for name in Message.__dataclass_fields__)).where(
    messages.c.conversation_id == bindparam("conversation"), messages.c.position > bindparam("after")
)
_MESSAGES = Prepared(_MESSAGES_AFTER.order_by(messages.c.position))
_LAST_MESSAGES = Prepared(_MESSAGES_AFTER.order_by(messages.c.position.desc()).limit(bindparam("rows")))


class SqlConversationStore:
    """The `ConversationStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, tenant_id: str, conversation: Conversation) -> Conversation:
        """See the Protocol; an id that is taken, by whomever, is a Conflict."""
        return await self._database.write(lambda connection: insert_new(connection, tenant_id, conversation))

    async def get(self, tenant_id: str, conversation_id: str) -> Conversation:
        """See the Protocol."""
        return await self._database.read(lambda connection: _find(connection, tenant_id, conversation_id))

    async def list(self, tenant_id: str, user_id: str | None, limit: int, cursor: str | None) -> Page[Conversation]:
        """See the Protocol."""
        if limit < 1:
            raise InvalidInput("A page has at least one item.")
        query = _LATEST_OF_TENANT if user_id is None else _LATEST_OF_USER
        at, id_ = _FIRST_PAGE if cursor is None else cursors.decode(cursor, str, str)
        parameters = {"tenant": tenant_id, "user": user_id, "at": at, "id": id_, "rows": limit + 1}
        rows = await self._database.read(lambda connection: query.rows(connection, parameters))
        items = [Conversation(*row) for row in rows[:limit]]
        return Page(items, cursors.encode(items[-1].updated_at, items[-1].id) if len(rows) > limit else None)

    async def rename(self, tenant_id: str, conversation_id: str, title: str) -> Conversation:
        """See the Protocol."""

        def work(connection: Connection) -> Conversation:
            row = _RENAME.row(connection, {"conversation": conversation_id, "tenant": tenant_id, "to": title})
            if row is None:
                raise unknown()
            return Conversation(*row)

        return await self._database.write(work)

    async def delete(self, tenant_id: str, conversation_id: str) -> Sequence[str]:
        """See the Protocol."""
        mine = {"conversation": conversation_id, "tenant": tenant_id}

        def work(connection: Connection) -> Sequence[str]:
            removed = [turn_id for (turn_id,) in _TURNS.rows(connection, mine)]
            # Foreign keys take messages, turns and events along.
            if not _DELETE.change(connection, mine):
                raise unknown()
            return removed

        return await self._database.write(work)

    async def messages(
        self, tenant_id: str, conversation_id: str, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Message]:
        """See the Protocol."""

        def work(connection: Connection) -> Sequence[Message]:
            _find(connection, tenant_id, conversation_id)
            parameters = {"conversation": conversation_id, "after": after, "rows": limit}
            if limit is None:
                return [_message(*row) for row in _MESSAGES.rows(connection, parameters)]
            return [_message(*row) for row in reversed(_LAST_MESSAGES.rows(connection, parameters))]

        return await self._database.read(work)

    async def recall(self, tenant_id: str, conversation_id: str) -> tuple[Conversation, Sequence[Message]]:
        """See the Protocol."""

        def work(connection: Connection) -> tuple[Conversation, Sequence[Message]]:
            conversation = _find(connection, tenant_id, conversation_id)
            parameters = {"conversation": conversation_id, "after": conversation.summary_until}
            return conversation, [_message(*row) for row in _MESSAGES.rows(connection, parameters)]

        return await self._database.read(work)

    async def summarise(self, tenant_id: str, conversation_id: str, summary: str, until: int) -> None:
        """See the Protocol."""

        def work(connection: Connection) -> None:
            mine = {"conversation": conversation_id, "tenant": tenant_id}
            if not _SUMMARISE.change(connection, {**mine, "text": summary, "until": until}):
                raise unknown()

        await self._database.write(work)


def insert_new(connection: Connection, tenant_id: str, conversation: Conversation) -> Conversation:
    """Add the row, dated now. Raises Conflict when the id is taken."""
    at = now()
    made = replace(conversation, created_at=at, updated_at=at)
    if not _MAKE.change(connection, {**asdict(made), "tenant_id": tenant_id}):
        raise Conflict("There is a conversation of that id already.")
    return made


def unknown() -> NotFound:
    """What is raised for a conversation that is not the tenant's."""
    return NotFound("There is no such conversation.")


def _find(connection: Connection, tenant_id: str, conversation_id: str) -> Conversation:
    row = _FIND.row(connection, {"conversation": conversation_id, "tenant": tenant_id})
    if row is None:
        raise unknown()
    return Conversation(*row)


def _message(*row: Any) -> Message:
    id_, role, content, turn_id, status, citations, created_at, position = row
    return Message(id_, role, content, turn_id, status, orjson.loads(citations), created_at, position)
