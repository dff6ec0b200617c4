"""The graph store on a real Neo4j: the contract, and a server that freezes, dies and comes back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from neo4j import AsyncTransaction
from neo4j.exceptions import ServiceUnavailable
from pydantic import SecretStr

from tests.contracts.graph_documents import Drawing
from tests.contracts.graph_steps import ANN, BO, everything, fill, unused
from tests.contracts.graph_store import GraphStoreContract
from tests.server.neo4j import Neo4j, OfLoop, neo4j  # noqa: F401 the fixture
from tests.server.processes import free_port
from tools.errors import StoreUnavailable
from tools.stores import neo4j_graph_queries as queries
from tools.stores import neo4j_graph_writing as writing
from tools.stores.graph_protocol import GraphChange
from tools.stores.neo4j_graph import Neo4jGraphStore

pytestmark = pytest.mark.server


@pytest.fixture
def server(neo4j: Neo4j) -> Neo4j:  # noqa: F811
    """One that may be frozen and killed."""
    if neo4j.process is None:
        pytest.skip("the server that ZHIYIN_TEST_NEO4J names is not ours to stop")
    return neo4j


@pytest.fixture
def graphs(neo4j: Neo4j) -> OfLoop:  # noqa: F811
    return OfLoop(neo4j.store())


class TestNeo4jGraphStore(GraphStoreContract):
    """The contract on Neo4j."""


async def under_a_deadline(works: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    """The first answer of a store whose server is coming back."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await works()
            except StoreUnavailable:
                continue


async def test_a_frozen_server_is_given_up_in_time_and_used_again_when_it_thaws(server: Neo4j) -> None:
    graphs, tenant = OfLoop(server.store(limit_seconds=3.0)), unused()
    await under_a_deadline(lambda: fill(graphs, tenant, ANN))
    before = await everything(graphs, tenant)
    server.freeze()
    try:
        started = time.monotonic()
        asked = graphs.version(tenant, "d"), graphs.read(tenant, "d"), graphs.apply(tenant, "d", GraphChange(1, [BO]))
        outcomes = await asyncio.gather(*asked, graphs.check(), return_exceptions=True)
        assert time.monotonic() - started < 6.0
    finally:
        server.thaw()
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 4
    assert await under_a_deadline(lambda: everything(graphs, tenant)) == before
    assert await under_a_deadline(lambda: graphs.apply(tenant, "d", GraphChange(1, [BO]))) == 2


async def test_a_server_killed_in_mid_apply_has_kept_nothing_of_it(
    server: Neo4j, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs, tenant = OfLoop(server.store()), unused()
    await fill(graphs, tenant, ANN)
    before = await everything(graphs, tenant)
    late, drawing = writing._write_edges, Drawing(3)
    drawing.position = 10
    change = GraphChange(1, [drawing.document(f"x{n}", 3) for n in range(9)], ["d1"])

    async def die(*arguments: Any) -> None:
        monkeypatch.setattr(writing, "_write_edges", late)
        await asyncio.to_thread(server.kill)
        await late(*arguments)

    monkeypatch.setattr(writing, "_write_edges", die)
    with pytest.raises(StoreUnavailable):
        await graphs.apply(tenant, "d", change)
    await asyncio.to_thread(server.start)
    assert await under_a_deadline(lambda: everything(graphs, tenant)) == before
    assert await graphs.apply(tenant, "d", change) == 2


async def test_a_commit_whose_answer_is_lost_is_not_made_twice(
    neo4j: Neo4j,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graphs, tenant = OfLoop(neo4j.store()), unused()
    commit = AsyncTransaction.commit

    async def lose(transaction: AsyncTransaction) -> None:
        monkeypatch.setattr(AsyncTransaction, "commit", commit)
        await commit(transaction)
        raise ServiceUnavailable("gone")

    monkeypatch.setattr(AsyncTransaction, "commit", lose)
    assert await fill(graphs, tenant, ANN) == 1
    assert await fill(graphs, tenant, BO) == 2


async def test_five_hundred_questions_at_once_are_all_answered(neo4j: Neo4j) -> None:  # noqa: F811
    graphs, tenant = OfLoop(neo4j.store()), unused()
    await fill(graphs, tenant, ANN)
    found = await asyncio.gather(*(graphs.find(tenant, "d", "ann", 1) for _ in range(500)))
    assert {len(entities) for entities in found} == {1}


async def test_the_schema_is_made_once_and_planning_ahead_changes_nothing(neo4j: Neo4j) -> None:  # noqa: F811
    password = SecretStr(neo4j.password)
    for _ in range(2):
        graphs = Neo4jGraphStore(neo4j.uri, neo4j.user, password, limit_seconds=30.0)
        await graphs.check()
        assert graphs._warming is not None
        await graphs._warming
        assert await graphs.version("", "") == 0
        there = await graphs._driver.ask(lambda asking: asking.rows(queries.INDEXES_THERE))
        assert {name for (name,) in there} >= queries.SCHEMA.keys()
        await graphs.close()


async def test_a_refused_password_is_said_without_saying_it(
    neo4j: Neo4j,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    graphs = Neo4jGraphStore(neo4j.uri, neo4j.user, SecretStr("s3cr3t-word"), limit_seconds=10.0)
    with pytest.raises(StoreUnavailable, match="Unauthorized") as caught:
        await graphs.check()
    await graphs.close()
    said = [caught.value, caught.value.__cause__, caplog.text]
    assert not any("s3cr3t-word" in f"{one} {one!r}" for one in said)


async def test_where_no_server_listens_the_store_says_so_in_time() -> None:
    graphs = Neo4jGraphStore(f"bolt://127.0.0.1:{free_port()}", "neo4j", SecretStr("x"), limit_seconds=2.0)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await graphs.apply("t", "d", GraphChange(0))
    assert time.monotonic() - started < 4.0
    await graphs.close()
