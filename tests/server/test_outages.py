"""The whole app on Neo4j and Milvus while these freeze, die and come back: typed, in time, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.wiring import App, open_app
from evals.suites.graph import rows_by_name
from tests.server.milvus import MilvusServer
from tests.server.neo4j import Neo4j
from tools.knowledge.protocol import Retrieval, RetrievalQuery

pytestmark = pytest.mark.server

HARBOUR = b"# Lowick Harbour\n\nLowick Harbour was built in 1874 by Ada Merrow. It lies near Tarn Bay.\n"
MERROW = b"# Ada Merrow\n\nAda Merrow was born in Tarn Bay. She studied at the University of Ostrava.\n"
BAY = b"# Tarn Bay\n\nTarn Bay is a village in Norland. Its fleet left Lowick Harbour in 1931.\n"
QUESTION = "Where was the builder of Lowick Harbour born?"
LIMIT_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
ANSWER_SECONDS = 8.0
"""A search asks a store that is away twice at most, and the machine may be busy."""


@asynccontextmanager
async def opened(folder: Path, **settings: object) -> AsyncIterator[App]:
    """An app on these stores."""
    environ = {name.upper(): str(value) for name, value in settings.items()}
    environ |= {"DATA_DIR": str(folder / "data"), "LOG_DIR": str(folder / "logs"), "LOG_LEVEL": "ERROR"}
    async with open_app(Settings.load(env_file=Path(os.devnull), environ=environ)) as app:
        yield app


def on_neo4j(server: Neo4j) -> dict[str, object]:
    limit = {"neo4j_timeout_seconds": LIMIT_SECONDS}
    return {"neo4j_uri": server.uri, "neo4j_user": server.user, "neo4j_password": server.password, **limit}


async def caught_up(app: App) -> None:
    await asyncio.wait_for(app.ingestor.idle(), PATIENCE_SECONDS)


async def asked(app: App, text: str = QUESTION) -> Retrieval:
    started = time.monotonic()
    found = await app.retriever.retrieve("local", RetrievalQuery(text, max_hops=3))
    assert time.monotonic() - started < ANSWER_SECONDS
    return found


async def until(app: App, holds: Callable[[Retrieval], bool], text: str = QUESTION) -> Retrieval:
    """Ask until the answer is as it should be."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds(found := await asked(app, text)):
            await asyncio.sleep(0.05)
        return found


def titles(found: Retrieval) -> set[str]:
    return {passage.title for passage in found.passages}


async def same_as_at_once(app: App, dataset: str, folder: Path, files: dict[str, bytes]) -> None:
    """The graph is the one that these files make in an embedded store."""
    await app.settled()
    async with opened(folder) as fresh:
        await fresh.ingestor.submit("local", dataset, list(files.items()))
        await caught_up(fresh)
        await fresh.settled()
        expected: dict[str, Any] = await rows_by_name(fresh, dataset)
    assert await rows_by_name(app, dataset) == expected


async def test_while_neo4j_is_frozen_searches_go_on_degraded_and_then_it_is_made_up_for(
    neo4j: Neo4j,
    tmp_path: Path,
) -> None:
    dataset = secrets.token_hex(4)
    async with opened(tmp_path, **on_neo4j(neo4j)) as app:
        harbour, _ = await app.ingestor.submit("local", dataset, [("h.md", HARBOUR), ("m.md", MERROW)])
        await caught_up(app)
        assert titles(await until(app, lambda found: not found.degraded)) >= {"Lowick Harbour", "Ada Merrow"}
        neo4j.freeze()
        try:
            await app.ingestor.submit("local", dataset, [("b.md", BAY)])
            found = await until(app, lambda found: found.degraded and "Tarn Bay" in titles(found))
            assert "graph_unreachable" in found.notices
            await app.ingestor.delete_document("local", harbour.id)
            found = await asked(app)
            assert "Lowick Harbour" not in titles(found)
            assert not any(
                step.document_id == harbour.id for p in found.passages if p.graph for step in p.graph.path_steps
            )
        finally:
            neo4j.thaw()
        await caught_up(app)
        await until(app, lambda found: not found.degraded)
        await same_as_at_once(app, dataset, tmp_path / "fresh", {"m.md": MERROW, "b.md": BAY})
        await app.ingestor.delete_dataset("local", dataset)


async def test_neo4j_killed_in_mid_ingest_ends_consistent(neo4j: Neo4j, tmp_path: Path) -> None:
    if neo4j.process is None:
        pytest.skip("the server that ZHIYIN_TEST_NEO4J names is not ours to stop")
    files = {f"{n}.md": HARBOUR.replace(b"1874", str(1800 + n).encode()) for n in range(30)}
    files |= {"m.md": MERROW, "b.md": BAY}
    dataset = secrets.token_hex(4)
    async with opened(tmp_path, **on_neo4j(neo4j)) as app:
        await app.ingestor.submit("local", dataset, [("m.md", MERROW)])
        await caught_up(app)
        await app.ingestor.submit("local", dataset, list(files.items()))
        neo4j.kill()
        found = await until(app, lambda found: found.degraded)
        assert found.passages
        neo4j.start()
        await caught_up(app)
        await until(app, lambda found: not found.degraded)
        await same_as_at_once(app, dataset, tmp_path / "fresh", files)
        await app.ingestor.delete_dataset("local", dataset)


async def test_while_milvus_is_frozen_or_gone_words_and_graph_answer(
    milvus_server: MilvusServer,
    tmp_path: Path,
) -> None:
    settings = {"milvus_uri": milvus_server.uri, "milvus_timeout_seconds": LIMIT_SECONDS}
    settings["milvus_collection_prefix"] = "outage"
    dataset = secrets.token_hex(4)
    async with opened(tmp_path, **settings) as app:
        harbour, _ = await app.ingestor.submit("local", dataset, [("h.md", HARBOUR), ("m.md", MERROW)])
        await caught_up(app)
        await until(app, lambda found: not found.degraded)
        with milvus_server.frozen():
            await app.ingestor.submit("local", dataset, [("b.md", BAY)])
            found = await until(app, lambda found: found.degraded and "Tarn Bay" in titles(found))
            assert "vectors_unreachable" in found.notices
            await app.ingestor.delete_document("local", harbour.id)
            assert "Lowick Harbour" not in titles(await asked(app))
        await caught_up(app)
        await until(app, lambda found: not found.degraded)
        milvus_server.stop()
        try:
            await app.ingestor.submit("local", dataset, [("h.md", HARBOUR)])
            await until(app, lambda found: found.degraded and "Lowick Harbour" in titles(found))
        finally:
            milvus_server.start()
        await caught_up(app)
        found = await until(app, lambda found: not found.degraded)
        assert titles(found) == {"Lowick Harbour", "Ada Merrow", "Tarn Bay"}
        assert app.vectors is not None
        (vector,) = await app.embedder.embed(["harbour"])
        positions = {text.position for text in await app.outbox.texts("local", dataset, 0, 100)}
        assert {near.position for near in await app.vectors.cosines("local", vector, range(100))} == positions
