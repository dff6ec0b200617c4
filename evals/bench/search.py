"""What a search costs: wall and CPU time, the question's embedding included, beside MiniLM and numpy alone.

    python -m evals.bench.search [--chunks 1000 10000 100000] [--questions 300] [--json OUT]
                                 [--neo4j bolt://user:password@host:port] [--milvus http://host:port]

Chunks are made up from a vocabulary with Zipf's frequencies; their vectors are random, which costs a
search the same as true ones. Every chunk is about an entity and mentions ten, drawn by Zipf's law too, and every
question names two, so that hubs are among them; paths are looked for. Every question is new, so that none is
answered from the embedder's memory. Ours and the plain search (embed, matrix product, best five) take turns in the
same minute. The longest stall of the event loop is what a task that wakes every millisecond had to wait while ours
was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from pydantic import SecretStr

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.indexes import MAX_BYTES
from tools.knowledge.protocol import RetrievalQuery
from tools.knowledge.retriever import HybridRetriever
from tools.knowledge.terms import terms
from tools.models.embedders.onnx import OnnxEmbedder
from tools.models.protocol import Embedder, Vectors
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.graph_protocol import GraphChange, GraphChunk, GraphDocument, GraphMention, GraphStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import DocumentText, NewChunk, NewDocument
from tools.stores.open_graph import open_graph_store
from tools.stores.open_vectors import open_vectors
from tools.stores.settings import MilvusSettings, Neo4jSettings
from tools.stores.vector_protocol import VectorRow, VectorStore

TENANT = "bench"
WORDS_PER_CHUNK = 90
VOCABULARY = 20_000
CHUNKS_PER_DOCUMENT = 100
TOP_K = 5
SEED = 7
TARGETS_MS = {10_000: (15.0, 30.0), 100_000: (45.0, 90.0)}
"""p50 and p95 of a search over so many chunks, embedding included, on an idle machine."""
MENTIONS_PER_CHUNK = 10
ENTITIES_PER_CHUNK = 2
DOCUMENTS_AT_ONCE = 5
PULSE_SECONDS = 0.001


class Texts:
    """Reproducible chunks and questions over the same words."""

    def __init__(self) -> None:
        self._draw = random.Random(SEED)
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "il")]
        self._words = ["".join(self._draw.choices(syllables, k=3)) for _ in range(VOCABULARY)]
        self._weights = np.cumsum([1 / rank for rank in range(1, VOCABULARY + 1)]).tolist()

    def words(self, number: int) -> str:
        """Words by their frequency, a space between two."""
        return " ".join(self._draw.choices(self._words, cum_weights=self._weights, k=number))

    def question(self, entities: int) -> str:
        """One that was not asked before; it names two of the entities."""
        number = self._draw.randrange(10**9)
        first, second = (self.name(self.entity(entities)) for _ in range(2))
        return f"What does section {number} of {first} say about {self.words(4)}, and how is it to {second}?"

    def entity(self, entities: int) -> int:
        """A number below `entities`, 0 the commonest, by Zipf's law."""
        return min(int(entities ** self._draw.random()) - 1, entities - 1)

    def name(self, entity: int) -> str:
        """Two words that no other entity has together."""
        first, second = divmod(entity, 1_000)
        return f"{self._words[second].title()} {self._words[1_000 + first].title()}"


async def fill(database: Database, texts: Texts, number: int, embedder: Embedder) -> Vectors:
    """Index `number` chunks for the tenant as the indexer does; gives their vectors."""
    vectors = np.random.default_rng(SEED).standard_normal((number, embedder.dimension)).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store, queue = SqlDocumentStore(database), SqlIndexQueue(database)
    for first in range(0, number, CHUNKS_PER_DOCUMENT):
        file = NewDocument(f"doc_{first}", f"{first}.txt", "text/plain", 1, str(first))
        await store.register(TENANT, "default", [file], "vector", {})
        await queue.claim(TENANT, "bench")
        chunks = [
            _chunk(texts.words(WORDS_PER_CHUNK), row, embedder.name) for row in vectors[first:][:CHUNKS_PER_DOCUMENT]
        ]
        await queue.keep_chunks(TENANT, file.id, "bench", DocumentText(f"Document {first}", ""), chunks)
    return vectors


@dataclass(frozen=True, slots=True)
class Servers:
    """Where graph and vectors are kept; without an address in the records' own file and in memory."""

    neo4j: Neo4jSettings
    milvus: MilvusSettings

    @classmethod
    def at(cls, neo4j: str | None, milvus: str | None) -> Servers:
        """The servers at these addresses; `neo4j` holds user and password too."""
        prefix = f"bench_{secrets.token_hex(4)}"
        vectors = MilvusSettings(milvus_uri=milvus, milvus_collection_prefix=prefix, milvus_timeout_seconds=60)
        if neo4j is None:
            return cls(Neo4jSettings(), vectors)
        parts = urlsplit(neo4j)
        graph = Neo4jSettings(
            neo4j_uri=f"{parts.scheme}://{parts.hostname}:{parts.port}",
            neo4j_user=parts.username or "neo4j",
            neo4j_password=SecretStr(parts.password or ""),
            neo4j_timeout_seconds=300,
        )
        return cls(graph, vectors)


async def connect(graphs: GraphStore, texts: Texts, number: int) -> None:
    """Make the graph of the chunks: each is about an entity of its own and mentions others."""
    entities, version = ENTITIES_PER_CHUNK * number, 0
    documents = range(0, number, CHUNKS_PER_DOCUMENT)
    for at in range(0, len(documents), DOCUMENTS_AT_ONCE):
        rows = [_graph_of(texts, first, number, entities) for first in documents[at : at + DOCUMENTS_AT_ONCE]]
        version = await graphs.apply(TENANT, "default", GraphChange(version, rows))


async def project(vectors: VectorStore, rows: Vectors) -> None:
    """Have the vector store hold the vectors of the chunks, as the records' followers do."""
    for first in range(0, len(rows), CHUNKS_PER_DOCUMENT):
        name, today = f"doc_{first}", date.today().toordinal()
        some = enumerate(rows[first : first + CHUNKS_PER_DOCUMENT], start=first + 1)
        kept = [VectorRow(position, name, today, row.tobytes()) for position, row in some]
        await vectors.replace(TENANT, "default", name, kept)


def _graph_of(texts: Texts, first: int, number: int, entities: int) -> GraphDocument:
    chunks, mentions = [], []
    for position in range(first + 1, min(first + CHUNKS_PER_DOCUMENT, number) + 1):
        subject = texts.name(position)
        chunks.append(GraphChunk(position, normal_form(subject), subject, "concept", 0.9))
        for entity in {texts.entity(entities) for _ in range(MENTIONS_PER_CHUNK)}:
            name = texts.name(entity)
            mentions.append(GraphMention(position, normal_form(name), name, "concept", 0.9, 0, 9, 0, 90, "bench"))
    return GraphDocument(f"doc_{first}", f"Document {first}", chunks, mentions)


def _chunk(text: str, vector: Vectors, embedder: str) -> NewChunk:
    return NewChunk("", None, 0, len(text), text, "en", " ".join(terms(text, "en")), vector.tobytes(), embedder)


async def timed(ask: Callable[[str], Awaitable[object]], questions: Sequence[str]) -> tuple[list[float], float]:
    """Milliseconds of each question, and CPU milliseconds of one on average (all threads)."""
    took: list[float] = []
    cpu = time.process_time()
    for question in questions:
        started = time.perf_counter()
        await ask(question)
        took.append((time.perf_counter() - started) * 1e3)
    return took, (time.process_time() - cpu) * 1e3 / len(questions)


@asynccontextmanager
async def searched(
    number: int, embedder: Embedder, texts: Texts, servers: Servers
) -> AsyncIterator[tuple[HybridRetriever, Vectors]]:
    """A retriever over `number` chunks, already built, and their vectors."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "bench.db")
        graphs = open_graph_store(servers.neo4j, database)
        store = open_vectors(servers.milvus, embedder.name, embedder.dimension)
        chunks = SqlChunkReader(database)
        retriever = HybridRetriever(chunks, embedder, 2 * MAX_BYTES, graphs=graphs, vectors=store)
        try:
            vectors = await fill(database, texts, number, embedder)
            await connect(graphs, texts, number)
            if store is not None:
                await project(store, vectors)
            await retriever.retrieve(TENANT, RetrievalQuery(texts.question(number)))
            await retriever.renewed()
            yield retriever, vectors
        finally:
            await retriever.close()
            await graphs.drop(TENANT, "default")
            await graphs.close()
            if store is not None:
                await store.close()
            await database.close()


async def measure(number: int, questions: int, embedder: Embedder, servers: Servers) -> dict[str, float]:
    """Ours, plain and the embedding alone over `number` chunks, in rounds of turns."""
    texts, explored = Texts(), list[int]()
    async with searched(number, embedder, texts, servers) as (retriever, vectors):

        async def ours(question: str) -> None:
            found = await retriever.retrieve(TENANT, RetrievalQuery(question, TOP_K))
            explored.append(found.nodes_explored)

        async def words_and_vectors(question: str) -> None:
            await retriever.retrieve(TENANT, RetrievalQuery(question, TOP_K, search_type="vector"))

        async def plain(question: str) -> None:
            scores = vectors @ (await embedder.embed([question]))[0]
            best = np.argpartition(scores, -TOP_K)[-TOP_K:]
            best[np.argsort(-scores[best])].tolist()

        async def embedding(question: str) -> None:
            await embedder.embed([question])

        asked = {"ours": ours, "words and vectors": words_and_vectors, "plain": plain, "embedding": embedding}
        found: dict[str, list[tuple[list[float], float]]] = {name: [] for name in asked}
        stalls: list[float] = []
        for _ in range(3):
            for name, ask in asked.items():
                fresh = [texts.question(number) for _ in range(questions // 3)]
                async with stall() if name == "ours" else contextlib.nullcontext([0.0]) as longest:
                    found[name].append(await timed(ask, fresh))
                stalls.append(max(longest))
    return {**_figures(number, found), "stall_ms": max(stalls), "nodes": statistics.median(explored)}


@asynccontextmanager
async def stall() -> AsyncIterator[list[float]]:
    """Milliseconds that the event loop kept a task waiting, the longest first of all at the end."""
    waits = [0.0]

    async def pulse() -> None:
        while True:
            due = time.perf_counter() + PULSE_SECONDS
            await asyncio.sleep(PULSE_SECONDS)
            waits.append((time.perf_counter() - due) * 1e3)

    task = asyncio.create_task(pulse())
    try:
        yield waits
    finally:
        task.cancel()


def _figures(number: int, found: dict[str, list[tuple[list[float], float]]]) -> dict[str, float]:
    wall = {name: sorted(took for round_took, _ in rounds for took in round_took) for name, rounds in found.items()}
    cpu = {name: statistics.median(cpu for _, cpu in rounds) for name, rounds in found.items()}
    return {
        "chunks": number,
        "p50_ms": statistics.median(wall["ours"]),
        "p95_ms": wall["ours"][int(0.95 * len(wall["ours"]))],
        "cpu_ms": cpu["ours"],
        "cpu_ms_besides_embedding": cpu["ours"] - cpu["embedding"],
        "words_and_vectors_p50_ms": statistics.median(wall["words and vectors"]),
        "plain_p50_ms": statistics.median(wall["plain"]),
        "plain_cpu_ms": cpu["plain"],
        "p50_ratio": statistics.median(wall["ours"]) / statistics.median(wall["plain"]),
        "cpu_ratio": cpu["ours"] / cpu["plain"],
    }


async def bench(sizes: Sequence[int], questions: int, servers: Servers) -> list[dict[str, float]]:
    """Figures for each number of chunks."""
    embedder = OnnxEmbedder()
    try:
        await embedder.embed(["The model loads at its first text."])
        return [await measure(number, questions, embedder, servers) for number in sizes]
    finally:
        await embedder.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table; the status is 1 when a number of chunks misses its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--neo4j", help="keep the graph there: bolt://user:password@host:port")
    parser.add_argument("--milvus", help="search vectors there: http://host:port")
    given = parser.parse_args(arguments)
    figures = asyncio.run(bench(given.chunks, max(3, given.questions), Servers.at(given.neo4j, given.milvus)))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2))
    columns = [
        "p50 ms",
        "p95 ms",
        "CPU ms",
        "CPU besides embedding",
        "without graph p50",
        "plain p50 ms",
        "plain CPU ms",
    ]
    columns = ["chunks", *columns, "x p50", "x CPU", "longest stall ms", "nodes explored"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for row in figures:
        chunks, *rest = row.values()
        print(f"| {chunks:,} | " + " | ".join(f"{value:.2f}" for value in rest) + " |")
    return int(any(_misses(row) for row in figures))


def _misses(row: dict[str, float]) -> bool:
    p50, p95 = TARGETS_MS.get(int(row["chunks"]), (math.inf, math.inf))
    return row["p50_ms"] > p50 or row["p95_ms"] > p95


if __name__ == "__main__":
    raise SystemExit(main())
