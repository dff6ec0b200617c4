"""One document's way from bytes to searchable chunks, with its progress on record all along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from tools.errors import StoreUnavailable
from tools.knowledge.options import IndexOptions
from tools.knowledge.parsed import ParseError
from tools.knowledge.parsing import file_type_of_media
from tools.knowledge.preparing import Prepared, indexed_text
from tools.knowledge.sandbox import Sandbox, Work
from tools.models.protocol import Embedder
from tools.stores.knowledge_protocol import Claim, DocumentText, IndexQueue, IndexStage, NewChunk

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

BATCH = 32
"""Chunks that are encoded at once."""
PREPARED = 0.2
EMBEDDED = 0.95
"""Progress, 0-1, once a document is parsed and cut, and once its vectors are made."""


class ClaimLost(Exception):
    """The document was deleted, replaced or queued again; whatever was made of it is dropped."""


class Indexer:
    """Indexes one claimed document at a time; several work side by side under different names."""

    def __init__(self, queue: IndexQueue, embedder: Embedder, sandbox: Sandbox, threads: Executor, owner: str) -> None:
        """`threads` run what blocks; `owner` is the name under which it claims documents."""
        self._queue = queue
        self._embedder = embedder
        self._sandbox = sandbox
        self._threads = threads
        self.owner = owner

    async def index(self, tenant_id: str, claim: Claim, path: Path) -> None:
        """Index the document whose bytes are at `path`, or mark it failed with a typed code.

        Raises:
            StoreUnavailable: the outcome cannot be kept now; the claim still stands.
        """
        document_id = claim.document.id
        try:
            await self._index(tenant_id, claim, path)
        except ClaimLost:
            log.info("document.dropped", tenant=tenant_id, document=document_id)
        except ParseError as error:
            log.info("document.failed", tenant=tenant_id, document=document_id, code=error.code)
            await self._queue.fail(tenant_id, document_id, self.owner, error.code, error.message)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("document.failed", tenant=tenant_id, document=document_id, code="indexing_failed")
            message = "The document could not be indexed. Index the data set again to retry."
            await self._queue.fail(tenant_id, document_id, self.owner, "indexing_failed", message)

    async def _index(self, tenant_id: str, claim: Claim, path: Path) -> None:
        document, options = claim.document, IndexOptions.model_validate(dict(claim.options))
        kind = file_type_of_media(document.media_type)
        extract = claim.index_type != "vector" and options.extract_entities and options.build_graph
        work = Work(str(path), kind, document.name, options.chunk_size, options.overlap, extract)
        prepared = await self._in_thread(self._sandbox.prepare, work)
        await self._advance(tenant_id, document.id, "embedding", PREPARED)
        vectors = await self._vectors(tenant_id, document.id, prepared) if claim.index_type != "graph" else {}
        await self._advance(tenant_id, document.id, "storing", EMBEDDED)
        content, chunks = await self._in_thread(_to_keep, prepared, vectors, self._embedder.name)
        if not await self._queue.keep_chunks(tenant_id, document.id, self.owner, content, chunks):
            raise ClaimLost

    async def _vectors(self, tenant_id: str, document_id: str, prepared: Prepared) -> dict[int, bytes]:
        """Vectors by chunk number, for the chunks in a language that the encoder can be trusted with.

        What an earlier indexing of the document had encoded is not encoded again.
        """
        document = prepared.document
        texts = {
            number: indexed_text(document.title, piece.heading, document.text[piece.start : piece.end])
            for number, piece in enumerate(prepared.chunks)
            if piece.language in self._embedder.languages
        }
        earlier = await self._queue.vectors(tenant_id, document_id, self._embedder.name)
        known = {indexed_text(chunk.title, chunk.heading, chunk.text): chunk.vector for chunk in earlier}
        vectors = {number: known[text] for number, text in texts.items() if text in known}
        wanted = [number for number in texts if number not in vectors]
        for at in range(0, len(wanted), BATCH):
            batch = wanted[at : at + BATCH]
            rows = await self._embedder.embed([texts[number] for number in batch])
            vectors.update((number, row.astype("<f4").tobytes()) for number, row in zip(batch, rows, strict=True))
            done = len(vectors) / len(texts)
            await self._advance(tenant_id, document_id, "embedding", PREPARED + (EMBEDDED - PREPARED) * done)
        return vectors

    async def _advance(self, tenant_id: str, document_id: str, stage: IndexStage, progress: float) -> None:
        if not await self._queue.advance(tenant_id, document_id, self.owner, stage, progress):
            raise ClaimLost

    async def _in_thread(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        call = partial(function, *arguments, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _to_keep(prepared: Prepared, vectors: dict[int, bytes], embedder: str) -> tuple[DocumentText, list[NewChunk]]:
    document = prepared.document
    pages = [asdict(page) for page in document.pages]
    chunks = [
        NewChunk(
            heading=piece.heading,
            page=piece.page,
            start=piece.start,
            end=piece.end,
            text=document.text[piece.start : piece.end],
            language=piece.language,
            terms=piece.terms,
            vector=vectors.get(number),
            embedder=embedder if number in vectors else None,
            extraction=piece.extraction,
        )
        for number, piece in enumerate(prepared.chunks)
    ]
    return DocumentText(document.title, document.text, pages, document.metadata), chunks
