"""LangGraph's own conformance suite on the store, and what a checkpoint owes its turn and its readers."""

from __future__ import annotations

import asyncio
import contextlib
import operator
import pickle
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypedDict
from uuid import uuid4

import orjson
import ormsgpack
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.report import ProgressCallbacks
from langgraph.checkpoint.conformance.test_utils import generate_checkpoint, generate_config, generate_metadata
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import INTERRUPT, RESUME
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt
from sqlalchemy import Connection, func, select

from tools.errors import Conflict, NotFound, StoreUnavailable
from tools.stores.checkpoints import SqlCheckpointSaver
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.protocol import NewTurn, TurnEnd
from tools.stores.schema import checkpoint_writes, checkpoints
from tools.stores.turns import SqlTurnStore


@dataclass(frozen=True)
class Known:
    """A type that checkpoints may bring back to life."""

    word: str


@dataclass
class Stranger:
    """A type that they may not; it remembers having been made."""

    made: ClassVar[list[str]] = []
    word: str

    def __post_init__(self) -> None:
        self.made.append(self.word)


STRICT = JsonPlusSerializer(allowed_msgpack_modules=(Known,))


def saver_on(database: Database) -> SqlCheckpointSaver:
    return SqlCheckpointSaver(database, STRICT)


async def begin(database: Database, turn_id: str, conversation_id: str | None = None) -> None:
    """A turn that has ended, in a conversation of its own unless one is named."""
    conversation = conversation_id or f"conv_{turn_id}"
    store = SqlTurnStore(database)
    new = conversation_id is None
    await store.begin("t", NewTurn(turn_id, "u", "Hello", conversation, make_conversation=new), "owner")
    await store.append("t", turn_id, [], TurnEnd("done"))


async def put(saver: BaseCheckpointSaver[Any], turn_id: str, value: object = "v", **config: Any) -> RunnableConfig:
    checkpoint = generate_checkpoint(channel_values={"key": value}, channel_versions={"key": 1})
    return await saver.aput(generate_config(turn_id, **config), checkpoint, generate_metadata(), {"key": 1})


async def listed(saver: BaseCheckpointSaver[Any], *args: Any, **kwargs: Any) -> list[CheckpointTuple]:
    return [found async for found in saver.alist(*args, **kwargs)]


def counts(connection: Connection) -> tuple[int, int]:
    """Rows of checkpoints and of writes."""
    tables = (checkpoints, checkpoint_writes)
    kept, written = (connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    return kept, written


# The conformance suite


class _MakesTurns(SqlCheckpointSaver):
    """Begins the turn of each thread that the suite makes up."""

    async def aput(self, config: RunnableConfig, *args: Any) -> RunnableConfig:
        with contextlib.suppress(Conflict):
            await begin(self._database, config["configurable"]["thread_id"])
        return await super().aput(config, *args)


async def test_langgraphs_conformance_suite_passes(database: Database) -> None:
    @checkpointer_test(name="SqlCheckpointSaver")
    async def made() -> AsyncGenerator[BaseCheckpointSaver[Any], None]:
        yield _MakesTurns(database, JsonPlusSerializer())

    failures: list[str] = []

    def note(capability: str, name: str, passed: bool, error: str | None) -> None:
        if not passed:
            failures.append(f"{capability} {name}: {error}")

    report = await validate(made, progress=ProgressCallbacks(on_test_result=note))
    assert failures == []
    assert report.passed_all_base()


# Beyond the suite


async def test_a_thread_that_has_nothing_gives_nothing(database: Database) -> None:
    saver = saver_on(database)
    assert await saver.aget_tuple(generate_config("turn_1")) is None
    assert await saver.aget_tuple(generate_config("turn_1", checkpoint_id="none")) is None
    assert await listed(saver, generate_config("turn_1")) == []


async def test_a_checkpoint_comes_back_as_it_was_put(database: Database) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    first = await put(saver, "turn_1", "first")
    value = {"known": [Known("文"), None, 1.5, b"\x00"], "nested": {"a": True}}
    parent = first["configurable"]["checkpoint_id"]
    await put(saver, "turn_1", value, checkpoint_id=parent)
    latest = await saver.aget_tuple(generate_config("turn_1"))
    assert latest is not None
    assert latest.checkpoint["channel_values"] == {"key": value}
    assert latest.parent_config == first
    assert latest.metadata == {"source": "loop", "step": 0, "parents": {}}
    assert await saver.aget_tuple(latest.config) == latest
    assert (await saver.aget_tuple(first)) is not None


async def test_without_a_thread_all_are_listed_newest_first(database: Database) -> None:
    saver = saver_on(database)
    kept = []
    for name in ("turn_1", "turn_2"):
        await begin(database, name)
        kept += [await put(saver, name), await put(saver, name, checkpoint_ns="inner")]
    assert [found.config for found in await listed(saver, None)] == kept[::-1]
    assert [found.config for found in await listed(saver, None, limit=3, before=kept[3])] == kept[2::-1]
    assert await listed(saver, None, limit=0) == []


async def test_a_tasks_writes_stay_as_they_were_but_langgraphs_own_follow(database: Database) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    config = await put(saver, "turn_1")
    await saver.aput_writes(config, [("key", "one"), (INTERRUPT, "ask"), (RESUME, "yes")], "task")
    await saver.aput_writes(config, [("key", "two"), (INTERRUPT, "ask again")], "task")
    found = await saver.aget_tuple(config)
    assert found is not None
    assert found.pending_writes == [
        ("task", RESUME, "yes"),
        ("task", INTERRUPT, "ask again"),
        ("task", "key", "one"),
    ]


async def test_writes_come_back_in_the_order_of_their_tasks_paths(database: Database) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    config = await put(saver, "turn_1")
    for task, path in (("a", "~2"), ("b", "~1"), ("c", "~1")):
        await saver.aput_writes(config, [("x", task), ("y", task)], task, path)
    found = await saver.aget_tuple(config)
    assert found is not None
    assert found.pending_writes is not None
    assert [(task, channel) for task, channel, _ in found.pending_writes] == [
        (task, channel) for task in "bca" for channel in "xy"
    ]


async def test_writes_may_come_before_their_checkpoint(database: Database) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    checkpoint = generate_checkpoint()
    config = generate_config("turn_1", checkpoint_id=checkpoint["id"])
    await saver.aput_writes(config, [("key", "early")], "task")
    await saver.aput(generate_config("turn_1"), checkpoint, generate_metadata(), {})
    found = await saver.aget_tuple(config)
    assert found is not None
    assert found.pending_writes == [("task", "key", "early")]


# Turns and conversations


async def test_checkpoints_go_with_their_conversation_and_with_no_other(database: Database) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    await begin(database, "turn_2", "conv_turn_1")
    await begin(database, "turn_3")
    for name in ("turn_1", "turn_2", "turn_3"):
        config = await put(saver, name)
        await saver.aput_writes(config, [("key", "v"), (INTERRUPT, "ask")], "task")
    await SqlConversationStore(database).delete("t", "conv_turn_1")
    assert await database.read(counts) == (1, 2)
    assert len(await listed(saver, generate_config("turn_3"))) == 1


async def test_a_deleted_thread_leaves_its_turn_and_the_other_threads(database: Database) -> None:
    saver = saver_on(database)
    for name in ("turn_1", "turn_2"):
        await begin(database, name)
        await saver.aput_writes(await put(saver, name), [("key", "v")], "task")
    await saver.adelete_thread("turn_1")
    assert await database.read(counts) == (1, 1)
    assert (await SqlTurnStore(database).get("t", "turn_1")).status == "done"


async def test_a_turn_that_is_gone_takes_nothing_and_does_not_disturb_the_others(database: Database) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    gone = generate_config("gone", checkpoint_id="c")
    outcomes = await asyncio.gather(
        put(saver, "turn_1"),
        put(saver, "gone"),
        saver.aput_writes(gone, [("key", "v")], "task"),
        put(saver, "turn_1"),
        return_exceptions=True,
    )
    assert [isinstance(outcome, NotFound) for outcome in outcomes] == [False, True, True, False]
    assert await database.read(counts) == (2, 0)


# A real graph


class _State(TypedDict):
    said: Annotated[list[Known], operator.add]


async def _ask(state: _State) -> _State:
    return {"said": [Known(interrupt("Which harbour?"))]}


async def _greet(state: _State) -> _State:
    return {"said": [Known("hello")]}


def _graph(database: Database) -> CompiledStateGraph[Any, Any, Any, Any]:
    graph = StateGraph(_State)
    graph.add_node("greet", _greet)
    graph.add_node("ask", _ask)
    graph.add_edge(START, "greet")
    graph.add_edge("greet", "ask")
    graph.add_edge("ask", END)
    return graph.compile(checkpointer=saver_on(database))


@contextlib.asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Database]:
    database = Database(path)
    try:
        yield database
    finally:
        await database.close()


@pytest.mark.parametrize("durability", ["exit", "async", "sync"])
async def test_a_graph_that_asked_goes_on_after_a_restart(database_path: Path, durability: Any) -> None:
    config = generate_config("turn_1")
    async with _opened(database_path) as database:
        await begin(database, "turn_1")
        asked = await _graph(database).ainvoke({"said": []}, config, durability=durability)
        assert asked["__interrupt__"][0].value == "Which harbour?"
    async with _opened(database_path) as database:
        answered = await _graph(database).ainvoke(Command(resume="Lowick"), config, durability=durability)
        assert answered == {"said": [Known("hello"), Known("Lowick")]}
        assert (await _graph(database).aget_state(config)).next == ()


# What a checkpoint may not do


def _forge(path: Path, encoding: str, state: bytes, metadata: str = "{}") -> None:
    """Overwrite the only checkpoint from outside."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        row = (encoding, state, metadata)
        changed = connection.execute("UPDATE checkpoints SET encoding = ?, state = ?, metadata = ?", row)
        assert changed.rowcount == 1


def _call(target: Path) -> tuple[bytes, bytes, bytes]:
    """Three spellings of "call os.mkdir": by one argument, by several, by pydantic's way."""
    packed = [
        (0, ("os", "mkdir", str(target))),
        (1, ("os", "mkdir", (str(target),))),
        (5, ("os", "mkdir", {"path": str(target)}, "model_validate_json")),
    ]
    checkpoint = generate_checkpoint()
    calls = [ormsgpack.Ext(code, ormsgpack.packb(data)) for code, data in packed]
    one, several, pydantic = (ormsgpack.packb({**checkpoint, "channel_values": {"key": call}}) for call in calls)
    return one, several, pydantic


async def test_a_forged_checkpoint_makes_and_calls_nothing(database: Database, tmp_path: Path) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    await put(saver, "turn_1")
    target = tmp_path / "made"
    stranger = generate_checkpoint(channel_values={"key": Stranger("first")})
    Stranger.made.clear()
    for state in (*_call(target), JsonPlusSerializer().dumps_typed(stranger)[1]):
        _forge(database.path, "msgpack", state)
        found = await saver.aget_tuple(generate_config("turn_1"))
        assert found is not None
        assert isinstance(found.checkpoint["channel_values"]["key"], str | list | dict)
    assert Stranger.made == []
    assert not target.exists()


def _constructor(version: int, *name: str) -> bytes:
    value = {"lc": version, "type": "constructor", "id": list(name), "kwargs": {"content": "x", "word": "x"}}
    return orjson.dumps({**generate_checkpoint(), "channel_values": {"key": value}})


@pytest.mark.parametrize(
    ("encoding", "state"),
    [
        ("json", _constructor(1, "langchain_core", "messages", "AIMessage")),
        ("json", _constructor(2, __name__, "Stranger")),
        ("pickle", pickle.dumps(Known("x"))),
        ("unheard of", b""),
        ("msgpack", b"\xc1 no msgpack"),
        ("msgpack", ormsgpack.packb({"v": 1, "id": "x"})),
        ("msgpack", ormsgpack.packb([1, 2, 3])),
        ("null", b""),
    ],
)
async def test_what_cannot_be_read_is_rejected(database: Database, encoding: str, state: bytes) -> None:
    saver = SqlCheckpointSaver(database, JsonPlusSerializer(pickle_fallback=True, allowed_json_modules=True))
    Stranger.made.clear()
    await begin(database, "turn_1")
    await put(saver, "turn_1")
    _forge(database.path, encoding, state)
    reads: list[Callable[[], Any]] = [
        lambda: saver.aget_tuple(generate_config("turn_1")),
        lambda: listed(saver, generate_config("turn_1")),
    ]
    for read in reads:
        with pytest.raises(StoreUnavailable) as rejected:
            await read()
        assert rejected.value.code == "checkpoint_rejected"
    assert Stranger.made == []


@pytest.mark.parametrize("metadata", ["{", "[]", "1"])
async def test_unreadable_metadata_is_rejected(database: Database, metadata: str) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    await put(saver, "turn_1")
    _forge(database.path, *STRICT.dumps_typed(generate_checkpoint()), metadata)
    with pytest.raises(StoreUnavailable) as rejected:
        await listed(saver, None, filter={"source": "loop"})
    assert rejected.value.code == "checkpoint_rejected"


async def test_an_unreadable_write_is_rejected(database: Database) -> None:
    saver = saver_on(database)
    await begin(database, "turn_1")
    config = await put(saver, "turn_1")
    await saver.aput_writes(config, [("key", "v")], str(uuid4()))
    with contextlib.closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
        connection.execute("UPDATE checkpoint_writes SET encoding = 'json', value = x'7b7d'")
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        await saver.aget_tuple(config)
