"""Which chunks a language model is to read next, and whether the day's tokens allow it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.knowledge.extraction.enrichment_asking import OVERHEAD_TOKENS
from tools.knowledge.settings import EnrichmentSettings
from tools.models.tokens import estimate_tokens
from tools.stores.enrichment_protocol import EnrichmentStore, WaitingChunk

Key = tuple[str, str]
"""Tenant and data set."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Chunks of one data set for one request; `tries` counts answers to it that were of no use."""

    key: Key
    chunks: Sequence[WaitingChunk]
    tries: int = 0

    @property
    def cost(self) -> int:
        """Tokens it will take, roughly: as many out as the texts have."""
        return OVERHEAD_TOKENS + 2 * sum(estimate_tokens(chunk.text) for chunk in self.chunks)


class EnrichmentQueue:
    """What is still to be read lies in the store; here is only how far this process has come with it."""

    def __init__(self, store: EnrichmentStore, settings: EnrichmentSettings, today: Callable[[], str]) -> None:
        """`today` is the date in UTC, as budgets count it."""
        self._store = store
        self._settings = settings
        self._today = today
        self._day = ""
        self._turn: Key = ("", "")
        self._after: dict[Key, int] = {}
        self._drained: dict[Key, int] = {}
        self._again: dict[Key, deque[Batch]] = {}
        self._reserved: dict[Key, int] = {}
        self._over: set[Key] = set()

    async def take(self) -> Batch | None:
        """The next batch, data sets taking turns; None when nothing is left, or nothing that may be paid for today.

        Its cost is set aside until `release`.
        """
        self._begin_day()
        newest = await self._store.newest()
        known = await self._store.datasets()
        for key in [*(k for k in known if k > self._turn), *(k for k in known if k <= self._turn)]:
            batch = None if key in self._over else await self._next_of(key, newest)
            if batch is None:
                continue
            if await self.reserve(key, batch.cost):
                self._turn = key
                return batch
            self.put_back(batch)
        return None

    async def reserve(self, key: Key, tokens: int) -> bool:
        """Set tokens of today's budgets aside; False when they do not allow it, and the data set waits for tomorrow."""
        self._begin_day()
        everybody = await self._store.tokens(self._day) + sum(self._reserved.values())
        own = await self._store.tokens(self._day, *key) + self._reserved.get(key, 0)
        allowed = (
            everybody + tokens <= self._settings.graph_enrichment_daily_tokens
            and own + tokens <= self._settings.graph_enrichment_dataset_tokens
        )
        if allowed:
            self._reserved[key] = self._reserved.get(key, 0) + tokens
        else:
            self._over.add(key)
        return allowed

    def release(self, key: Key, tokens: int) -> None:
        """The request is over: what it cost stands in the store."""
        self._reserved[key] = max(0, self._reserved.get(key, 0) - tokens)

    def put_back(self, batch: Batch) -> None:
        """Ask about these again."""
        self._again.setdefault(batch.key, deque()).append(batch)

    def put_back_singly(self, batch: Batch) -> None:
        """Ask about each of these alone."""
        for chunk in batch.chunks:
            self.put_back(Batch(batch.key, [chunk], batch.tries))

    def look_again(self) -> None:
        """Forget how far this process has come: chunks may have got an extraction that had none."""
        self._after.clear()
        self._drained.clear()

    def is_over_budget(self, key: Key) -> bool:
        """Whether the data set waits for tomorrow's tokens."""
        self._begin_day()
        return key in self._over

    def is_drained(self, key: Key) -> bool:
        """Whether all its chunks have been read, as far as is known."""
        return key in self._drained and not self._again.get(key) and not self._reserved.get(key)

    async def _next_of(self, key: Key, newest: int) -> Batch | None:
        if again := self._again.get(key):
            return again.popleft()
        if self._drained.get(key) == newest:
            return None
        after = self._after.get(key, 0)
        chunks = await self._store.waiting(*key, after, self._settings.graph_enrichment_batch)
        if not chunks:
            self._drained[key] = newest
            return None
        self._after[key] = chunks[-1].position
        return Batch(key, chunks)

    def _begin_day(self) -> None:
        if (day := self._today()) != self._day:
            self._day = day
            self._over.clear()
