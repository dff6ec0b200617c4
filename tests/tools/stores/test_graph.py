"""The graph store on SQLite."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.contracts.graph_documents import chunk, document, mention, says
from tests.contracts.graph_steps import ANN, BO, everything, fill, unused
from tests.contracts.graph_store import GraphStoreContract
from tools.errors import Conflict
from tools.stores import graph_writing
from tools.stores.database import Database
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphChange


@pytest.fixture
def graphs(database: Database) -> SqlGraphStore:
    return SqlGraphStore(database)


class TestSqlGraphStore(GraphStoreContract):
    """The contract on SQLite."""


async def test_an_error_in_mid_apply_leaves_everything_as_it_was(
    graphs: SqlGraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = unused()
    await fill(graphs, tenant, ANN)
    before = await everything(graphs, tenant)
    late = graph_writing._write_edges

    def fail(*_: object) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(graph_writing, "_write_edges", fail)
    with pytest.raises(RuntimeError, match="half way"):
        await graphs.apply(tenant, "d", GraphChange(1, [BO], ["d1"]))
    monkeypatch.setattr(graph_writing, "_write_edges", late)
    assert await everything(graphs, tenant) == before
    assert await graphs.apply(tenant, "d", GraphChange(1, [BO], ["d1"])) == 2


async def test_of_two_processes_that_change_one_graph_one_is_refused(database_path: Path) -> None:
    databases = [Database(database_path), Database(database_path)]
    one, two = map(SqlGraphStore, databases)
    await one.apply("t", "d", GraphChange(0, [ANN]))
    with pytest.raises(Conflict):
        await two.apply("t", "d", GraphChange(0, [BO]))
    assert await two.apply("t", "d", GraphChange(1, [BO])) == 2
    assert await one.version("t", "d") == 2
    for database in databases:
        await database.close()


async def test_a_name_with_a_hundred_thousand_mentions_slows_no_later_change(graphs: SqlGraphStore) -> None:
    rows = [mention(at % 500, "hub", start=at) for at in range(100_000)]
    await fill(graphs, "t", document("big", *rows, *(says(at, "hub", "uses", "x", 0.1, at) for at in range(500))))
    (hub, _) = (await graphs.read("t", "d")).entities
    assert (hub.norm, hub.df) == ("hub", 500)

    async def seconds(name: str, first: int) -> float:
        took = []
        for at in range(first, first + 9):
            started = time.perf_counter()
            await fill(graphs, "t", document(f"d{at}", chunk(at, name), mention(at, name), says(at, name, "uses", "x")))
            took.append(time.perf_counter() - started)
        return min(took)

    assert await seconds("hub", 1000) < 5 * await seconds("new", 2000)
    await graphs.apply("t", "d", GraphChange(await graphs.version("t", "d"), removed=["big"]))
    assert (await graphs.counts("t", "d"))["mentions"] == 18


async def test_reading_a_graph_leaves_the_event_loop_free(graphs: SqlGraphStore) -> None:
    rows = [mention(at, f"name {at % 997}") for at in range(20_000)]
    await fill(graphs, "t", document("big", *rows))
    reading, turns = asyncio.ensure_future(graphs.read("t", "d")), 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert len((await reading).mention_chunks) == 20_000
    assert turns > 100
