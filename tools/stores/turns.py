"""Turns and everything they said, in the embedded SQL store."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, delete, exists, func, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert

from tools.errors import Conflict, NotFound, TurnInProgress
from tools.stores.clock import now
from tools.stores.conversations import insert_new, unknown
from tools.stores.database import Database
from tools.stores.moods import forget_turn, record_of_turn
from tools.stores.moods_protocol import Mood
from tools.stores.prepared import Prepared
from tools.stores.protocol import Conversation, NewTurn, StoredEvent, TurnEnd, TurnRecord
from tools.stores.schema import conversations, messages, turn_events, turns

TITLE_CHARS = 80

# A literal, not a parameter: only then does SQLite see that the partial indexes of running turns apply.
_RUNNING = turns.c.status == literal_column("'running'")
_MINE = and_(turns.c.id == bindparam("turn"), turns.c.tenant_id == bindparam("tenant"))
_CONTINUE = Prepared(
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"), conversations.c.tenant_id == bindparam("tenant"))
    .values(updated_at=bindparam("at"), title=func.coalesce(func.nullif(conversations.c.title, ""), bindparam("name")))
)
_START = Prepared(
    insert(turns).on_conflict_do_nothing(index_elements=["conversation_id"], index_where=_RUNNING),
    columns=[column for column in turns.c if column is not turns.c.ended_at],
)
_SAY = Prepared(insert(messages), columns=[column for column in messages.c if column is not messages.c.position])
_KEEP = Prepared(
    insert(turn_events).from_select(
        ["turn_id", "seq", "data"],
        select(turns.c.id, bindparam("seq"), bindparam("data")).where(_MINE, _RUNNING),
    )
)
_END = Prepared(
    update(turns)
    .where(_MINE, _RUNNING)
    .values(status=bindparam("end"), ended_at=bindparam("at"))
    .returning(turns.c.conversation_id)
)
_TOUCH = Prepared(
    update(conversations).where(conversations.c.id == bindparam("conversation")).values(updated_at=bindparam("at"))
)
_FIND = Prepared(select(*(turns.c[name] for name in TurnRecord.__dataclass_fields__)).where(_MINE))
_EVENTS = Prepared(
    select(turn_events.c.seq, turn_events.c.data)
    .where(turn_events.c.turn_id == bindparam("turn"), turn_events.c.seq > bindparam("after"))
    .order_by(turn_events.c.seq)
)
_RUNNING_IN = Prepared(
    select(turns.c.id).where(
        turns.c.conversation_id == bindparam("conversation"), turns.c.tenant_id == bindparam("tenant"), _RUNNING
    )
)
_REQUEST_CANCEL = Prepared(update(turns).where(_MINE, _RUNNING).values(cancel_requested=True))
_CANCEL_REQUESTS = Prepared(
    select(turns.c.id).where(turns.c.owner == bindparam("owner"), _RUNNING, turns.c.cancel_requested)
)
_OWNERS = Prepared(select(turns.c.owner).where(_RUNNING).distinct())
_RUNNING_OF_OWNER = Prepared(select(turns.c.tenant_id, turns.c.id).where(turns.c.owner == bindparam("owner"), _RUNNING))
_ROLL_BACK = Prepared(update(turns).where(_MINE, ~_RUNNING).values(status="rolled_back"))
_UNSAY = Prepared(
    delete(messages).where(messages.c.turn_id == bindparam("turn")).returning(messages.c.role, messages.c.content)
)
_UNTITLE = Prepared(
    update(conversations)
    .where(
        conversations.c.id == bindparam("conversation"),
        conversations.c.title == bindparam("name"),
        ~exists().where(turns.c.conversation_id == bindparam("conversation"), turns.c.status != "rolled_back"),
    )
    .values(title="")
)


class SqlTurnStore:
    """The `TurnStore` on SQLite; specified by the Protocol."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, tenant_id: str, turn: NewTurn, owner: str) -> None:
        """See the Protocol; a conversation to be made whose id is taken is a Conflict."""
        await self._database.write(lambda connection: _begin(connection, tenant_id, turn, owner))

    async def append(
        self,
        tenant_id: str,
        turn_id: str,
        events: Sequence[StoredEvent],
        end: TurnEnd | None = None,
        mood: Mood | None = None,
    ) -> None:
        """See the Protocol; a turn that runs no more takes nothing and is NotFound."""

        def work(connection: Connection) -> None:
            _append(connection, tenant_id, turn_id, events, end)
            if mood is not None:
                record_of_turn(connection, tenant_id, turn_id, mood)

        await self._database.write(work)

    async def get(self, tenant_id: str, turn_id: str) -> TurnRecord:
        """See the Protocol."""
        return await self._database.read(lambda connection: _find(connection, tenant_id, turn_id))

    async def events(self, tenant_id: str, turn_id: str, after: int = 0) -> Sequence[StoredEvent]:
        """See the Protocol."""

        def work(connection: Connection) -> Sequence[StoredEvent]:
            _find(connection, tenant_id, turn_id)
            return _events(connection, turn_id, after)

        return await self._database.read(work)

    async def running(self, tenant_id: str, conversation_id: str) -> str | None:
        """See the Protocol."""
        parameters = {"tenant": tenant_id, "conversation": conversation_id}
        row = await self._database.read(lambda connection: _RUNNING_IN.row(connection, parameters))
        return row[0] if row else None

    async def request_cancel(self, tenant_id: str, turn_id: str) -> TurnRecord:
        """See the Protocol."""

        def work(connection: Connection) -> TurnRecord:
            _REQUEST_CANCEL.change(connection, {"turn": turn_id, "tenant": tenant_id})
            return _find(connection, tenant_id, turn_id)

        return await self._database.write(work)

    async def cancel_requests(self, owner: str) -> Sequence[str]:
        """See the Protocol."""
        rows = await self._database.read(lambda connection: _CANCEL_REQUESTS.rows(connection, {"owner": owner}))
        return [turn_id for (turn_id,) in rows]

    async def roll_back(self, tenant_id: str, turn_id: str) -> None:
        """See the Protocol; a running turn is a Conflict. A title taken from the removed message goes with it."""
        await self._database.write(lambda connection: _roll_back(connection, tenant_id, turn_id))

    async def owners_of_running(self) -> Sequence[str]:
        """See the Protocol."""
        rows = await self._database.read(lambda connection: _OWNERS.rows(connection, {}))
        return [owner for (owner,) in rows]

    async def interrupt(self, owner: str, data: str) -> int:
        """See the Protocol."""
        return await self._database.write(lambda connection: _interrupt(connection, owner, data))


def title_of(message: str) -> str:
    """The first line that says something, at most 80 characters of it."""
    line = next((line for line in message.splitlines() if line.strip()), "")
    title = " ".join(line.split())
    return title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1].rstrip() + "…"


def _begin(connection: Connection, tenant_id: str, turn: NewTurn, owner: str) -> None:
    at = now()
    title = title_of(turn.message)
    if turn.make_conversation:
        insert_new(connection, tenant_id, Conversation(turn.conversation_id, turn.user_id, title))
    elif not _CONTINUE.change(
        connection, {"conversation": turn.conversation_id, "tenant": tenant_id, "at": at, "name": title}
    ):
        raise unknown()
    row = {
        "id": turn.id,
        "tenant_id": tenant_id,
        "conversation_id": turn.conversation_id,
        "user_id": turn.user_id,
        "status": "running",
        "owner": owner,
        "cancel_requested": False,
        "created_at": at,
    }
    if not _START.change(connection, row):
        raise TurnInProgress("The conversation is still answering.")
    history = turn.history if turn.make_conversation else ()
    said = [_message(tenant_id, turn.conversation_id, None, role, text, at) for role, text in history]
    said.append(_message(tenant_id, turn.conversation_id, turn.id, "user", turn.message, at))
    _SAY.change_all(connection, said)


def _message(
    tenant_id: str, conversation_id: str, turn_id: str | None, role: str, content: str, at: str, **more: str
) -> dict[str, Any]:
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "tenant_id": tenant_id,
        "conversation_id": conversation_id,
        "turn_id": turn_id,
        "role": role,
        "content": content,
        "status": "complete",
        "citations": "[]",
        "created_at": at,
        **more,
    }


def _append(
    connection: Connection, tenant_id: str, turn_id: str, events: Sequence[StoredEvent], end: TurnEnd | None
) -> None:
    rows = [{"turn": turn_id, "tenant": tenant_id, "seq": event.seq, "data": event.data} for event in events]
    if rows and _KEEP.change_all(connection, rows) != len(rows):
        raise _not_running()
    if end is not None:
        _end(connection, tenant_id, turn_id, end)


def _end(connection: Connection, tenant_id: str, turn_id: str, end: TurnEnd) -> None:
    at = now()
    ended = _END.row(connection, {"turn": turn_id, "tenant": tenant_id, "end": end.status, "at": at})
    if ended is None:
        raise _not_running()
    (conversation_id,) = ended
    if end.answer:
        status = "complete" if end.status == "done" else "partial"
        citations = orjson.dumps(list(end.citations)).decode()
        answer = _message(
            tenant_id, conversation_id, turn_id, "assistant", end.answer, at, status=status, citations=citations
        )
        _SAY.change(connection, answer)
    _TOUCH.change(connection, {"conversation": conversation_id, "at": at})


def _not_running() -> NotFound:
    return NotFound("There is no such running turn.")


def _find(connection: Connection, tenant_id: str, turn_id: str) -> TurnRecord:
    row = _FIND.row(connection, {"turn": turn_id, "tenant": tenant_id})
    if row is None:
        raise NotFound("There is no such turn.")
    *fields, cancel_requested = row
    return TurnRecord(*fields, cancel_requested=bool(cancel_requested))


def _events(connection: Connection, turn_id: str, after: int) -> Sequence[StoredEvent]:
    return [StoredEvent(*row) for row in _EVENTS.rows(connection, {"turn": turn_id, "after": after})]


def _roll_back(connection: Connection, tenant_id: str, turn_id: str) -> None:
    turn = _find(connection, tenant_id, turn_id)
    if not _ROLL_BACK.change(connection, {"turn": turn_id, "tenant": tenant_id}):
        raise Conflict("The turn is still running.")
    forget_turn(connection, turn_id)
    for role, text in _UNSAY.rows(connection, {"turn": turn_id}):
        if role == "user":
            _UNTITLE.change(connection, {"conversation": turn.conversation_id, "name": title_of(text)})


def _interrupt(connection: Connection, owner: str, data: str) -> int:
    cut = _RUNNING_OF_OWNER.rows(connection, {"owner": owner})
    for tenant_id, turn_id in cut:
        said = _events(connection, turn_id, 0)
        seq = said[-1].seq + 1 if said else 1
        last = StoredEvent(seq, data.replace("{seq}", str(seq)))
        _append(connection, tenant_id, turn_id, [last], TurnEnd("error", _answer_in(said)))
    return len(cut)


def _answer_in(events: Sequence[StoredEvent]) -> str:
    """The answer as a client that saw `events` shows it: deltas joined, each `replace` in place of what was."""
    answer = ""
    for event in events:
        fields = orjson.loads(event.data)
        if fields["type"] == "delta":
            answer += fields["content"]
        elif fields["type"] == "replace":
            answer = fields["content"]
    return answer
