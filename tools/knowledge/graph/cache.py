"""The graphs that questions walk: built at first use, renewed behind searches when they change, bounded in memory."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from tools.errors import StoreUnavailable
from tools.knowledge.graph.graph_index import GraphIndex, index_of
from tools.stores.graph_protocol import GraphStore

log = structlog.get_logger(__name__)

MAX_BYTES = 512 * 2**20
"""Memory for all graphs together: about 200,000 chunks."""
FIRST_SECONDS = 10.0
"""How long a search waits for a graph that is read for the first time; after that it goes on without."""

RENEW_SECONDS = 0.5
"""How long a search waits for a graph that is known to have changed; after that it goes on with the old one."""

POLL_SECONDS = 0.25
"""How long what the store said of a graph's version is taken as true, unless this process has changed the graph."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a data set's graph. `graph` is None before it was read; `reached` says whether the store
    answered when it was last asked, so what is here may be out of date without.
    """

    graph: GraphIndex | None = None
    reached: bool = True


class GraphCache:
    """Shares one graph per data set among all requests; the least recently used ones give way.

    A graph that is there answers at once, however old; its use has the store asked behind it, now and then, whether
    there is a newer one, which then takes its place.
    """

    def __init__(
        self,
        graphs: GraphStore,
        max_bytes: int = MAX_BYTES,
        first_seconds: float = FIRST_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """A single graph may exceed `max_bytes`. A search waits `first_seconds` for a graph not read before.

        The store is asked for the version of a graph that is here every `poll_seconds` at most.
        """
        self._graphs = graphs
        self._max_bytes = max_bytes
        self._first_seconds = first_seconds
        self._known: OrderedDict[Key, Known] = OrderedDict()
        self._renewing: dict[Key, asyncio.Task[None]] = {}
        self._outdated: set[Key] = set()
        self._poll_seconds = poll_seconds
        self._asked: dict[Key, float] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="graph")

    @property
    def size_bytes(self) -> int:
        """Memory of all graphs together, within a quarter or so."""
        return sum(known.graph.size_bytes for known in self._known.values() if known.graph is not None)

    async def get(self, tenant_id: str, dataset_ids: Sequence[str]) -> list[Known]:
        """The data sets' graphs as they are known, in order; those never read before are waited for."""
        keys = [(tenant_id, dataset_id) for dataset_id in dataset_ids]
        renewals = {key: self._renew(key) for key in keys if self._to_be_asked(key)}
        first = [task for key, task in renewals.items() if key not in self._known]
        if first:
            await asyncio.wait(first, timeout=self._first_seconds)
        elif outdated := [task for key, task in renewals.items() if key in self._outdated]:
            await asyncio.wait(outdated, timeout=RENEW_SECONDS)
        for key in keys:
            if key in self._known:
                self._known.move_to_end(key)
        return [self._known.get(key, Known(reached=False)) for key in keys]

    def outdated(self, tenant_id: str, dataset_id: str) -> None:
        """The graph has changed: the next search waits a moment for the new one."""
        self._outdated.add((tenant_id, dataset_id))

    async def renewed(self) -> None:
        """Return when no renewal is under way."""
        while self._renewing:
            await asyncio.wait(list(self._renewing.values()))

    async def close(self) -> None:
        """Stop reading and let go of memory and the thread."""
        tasks = list(self._renewing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._known.clear()
        self._thread.shutdown(wait=False)

    def _to_be_asked(self, key: Key) -> bool:
        if key not in self._known or key in self._outdated:
            return True
        return time.monotonic() - self._asked[key] >= self._poll_seconds

    def _renew(self, key: Key) -> asyncio.Task[None]:
        task = self._renewing.get(key)
        if task is None:
            task = asyncio.create_task(self._read(key))
            self._renewing[key] = task
            task.add_done_callback(lambda _: self._renewing.pop(key, None))
        return task

    async def _read(self, key: Key) -> None:
        """Take in the graph as it now is, if it is not the one that is here."""
        known = self._known.get(key)
        self._outdated.discard(key)  # before it is read: what changes from here on makes it outdated again
        asked = time.monotonic()
        try:
            version = await self._graphs.version(*key)
            graph = None if known is None else known.graph
            if graph is None or graph.version != version:
                rows = await self._graphs.read(*key)
                graph = await asyncio.get_running_loop().run_in_executor(self._thread, index_of, rows, key[1])
            self._keep(key, Known(graph), asked)
        except StoreUnavailable as error:
            log.warning("graph.unreachable", tenant=key[0], dataset=key[1], reason=error.message)
            # A graph never read stays unknown, so that the next search asks again.
            if known is not None:
                self._keep(key, Known(known.graph, reached=False), asked)

    def _keep(self, key: Key, known: Known, asked: float) -> None:
        self._known[key] = known
        self._asked[key] = asked
        self._known.move_to_end(key)
        total = self.size_bytes
        while total > self._max_bytes and len(self._known) > 1:
            evicted_key, evicted = self._known.popitem(last=False)
            self._asked.pop(evicted_key, None)
            total -= 0 if evicted.graph is None else evicted.graph.size_bytes
