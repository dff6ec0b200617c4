"""How a `GraphStore` changes: all of a change or nothing of it, and in the end only what the documents say."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.contracts.graph_documents import (
    Drawing,
    alias,
    chunk,
    document,
    known,
    mention,
    says,
)
from tests.contracts.graph_model import PlainGraph, plain
from tests.contracts.graph_steps import ANN, BO, everything, fill, fill_after_all, remove, unused
from tools.errors import Conflict
from tools.stores.graph_protocol import (
    GraphChange,
    GraphStore,
    Neighbourhood,
)


class GraphChangesContract:
    """Part of `GraphStoreContract`."""

    async def test_a_graph_that_was_never_made_is_empty(self, graphs: GraphStore) -> None:
        tenant = unused()
        assert await graphs.version(tenant, "d") == 0
        rows = await graphs.read(tenant, "d")
        assert plain(rows) == PlainGraph().read()
        assert rows.positions.shape == rows.mention_chunks.shape == rows.edge_confidences.shape == (0,)
        assert await graphs.neighbourhood(tenant, "d", ["ann"], 2, 5) == Neighbourhood(entities=[], edges=[])
        assert await graphs.neighbourhood(tenant, "d", [], 2, 5) == Neighbourhood(entities=[], edges=[])
        assert not await graphs.names_of(tenant, "d", ["d1"])
        assert not await graphs.standing(tenant, "d", ["ann"], ["d1"])
        assert not await graphs.known_names(tenant, "d")
        assert not await graphs.evidence(tenant, "d", [("ann", "acme")])
        assert not await graphs.mentions(tenant, "d", [("ann", 1)])
        assert not await graphs.passages_of(tenant, "d", "ann", 5)
        assert not await graphs.find(tenant, "d", "a", 5)
        assert not await graphs.communities(tenant, "d")
        assert set((await graphs.counts(tenant, "d")).values()) == {0}
        await graphs.drop(tenant, "d")

    async def test_the_version_counts_changes_and_starts_anew_after_a_drop(self, graphs: GraphStore) -> None:
        tenant = unused()
        assert [await fill(graphs, tenant, ANN), await fill(graphs, tenant, BO)] == [1, 2]
        assert await graphs.apply(tenant, "d", GraphChange(2)) == 3
        assert await graphs.version(tenant, "d") == (await graphs.read(tenant, "d")).version == 3
        await graphs.drop(tenant, "d")
        assert await graphs.version(tenant, "d") == 0
        assert plain(await graphs.read(tenant, "d")) == PlainGraph().read()
        assert await fill(graphs, tenant, ANN) == 1

    @pytest.mark.parametrize("base", [0, 2, 7])
    async def test_a_change_from_another_version_conflicts_and_changes_nothing(
        self, graphs: GraphStore, base: int
    ) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN)
        before = await everything(graphs, tenant)
        with pytest.raises(Conflict) as caught:
            await graphs.apply(tenant, "d", GraphChange(base, [BO]))
        assert caught.value.code == "graph_changed"
        assert await everything(graphs, tenant) == before
        assert await graphs.version(tenant, "d") == 1

    async def test_of_changes_made_at_once_from_one_version_one_is_made(self, graphs: GraphStore) -> None:
        tenant = unused()
        documents = [document(f"d{n}", chunk(n, "ann"), mention(n, "bo")) for n in range(8)]
        changes = (graphs.apply(tenant, "d", GraphChange(0, [one])) for one in documents)
        made = await asyncio.gather(*changes, return_exceptions=True)
        assert made.count(1) == 1
        assert all(isinstance(outcome, Conflict) for outcome in made if outcome != 1)
        assert len((await graphs.read(tenant, "d")).documents) == 1

    async def test_the_rows_of_a_document_become_exactly_those_given(self, graphs: GraphStore) -> None:
        tenant, fresh = unused(), unused()
        await fill(graphs, tenant, ANN, BO)
        changed = document(
            "d1", chunk(1, "ann", "person", 0.8), mention(1, "rome", "location"), says(1, "ann", "uses", "rome")
        )
        await fill(graphs, tenant, changed)
        await fill(graphs, fresh, changed, BO)
        assert await everything(graphs, tenant) == await everything(graphs, fresh)

    async def test_the_same_change_again_changes_nothing_but_the_version(self, graphs: GraphStore) -> None:
        tenant = unused()
        change = GraphChange(0, [ANN, BO], ["gone"], [known(1, "bo"), known(1, "bo"), known(2, "ann")], ["rome"])
        await graphs.apply(tenant, "d", change)
        before = await everything(graphs, tenant)
        assert await graphs.apply(tenant, "d", replace(change, base_version=1)) == 2
        assert await everything(graphs, tenant) == before

    async def test_the_same_row_twice_is_one_row(self, graphs: GraphStore) -> None:
        tenant, fresh = unused(), unused()
        await fill(graphs, fresh, ANN)
        await fill(graphs, tenant, replace(ANN, mentions=[*ANN.mentions] * 3, evidence=[*ANN.evidence] * 2))
        assert await everything(graphs, tenant) == await everything(graphs, fresh)

    async def test_unknown_documents_are_removed_without_complaint(self, graphs: GraphStore) -> None:
        tenant = unused()
        assert await remove(graphs, tenant, "nobody") == 1
        assert (await graphs.counts(tenant, "d"))["entities"] == 0

    async def test_gained_mentions_rest_on_chunks_of_other_documents(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN)
        await graphs.apply(tenant, "d", GraphChange(1, [BO], gained=[known(1, "bo"), known(77, "bo")]))
        assert await graphs.mentions(tenant, "d", [("bo", 1), ("bo", 77)]) == [known(1, "bo")]
        (bo,) = await graphs.find(tenant, "d", "bo", 5)
        assert (bo.df, bo.name, bo.type) == (2, "BO", "person")
        await remove(graphs, tenant, "d1")
        assert not await graphs.mentions(tenant, "d", [("bo", 1)])

    async def test_lost_names_lose_their_gazetteer_mentions_everywhere_and_no_others(self, graphs: GraphStore) -> None:
        tenant, fresh = unused(), unused()
        one = document("d1", chunk(1, "ann"), mention(1, "bo"), known(1, "bo", 70), known(1, "rome"))
        await fill(graphs, tenant, one, document("d2", chunk(2, "rome"), known(2, "ann")))
        await graphs.apply(tenant, "d", GraphChange(1, gained=[known(2, "bo")], lost=["nobody"]))
        await graphs.apply(tenant, "d", GraphChange(2, lost=["bo", "rome"]))
        left = document("d1", chunk(1, "ann"), mention(1, "bo"))
        await fill(graphs, fresh, left, document("d2", chunk(2, "rome"), known(2, "ann")))
        assert await everything(graphs, tenant) == await everything(graphs, fresh)

    async def test_names_lost_and_gained_in_one_change_have_what_was_gained(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(graphs, tenant, document("d1", chunk(1, "ann"), known(1, "bo"), known(1, "bo", 80)), BO)
        await graphs.apply(tenant, "d", GraphChange(1, gained=[known(1, "bo", 20)], lost=["bo"]))
        assert await graphs.mentions(tenant, "d", [("bo", 1)]) == [known(1, "bo", 20)]
        assert (await graphs.counts(tenant, "d"))["mentions"] == 2

    async def test_a_deleted_document_leaves_nothing_that_rested_on_it_alone(self, graphs: GraphStore) -> None:
        tenant, fresh = unused(), unused()
        await fill(graphs, tenant, ANN, BO, document("d3", alias(3, "acme", "acme corp"), mention(3, "acme")))
        await remove(graphs, tenant, "d1", "d3")
        await fill(graphs, fresh, BO)
        assert await everything(graphs, tenant) == await everything(graphs, fresh)
        assert not await graphs.find(tenant, "d", "ann", 5)
        await remove(graphs, tenant, "d2")
        assert set((await graphs.counts(tenant, "d")).values()) == {0}

    @pytest.mark.parametrize("seed", range(20))
    async def test_a_graph_is_that_of_its_documents_whatever_came_before(self, graphs: GraphStore, seed: int) -> None:
        tenant, fresh = unused(), unused()
        drawing = Drawing(seed)
        kept = [drawing.document(f"a{n}", 2) for n in range(4)]
        others = [drawing.document(f"b{n}", 2) for n in range(4)]
        mixed = [*kept, *others, *(drawing.document(one.id, 1) for one in kept)]
        drawing.random.shuffle(mixed)
        for start in range(0, len(mixed), 3):
            await fill(graphs, tenant, *mixed[start : start + 3])
        await fill(graphs, tenant, *kept)
        await remove(graphs, tenant, *(one.id for one in others))
        drawing.random.shuffle(kept)
        await fill(graphs, fresh, *kept)
        assert await everything(graphs, tenant) == await everything(graphs, fresh)

    @pytest.mark.parametrize("turns", [0, 1, 2, 5, 20, 80])
    async def test_a_change_given_up_half_way_is_made_altogether_or_not_at_all(
        self, graphs: GraphStore, turns: int
    ) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN)
        drawing = Drawing(turns)
        drawing.position = 100
        model, change = PlainGraph(), GraphChange(1, [drawing.document(f"x{n}", 3) for n in range(5)], ["d1"])
        task = asyncio.ensure_future(graphs.apply(tenant, "d", change))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        model.apply(GraphChange(0, [ANN]))
        if await fill_after_all(graphs, tenant) == 3:
            model.apply(change)
        model.version += 1
        assert plain(await graphs.read(tenant, "d")) == model.read()
