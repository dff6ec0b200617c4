"""Documents in the real stores, written as the indexer writes them, with a retriever over them."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.doubles import HashingEmbedder
from tools.knowledge.extraction.names import normal_form
from tools.knowledge.extraction.protocol import Extraction, Mention, Relation, Subject
from tools.knowledge.extraction.stored import to_json
from tools.knowledge.graph.projection import GraphProjection
from tools.knowledge.language import detect_language
from tools.knowledge.preparing import indexed_text
from tools.knowledge.protocol import RetrievalQuery
from tools.knowledge.retriever import HybridRetriever
from tools.knowledge.terms import terms
from tools.models.protocol import Embedder
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import DocumentText, NewChunk, NewDocument
from tools.stores.outbox import SqlOutbox


class EnglishEmbedder(HashingEmbedder):
    """Covers English alone, and keeps what it was asked for."""

    languages = frozenset({"en"})


@dataclass
class SqlLibrary:
    """Documents written as the indexer writes them, and a retriever over them."""

    database: Database
    embedder: Embedder
    retriever: HybridRetriever

    async def add(
        self, tenant_id: str, *passages: str, title: str = "", dataset_id: str = "d", date: str | None = None
    ) -> str:
        store, queue, name = SqlDocumentStore(self.database), SqlIndexQueue(self.database), uuid.uuid4().hex
        file = NewDocument(f"doc_{name}", f"{name}.txt", "text/plain", 1, name)
        await store.register(tenant_id, dataset_id, [file], "hybrid", {})
        await queue.claim(tenant_id, "owner")
        chunks, start = [], 0
        for passage in passages:
            chunks.append(await self._chunk(title, passage, start))
            start += len(passage) + 1
        content = DocumentText(title, "".join(f"{p}\n" for p in passages), (), {"date": date} if date else {})
        assert await queue.keep_chunks(tenant_id, file.id, "owner", content, chunks)
        return file.id

    async def remove(self, tenant_id: str, document_id: str) -> None:
        await SqlDocumentStore(self.database).delete(tenant_id, document_id)

    async def settle(self, tenant_id: str, dataset_id: str = "d") -> None:
        outbox, graphs = SqlOutbox(self.database), SqlGraphStore(self.database)
        projection = GraphProjection(outbox, graphs)
        while (batch := await outbox.next_batch("graph", 100)) is not None:
            await projection.follow(batch)
            await outbox.settle("graph", batch)
            self.retriever.graph_changed(batch.tenant_id, batch.dataset_id)
        await self.retriever.renewed()
        await self.retriever.retrieve(tenant_id, RetrievalQuery("anything"))
        await self.retriever.renewed()

    async def _chunk(self, title: str, passage: str, start: int) -> NewChunk:
        language, seen = detect_language(passage), indexed_text(title, "", passage)
        words = " ".join(terms(seen, language))
        end = start + len(passage)
        read = to_json(extraction_of(passage, title))
        if language not in self.embedder.languages:
            return NewChunk("", None, start, end, passage, language, words, extraction=read)
        vector = (await self.embedder.embed([seen]))[0].tobytes()
        return NewChunk("", None, start, end, passage, language, words, vector, self.embedder.name, read)


def extraction_of(passage: str, title: str) -> Extraction:
    """Capitalised words are names, a work where something is directed; who directs it created it."""
    names = list(re.finditer(r"[A-Z][a-z]+(?: [A-Z][a-z]+)+", passage))
    directed = "directed by" in passage
    mentions = [
        Mention(
            m.start(), m.end(), m.group(), normal_form(m.group()), "work" if directed and not n else "person", 0.9, "x"
        )
        for n, m in enumerate(names)
    ]
    relations = [Relation(0, 1, "created_by", 0.8, 0, len(passage), "x")] if directed and len(names) > 1 else []
    subject = Subject(title, normal_form(title), None, 0.9) if title else None
    return Extraction(subject, mentions, relations)


@asynccontextmanager
async def open_library(
    folder: Path, embedder: Embedder | None = None, max_bytes: int = 2**20, graphs: GraphStore | None = None
) -> AsyncIterator[SqlLibrary]:
    database, chosen = Database(folder / "x.db"), embedder or EnglishEmbedder()
    await SqlOutbox(database).enlist("graph", "test")
    retriever = HybridRetriever(SqlChunkReader(database), chosen, max_bytes, graphs=graphs)
    try:
        yield SqlLibrary(database, chosen, retriever)
    finally:
        await retriever.close()
        await database.close()


@asynccontextmanager
async def open_graph_library(folder: Path) -> AsyncIterator[SqlLibrary]:
    database = Database(folder / "x.db")
    try:
        async with open_library(folder, graphs=SqlGraphStore(database)) as library:
            yield library
    finally:
        await database.close()
