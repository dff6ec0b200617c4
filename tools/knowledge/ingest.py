"""Takes files in and indexes them in the background, whatever happens to this process meanwhile.

The queue is in the store, so a file that was acknowledged is indexed even if nobody is left who remembers
it: whoever starts next, or shares the data folder, takes over what a dead process had in hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from tools.errors import StoreUnavailable
from tools.knowledge.following import Followers
from tools.knowledge.indexer import Indexer
from tools.knowledge.options import IndexOptions
from tools.knowledge.parsing import file_type, media_type
from tools.knowledge.sandbox import Sandbox
from tools.knowledge.settings import KnowledgeSettings
from tools.knowledge.uploads import Upload, UploadFolder, clean_name
from tools.models.protocol import Embedder
from tools.stores.knowledge_protocol import Claim, Document, DocumentStore, IndexQueue, IndexType, NewDocument
from tools.stores.owner import ProcessOwner

log = structlog.get_logger(__name__)

DEFAULT_INDEX_TYPE: IndexType = "hybrid"
WORKER_MARK = "#"
"""Stands between a process's name and a worker's number: a claim is one worker's, so that a document which is
queued again while one worker has it can go to another, and the first one's result is refused."""
POLL_SECONDS = 10.0
"""How often an idle ingestor looks for documents that other processes left behind."""
FORGET_SECONDS = 3.0
"""How long a deletion waits for the stores that follow. What they still hold after that is found by nobody: search
reads every passage and sentence from the records."""
RETRY_SECONDS = 1.0
"""Pause before trying again a store that refuses."""


class Ingestor:
    """The tenant's files in, searchable documents out."""

    def __init__(
        self,
        documents: DocumentStore,
        queue: IndexQueue,
        embedder: Embedder,
        owner: ProcessOwner,
        data_dir: Path,
        settings: KnowledgeSettings,
        followers: Followers | None = None,
    ) -> None:
        """Nothing runs before `start`; `data_dir` is the folder that processes share.

        `followers` are told whenever documents change; they are started and closed by their owner.
        """
        self._followers = followers or Followers()
        self.folder = UploadFolder(data_dir)
        self._documents = documents
        self._queue = queue
        self._owner = owner
        self._settings = settings
        self._sandbox = Sandbox(
            memory_bytes=settings.knowledge_parse_memory_mb * 2**20,
            timeout_seconds=settings.knowledge_parse_timeout_seconds,
        )
        self._threads = ThreadPoolExecutor(settings.knowledge_workers, thread_name_prefix="ingest")
        self._indexers = [
            Indexer(queue, embedder, self._sandbox, self._threads, f"{owner.id}{WORKER_MARK}{number}")
            for number in range(settings.knowledge_workers)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._rested = asyncio.Condition()
        self._active = 0
        self._served: dict[str, float] = {}
        self._last_work = time.monotonic()

    async def start(self) -> None:
        """Take over what dead processes left and begin to index."""
        await asyncio.to_thread(self.folder.sweep)
        await self._adopt()
        self._active = len(self._indexers)
        self._tasks = [asyncio.create_task(self._work(indexer), name=indexer.owner) for indexer in self._indexers]

    async def close(self) -> None:
        """Stop at once; what is in hand goes back to the queue and is indexed after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._sandbox.close)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)
        with contextlib.suppress(StoreUnavailable):
            for indexer in self._indexers:
                await self._queue.release(indexer.owner)

    async def idle(self) -> None:
        """Return once nothing is queued or being indexed here, and all stores that follow have caught up."""
        async with self._rested:
            await self._rested.wait_for(lambda: self._active == 0 and not self._wake.is_set())
        await self._followers.idle()

    async def submit(self, tenant_id: str, dataset_id: str, files: Sequence[tuple[str, bytes]]) -> Sequence[Document]:
        """`take_in` for files in memory: names and contents."""
        uploads = await asyncio.to_thread(lambda: [self._staged(name, data) for name, data in files])
        return await self.take_in(tenant_id, dataset_id, uploads)

    async def take_in(self, tenant_id: str, dataset_id: str, uploads: Sequence[Upload]) -> Sequence[Document]:
        """Queue staged files, which are used up; gives a document for each, in order.

        A file of a type that is not read here becomes a failed document (`unsupported_type`). A file with the
        name of an earlier one is that document's new content: passages that have not changed stay as they are.

        Raises:
            StoreUnavailable: nothing was taken in.
        """
        there = await self._there(tenant_id, dataset_id, uploads)
        new = {there.get(upload.path) or f"doc_{uuid.uuid4().hex}": upload for upload in uploads}
        files = [_described(document_id, upload) for document_id, upload in new.items()]
        unwanted = set(new) - set(there.values())
        kept: dict[str, str] = {}
        try:
            await asyncio.to_thread(self._keep, tenant_id, new)
            options = IndexOptions().model_dump()
            registration = await self._documents.register(tenant_id, dataset_id, files, DEFAULT_INDEX_TYPE, options)
            kept = {document.id: document.sha256 for document in registration.documents if document.error_code is None}
            unwanted = (set(new) - set(kept)) | set(registration.replaced)
            self._followers.wake()
        finally:
            await asyncio.to_thread(self._discard, tenant_id, unwanted, uploads)
        changed = {document_id: kept[document_id] for document_id in there.values() if document_id in kept}
        await asyncio.to_thread(self._discard_older, tenant_id, changed)
        self._wake.set()
        return registration.documents

    async def _there(self, tenant_id: str, dataset_id: str, uploads: Sequence[Upload]) -> dict[Path, str]:
        """For staged files that alone have their name in upload and data set, the document they are new content of."""
        names = Counter(clean_name(upload.name) for upload in uploads)
        ids = await self._documents.named(tenant_id, dataset_id, [name for name in names if names[name] == 1])
        by_path = {upload.path: ids.get(clean_name(upload.name)) for upload in uploads}
        return {path: document_id for path, document_id in by_path.items() if document_id is not None}

    async def reindex(self, tenant_id: str, dataset_id: str, index_type: IndexType, options: IndexOptions) -> int:
        """Index a data set again in another way; gives the number of documents queued. Raises NotFound.

        `vector` builds no graph, `graph` makes no vectors, `hybrid` has both.
        """
        number = await self._documents.requeue(tenant_id, dataset_id, index_type, options.model_dump())
        self._wake.set()
        return number

    async def delete_document(self, tenant_id: str, document_id: str) -> None:
        """Delete a document, its bytes first: what is acknowledged as gone is gone everywhere. Raises NotFound."""
        document = await self._documents.get(tenant_id, document_id)
        await asyncio.to_thread(self._discard, tenant_id, {document_id})
        await self._documents.delete(tenant_id, document_id)
        await self._forgotten(tenant_id, document.dataset_id)

    async def delete_dataset(self, tenant_id: str, dataset_id: str) -> None:
        """Delete a data set with all its documents. Raises NotFound."""
        gone = await self._documents.delete_dataset(tenant_id, dataset_id)
        await asyncio.to_thread(self._discard, tenant_id, set(gone))
        await self._forgotten(tenant_id, dataset_id)

    async def _forgotten(self, tenant_id: str, dataset_id: str) -> None:
        """Let the stores that follow forget too, before the caller is told; one that cannot does so later."""
        self._followers.wake()
        await self._followers.wait_until_caught_up(tenant_id, dataset_id, FORGET_SECONDS)

    async def _work(self, indexer: Indexer) -> None:
        while True:
            self._wake.clear()
            try:
                if (found := await self._next(indexer.owner)) is not None:
                    self._wake.set()  # where there is one there may be more, for those who rest
                    await self._settle(indexer, *found)
                else:
                    await self._rest()
            except StoreUnavailable as error:
                log.warning("ingest.store_unavailable", reason=error.message)
                await asyncio.sleep(RETRY_SECONDS)

    async def _next(self, owner: str) -> tuple[str, Claim] | None:
        """The next document; tenants take turns, so one with a thousand files does not hold up the others."""
        waiting = await self._queue.tenants_waiting()
        self._served = {tenant: self._served.get(tenant, 0.0) for tenant in waiting}
        for tenant in sorted(waiting, key=self._served.__getitem__):
            if (claim := await self._queue.claim(tenant, owner)) is not None:
                self._served[tenant] = time.monotonic()
                return tenant, claim
        return None

    async def _settle(self, indexer: Indexer, tenant_id: str, claim: Claim) -> None:
        """Index a claimed document; while the store refuses the outcome, try again."""
        path = self.folder.path(tenant_id, claim.document.id, claim.document.sha256)
        while True:
            try:
                await indexer.index(tenant_id, claim, path)
                break
            except StoreUnavailable as error:
                log.warning("ingest.store_unavailable", reason=error.message)
                await asyncio.sleep(RETRY_SECONDS)
        self._last_work = time.monotonic()
        self._followers.wake()

    async def _rest(self) -> None:
        """Wait for work; look around for abandoned documents every now and then."""
        async with self._rested:
            self._active -= 1
            self._rested.notify_all()
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            await self._adopt()
            if time.monotonic() - self._last_work > self._settings.knowledge_parser_idle_seconds:
                await asyncio.to_thread(self._sandbox.let_go)
        finally:
            self._active += 1

    async def _adopt(self) -> None:
        """Queue again what processes had in hand that are no more."""
        for owner in await self._queue.owners_of_indexing():
            if await asyncio.to_thread(self._owner.dead, owner.partition(WORKER_MARK)[0]):
                number = await self._queue.release(owner)
                log.info("ingest.adopted", documents=number)

    def _staged(self, name: str, data: bytes) -> Upload:
        staged = self.folder.stage(self._settings.knowledge_max_file_bytes)
        try:
            staged.write(data)
            return staged.finish(name)
        except BaseException:
            staged.discard()
            raise

    def _keep(self, tenant_id: str, new: dict[str, Upload]) -> None:
        for document_id, upload in new.items():
            self.folder.keep(tenant_id, document_id, upload)

    def _discard_older(self, tenant_id: str, kept: Mapping[str, str]) -> None:
        for document_id, sha256 in kept.items():
            self.folder.remove(tenant_id, document_id, kept_sha256=sha256)

    def _discard(self, tenant_id: str, document_ids: set[str], staged: Sequence[Upload] = ()) -> None:
        for upload in staged:
            upload.path.unlink(missing_ok=True)
        for document_id in document_ids:
            self.folder.remove(tenant_id, document_id)


def _described(document_id: str, upload: Upload) -> NewDocument:
    name = clean_name(upload.name) or "unnamed"
    kind = file_type(name, upload.content_type)
    return NewDocument(
        id=document_id,
        name=name,
        media_type=media_type(kind) if kind else "application/octet-stream",
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        error_code=None if kind else "unsupported_type",
        error=None if kind else "Files of this type are not read here.",
    )
