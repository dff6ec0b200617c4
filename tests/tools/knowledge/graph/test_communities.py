from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.knowledge.graph.library import FILES, Library, library
from tools.errors import StoreUnavailable
from tools.knowledge.graph.communities import CommunityBuilder, group
from tools.stores.graph_protocol import Community, GraphChange, GraphEntity


async def kept(shelves: Library, tenant_id: str = "t", dataset_id: str = "d") -> list[Community]:
    return list(await shelves.graphs.communities(tenant_id, dataset_id))


def members(communities: list[Community]) -> list[set[str]]:
    return sorted((set(community.members) for community in communities if community.level == 0), key=min)


async def quotes(shelves: Library, communities: list[Community]) -> list[str]:
    texts = {chunk.position: chunk for chunk in await shelves.outbox.texts("t", "d", 0, 1000)}
    places = [place for community in communities for place in community.sentences]
    return [
        texts[place.position].text[place.start - texts[place.position].start :][: place.end - place.start]
        for place in places
    ]


async def test_what_is_spoken_of_together_is_a_community(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        assert await shelves.builder.refresh("t", "d")
        assert members(await kept(shelves)) == [
            {"green tea", "hangzhou", "longjing", "west lake"},
            {"lowick", "marlow sound", "skua"},
        ]


async def test_its_sentences_stand_in_the_documents(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        tea, ship = sorted(await kept(shelves), key=lambda community: min(community.members) == "lowick")
        said = await quotes(shelves, [tea])
        assert "Longjing is a green tea from Hangzhou." in said
        assert not set(said) & set(await quotes(shelves, [ship]))
        assert all(any(quote in text.decode() for text in FILES.values()) for quote in said)


async def test_a_child_finds_what_a_thread_finds(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        before = await kept(shelves)
        assert await CommunityBuilder(shelves.graphs, shelves.outbox, inline_bytes=0).refresh("t", "d")
        assert await kept(shelves) == before


async def test_the_same_documents_in_another_order_give_the_same_communities(tmp_path: Path) -> None:
    found: list[list[tuple[str, int, str, list[str], list[str]]]] = []
    for name, files in (("one", FILES), ("other", dict(reversed(FILES.items())))):
        async with library(tmp_path / name) as shelves:
            for file, data in files.items():
                await shelves.fill({file: data})
            await shelves.builder.refresh("t", "d")
            rows = await kept(shelves)
            found.append([(c.id, c.level, c.parent, sorted(c.members), await quotes(shelves, [c])) for c in rows])
    assert found[0] == found[1]


async def test_a_community_keeps_its_name_when_another_member_comes(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        before = {community.id for community in await kept(shelves)}
        await shelves.fill({"more.md": "Longjing is called 龙井茶 at home in 杭州, they say in Hangzhou.".encode()})
        await shelves.builder.refresh("t", "d")
        after = {community.id: set(community.members) for community in await kept(shelves)}
        assert before <= set(after)
        assert any("龙井茶" in names for names in after.values())


async def test_a_deleted_document_leaves_no_sentence_and_no_member(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        ids = await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        for name in ("ship.md", "port.md"):
            await shelves.shop.documents.delete("t", ids[name])
        await shelves.follow([], [ids["ship.md"], ids["port.md"]])
        await shelves.builder.refresh("t", "d")
        communities = await kept(shelves)
        assert members(communities) == [{"green tea", "hangzhou", "longjing", "west lake"}]
        assert not any("Skua" in quote or "ferry" in quote for quote in await quotes(shelves, communities))


@pytest.mark.parametrize("seed", range(4))
async def test_a_history_leaves_no_trace(tmp_path: Path, seed: int) -> None:
    """Documents that came and went: the communities are those of the documents that stayed."""
    draw = random.Random(seed)
    staying = dict(draw.sample(list(FILES.items()), 3))
    going = {f"x-{name}": data.replace(b"Longjing", b"Skua") for name, data in FILES.items()}
    found: list[list[tuple[str, int, str, list[str], list[str]]]] = []
    for name, files in (("one", staying), ("other", {**going, **staying})):
        async with library(tmp_path / name) as shelves:
            ids: dict[str, str] = {}
            for file, data in draw.sample(list(files.items()), len(files)):
                ids |= await shelves.fill({file: data})
                if draw.random() < 0.3:
                    await shelves.builder.refresh("t", "d")
            for file in going.keys() & files.keys():
                await shelves.shop.documents.delete("t", ids[file])
                await shelves.follow([], [ids[file]])
            await shelves.builder.refresh("t", "d")
            rows = await kept(shelves)
            found.append([(c.id, c.level, c.parent, sorted(c.members), await quotes(shelves, [c])) for c in rows])
    assert found[0] == found[1]


async def test_a_graph_that_has_not_changed_is_left_alone(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        idle = CommunityBuilder(shelves.graphs, shelves.outbox, inline_bytes=0, child="no.such.module")
        idle._kept = shelves.builder._kept
        assert await idle.refresh("t", "d")
        await shelves.follow([], ["nobody"])
        assert not await idle.refresh("t", "d")


async def test_a_graph_dropped_and_built_anew_is_looked_at_anew(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        ids = await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        version = await shelves.graphs.version("t", "d")
        await shelves.graphs.drop("t", "d")
        while await shelves.graphs.version("t", "d") < version:
            await shelves.follow(list(ids.values()))
        await shelves.builder.refresh("t", "d")
        assert len(await kept(shelves)) == 2


async def test_without_a_graph_there_is_nothing_to_do(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        assert await shelves.builder.refresh("t", "nowhere")
        assert await kept(shelves, dataset_id="nowhere") == []


async def test_a_graph_that_moves_on_meanwhile_keeps_its_former_communities(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        before = await kept(shelves)

        class MovesOn:
            def __getattr__(self, name: str) -> object:
                return getattr(shelves.graphs, name)

            async def read(self, tenant_id: str, dataset_id: str) -> object:
                rows = await shelves.graphs.read(tenant_id, dataset_id)
                await shelves.graphs.apply(tenant_id, dataset_id, GraphChange(rows.version, removed=["nobody"]))
                return rows

        builder = CommunityBuilder(MovesOn(), shelves.outbox)  # type: ignore[arg-type]
        assert not await builder.refresh("t", "d")
        assert await kept(shelves) == before


@pytest.mark.parametrize("child", ["crashing_communities_child", "hanging_communities_child"])
async def test_a_child_that_fails_costs_nothing(tmp_path: Path, child: str) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        before = await kept(shelves)
        await shelves.follow([], ["nobody"])
        broken = CommunityBuilder(
            shelves.graphs,
            shelves.outbox,
            timeout_seconds=0.5,
            inline_bytes=0,
            child=f"tests.tools.knowledge.graph.{child}",
        )
        assert not await broken.refresh("t", "d")
        assert await kept(shelves) == before
        assert await shelves.builder.refresh("t", "d")


async def test_a_store_that_refuses_is_said_so(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:

        class Refuses:
            async def version(self, tenant_id: str, dataset_id: str) -> int:
                raise StoreUnavailable("no")

        with pytest.raises(StoreUnavailable):
            await CommunityBuilder(Refuses(), shelves.outbox).refresh("t", "d")  # type: ignore[arg-type]


async def test_a_summary_stays_while_its_community_is_much_the_same(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        ids = await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        ship = next(community for community in await kept(shelves) if "skua" in community.members)
        resting = replace(ship, summary="Of ships.", rests_on=[place.position for place in ship.sentences])
        version = await shelves.graphs.version("t", "d")
        others = [community for community in await kept(shelves) if community.id != ship.id]
        assert await shelves.graphs.keep_communities("t", "d", version, [*others, resting])
        await shelves.fill({"more.md": b"A new file that speaks of nobody in particular, only of the weather."})
        await shelves.builder.refresh("t", "d")
        assert {c.summary for c in await kept(shelves)} == {"", "Of ships."}
        await shelves.shop.documents.delete("t", ids["ship.md"])
        await shelves.follow([], [ids["ship.md"]])
        await shelves.builder.refresh("t", "d")
        assert {c.summary for c in await kept(shelves)} == {""}


async def test_tenants_do_not_meet(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.fill({"tea.md": FILES["tea.md"]}, tenant_id="u")
        await shelves.builder.refresh("u", "d")
        await shelves.builder.refresh("t", "d")
        assert members(await kept(shelves, "u")) == [{"green tea", "hangzhou", "longjing", "west lake"}]
        assert len(await kept(shelves)) == 2


async def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        builder = CommunityBuilder(shelves.graphs, shelves.outbox, inline_bytes=0)
        work = asyncio.create_task(builder.refresh("t", "d"))
        turns = 0
        while not work.done():
            await asyncio.sleep(0)
            turns += 1
        assert await work
        assert turns > 1000


def test_aliases_are_one_group() -> None:
    entities = [
        GraphEntity("acme", "Acme", "", 0, 1, (), "acme corp"),
        GraphEntity("acme corp", "Acme Corp", "", 0, 1),
        GraphEntity("bo", "Bo", "", 0, 1, (), "gone"),
    ]
    found = group(entities)
    assert list(found.group_of) == [0, 0, 1]
    assert list(found.norms) == ["acme corp", "bo"]
    assert dict(found.others) == {0: ["acme"]}
