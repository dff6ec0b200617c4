"""Refreshes communities in the background, so that those who lead the graph after the records never wait for them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from tools.errors import StoreUnavailable

log = structlog.get_logger(__name__)

REST_FACTOR = 3.0
"""A data set is left to change for this many times as long as its communities took the last time, counted from its
latest change: a thousand files that come one by one need them once, at the end."""
MOST_RESTS = 10
"""After so many of these times a data set that goes on changing is looked at all the same."""
SHORT_SECONDS = 0.1
"""What took no longer is not waited with."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Pauses while a store refuses double from the first to the longest."""

Key = tuple[str, str]
"""Tenant and data set."""


class Refreshes(Protocol):
    """What is done for a data set (`CommunityBuilder`)."""

    async def refresh(self, tenant_id: str, dataset_id: str) -> bool:
        """Bring its communities up to date; False when it has moved on meanwhile. Raises StoreUnavailable."""
        ...


async def _none() -> Sequence[Key]:
    return ()


class CommunityKeeper:
    """One task that refreshes one data set at a time, the one that has waited longest first."""

    def __init__(self, builder: Refreshes, at_start: Callable[[], Awaitable[Sequence[Key]]] = _none) -> None:
        """`at_start` names data sets to look at first: a crash may have come between a graph and its communities."""
        self._builder = builder
        self._at_start = at_start
        self._due: dict[Key, float] = {}
        self._took: dict[Key, float] = {}
        self._changed_since: dict[Key, float] = {}
        self._pause = 0.0
        self._changed = asyncio.Event()
        self._settled = asyncio.Condition()
        self._working = True
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="communities")

    async def close(self) -> None:
        """Stop at once; nothing is left half kept."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def notice(self, tenant_id: str, dataset_id: str) -> None:
        """The data set's graph has changed: its communities are due."""
        key, now = (tenant_id, dataset_id), time.monotonic()
        rest = REST_FACTOR * self._took.get(key, 0.0)
        self._due[key] = min(now, self._changed_since.setdefault(key, now) + MOST_RESTS * rest - rest) + rest
        self._changed.set()

    async def idle(self) -> None:
        """Return once nothing is due, rests included."""
        async with self._settled:
            await self._settled.wait_for(lambda: not self._due and not self._working)

    async def _run(self) -> None:
        while True:
            try:
                for key in await self._at_start():
                    await self.notice(*key)
                break
            except StoreUnavailable as error:
                await self._failed(error)
        while True:
            self._changed.clear()
            if self._due:
                await self._next(min(self._due, key=self._due.__getitem__))
            else:
                await self._rest()

    async def _next(self, key: Key) -> None:
        """Refresh one that is due, or wait until it is, or until another may be due before it."""
        if (seconds := self._due[key] - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
            return
        del self._due[key]
        self._changed_since.pop(key, None)
        started = time.monotonic()
        try:
            await self._builder.refresh(*key)
            self._pause = 0.0
        except StoreUnavailable as error:
            await self.notice(*key)
            await self._failed(error)
        except Exception:  # one graph that cannot be split must not end the others'
            log.exception("communities.failed", tenant=key[0], dataset=key[1])
        self._took.pop(key, None)
        if (seconds := time.monotonic() - started) > SHORT_SECONDS:
            self._took[key] = seconds

    async def _rest(self) -> None:
        async with self._settled:
            self._working = False
            self._settled.notify_all()
        await self._changed.wait()
        self._working = True

    async def _failed(self, error: StoreUnavailable) -> None:
        self._pause = min(max(2 * self._pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        log.warning("communities.store_unavailable", reason=error.message, seconds=self._pause)
        await asyncio.sleep(self._pause)
