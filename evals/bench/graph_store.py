"""What the graph stores cost: a graph of made-up names applied batch by batch, read whole, asked, and taken apart.

`python -m evals.bench.graph_store [--documents 6119] [--mentions 15] [--neo4j bolt://user:password@host:port]`.
Names follow a Zipf law, so a few are in a large part of all chunks, as countries and years are.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import tempfile
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from tools.stores.database import Database
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import (
    GraphChange,
    GraphChunk,
    GraphDocument,
    GraphEvidence,
    GraphMention,
    GraphStore,
)

TENANT, DATASET = "bench", "d"
TYPES = ("person", "organization", "location", "event", "time", "product", "concept", "process", "metric", "work")
RELATIONS = ("works_for", "located_in", "created_by", "part_of", "related_to")
BATCH = 200


def documents(number: int, mentions: int, relations: float) -> Iterator[GraphDocument]:
    """Documents of one chunk each, with a subject of its own."""
    draw = random.Random(7)
    ranks = np.random.default_rng(7).zipf(1.25, size=number * mentions) % (number * 4)
    for at in range(number):
        named = [f"name {rank}" for rank in ranks[at * mentions : (at + 1) * mentions]]
        rows = [
            GraphMention(at, norm, norm.title(), draw.choice(TYPES), 0.9, place * 9, place * 9 + 6, 0, 200, "tagger")
            for place, norm in enumerate(named)
        ]
        evidence = [
            GraphEvidence(at, *_pair(draw, named), round(draw.random(), 6), "A sentence of usual length.", 0, 200, "p")
            for _ in range(int(relations) + (draw.random() < relations % 1))
        ]
        subject = GraphChunk(at, f"subject {at}", f"Subject {at}", draw.choice(TYPES), 0.8)
        yield GraphDocument(f"doc{at}", f"Title {at}", [subject], rows, evidence)


def _pair(draw: random.Random, named: list[str]) -> tuple[str, str, str]:
    return draw.choice(named), draw.choice(RELATIONS), draw.choice(named)


async def measure(graphs: GraphStore, number: int, mentions: int, relations: float) -> None:
    """Print what each step costs."""
    await graphs.drop(TENANT, DATASET)
    waiting, slowest, batch, version = documents(number, mentions, relations), 0.0, list[GraphDocument](), 0
    made = cpu = 0.0
    for document in waiting:
        batch.append(document)
        if len(batch) == BATCH or document.id == f"doc{number - 1}":
            start, used = time.perf_counter(), time.process_time()
            version = await graphs.apply(TENANT, DATASET, GraphChange(version, batch))
            took = time.perf_counter() - start
            made, cpu, slowest = made + took, cpu + time.process_time() - used, max(slowest, took)
            batch = []
    print(f"apply     {made:8.2f} s, {cpu:.2f} s CPU here, slowest batch {slowest * 1000:.0f} ms")
    print(f"          {dict(await graphs.counts(TENANT, DATASET))}")
    await _timed("read", graphs.read(TENANT, DATASET))
    print(f"          peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    await _timed("again", graphs.read(TENANT, DATASET))
    hub = (await graphs.neighbourhood(TENANT, DATASET, [], 0, 1)).entities[0].norm
    await _timed("find", graphs.find(TENANT, DATASET, "name 1", 20))
    await _timed("hub", graphs.neighbourhood(TENANT, DATASET, [hub], 2, 100))
    await _timed("leaf", graphs.neighbourhood(TENANT, DATASET, ["subject 5"], 2, 100))
    await _timed("passages", graphs.passages_of(TENANT, DATASET, hub, 20))
    await _timed("one more", graphs.apply(TENANT, DATASET, GraphChange(version, removed=["doc7"])))
    await _timed("evidence", graphs.evidence(TENANT, DATASET, [("name 1", f"name {n}") for n in range(2, 30)]))
    await _timed("names", graphs.known_names(TENANT, DATASET))


async def _timed(what: str, asked: Awaitable[object]) -> None:
    start, used = time.perf_counter(), time.process_time()
    await asked
    took, busy = time.perf_counter() - start, time.process_time() - used
    print(f"{what:<9} {took * 1000:8.1f} ms, {busy * 1000:.1f} ms CPU here")


async def run(arguments: argparse.Namespace) -> None:
    """Measure the embedded store, and a server where one is named."""
    size = arguments.documents, arguments.mentions, arguments.relations
    if arguments.neo4j:
        from pydantic import SecretStr

        from tools.stores.neo4j_graph import Neo4jGraphStore

        parts = urlsplit(arguments.neo4j)
        graphs = Neo4jGraphStore(
            f"{parts.scheme}://{parts.hostname}:{parts.port}", parts.username or "", SecretStr(parts.password or "")
        )
        print("Neo4j")
        await measure(graphs, *size)
        await graphs.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "graph.db")
        print("SQLite")
        await measure(SqlGraphStore(database), *size)
        await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=6119)
    parser.add_argument("--mentions", type=int, default=15)
    parser.add_argument("--relations", type=float, default=3.3)
    parser.add_argument("--neo4j", default=None)
    asyncio.run(run(parser.parse_args()))
