"""From documents to their graph: complete, exact when they go, and the same whatever the order was."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.tools.knowledge.workshop import Workshop, workshop
from tools.errors import Conflict
from tools.knowledge.graph.projection import GraphProjection
from tools.stores.following_protocol import StaleBatch
from tools.stores.graph_protocol import GAZETTEER, GraphChange

HARBOUR = b"# Lowick Harbour\n\nLowick Harbour was built in 1874 by Ada Merrow. It lies near Tarn Bay.\n"
MERROW = b"# Ada Merrow\n\nAda Merrow was born in Tarn Bay. She studied at the University of Ostrava.\n"
BAY = b"# Tarn Bay\n\nTarn Bay is a village in Norland. Its fleet left Lowick Harbour in 1931.\n"
TWICE = b"# Fell over twice\n\nIt is kept in the pantry.\n"
NOTE = b"yesterday it fell over twice, and nobody was there to see it."
NAME = "fell over twice"
"""Nothing that a tagger would see by itself."""


async def graph_of(shop: Workshop, tenant_id: str = "t", dataset_id: str = "d") -> dict[str, list[Any]]:
    """The graph with chunks named by document and place, in an order of its own."""
    rows = await shop.graphs.read(tenant_id, dataset_id)
    page = await shop.documents.documents(tenant_id, dataset_id, 200, None)
    names = {document.id: document.name for document in page.items}
    texts = await shop.outbox.texts(tenant_id, dataset_id, 0, 1_000)
    chunk = {text.position: (names[text.document_id], text.start) for text in texts}
    at = [chunk[int(position)] for position in rows.positions]
    norms = [entity.norm for entity in rows.entities]
    edges = zip(rows.edge_heads, rows.edge_relations, rows.edge_tails, rows.edge_confidences, strict=True)
    return {
        "entities": list(rows.entities),
        "subjects": sorted((at[n], norms[e] if e >= 0 else "") for n, e in enumerate(rows.subjects)),
        "mentions": sorted((at[n], norms[e]) for n, e in zip(rows.mention_chunks, rows.mention_entities, strict=True)),
        "edges": sorted((norms[h], rows.relations[r], norms[t], float(c)) for h, r, t, c in edges),
    }


async def extractors(shop: Workshop, norm: str) -> dict[str, str]:
    """For each document that mentions the name, who found it there."""
    page = await shop.documents.documents("t", "d", 200, None)
    names = {document.id: document.name for document in page.items}
    texts = {text.position: names[text.document_id] for text in await shop.outbox.texts("t", "d", 0, 1_000)}
    return {texts[row.position]: row.extractor for row in await shop.graphs.passages_of("t", "d", norm, 50)}


async def test_documents_become_entities_with_the_passages_about_and_mentioning_them(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        await shop.index({"harbour.md": HARBOUR, "merrow.md": MERROW, "bay.md": BAY})
        graph = await graph_of(shop)
    subjects = {place[0]: norm for place, norm in graph["subjects"]}
    assert subjects == {"harbour.md": "lowick harbour", "merrow.md": "ada merrow", "bay.md": "tarn bay"}
    mentioned = {(place[0], norm) for place, norm in graph["mentions"]}
    assert {("harbour.md", "ada merrow"), ("harbour.md", "tarn bay"), ("merrow.md", "tarn bay")} <= mentioned


async def test_a_name_that_another_document_makes_known_is_found_where_nobody_saw_it(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        await shop.index({"note.txt": NOTE})
        assert "note.txt" not in {place[0] for place, norm in (await graph_of(shop))["mentions"] if norm == NAME}
        await shop.index({"twice.md": TWICE})
        assert (await extractors(shop, NAME))["note.txt"] == GAZETTEER


async def test_a_name_that_is_known_no_more_is_found_nowhere(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        await shop.index({"note.txt": NOTE})
        before = await graph_of(shop)
        (twice,) = await shop.index({"twice.md": TWICE})
        await shop.ingestor.delete_document("t", twice.id)
        await shop.ingestor.idle()
        assert await graph_of(shop) == before


async def test_a_changed_file_leaves_nothing_of_what_it_said_before(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        await shop.index({"bay.md": BAY})
        expected = await graph_of(shop)
        await shop.index({"bay.md": MERROW})
        assert {norm for _, norm in (await graph_of(shop))["subjects"]} == {"ada merrow"}
        await shop.index({"bay.md": BAY})
        assert await graph_of(shop) == expected


@pytest.mark.parametrize("seed", range(4))
async def test_the_graph_depends_on_the_documents_and_not_on_their_history(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    files = {"a.md": HARBOUR, "b.md": MERROW, "c.md": BAY, "d.md": TWICE, "e.txt": NOTE}
    left: dict[str, bytes] = {}
    async with workshop(tmp_path / "history") as shop:
        for _ in range(8):
            name = draw.choice(list(files))
            if name in left and draw.random() < 0.5:
                page = await shop.documents.documents("t", "d", 50, None)
                (gone,) = [document.id for document in page.items if document.name == name]
                await shop.ingestor.delete_document("t", gone)
                del left[name]
            else:
                left[name] = draw.choice(list(files.values()))
                await shop.index({name: left[name]})
        await shop.ingestor.idle()
        by_history = await graph_of(shop)
    async with workshop(tmp_path / "at once") as shop:
        if left:
            await shop.index(left)
            assert await graph_of(shop) == by_history
    assert left or not by_history["entities"]


async def test_two_tenants_with_the_same_documents_have_graphs_of_their_own(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        await shop.index({"bay.md": BAY}, tenant_id="a")
        (second,) = await shop.index({"bay.md": BAY}, tenant_id="b")
        before = await graph_of(shop, "a")
        await shop.ingestor.delete_document("b", second.id)
        await shop.ingestor.idle()
        assert await graph_of(shop, "a") == before
        assert (await graph_of(shop, "b"))["entities"] == []


async def test_doing_a_batch_twice_changes_nothing(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        documents = await shop.index({"harbour.md": HARBOUR, "bay.md": BAY})
        before = await graph_of(shop)
        batch = StaleBatch("t", "d", [document.id for document in documents], 0)
        await GraphProjection(shop.outbox, shop.graphs).follow(batch)
        assert await graph_of(shop) == before


async def test_a_graph_that_another_process_changed_meanwhile_is_read_anew(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        (document,) = await shop.index({"bay.md": BAY})
        projection = GraphProjection(shop.outbox, shop.graphs)
        await projection.follow(StaleBatch("t", "d", [document.id], 0))
        version = await shop.graphs.version("t", "d")
        await shop.graphs.apply("t", "d", GraphChange(version, removed=[document.id]))
        with pytest.raises(Conflict):
            await shop.graphs.apply("t", "d", GraphChange(version))
        await projection.follow(StaleBatch("t", "d", [document.id], 0))
        assert {norm for _, norm in (await graph_of(shop))["subjects"]} == {"tarn bay"}
