"""Lets a language model read the chunks of knowledge graphs, in the background and within a budget.

The graph never waits for it: what the model adds is kept chunk by chunk, and those who follow the records merge it
in. Whatever stops it (a crash, a server that is down, the day's tokens) costs at most the requests in flight; what is
done stands in the store, and the rest is done later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from tools.errors import StoreUnavailable, UpstreamError, UpstreamMalformed, UpstreamRejected, UpstreamTimeout
from tools.knowledge.extraction.enrichment_asking import OVERHEAD_TOKENS, Answer, ModelAsker, RequestOf
from tools.knowledge.extraction.enrichment_queue import Batch, EnrichmentQueue, Key
from tools.knowledge.extraction.enrichment_request import Asked, Read, Reading, read_answer, request_for
from tools.knowledge.extraction.enrichment_summaries import (
    TOKENS_EACH,
    CommunitySummaries,
    Topic,
    Topics,
    read_summaries,
)
from tools.knowledge.extraction.enrichment_summaries import request_for as request_for_summaries
from tools.knowledge.extraction.protocol import Extraction
from tools.knowledge.extraction.stored import to_json
from tools.knowledge.settings import EnrichmentSettings
from tools.models.protocol import ChatModel
from tools.models.tokens import estimate_tokens
from tools.stores.clock import now
from tools.stores.enrichment_protocol import Enrichment, EnrichmentStats, EnrichmentStore, Spent
from tools.stores.file_lock import alone

log = structlog.get_logger(__name__)

LOCK = "enrichment.lock"
POLL_SECONDS = 10.0
"""How often an idle enricher looks for chunks that came without a word, and for a new day."""
LOOK_AGAIN_SECONDS = 600.0
"""How often it looks through all chunks anew."""
SUMMARY_SECONDS = 60.0
"""How often communities of an unchanged graph are looked at for want of a summary."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 300.0
"""Pauses while the model's server fails double from the first to the longest."""
MOST_TRIES = 2
"""Useless answers about one chunk after which it is kept as one to which the model adds nothing."""
REJECTIONS = 3
"""Requests declined in a row that say the server declines us (the key, the model), not these texts."""
_EMPTY = Read(Extraction(), {})


@dataclass(frozen=True, slots=True)
class EnrichmentProgress:
    """What is known of a data set: the model, how far it is, and whether it waits for tomorrow's tokens."""

    model: str
    stats: EnrichmentStats
    over_budget: bool


class Enricher:
    """Reads what waits, several requests at a time; of all processes that share a data folder one does."""

    def __init__(
        self,
        store: EnrichmentStore,
        model: ChatModel,
        settings: EnrichmentSettings,
        folder: Path,
        summaries: CommunitySummaries | None = None,
        kept: Callable[[], None] = lambda: None,
        clock: Callable[[], str] = now,
    ) -> None:
        """`model` is the caller's to close. `kept` is called when documents have got something to merge in."""
        self._store = store
        self._asker = ModelAsker(model)
        self._workers = settings.graph_enrichment_concurrency
        self._several = settings.graph_enrichment_batch
        self._folder = folder
        self._summaries = summaries
        self._kept = kept
        self._clock = clock
        self._queue = EnrichmentQueue(store, settings, self._today)
        self._taking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._rested = asyncio.Condition()
        self._active = self._workers
        self._pause = 0.0
        self._resume_at = 0.0
        self._rejections = 0
        self._looked_at = time.monotonic()
        self._summed: dict[Key, tuple[int, float]] = {}
        self._unsummed: set[tuple[Key, int, str]] = set()

    async def start(self) -> None:
        """Begin, as soon as no other process does it."""
        self._task = asyncio.create_task(self._run(), name="enrichment")

    async def close(self) -> None:
        """Stop at once; requests in flight are lost, and made again after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Something changed: look now."""
        self._wake.set()

    async def idle(self) -> None:
        """Return once nothing is left to read, or nothing that may be paid for today."""
        async with self._rested:
            await self._rested.wait_for(lambda: self._active == 0 and not self._wake.is_set())

    async def stats(self, tenant_id: str, dataset_id: str) -> EnrichmentProgress:
        """How far a data set is, and what it cost."""
        found = await self._store.stats(tenant_id, dataset_id, self._today())
        return EnrichmentProgress(self._asker.name, found, self._queue.is_over_budget((tenant_id, dataset_id)))

    def _today(self) -> str:
        return self._clock()[:10]

    async def _run(self) -> None:
        async with alone(self._folder / LOCK, POLL_SECONDS / 10), asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            await asyncio.sleep(max(0.0, self._resume_at - time.monotonic()))
            try:
                if not await self._step():
                    await self._rest()
            except StoreUnavailable as error:
                self._back_off(error.message)
            except UpstreamError as error:
                self._back_off(error.message)
            except Exception:  # whatever it is, the others go on
                log.exception("enrichment.failed")
                self._back_off("An error of our own.")

    async def _step(self) -> bool:
        """Do one request's work; False when there is none."""
        async with self._taking:
            batch = await self._queue.take()
        if batch is None:
            return await self._sum_up()
        self._wake.set()  # there may be more, for those who rest
        try:
            await self._read(batch)
        except BaseException:
            self._queue.put_back(batch)
            raise
        finally:
            self._queue.release(batch.key, batch.cost)
        return True

    async def _read(self, batch: Batch) -> None:
        """Ask about a batch and keep what comes of it. Raises UpstreamError for what may pass."""
        asked = [Asked(c.position, c.title, c.heading, c.text, c.language) for c in batch.chunks]
        try:
            answer = await self._ask(batch.key, lambda schema: request_for(asked, with_schema=schema), batch.cost // 2)
        except UpstreamRejected:
            await self._rejected(batch)
            return
        except UpstreamMalformed as error:
            await self._useless(batch, batch.cost, error.message)
            return
        try:
            reading = await asyncio.to_thread(read_answer, answer.text, asked, f"llm:{self._asker.name}")
        except ValueError as error:
            await self._useless(batch, answer.tokens, str(error))
            return
        self._rejections, self._pause = 0, 0.0
        await self._keep_reading(batch, reading, answer.tokens)

    async def _keep_reading(self, batch: Batch, reading: Reading, tokens: int) -> None:
        """Keep what is believed; chunks that the answer passes over are asked about alone, or have nothing."""
        silent = [chunk for chunk in batch.chunks if chunk.position not in reading.chunks]
        alone = len(batch.chunks) == 1
        found = {**reading.chunks, **{chunk.position: _EMPTY for chunk in silent if alone}}
        await self._keep(batch.key, found, tokens, reading.dropped)
        if not alone:
            self._queue.put_back_singly(replace(batch, chunks=silent))

    async def _keep(
        self, key: Key, found: Mapping[int, Read], tokens: int, dropped: Mapping[str, int], failed: int = 0
    ) -> None:
        spent = Spent(
            requests=1,
            tokens=tokens,
            mentions=sum(len(read.extraction.mentions) for read in found.values()),
            relations=sum(len(read.extraction.relations) for read in found.values()),
            dropped=sum(dropped.values()),
            failed=failed,
        )
        rows = [Enrichment(at, to_json(read.extraction), read.descriptions) for at, read in sorted(found.items())]
        if await self._store.keep(*key, self._asker.name, self._today(), rows, spent):
            self._kept()
        if spent.dropped:
            log.info("enrichment.dropped", dataset=key[1], **{name: n for name, n in dropped.items() if n})

    async def _useless(self, batch: Batch, tokens: int, reason: str) -> None:
        """An answer with nothing in it: ask about each chunk alone, and in the end take it that there is nothing."""
        log.warning("enrichment.useless_answer", dataset=batch.key[1], chunks=len(batch.chunks), reason=reason)
        last = len(batch.chunks) == 1 and batch.tries + 1 >= MOST_TRIES
        found = {batch.chunks[0].position: _EMPTY} if last else {}
        await self._keep(batch.key, found, tokens, {}, failed=1)
        if not last:
            self._ask_again(batch)

    def _ask_again(self, batch: Batch) -> None:
        if len(batch.chunks) > 1:
            self._queue.put_back_singly(batch)
        else:
            self._queue.put_back(replace(batch, tries=batch.tries + 1))

    async def _rejected(self, batch: Batch) -> None:
        """Declined: perhaps for one of the texts, perhaps altogether, which nothing but time will change."""
        self._rejections += 1
        await self._store.keep(*batch.key, self._asker.name, self._today(), [], Spent(requests=1, failed=1))
        # In the end it is left for the next start: a key that expired must not make chunks look read.
        if len(batch.chunks) > 1 or batch.tries + 1 < MOST_TRIES:
            self._ask_again(batch)
        if self._rejections >= REJECTIONS:
            self._back_off("The model's server declines all requests.")

    async def _ask(self, key: Key, request_of: RequestOf, told: int) -> Answer:
        """The answer; tokens `told` to a server that then fell silent are counted."""
        try:
            return await self._asker.ask(request_of)
        except UpstreamTimeout:
            spent = Spent(requests=1, tokens=told, failed=1)
            await self._store.keep(*key, self._asker.name, self._today(), [], spent)
            raise

    async def _sum_up(self) -> bool:
        """Have communities of one data set summed up whose chunks have all been read; False when none wants it."""
        if self._summaries is None or self._taking.locked():
            return False
        async with self._taking:
            for key in await self._store.datasets():
                if not self._queue.is_drained(key) or self._queue.is_over_budget(key):
                    continue
                topics = await self._without_summary(self._summaries, key)
                if topics.topics and await self._summed_up(self._summaries, key, topics):
                    return True
        return False

    async def _without_summary(self, summaries: CommunitySummaries, key: Key) -> Topics:
        """The next few communities without a summary, those left out whose summary did not hold."""
        version = await summaries.version(*key)
        known = self._summed.get(key)
        if not version or (known and known[0] == version and time.monotonic() < known[1] + SUMMARY_SECONDS):
            return Topics(version)
        found = await summaries.waiting(*key)
        topics = [topic for topic in found.topics if (key, found.version, topic.id) not in self._unsummed]
        if not topics:
            self._summed[key] = found.version, time.monotonic()
        return Topics(found.version, topics[: self._several])

    async def _summed_up(self, summaries: CommunitySummaries, key: Key, topics: Topics) -> bool:
        """Whether a request was made."""
        cost = _cost(topics.topics)
        if not await self._queue.reserve(key, cost):
            return False
        try:
            await self._summarise(summaries, key, topics, cost)
        finally:
            self._queue.release(key, cost)
        return True

    async def _summarise(self, summaries: CommunitySummaries, key: Key, topics: Topics, cost: int) -> None:
        written: Mapping[str, str] = {}
        dropped: Mapping[str, int] = {}
        tokens, failed = 0, 0
        try:
            answer = await self._ask(
                key, lambda schema: request_for_summaries(topics.topics, with_schema=schema), cost // 2
            )
            tokens = answer.tokens
            written, dropped = read_summaries(answer.text, topics.topics)
        except (UpstreamMalformed, UpstreamRejected, ValueError) as error:
            failed = 1
            log.warning("enrichment.useless_answer", dataset=key[1], communities=len(topics.topics), reason=str(error))
        self._unsummed |= {(key, topics.version, topic.id) for topic in topics.topics if topic.id not in written}
        kept = bool(written) and await summaries.keep(*key, topics, written)
        number = len(written) if kept else 0
        spent = Spent(requests=1, tokens=tokens, summaries=number, dropped=sum(dropped.values()), failed=failed)
        await self._store.keep(*key, self._asker.name, self._today(), [], spent)

    async def _rest(self) -> None:
        async with self._rested:
            self._active -= 1
            self._rested.notify_all()
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            if time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
                self._looked_at = time.monotonic()
                self._queue.look_again()
        finally:
            self._active += 1

    def _back_off(self, reason: str) -> None:
        """Let the server be for a while, longer each time."""
        if time.monotonic() < self._resume_at:
            return  # another worker has met the same failure
        self._pause = min(max(2 * self._pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._resume_at = time.monotonic() + self._pause
        log.warning("enrichment.pauses", seconds=self._pause, reason=reason)


def _cost(topics: Sequence[Topic]) -> int:
    told = sum(estimate_tokens(sentence) for topic in topics for sentence in topic.sentences)
    return OVERHEAD_TOKENS + told + TOKENS_EACH * len(topics)
