"""LangGraph's checkpoints beside the turns they belong to: a thread is a turn, and goes when the turn goes.

A checkpoint is kept whole, in one row, and costs its turn one read and one write of the shared database.
Turn ids are made by the server and are unique across tenants, which is what keeps tenants apart here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

import orjson
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    get_checkpoint_id,
    get_checkpoint_metadata,
    writes_sort_key,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from sqlalchemy import Connection, Select, and_, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from tools.errors import NotFound, StoreUnavailable
from tools.stores.checkpoint_config import NEW_THREAD
from tools.stores.database import Database
from tools.stores.prepared import Prepared
from tools.stores.schema import checkpoint_writes, checkpoints, turns

NAMES_CONSTRUCTORS = frozenset(("json", "pickle"))
"""Encodings that LangGraph writes no more but would still read, and whose data say what to call."""
STATE_KEYS = frozenset(("channel_values", "channel_versions", "versions_seen"))

_Row = tuple[Any, ...]
"""`turn_id, namespace, id, parent_id, encoding, state, metadata`, as all selects of checkpoints give them."""

_STATE = ("parent_id", "encoding", "state", "metadata")
_WRITE = ("task_path", "channel", "encoding", "value")
_THREAD = and_(checkpoints.c.turn_id == bindparam("turn"), checkpoints.c.namespace == bindparam("namespace"))
_LATEST = Prepared(select(checkpoints).where(_THREAD).order_by(checkpoints.c.id.desc()).limit(1))
_BY_ID = Prepared(select(checkpoints).where(_THREAD, checkpoints.c.id == bindparam("id")))
_WRITES = Prepared(
    select(*(checkpoint_writes.c[name] for name in ("task_path", "task_id", "place", *_WRITE[1:]))).where(
        checkpoint_writes.c.turn_id == bindparam("turn"),
        checkpoint_writes.c.namespace == bindparam("namespace"),
        checkpoint_writes.c.checkpoint_id == bindparam("id"),
    )
)
_TURN = Prepared(select(turns.c.id).where(turns.c.id == bindparam("turn")))
_new_state = insert(checkpoints)
_PUT = Prepared(
    _new_state.on_conflict_do_update(
        index_elements=checkpoints.primary_key, set_={name: _new_state.excluded[name] for name in _STATE}
    ),
    columns=checkpoints.c,
)
_new_write = insert(checkpoint_writes)
_PUT_WRITE = Prepared(
    _new_write.on_conflict_do_update(
        index_elements=checkpoint_writes.primary_key,
        set_={name: _new_write.excluded[name] for name in _WRITE},
        # What a task wrote stays as it was; only what LangGraph itself says about the task may change.
        where=checkpoint_writes.c.place < 0,
    ),
    columns=checkpoint_writes.c,
)
_DELETE = Prepared(delete(checkpoints).where(checkpoints.c.turn_id == bindparam("turn")))
_DELETE_WRITES = Prepared(delete(checkpoint_writes).where(checkpoint_writes.c.turn_id == bindparam("turn")))


class SqlCheckpointSaver(BaseCheckpointSaver[int]):
    """A LangGraph checkpointer (its async half) whose thread ids are turn ids.

    A value of a type that `serde` does not allow comes back as plain data; a checkpoint that cannot be read,
    or is in an encoding that names constructors, is a StoreUnavailable with the code `checkpoint_rejected`.
    """

    def __init__(self, database: Database, serde: SerializerProtocol) -> None:
        """`serde` decides which types may come back to life: give it a closed list."""
        super().__init__(serde=serde)
        self._database = database

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that `config` names, else the thread's latest; read and decoded off the event loop.

        None at once where `config` says that the thread is new.
        """
        if config.get("configurable", {}).get(NEW_THREAD):
            return None
        checkpoint_id = get_checkpoint_id(config)
        statement, named = (_BY_ID, {"id": checkpoint_id}) if checkpoint_id else (_LATEST, {})
        parameters = {**_thread_of(config), **named}

        def work(connection: Connection) -> CheckpointTuple | None:
            row = statement.row(connection, parameters)
            return self._tuple(connection, row) if row else None

        return await self._database.read(work)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Newest first, all threads when `config` is None; `filter` is held against the metadata. One read."""
        query = _selected(config, before)

        def work(connection: Connection) -> Sequence[CheckpointTuple]:
            with connection.execute(query) as rows:
                fitting = (tuple(row) for row in rows if _fits(row.metadata, filter or {}))
                return [self._tuple(connection, row) for row in islice(fitting, limit)]

        for found in await self._database.read(work):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Keep `checkpoint`, encoded before this first waits; gives the config that names it.

        Raises:
            NotFound: there is no such turn, or no longer.
        """
        thread = _thread_of(config)
        about = get_checkpoint_metadata(config, metadata)
        encoding, state = self.serde.dumps_typed(checkpoint)
        row = {
            "turn_id": thread["turn"],
            "namespace": thread["namespace"],
            "id": checkpoint["id"],
            "parent_id": get_checkpoint_id(config),
            "encoding": encoding,
            "state": state,
            "metadata": orjson.dumps(about, option=orjson.OPT_NON_STR_KEYS).decode(),
        }

        def work(connection: Connection) -> None:
            _check_turn(connection, thread["turn"])
            _PUT.change(connection, row)

        await self._database.write(work)
        return _config(thread["turn"], thread["namespace"], checkpoint["id"])

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep what a task wrote; saying it again changes nothing, but for the channels in `WRITES_IDX_MAP`.

        Raises:
            NotFound: there is no such turn, or no longer.
        """
        thread = _thread_of(config)
        common = {
            "turn_id": thread["turn"],
            "namespace": thread["namespace"],
            "checkpoint_id": get_checkpoint_id(config),
            "task_id": task_id,
            "task_path": task_path,
        }
        rows = [{**common, **self._written(place, *write)} for place, write in enumerate(writes)]

        def work(connection: Connection) -> None:
            _check_turn(connection, thread["turn"])
            _PUT_WRITE.change_all(connection, rows)

        await self._database.write(work)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete the turn's checkpoints and writes, and leave the turn."""

        def work(connection: Connection) -> None:
            _DELETE_WRITES.change(connection, {"turn": thread_id})
            _DELETE.change(connection, {"turn": thread_id})

        await self._database.write(work)

    def _written(self, place: int, channel: str, value: Any) -> dict[str, Any]:
        encoding, data = self.serde.dumps_typed(value)
        return {"place": WRITES_IDX_MAP.get(channel, place), "channel": channel, "encoding": encoding, "value": data}

    def _tuple(self, connection: Connection, row: _Row) -> CheckpointTuple:
        turn_id, namespace, checkpoint_id, parent_id, encoding, state, metadata = row
        return CheckpointTuple(
            config=_config(turn_id, namespace, checkpoint_id),
            checkpoint=self._checkpoint(encoding, state),
            metadata=cast(CheckpointMetadata, _metadata(metadata)),
            parent_config=_config(turn_id, namespace, parent_id) if parent_id else None,
            pending_writes=self._writes(connection, turn_id, namespace, checkpoint_id),
        )

    def _checkpoint(self, encoding: str, state: bytes) -> Checkpoint:
        checkpoint = self._loaded(encoding, state)
        if not isinstance(checkpoint, dict) or not checkpoint.keys() >= STATE_KEYS:
            raise _rejected()
        return cast(Checkpoint, checkpoint)

    def _writes(self, connection: Connection, turn_id: str, namespace: str, checkpoint_id: str) -> list[PendingWrite]:
        rows = _WRITES.rows(connection, {"turn": turn_id, "namespace": namespace, "id": checkpoint_id})
        rows.sort(key=lambda row: writes_sort_key(*row[:3]))
        return [(task, channel, self._loaded(encoding, data)) for _, task, _, channel, encoding, data in rows]

    def _loaded(self, encoding: str, data: bytes) -> Any:
        if encoding in NAMES_CONSTRUCTORS:
            raise _rejected()
        try:
            return self.serde.loads_typed((encoding, data))
        except Exception as error:  # the serializer is the caller's, and so are its errors
            raise _rejected() from error


def _thread_of(config: RunnableConfig) -> dict[str, str]:
    configurable = config.get("configurable", {})
    return {"turn": str(configurable["thread_id"]), "namespace": configurable.get("checkpoint_ns", "")}


def _config(turn_id: str, namespace: str, checkpoint_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": turn_id, "checkpoint_ns": namespace, "checkpoint_id": checkpoint_id}}


def _selected(config: RunnableConfig | None, before: RunnableConfig | None) -> Select[*tuple[Any, ...]]:
    query = select(checkpoints).order_by(checkpoints.c.id.desc())
    asked = (config or {}).get("configurable", {})
    if "thread_id" in asked:
        query = query.where(checkpoints.c.turn_id == str(asked["thread_id"]))
    if "checkpoint_ns" in asked:
        query = query.where(checkpoints.c.namespace == asked["checkpoint_ns"])
    if checkpoint_id := asked.get("checkpoint_id"):
        query = query.where(checkpoints.c.id == checkpoint_id)
    if before and (earlier_than := get_checkpoint_id(before)):
        query = query.where(checkpoints.c.id < earlier_than)
    return query


def _fits(metadata: str, wanted: Mapping[str, Any]) -> bool:
    if not wanted:
        return True
    kept = _metadata(metadata)
    return all(kept.get(key) == value for key, value in wanted.items())


def _metadata(text: str) -> dict[str, Any]:
    try:
        metadata = orjson.loads(text)
    except ValueError as error:
        raise _rejected() from error
    if not isinstance(metadata, dict):
        raise _rejected()
    return metadata


def _check_turn(connection: Connection, turn_id: str) -> None:
    # A broken foreign key would make the writer take the whole group apart; asking first costs 3 µs.
    if _TURN.row(connection, {"turn": turn_id}) is None:
        raise NotFound("There is no such turn.")


def _rejected() -> StoreUnavailable:
    return StoreUnavailable("The saved state of the turn cannot be read.", code="checkpoint_rejected")
