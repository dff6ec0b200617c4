"""Passages by words and by meaning: one embedding, one pass over the tenant's index, one read of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.errors import NotAvailable, StoreUnavailable, UpstreamError
from tools.knowledge.dates import EVER, date_range
from tools.knowledge.index import TenantIndex
from tools.knowledge.indexes import MAX_BYTES, IndexCache
from tools.knowledge.language import detect_language
from tools.knowledge.protocol import Passage, Retrieval, RetrievalQuery
from tools.knowledge.ranking import Hit, rank
from tools.knowledge.segment import Floats
from tools.knowledge.terms import terms
from tools.models.protocol import Embedder
from tools.stores.knowledge_protocol import ChunkReader, StoredChunk

ROWS_ON_LOOP = 2_000
"""Larger indexes are searched in a thread: up to here the work is shorter than the hop."""
ATTEMPTS = 3
"""How often a search begins anew because documents changed under it; after that its last result stands."""


@dataclass(frozen=True, slots=True)
class _Search:
    """A query made ready: its words and, where an encoder can be trusted with it, its vector."""

    words: Sequence[str]
    vector: Floats | None
    dataset_ids: Sequence[str] | None
    days: tuple[int, int]
    top_k: int

    def run(self, index: TenantIndex) -> list[Hit] | None:
        """The best rows of the index; None when there is nothing to search in."""
        allowed = None
        if self.dataset_ids is not None or self.days != EVER:
            allowed = index.mask(self.dataset_ids, *self.days)
        if not len(index) or (allowed is not None and not allowed.any()):
            return None
        cosines = None if self.vector is None else index.cosines(self.vector)
        return rank(index.relevance(self.words), cosines, allowed, self.top_k)


class HybridRetriever:
    """A `Retriever` by BM25 and vectors, joined by reciprocal rank fusion.

    Vectors are left out for a query in a language that the embedder does not cover. There is no graph:
    `graph` is refused, `hybrid` answers with the notice `graph_not_available`.
    """

    def __init__(self, chunks: ChunkReader, embedder: Embedder, max_bytes: int = MAX_BYTES) -> None:
        """`max_bytes` bounds the memory of all tenants' indexes together."""
        self._chunks = chunks
        self._embedder = embedder
        self._indexes = IndexCache(chunks, embedder.name, embedder.dimension, max_bytes)

    async def retrieve(self, tenant_id: str, query: RetrievalQuery) -> Retrieval:
        """See `Retriever`. Notices: `graph_not_available`, `no_documents` (nothing to search in),
        `embedder_unavailable` (found by words alone), `entity_types_not_available` (that filter is left out).

        Raises:
            InvalidInput: `filters["date_range"]` is not a range of dates.
        """
        if query.search_type == "graph":
            raise NotAvailable("There is no knowledge graph yet: search by 'vector' or 'hybrid'.")
        days = date_range(query.filters.get("date_range"))
        notices = _notices(query)
        vector, failed = await self._embed(query.text)
        if failed:
            notices.append("embedder_unavailable")
        words = terms(query.text, detect_language(query.text))
        search = _Search(words, vector, query.dataset_ids, days, query.top_k)
        passages, version = await self._find(tenant_id, search, await self._indexes.get(tenant_id))
        if passages is None:
            notices.append("no_documents")
        return Retrieval(passages or (), notices, version, degraded=failed or _leaves_out(query.filters))

    @property
    def memory_bytes(self) -> int:
        """What all indexes take together, within a tenth or so."""
        return self._indexes.size_bytes

    async def close(self) -> None:
        """Let go of the indexes and their threads."""
        await self._indexes.close()

    async def _embed(self, text: str) -> tuple[Floats | None, bool]:
        """The query's vector, None where the encoder cannot be trusted with it; and whether it failed."""
        if not text.strip() or detect_language(text) not in self._embedder.languages:
            return None, False
        try:
            return (await self._embedder.embed([text]))[0], False
        except (StoreUnavailable, NotAvailable, UpstreamError):
            return None, True

    async def _find(
        self, tenant_id: str, search: _Search, index: TenantIndex, attempts: int = ATTEMPTS
    ) -> tuple[list[Passage] | None, int]:
        """Search the index as it is, read what was found, and begin anew if documents have changed since."""
        hits = search.run(index) if len(index) <= ROWS_ON_LOOP else await self._indexes.run(search.run, index)
        positions = [int(index.positions[hit.row]) for hit in hits or ()]
        reading = await self._chunks.read(tenant_id, positions, search.dataset_ids or ())
        if reading.version != index.version and attempts > 1:
            return await self._find(tenant_id, search, await self._indexes.refresh(tenant_id), attempts - 1)
        if hits is None:
            return None, reading.version.version
        found = {chunk.position: chunk for chunk in reading.chunks}
        pairs = zip(hits, positions, strict=True)
        return [_passage(found[at], hit) for hit, at in pairs if at in found], reading.version.version


def _notices(query: RetrievalQuery) -> list[str]:
    notices = ["graph_not_available"] if query.search_type == "hybrid" else []
    return [*notices, "entity_types_not_available"] if _leaves_out(query.filters) else notices


def _leaves_out(filters: Mapping[str, Any]) -> bool:
    """Whether a filter asks for what only a graph knows."""
    return bool(filters.get("entity_types"))


def _passage(chunk: StoredChunk, hit: Hit) -> Passage:
    return Passage(
        id=chunk.id,
        document_id=chunk.document_id,
        dataset_id=chunk.dataset_id,
        title=chunk.title,
        heading=chunk.heading,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        language=chunk.language,
        score=hit.score,
        source=hit.source,
    )
