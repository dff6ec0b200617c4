"""What a language model adds reaches the graph, and leaves it with the document."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.tools.knowledge.extraction.test_enrichment import SECONDS, reads
from tests.tools.knowledge.workshop import workshop
from tests.tools.models.asking import model_at
from tests.upstream import Upstream
from tools.knowledge.extraction.enrichment import Enricher
from tools.knowledge.graph.projection import GraphProjection
from tools.knowledge.settings import EnrichmentSettings
from tools.stores.database import Database
from tools.stores.enrichments import SqlEnrichmentStore
from tools.stores.following_protocol import StaleBatch
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphRows

FILES = {"a.txt": b"Zorv Quil works for Lowick Blim.", "b.txt": b"Trel Marn works for Lowick Blim."}
ADDED = {("zorv quil", "works_for", "lowick blim"), ("trel marn", "works_for", "lowick blim")}


def edges(rows: GraphRows) -> set[tuple[str, str, str]]:
    ends = zip(rows.edge_heads, rows.edge_relations, rows.edge_tails, strict=True)
    return {(rows.entities[head].norm, rows.relations[kind], rows.entities[tail].norm) for head, kind, tail in ends}


async def test_what_a_model_adds_comes_and_goes_with_its_document(tmp_path: Path) -> None:
    graph_database = Database(tmp_path / "graphs.db")  # where nobody but the test leads a graph
    with Upstream() as upstream:
        upstream.plays(reads())
        async with workshop(tmp_path) as shop:
            documents = {document.name: document.id for document in await shop.index(FILES)}
            graphs = SqlGraphStore(graph_database)
            model = model_at(upstream.url)
            await model.warm_up()
            enricher = Enricher(SqlEnrichmentStore(shop.database), model, EnrichmentSettings(), tmp_path)
            await enricher.start()
            await asyncio.wait_for(enricher.idle(), SECONDS)
            await enricher.close()
            await model.close()
            batch = StaleBatch("t", "d", list(documents.values()), 0)
            await GraphProjection(shop.outbox, graphs).follow(batch)
            assert edges(await graphs.read("t", "d")) >= ADDED
            found = await graphs.evidence("t", "d", [("zorv quil", "lowick blim")])
            assert "llm:m" in {row.extractor for row in found}
            assert {row.sentence for row in found} == {FILES["a.txt"].decode()}
            await shop.documents.delete("t", documents["a.txt"])
            await GraphProjection(shop.outbox, graphs).follow(batch)
            rows = await graphs.read("t", "d")
            assert "zorv quil" not in {entity.norm for entity in rows.entities}
            assert edges(rows) & ADDED == {("trel marn", "works_for", "lowick blim")}
    await graph_database.close()
