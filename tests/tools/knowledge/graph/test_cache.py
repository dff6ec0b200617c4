"""Graphs shared among searches: built once, renewed behind them, kept while their store is away."""

from __future__ import annotations

import asyncio
from typing import cast

from tests.tools.knowledge.graph.made import rows
from tools.errors import StoreUnavailable
from tools.knowledge.graph.cache import GraphCache
from tools.stores.graph_protocol import GraphRows, GraphStore


class Graphs:
    """A store of which only reading is asked; `gate` holds its answers back while it is not set."""

    def __init__(self) -> None:
        self.now = 1
        self.asked = 0
        self.reads = 0
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def version(self, tenant_id: str, dataset_id: str) -> int:
        self.asked += 1
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable("The graph store is away.")
        return self.now

    async def read(self, tenant_id: str, dataset_id: str) -> GraphRows:
        self.reads += 1
        return rows([(f"Of {tenant_id} and {dataset_id}", [f"Name {n}"]) for n in range(20)], version=self.now)


def cache_of(graphs: Graphs, **options: float) -> GraphCache:
    """A cache that asks at every use, unless it is told otherwise."""
    return GraphCache(cast(GraphStore, graphs), **{"poll_seconds": 0.0, **options})  # type: ignore[arg-type]


async def versions(cache: GraphCache, *dataset_ids: str, tenant_id: str = "t") -> list[int | None]:
    return [one.graph.version if one.graph else None for one in await cache.get(tenant_id, dataset_ids)]


async def test_the_first_searches_wait_for_one_reading() -> None:
    graphs = Graphs()
    cache = cache_of(graphs)
    assert await asyncio.gather(*(versions(cache, "d") for _ in range(10))) == [[1]] * 10
    assert graphs.reads == 1
    await cache.close()


async def test_an_old_graph_answers_at_once_and_the_new_one_takes_its_place() -> None:
    graphs = Graphs()
    cache = cache_of(graphs)
    await versions(cache, "d")
    await cache.renewed()
    graphs.now = 2
    graphs.gate.clear()
    assert await versions(cache, "d") == [1]
    graphs.gate.set()
    await cache.renewed()
    assert await versions(cache, "d") == [2]
    await cache.renewed()
    assert graphs.reads == 2
    await cache.close()


async def test_searches_in_quick_succession_ask_the_store_once() -> None:
    graphs = Graphs()
    cache = cache_of(graphs, poll_seconds=3600)
    await versions(cache, "d")
    await cache.renewed()
    graphs.now = 2
    for _ in range(10):
        assert await versions(cache, "d") == [1]
        await cache.renewed()
    assert graphs.asked == 1
    await cache.close()


async def test_the_changes_of_this_process_are_seen_at_once() -> None:
    graphs = Graphs()
    cache = cache_of(graphs, poll_seconds=3600)
    await versions(cache, "d", "other")
    await cache.renewed()
    for version in (2, 3, 4):
        graphs.now = version
        cache.outdated("t", "d")
        assert await versions(cache, "d", "other") == [version, 1]
    await cache.close()


async def test_without_its_store_the_last_graph_stays_and_this_is_said() -> None:
    graphs = Graphs()
    cache = cache_of(graphs)
    await versions(cache, "d")
    await cache.renewed()
    graphs.away = True
    await cache.get("t", ["d"])
    await cache.renewed()
    (known,) = await cache.get("t", ["d"])
    assert known.graph is not None
    assert not known.reached
    await cache.renewed()
    graphs.away = False
    await cache.get("t", ["d"])
    await cache.renewed()
    (known,) = await cache.get("t", ["d"])
    assert known.reached
    await cache.close()


async def test_a_store_that_hangs_keeps_a_search_no_longer_than_allowed() -> None:
    graphs = Graphs()
    graphs.gate.clear()
    cache = cache_of(graphs, first_seconds=0.01)
    (known,) = await cache.get("t", ["d"])
    assert (known.graph, known.reached) == (None, False)
    graphs.gate.set()
    await cache.renewed()
    assert await versions(cache, "d") == [1]
    await cache.close()


async def test_tenants_have_their_own_graphs() -> None:
    cache = cache_of(Graphs())
    (mine,), (yours,) = await cache.get("a", ["d"]), await cache.get("b", ["d"])
    assert mine.graph is not None
    assert yours.graph is not None
    assert ("of a and d" in mine.graph.norms, "of a and d" in yours.graph.norms) == (True, False)
    await cache.close()


async def test_graphs_stay_within_their_memory() -> None:
    graphs = Graphs()
    cache = cache_of(graphs, max_bytes=30_000)
    for number in range(12):
        assert await versions(cache, f"d{number}") == [1]
        await cache.renewed()
    assert 0 < cache.size_bytes <= 30_000
    assert graphs.reads == 12
    await cache.close()


async def test_closing_ends_a_reading() -> None:
    graphs = Graphs()
    cache = cache_of(graphs, first_seconds=0.01)
    graphs.gate.clear()
    await cache.get("t", ["d"])
    await cache.close()
    assert graphs.reads == 0
