"""Stores that follow the records: each is led after them by a task of its own, however often it fails.

What is still to do stands in the outbox, so nothing is lost when a store or this process stops. Of all
processes that share a data folder one leads a follower at a time (a lock on a file, which the kernel
opens when its holder dies): late writes of two would undo each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog

from tools.errors import Conflict, StoreUnavailable
from tools.knowledge.dates import day_of
from tools.stores.file_lock import alone
from tools.stores.following_protocol import FollowedDocument, Outbox, StaleBatch
from tools.stores.vector_protocol import VectorProjection, VectorRow

log = structlog.get_logger(__name__)

BATCH = 500
"""Documents that are followed at once. What a batch costs grows with the data set, so that few are better than many."""
AT_ONCE = 32
"""Documents whose vectors are written side by side."""
POLL_SECONDS = 10.0
"""How often an idle follower looks for what other processes have changed."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
"""Pauses after failures double from the first to the longest."""

LOOK_SECONDS = 0.2
"""How often those who wait look for themselves."""
GATHER_SECONDS = 0.3
"""How long a follower gathers changes before it looks, unless it has a full batch or somebody waits."""
REST_FACTOR = 3.0
"""After a batch it gathers this many times as long as the batch took, so that it takes a quarter of the time at most:
what one batch costs grows with the data set, and a thousand files come one by one."""

Follow = Callable[[StaleBatch], Awaitable[None]]
CaughtUp = Callable[[str, str], Awaitable[object]]


async def nothing_more(tenant_id: str, dataset_id: str) -> None:
    """What a follower does by default once it has caught up with a data set."""


class Follower:
    """Leads one store after the records."""

    def __init__(
        self, name: str, identity: str, outbox: Outbox, follow: Follow, folder: Path, caught_up: CaughtUp = nothing_more
    ) -> None:
        """`follow` makes the store hold what the documents of a batch now are; doing it twice must be harmless.

        `identity` names the store that follows, without secrets: a new one is told of all documents. `caught_up`
        is called for a data set when nothing of it is left to do. The lock is in `folder`.
        """
        self.name = name
        self._identity = identity
        self._outbox = outbox
        self._follow = follow
        self._caught_up = caught_up
        self._lock_path = folder / f"following-{name}.lock"
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._urgent = asyncio.Event()
        self._gather_until = 0.0
        self._pause = 0.0
        self._one_by_one = False
        self._leading = False
        self.failing = False
        """Whether the last attempt failed: the store is behind, and what it answers may be out of date."""

    async def start(self) -> None:
        """Enlist with the outbox and begin."""
        await self._outbox.enlist(self.name, self._identity)
        self._task = asyncio.create_task(self._run(), name=f"follow-{self.name}")

    async def close(self) -> None:
        """Stop at once; what is not settled is done after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Something changed: look now."""
        self._wake.set()

    async def wait_until_caught_up(self, tenant_id: str, dataset_id: str | None = None) -> None:
        """Return once nothing of the data set (None: of the tenant) is left to do; wrap it in a time limit."""
        of = None if dataset_id is None else [dataset_id]
        while await self._outbox.waiting(self.name, tenant_id, of):
            await self._hurried()

    async def idle(self) -> None:
        """Return once nothing at all is left to do."""
        while self._leading or await self._outbox.next_batch(self.name, 1) is not None:
            await self._hurried()

    async def _hurried(self) -> None:
        """Have the task look now, and wait until it has moved; or a moment, for another process may be the one."""
        async with self._moved:
            self._urgent.set()
            self._wake.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), LOOK_SECONDS)

    async def _run(self) -> None:
        async with alone(self._lock_path, POLL_SECONDS / 10):
            turn = ("", "")
            while True:
                self._wake.clear()
                try:
                    turn = await self._step(turn)
                except StoreUnavailable as error:
                    await self._failed(error.message)

    async def _step(self, turn: tuple[str, str]) -> tuple[str, str]:
        """Lead the store by one batch, of the data set whose turn it is after `turn`; or rest where there is none."""
        limit = 1 if self._one_by_one else BATCH
        batch = await self._outbox.next_batch(self.name, limit, turn)
        if batch is not None and len(batch.document_ids) < limit and await self._gathered_more():
            batch = await self._outbox.next_batch(self.name, limit, turn)
        if batch is None:
            await self._tell()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            return turn
        self._wake.set()  # there may be more
        self._leading = True
        try:
            await self._lead(batch)
        finally:
            self._leading = False
        await self._tell()
        return batch.tenant_id, batch.dataset_id

    async def _gathered_more(self) -> bool:
        """Wait for more to come; False at once, or later, when somebody waits for what is there."""
        try:
            seconds = max(GATHER_SECONDS, self._gather_until - time.monotonic())
            await asyncio.wait_for(self._urgent.wait(), seconds)
        except TimeoutError:
            return True
        self._urgent.clear()
        return False

    async def _lead(self, batch: StaleBatch) -> None:
        """Follow one batch and settle it. A document that cannot be followed is left behind, alone."""
        started = time.monotonic()
        try:
            await self._follow(batch)
        except StoreUnavailable:
            raise
        except Conflict as error:
            raise StoreUnavailable(error.message) from error
        except Exception:
            if len(batch.document_ids) > 1:
                self._one_by_one = True
                return
            log.exception("follower.left_behind", follower=self.name, document=batch.document_ids[0])
        self._gather_until = time.monotonic() + REST_FACTOR * (time.monotonic() - started)
        await self._outbox.settle(self.name, batch)
        self.failing, self._pause = False, 0.0
        await self._tell()
        if not await self._outbox.waiting(self.name, batch.tenant_id, [batch.dataset_id]):
            self._one_by_one = False
            await self._caught_up(batch.tenant_id, batch.dataset_id)

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def _failed(self, reason: str) -> None:
        if not self.failing:
            log.warning("follower.behind", follower=self.name, reason=reason)
        self.failing = True
        self._pause = min(max(2 * self._pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(self._pause)


class VectorFollowing:
    """Keeps an external vector store in step with the vectors of the records."""

    def __init__(self, outbox: Outbox, vectors: VectorProjection, embedder: str) -> None:
        """The vectors are those that `embedder` made."""
        self._outbox = outbox
        self._vectors = vectors
        self._embedder = embedder

    async def follow(self, batch: StaleBatch) -> None:
        """Make the store hold exactly these documents' vectors. Raises StoreUnavailable; may be tried again."""
        found = await self._outbox.documents(batch.tenant_id, batch.dataset_id, batch.document_ids, self._embedder)
        rows = {document.id: _vector_rows(document) for document in found}
        ids = batch.document_ids
        for some in (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)):
            writing = [self._vectors.replace(batch.tenant_id, batch.dataset_id, id_, rows.get(id_, ())) for id_ in some]
            for outcome in await asyncio.gather(*writing, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome


class Followers:
    """All stores that follow, as those who change the records see them."""

    def __init__(self, followers: Sequence[Follower] = ()) -> None:
        self._followers = followers

    async def start(self) -> None:
        """Begin to follow."""
        for follower in self._followers:
            await follower.start()

    async def close(self) -> None:
        """Stop at once."""
        for follower in self._followers:
            await follower.close()

    def wake(self) -> None:
        """Documents have changed."""
        for follower in self._followers:
            follower.wake()

    async def wait_until_caught_up(self, tenant_id: str, dataset_id: str | None, seconds: float) -> bool:
        """Wait until every store has the tenant's documents as they are; False when that takes too long."""
        try:
            async with asyncio.timeout(seconds):
                for follower in self._followers:
                    await follower.wait_until_caught_up(tenant_id, dataset_id)
        except TimeoutError:
            return False
        return True

    async def idle(self) -> None:
        """Return once no store has anything left to do."""
        for follower in self._followers:
            await follower.idle()

    def failing(self) -> Sequence[str]:
        """Names of the stores that are behind because they failed."""
        return [follower.name for follower in self._followers if follower.failing]


def _vector_rows(document: FollowedDocument) -> list[VectorRow]:
    day = day_of(document.date)
    return [
        VectorRow(chunk.position, document.id, day, chunk.vector)
        for chunk in document.chunks
        if chunk.vector is not None
    ]
