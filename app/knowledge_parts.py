"""The parts that hold and search documents, opened together: records, what follows them, and who reads them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from app.settings import Settings
from tools.knowledge.extraction.enrichment import Enricher
from tools.knowledge.extraction.enrichment_summaries import CommunitySummaries
from tools.knowledge.following import Follower, Followers, VectorFollowing
from tools.knowledge.graph.broad import BroadFirst, BroadSearch
from tools.knowledge.graph.communities import CommunityBuilder
from tools.knowledge.graph.communities_keeper import CommunityKeeper
from tools.knowledge.graph.projection import GraphProjection
from tools.knowledge.graph.view import FOLLOWER as GRAPH
from tools.knowledge.graph.view import GraphView
from tools.knowledge.ingest import Ingestor
from tools.knowledge.protocol import Retriever
from tools.knowledge.retriever import HybridRetriever
from tools.models.protocol import ChatModel, Embedder
from tools.models.reader import reader_of
from tools.models.rerankers.open import open_reranker
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.enrichments import SqlEnrichmentStore
from tools.stores.following_protocol import Outbox, StaleBatch
from tools.stores.graph_protocol import GraphStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import DocumentStore
from tools.stores.open_graph import open_graph_store
from tools.stores.open_vectors import open_vectors
from tools.stores.outbox import SqlOutbox
from tools.stores.owner import ProcessOwner
from tools.stores.spread_chunks import SqlSpreadChunks
from tools.stores.vector_protocol import VectorStore

VECTORS = "vectors"
"""The name under which an external vector store follows the records."""


@dataclass(frozen=True, slots=True)
class KnowledgeParts:
    """What the tenants' documents go through, from upload to passage. `vectors` None: they are in memory."""

    documents: DocumentStore
    outbox: Outbox
    graphs: GraphStore
    graph_view: GraphView
    vectors: VectorStore | None
    followers: Followers
    communities: CommunityKeeper
    retriever: Retriever
    ingestor: Ingestor

    async def settled(self) -> None:
        """Return once all that was taken in can be found, by way of the graph and its communities too."""
        await self.ingestor.idle()
        await self.communities.idle()


async def open_knowledge(
    stack: AsyncExitStack, settings: Settings, database: Database, embedder: Embedder, owner: ProcessOwner
) -> KnowledgeParts:
    """Open them in order; `stack` closes them in the opposite one.

    Raises:
        NotAvailable: a store or model is asked for whose driver is not installed.
    """
    documents, chunks, outbox = SqlDocumentStore(database), SqlChunkReader(database), SqlOutbox(database)
    graphs = open_graph_store(settings, database)
    stack.push_async_callback(graphs.close)
    vectors = open_vectors(settings, embedder.name, embedder.dimension)
    if vectors is not None:
        stack.push_async_callback(vectors.close)
    reranker = open_reranker(settings)
    if reranker is not None:
        stack.push_async_callback(reranker.close)
    hybrid = HybridRetriever(chunks, embedder, graphs=graphs, vectors=vectors, reranker=reranker)
    stack.push_async_callback(hybrid.close)
    communities = CommunityKeeper(CommunityBuilder(graphs, outbox), at_start=SqlEnrichmentStore(database).datasets)
    await communities.start()
    stack.push_async_callback(communities.close)
    graph = _graph_follower(settings, outbox, graphs, hybrid, communities)
    followers = Followers([graph, *_vector_followers(settings, outbox, vectors, embedder.name)])
    await followers.start()
    stack.push_async_callback(followers.close)
    if vectors is None:
        await outbox.dismiss(VECTORS)
    queue = SqlIndexQueue(database)
    ingestor = Ingestor(documents, queue, embedder, owner, settings.data_dir, settings, followers)
    await ingestor.start()
    stack.push_async_callback(ingestor.close)
    return KnowledgeParts(
        documents=documents,
        outbox=outbox,
        graphs=graphs,
        graph_view=GraphView(graphs, outbox, chunks),
        vectors=vectors,
        followers=followers,
        communities=communities,
        retriever=BroadFirst(BroadSearch(graphs, chunks, SqlSpreadChunks(database)), hybrid),
        ingestor=ingestor,
    )


async def open_enrichment(
    stack: AsyncExitStack, settings: Settings, database: Database, parts: KnowledgeParts, models: Sequence[ChatModel]
) -> None:
    """Have a language model read documents for their graph, where that is asked for and there is one to do it."""
    if settings.graph_enrichment == "off":
        return
    reader = reader_of(models, settings, settings.graph_enrichment_model)
    if reader is None:
        return
    stack.push_async_callback(reader.close)
    summaries = CommunitySummaries(parts.graphs, SqlChunkReader(database))
    store, wake = SqlEnrichmentStore(database), parts.followers.wake
    enricher = Enricher(store, reader, settings, settings.data_dir, summaries, kept=wake)
    await enricher.start()
    stack.push_async_callback(enricher.close)


def _graph_follower(
    settings: Settings, outbox: Outbox, graphs: GraphStore, retriever: HybridRetriever, communities: CommunityKeeper
) -> Follower:
    """Leads the graph after the records, and tells those who hold something made of it."""
    projection = GraphProjection(outbox, graphs)

    async def follow(batch: StaleBatch) -> None:
        await projection.follow(batch)
        retriever.graph_changed(batch.tenant_id, batch.dataset_id)

    return Follower(GRAPH, settings.neo4j_uri or "records", outbox, follow, settings.data_dir, communities.notice)


def _vector_followers(
    settings: Settings, outbox: Outbox, vectors: VectorStore | None, embedder: str
) -> Sequence[Follower]:
    """Leads the vectors after the records where they are kept elsewhere too."""
    if vectors is None:
        return []
    follow = VectorFollowing(outbox, vectors, embedder).follow
    return [Follower(VECTORS, f"{settings.milvus_address} {embedder}", outbox, follow, settings.data_dir)]
