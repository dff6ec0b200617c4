"""What a search costs: wall and CPU time, the question's embedding included, beside MiniLM and numpy alone.

    python -m evals.bench.search [--chunks 1000 10000] [--questions 300] [--json OUT]

Chunks are made up from a vocabulary with Zipf's frequencies; their vectors are random, which costs a
search the same as true ones. Every question is new, so that none is answered from the embedder's
memory. Ours and the plain search (embed, matrix product, best five) take turns in the same minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from tools.knowledge.protocol import RetrievalQuery
from tools.knowledge.retriever import HybridRetriever
from tools.knowledge.terms import terms
from tools.models.embedders.onnx import OnnxEmbedder
from tools.models.protocol import Embedder, Vectors
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import DocumentText, NewChunk, NewDocument

TENANT = "bench"
WORDS_PER_CHUNK = 90
VOCABULARY = 20_000
CHUNKS_PER_DOCUMENT = 100
TOP_K = 5
SEED = 7
TARGET_MS = 15.0
"""p50 of a search over 10,000 chunks, embedding included."""


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

    def question(self) -> str:
        """One that was not asked before."""
        number = self._draw.randrange(10**9)
        return f"What does section {number} say about {self.words(4)}, and when was it last changed?"


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
async def searched(number: int, embedder: Embedder, texts: Texts) -> AsyncIterator[tuple[HybridRetriever, Vectors]]:
    """A retriever over `number` chunks, already built, and their vectors."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "bench.db")
        retriever = HybridRetriever(SqlChunkReader(database), embedder)
        try:
            vectors = await fill(database, texts, number, embedder)
            await retriever.retrieve(TENANT, RetrievalQuery(texts.question()))
            yield retriever, vectors
        finally:
            await retriever.close()
            await database.close()


async def measure(number: int, questions: int, embedder: Embedder) -> dict[str, float]:
    """Ours, plain and the embedding alone over `number` chunks, in rounds of turns."""
    texts = Texts()
    async with searched(number, embedder, texts) as (retriever, vectors):

        async def ours(question: str) -> None:
            await retriever.retrieve(TENANT, RetrievalQuery(question, TOP_K))

        async def plain(question: str) -> None:
            scores = vectors @ (await embedder.embed([question]))[0]
            best = np.argpartition(scores, -TOP_K)[-TOP_K:]
            best[np.argsort(-scores[best])].tolist()

        async def embedding(question: str) -> None:
            await embedder.embed([question])

        found: dict[str, list[tuple[list[float], float]]] = {"ours": [], "plain": [], "embedding": []}
        for _ in range(3):
            for name, ask in (("ours", ours), ("plain", plain), ("embedding", embedding)):
                found[name].append(await timed(ask, [texts.question() for _ in range(questions // 3)]))
    return _figures(number, found)


def _figures(number: int, found: dict[str, list[tuple[list[float], float]]]) -> dict[str, float]:
    wall = {name: sorted(took for round_took, _ in rounds for took in round_took) for name, rounds in found.items()}
    cpu = {name: statistics.median(cpu for _, cpu in rounds) for name, rounds in found.items()}
    return {
        "chunks": number,
        "p50_ms": statistics.median(wall["ours"]),
        "p95_ms": wall["ours"][int(0.95 * len(wall["ours"]))],
        "cpu_ms": cpu["ours"],
        "cpu_ms_besides_embedding": cpu["ours"] - cpu["embedding"],
        "plain_p50_ms": statistics.median(wall["plain"]),
        "plain_cpu_ms": cpu["plain"],
        "p50_ratio": statistics.median(wall["ours"]) / statistics.median(wall["plain"]),
        "cpu_ratio": cpu["ours"] / cpu["plain"],
    }


async def bench(sizes: Sequence[int], questions: int) -> list[dict[str, float]]:
    """Figures for each number of chunks."""
    embedder = OnnxEmbedder()
    try:
        await embedder.embed(["The model loads at its first text."])
        return [await measure(number, questions, embedder) for number in sizes]
    finally:
        await embedder.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table; the status is 1 when 10,000 chunks miss their target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    figures = asyncio.run(bench(given.chunks, max(3, given.questions)))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2))
    print("| chunks | p50 ms | p95 ms | CPU ms | CPU besides embedding | plain p50 ms | plain CPU ms | x p50 | x CPU |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in figures:
        chunks, *rest = row.values()
        print(f"| {chunks:,} | " + " | ".join(f"{value:.2f}" for value in rest) + " |")
    return int(any(row["chunks"] == 10_000 and row["p50_ms"] > TARGET_MS for row in figures))


if __name__ == "__main__":
    raise SystemExit(main())
