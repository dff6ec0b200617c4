from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tools.errors import StoreUnavailable
from tools.knowledge.graph import communities_keeper
from tools.knowledge.graph.communities_keeper import CommunityKeeper


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(communities_keeper, "FIRST_PAUSE_SECONDS", 0.001)


class Builder:
    """Notes what it is asked for, waits at its gate, and fails as often as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.asked: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = list(failures)

    async def refresh(self, tenant_id: str, dataset_id: str) -> bool:
        self.asked.append((tenant_id, dataset_id))
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return True


@asynccontextmanager
async def keeping(builder: Builder, **options: Any) -> AsyncIterator[CommunityKeeper]:
    keeper = CommunityKeeper(builder, **options)
    await keeper.start()
    try:
        yield keeper
    finally:
        await keeper.close()


async def idle(keeper: CommunityKeeper) -> None:
    await asyncio.wait_for(keeper.idle(), 10)


async def test_what_changed_is_refreshed() -> None:
    builder = Builder()
    async with keeping(builder) as keeper:
        await keeper.notice("t", "a")
        await keeper.notice("t", "b")
        await idle(keeper)
    assert builder.asked == [("t", "a"), ("t", "b")]


async def test_changes_meanwhile_are_one_more_refresh() -> None:
    builder = Builder()
    builder.gate.clear()
    async with keeping(builder) as keeper:
        await keeper.notice("t", "a")
        while not builder.asked:
            await asyncio.sleep(0)
        for _ in range(5):
            await keeper.notice("t", "a")
        builder.gate.set()
        await idle(keeper)
    assert builder.asked == [("t", "a")] * 2


async def test_whoever_notices_does_not_wait() -> None:
    builder = Builder()
    builder.gate.clear()
    async with keeping(builder) as keeper:
        async with asyncio.timeout(5):
            await keeper.notice("t", "a")
            await keeper.notice("t", "b")


async def test_a_store_that_refuses_is_asked_again() -> None:
    builder = Builder(StoreUnavailable("no"), StoreUnavailable("no"))
    async with keeping(builder) as keeper:
        await keeper.notice("t", "a")
        await idle(keeper)
    assert builder.asked == [("t", "a")] * 3


async def test_one_that_cannot_be_done_does_not_end_the_others() -> None:
    builder = Builder(RuntimeError("odd"))
    async with keeping(builder) as keeper:
        await keeper.notice("t", "a")
        await keeper.notice("t", "b")
        await idle(keeper)
    assert builder.asked == [("t", "a"), ("t", "b")]


async def test_all_are_looked_at_once_at_the_start() -> None:
    refusals = [StoreUnavailable("no")]

    async def everything() -> Sequence[tuple[str, str]]:
        if refusals:
            raise refusals.pop()
        return [("t", "a"), ("u", "b")]

    builder = Builder()
    async with keeping(builder, at_start=everything) as keeper:
        await idle(keeper)
    assert builder.asked == [("t", "a"), ("u", "b")]


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class SlowFor(Builder):
    """Takes ten seconds for one data set, and none for the others."""

    def __init__(self, clock: Clock, slow: str) -> None:
        super().__init__()
        self.clock = clock
        self.slow = slow

    async def refresh(self, tenant_id: str, dataset_id: str) -> bool:
        self.clock.now += 10 * (dataset_id == self.slow)
        return await super().refresh(tenant_id, dataset_id)


async def test_a_large_one_that_goes_on_changing_is_left_alone_until_it_rests_or_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(communities_keeper, "time", clock)
    builder = SlowFor(clock, "large")

    async def goes_on(keeper: CommunityKeeper, seconds: float, *, changes: bool = True) -> int:
        """How often the large one has been looked at after so many seconds."""
        clock.now += seconds
        if changes:
            await keeper.notice("t", "large")
        others = builder.asked.count(("t", "small"))
        await keeper.notice("t", "small")
        async with asyncio.timeout(10):
            while builder.asked.count(("t", "small")) == others:
                await asyncio.sleep(0)
        return builder.asked.count(("t", "large"))

    async with keeping(builder) as keeper:
        await keeper.notice("t", "large")
        await idle(keeper)
        assert [await goes_on(keeper, 29) for _ in range(3)] == [1, 1, 1]
        await goes_on(keeper, 31, changes=False)
        await idle(keeper)
        assert builder.asked.count(("t", "large")) == 2
        assert [await goes_on(keeper, 29) for _ in range(10)][-1] == 2
        await goes_on(keeper, 40)
        await idle(keeper)
        assert builder.asked.count(("t", "large")) == 3
