"""Documents that nobody sane would write: each ends in a graph or in a clear error, and holds up no other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.tools.knowledge.graph.test_projection import graph_of
from tests.tools.knowledge.workshop import Workshop, workshop

PLAIN = b"# Tarn Bay\n\nTarn Bay is a village in Norland.\n"


async def plain_one_is_there(shop: Workshop) -> None:
    assert ("plain.md", "tarn bay") in {(place[0], norm) for place, norm in (await graph_of(shop))["subjects"]}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.txt", b"", "empty_document"),
        ("blank.md", b"  \n\n \t ", "empty_document"),
        ("binary.txt", bytes(range(256)) * 40, "not_text"),
    ],
)
async def test_a_file_without_text_is_refused_alone(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    async with workshop(tmp_path) as shop:
        strange, _ = await shop.index({name: content, "plain.md": PLAIN})
        assert (strange.status, strange.error_code) == ("failed", code)
        await plain_one_is_there(shop)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_one_line_of_five_megabytes_and_a_hundred_thousand_mentions_of_a_name(tmp_path: Path) -> None:
    line = b"Ada Merrow met Bo Lindqvist in Ostrava and " * (5_000_000 // 43)
    async with workshop(tmp_path, max_file_bytes=2**23, parse_seconds=300) as shop:
        long, _ = await shop.index({"long.txt": line, "plain.md": PLAIN}, seconds=350)
        assert long.status == "ready"
        names = {entity.norm: entity.df for entity in (await shop.graphs.read("t", "d")).entities}
        assert names["ada merrow"] == names["ostrava"] == long.chunks
        await shop.ingestor.delete_document("t", long.id)
        await shop.ingestor.idle()
        assert "ada merrow" not in {entity.norm for entity in (await graph_of(shop))["entities"]}


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_ten_thousand_documents_at_once_each_end_in_a_graph_or_in_a_clear_error(tmp_path: Path) -> None:
    broken = {"empty.txt": (b"", "empty_document"), "binary.txt": (bytes(range(256)), "not_text")}
    files = {f"{n}.txt": f"Ada Merrow saw ship {n} in Ostrava.".encode() for n in range(10_000 - len(broken))}
    async with workshop(tmp_path) as shop:
        documents = await shop.submit({**files, **{name: content for name, (content, _) in broken.items()}})
        await asyncio.wait_for(shop.ingestor.idle(), 580)
        assert (await shop.documents.status("t", "d")).counts == {"ready": len(files), "failed": len(broken)}
        for document in documents[len(files) :]:
            assert (await shop.documents.get("t", document.id)).error_code == broken[document.name][1]
        names = {entity.norm: entity.df for entity in (await shop.graphs.read("t", "d")).entities}
        assert names["ada merrow"] == names["ostrava"] == len(files)


async def test_documents_that_refer_to_each_other_in_a_circle(tmp_path: Path) -> None:
    files = {
        "a.md": b"# Alpha Works\n\nAlpha Works is part of Beta Works.\n",
        "b.md": b"# Beta Works\n\nBeta Works is part of Gamma Works.\n",
        "c.md": b"# Gamma Works\n\nGamma Works is part of Alpha Works. Alpha Works is part of Alpha Works.\n",
    }
    async with workshop(tmp_path) as shop:
        await shop.index(files)
        graph = await graph_of(shop)
        assert {norm for _, norm in graph["subjects"]} == {"alpha works", "beta works", "gamma works"}
        assert all(head != tail for head, _, tail, _ in graph["edges"])


@pytest.mark.parametrize(
    "title",
    [
        "x'}) DETACH DELETE n //",
        '"; DROP TABLE graph_entities; --',
        "MATCH (n) RETURN n",
        "🦊 Fox & 🐢",
        "مدينة القاهرة",
        "ירושלים",
        "\u202eRight to left",
        "a" * 5_000,
    ],
)
async def test_a_title_of_any_kind_is_a_name_or_nothing_and_breaks_nothing(tmp_path: Path, title: str) -> None:
    async with workshop(tmp_path) as shop:
        strange, _ = await shop.index({"s.md": f"# {title}\n\nIt is near Tarn Bay.\n".encode(), "plain.md": PLAIN})
        assert strange.status == "ready"
        await plain_one_is_there(shop)
        await shop.ingestor.delete_document("t", strange.id)
        await shop.ingestor.idle()
        await plain_one_is_there(shop)
