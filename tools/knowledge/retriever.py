"""Passages by words, meaning and the graph: one embedding, one pass over what is in memory, one read of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tools.errors import InvalidInput, NotAvailable, StoreUnavailable, UpstreamError
from tools.knowledge.dates import EVER, date_range
from tools.knowledge.extraction.types import entity_type
from tools.knowledge.graph.cache import GraphCache
from tools.knowledge.graph.features import Candidates
from tools.knowledge.graph.graph_index import GraphIndex
from tools.knowledge.graph.paths import PathFinder
from tools.knowledge.graph.search import Pass, Search, begin
from tools.knowledge.index import TenantIndex
from tools.knowledge.indexes import MAX_BYTES, IndexCache
from tools.knowledge.language import detect_language
from tools.knowledge.preparing import indexed_text
from tools.knowledge.protocol import GraphContext, Passage, Retrieval, RetrievalQuery
from tools.knowledge.ranking import Hit, depth
from tools.knowledge.segment import NO_VECTOR, Floats
from tools.knowledge.terms import terms
from tools.models.protocol import Embedder, Reranker
from tools.stores.graph_protocol import GraphStore
from tools.stores.knowledge_protocol import ChunkReader, StoredChunk
from tools.stores.vector_protocol import Near, VectorScope, VectorSearch

ROWS_ON_LOOP = 2_000
"""Larger indexes are searched in a thread: up to here the work is shorter than the hop."""
RERANKED = 20
"""Passages that a reranker looks at, more where more are asked for."""
RERANK_SECONDS = 10.0
"""Time for the reranker; without it the passages stay in the order they were found in."""
POOLED = 20
"""Passages asked for where only the candidates count."""
ATTEMPTS = 3
"""How often a search begins anew because documents changed under it; after that its last result stands."""


@dataclass(slots=True)
class _Account:
    """What the caller should know about a search, gathered on its way."""

    notices: list[str] = field(default_factory=list[str])
    degraded: bool = False

    def failed(self, notice: str) -> None:
        """A part of the search cannot be done."""
        self.degraded = True
        if notice not in self.notices:
            self.notices.append(notice)

    def note(self, notice: str) -> None:
        """Nothing failed, but the caller may wonder."""
        if notice not in self.notices:
            self.notices.append(notice)


class HybridRetriever:
    """A `Retriever` by BM25, vectors and, where there is one, the knowledge graph.

    `vector` is BM25 and vectors joined by reciprocal rank fusion; `graph` what a walk from the question's entities
    comes to; `hybrid` joins all three by learned weights where the question names an entity, and is `vector` where it
    does not. Vectors are left out for a query in a language that the embedder does not cover.
    """

    def __init__(
        self,
        chunks: ChunkReader,
        embedder: Embedder,
        max_bytes: int = MAX_BYTES,
        *,
        graphs: GraphStore | None = None,
        vectors: VectorSearch | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """`max_bytes` bounds the memory of all tenants' indexes together, and that of all graphs.

        Without `vectors` the ones that stand with the chunks are compared in memory. A `reranker` has the last word on
        the order of the best passages.
        """
        self._reranker = reranker
        self._chunks = chunks
        self._embedder = embedder
        self._vectors = vectors
        self._indexes = IndexCache(chunks, embedder.name if vectors is None else "", embedder.dimension, max_bytes)
        self._graphs = None if graphs is None else GraphCache(graphs, max_bytes)
        self._paths = None if graphs is None else PathFinder(graphs, chunks)

    async def retrieve(self, tenant_id: str, query: RetrievalQuery) -> Retrieval:
        """See `Retriever`. Notices: `graph_not_available` (there is none yet), `graph_unreachable` (what is known of
        it may be out of date), `no_entity_named` (`graph` had nothing to begin at), `no_documents` (nothing to search
        in), `embedder_unavailable` and `vectors_unreachable` (found by words and graph alone), `reranker_unavailable`
        (in the order they were found in), `entity_types_not_available` (that filter is left out).

        Raises:
            InvalidInput: `filters["date_range"]` is not a range of dates, or one of `entity_types` is no type.
        """
        account = _Account()
        vector = None if query.search_type == "graph" else await self._embed(query.text, account)
        search = Search(
            text=query.text,
            words=terms(query.text, detect_language(query.text)),
            vector=vector,
            dataset_ids=query.dataset_ids,
            days=date_range(query.filters.get("date_range")),
            top_k=query.top_k if self._reranker is None else max(query.top_k, RERANKED),
            kind=query.search_type,
            entity_types=_types(query.filters.get("entity_types")),
        )
        return await self._find(tenant_id, query, search, await self._indexes.get(tenant_id), account)

    async def candidates(
        self, tenant_id: str, text: str, *, with_vector: bool = True
    ) -> tuple[Candidates, list[str]] | None:
        """What the ranking of a question chooses from, and the document of each; None where it names no entity.

        For training the fusion on.
        """
        account = _Account()
        vector = await self._embed(text, account) if with_vector else None
        search = Search(text, terms(text, detect_language(text)), vector, None, EVER, POOLED)
        index = await self._indexes.get(tenant_id)
        graphs = await self._graphs_for(tenant_id, search, index, account)
        reached = await self._indexes.run(begin, search, index, graphs)
        if not reached.explored:
            return None
        found = reached.pool(None if vector is None else index.cosines(vector))
        positions = index.positions[found.rows].tolist()
        documents = {
            chunk.position: chunk.document_id for chunk in (await self._chunks.read(tenant_id, positions)).chunks
        }
        return found.candidates, [documents[position] for position in positions]

    @property
    def memory_bytes(self) -> int:
        """What all indexes and graphs take together, within a quarter or so."""
        return self._indexes.size_bytes + (self._graphs.size_bytes if self._graphs else 0)

    def graph_changed(self, tenant_id: str, dataset_id: str) -> None:
        """The data set's graph is another one now: what is in memory of it is to be read again."""
        if self._graphs is not None:
            self._graphs.outdated(tenant_id, dataset_id)

    async def renewed(self) -> None:
        """Return once the graphs that were searched are as their stores have them."""
        if self._graphs is not None:
            await self._graphs.renewed()

    async def close(self) -> None:
        """Let go of the indexes, the graphs and their threads."""
        if self._graphs is not None:
            await self._graphs.close()
        await self._indexes.close()

    async def _embed(self, text: str, account: _Account) -> Floats | None:
        """The query's vector, None where the encoder cannot be trusted with it or failed."""
        if not text.strip() or detect_language(text) not in self._embedder.languages:
            return None
        try:
            return (await self._embedder.embed([text]))[0]
        except (StoreUnavailable, NotAvailable, UpstreamError):
            account.failed("embedder_unavailable")
            return None

    async def _find(
        self,
        tenant_id: str,
        query: RetrievalQuery,
        search: Search,
        index: TenantIndex,
        account: _Account,
        attempts: int = ATTEMPTS,
    ) -> Retrieval:
        """Search the index as it is, read what was found, and begin anew if documents have changed since."""
        graphs = await self._graphs_for(tenant_id, search, index, account)
        if search.entity_types and not graphs:
            account.failed("entity_types_not_available")
            search = replace(search, entity_types=frozenset())
        reached, hits = await self._search(tenant_id, search, index, graphs, account)
        positions = [int(index.positions[hit.row]) for hit in hits]
        reading = await self._chunks.read(tenant_id, positions, search.dataset_ids or ())
        if reading.version != index.version and attempts > 1:
            refreshed = await self._indexes.refresh(tenant_id)
            return await self._find(tenant_id, query, search, refreshed, account, attempts - 1)
        found = {chunk.position: chunk for chunk in reading.chunks}
        passages = {at: _passage(found[at], hit) for hit, at in zip(hits, positions, strict=True) if at in found}
        passages = await self._in_last_order(query, passages, account)
        if query.use_path_reasoning and reached.explored:
            passages = await self._with_paths(tenant_id, query, reached, passages, account)
        if not reached.searched:
            account.note("no_documents")
        elif search.kind == "graph" and graphs and not reached.explored:
            account.note("no_entity_named")
        version = reading.version.version
        return Retrieval(list(passages.values()), account.notices, version, account.degraded, reached.nodes)

    async def _graphs_for(
        self, tenant_id: str, search: Search, index: TenantIndex, account: _Account
    ) -> list[GraphIndex]:
        """The graphs of the data sets searched in that have anything in them."""
        if search.kind == "vector" and not search.entity_types:
            return []
        if self._graphs is None:
            if search.kind != "vector":
                account.note("graph_not_available")
            return []
        there = {name for segment in index.segments for name in segment.dataset_names}
        names = there if search.dataset_ids is None else there.intersection(search.dataset_ids)
        known = await self._graphs.get(tenant_id, sorted(names))
        if not all(one.reached for one in known):
            account.failed("graph_unreachable")
        graphs = [one.graph for one in known if one.graph is not None and len(one.graph.positions)]
        if not graphs and search.kind != "vector" and all(one.reached for one in known):
            account.note("graph_not_available")
        return graphs

    async def _search(
        self, tenant_id: str, search: Search, index: TenantIndex, graphs: Sequence[GraphIndex], account: _Account
    ) -> tuple[Pass, list[Hit]]:
        if self._vectors is None or search.vector is None:
            small = len(index) <= ROWS_ON_LOOP and not graphs
            work = _pass_in_memory
            return work(search, index, graphs) if small else await self._indexes.run(work, search, index, graphs)
        reached = await self._indexes.run(begin, search, index, graphs)
        cosines = await self._cosines(tenant_id, search, reached, account)
        return reached, await self._indexes.run(reached.hits, cosines)

    async def _cosines(self, tenant_id: str, search: Search, reached: Pass, account: _Account) -> Floats | None:
        """The cosines that the vector store tells: of the nearest chunks and of those found otherwise."""
        vectors, vector, index = self._vectors, search.vector, reached.index
        if vectors is None or vector is None:
            return None
        scope = VectorScope(search.dataset_ids, *search.days)
        try:
            near = list(await vectors.nearest(tenant_id, vector, depth(search.top_k), scope))
            missing = set(reached.wanted()).difference(one.position for one in near)
            if missing:
                near += await vectors.cosines(tenant_id, vector, sorted(missing))
        except StoreUnavailable:
            account.failed("vectors_unreachable")
            return None
        return _spread(near, index)

    async def _in_last_order(
        self, query: RetrievalQuery, passages: Mapping[int, Passage], account: _Account
    ) -> dict[int, Passage]:
        """The `top_k` best passages, by position, as the reranker sees them where there is one."""
        ordered = list(passages.items())
        if self._reranker is not None and ordered:
            texts = [indexed_text(passage.title, passage.heading, passage.text) for _, passage in ordered]
            try:
                async with asyncio.timeout(RERANK_SECONDS):
                    scores = await self._reranker.score(query.text, texts)
                pairs = sorted(zip(scores, ordered, strict=True), key=lambda pair: -pair[0])
                ordered = [(at, replace(passage, score=score)) for score, (at, passage) in pairs]
            except (NotAvailable, StoreUnavailable, TimeoutError):
                account.failed("reranker_unavailable")
        return dict(ordered[: query.top_k])

    async def _with_paths(
        self,
        tenant_id: str,
        query: RetrievalQuery,
        reached: Pass,
        passages: Mapping[int, Passage],
        account: _Account,
    ) -> dict[int, Passage]:
        """The passages, by position, with how the graph leads to them."""
        if self._paths is None:
            return dict(passages)
        language, positions = detect_language(query.text), np.array(list(passages), dtype=np.int64)
        contexts: dict[int, GraphContext] = {}
        try:
            for one in reached.explored:
                here = [int(chunk) for chunk in one.graph.chunks_at(positions) if chunk >= 0]
                found = await self._paths.contexts(tenant_id, one, here, query.max_hops, language)
                contexts.update({int(one.graph.positions[chunk]): context for chunk, context in found.items()})
        except StoreUnavailable:
            account.failed("graph_unreachable")
        return {at: replace(passage, graph=contexts.get(at)) for at, passage in passages.items()}


def _pass_in_memory(search: Search, index: TenantIndex, graphs: Sequence[GraphIndex]) -> tuple[Pass, list[Hit]]:
    reached = begin(search, index, graphs)
    wanted = reached.searched and search.vector is not None
    return reached, reached.hits(index.cosines(search.vector) if wanted and search.vector is not None else None)


def _spread(near: Sequence[Near], index: TenantIndex) -> Floats:
    """Cosines of all rows, `NO_VECTOR` where the store told none."""
    cosines = np.full(len(index), NO_VECTOR, dtype=np.float32)
    if not len(index) or not near:
        return cosines
    positions = np.array([one.position for one in near], dtype=np.int64)
    rows = np.minimum(np.searchsorted(index.positions, positions), len(index) - 1)
    there = index.positions[rows] == positions
    cosines[rows[there]] = np.array([one.cosine for one in near], dtype=np.float32)[there]
    return cosines


def _types(names: Any) -> frozenset[str]:
    """The entity types that a filter names, in either language. Raises InvalidInput for another name."""
    kinds = [entity_type(str(name)) for name in names or ()]
    if None in kinds:
        raise InvalidInput("A name in the filter `entity_types` is no entity type.")
    return frozenset(kind for kind in kinds if kind is not None)


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
