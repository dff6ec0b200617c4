"""What every `GraphStore` must do, told apart from `PlainGraph`, which does it in the plainest way."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.contracts.graph_answers import GraphAnswersContract
from tests.contracts.graph_changes import GraphChangesContract
from tests.contracts.graph_documents import (
    NAMES,
    NASTY,
    Drawing,
    alias,
    chunk,
    document,
    known,
    mention,
    says,
)
from tests.contracts.graph_model import PlainGraph, listed, plain
from tests.contracts.graph_steps import ANN, BO, everything, fill, remove, unused
from tools.errors import Conflict, InvalidInput
from tools.stores.graph_protocol import (
    Community,
    GraphChange,
    GraphStore,
    Sentence,
)


class GraphStoreContract(GraphChangesContract, GraphAnswersContract):
    """Subclass and provide a fixture `graphs`."""

    async def test_two_graphs_of_a_tenant_have_nothing_in_common(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN, dataset="one")
        await fill(graphs, tenant, ANN, BO, dataset="two")
        one = await everything(graphs, tenant, "one")
        await remove(graphs, tenant, "d1", dataset="two")
        assert await everything(graphs, tenant, "one") == one
        await graphs.drop(tenant, "two")
        assert await everything(graphs, tenant, "one") == one

    async def test_a_tenant_never_sees_another_tenants_records(self, graphs: GraphStore) -> None:
        ours, theirs = unused(), unused()
        await fill(graphs, ours, ANN)
        kept = [Community("c", 0, "", ["ann", "acme"], [Sentence(1, 0, 9)], "Ann's.", [1])]
        await graphs.keep_communities(ours, "d", 1, kept)
        before = await everything(graphs, ours)
        secret = document("d9", chunk(9, "acme"), mention(9, "ann"), mention(9, "spy"), says(9, "spy", "uses", "ann"))
        await graphs.apply(theirs, "d", GraphChange(0, [secret], gained=[known(1, "ann")]))
        await graphs.keep_communities(theirs, "d", 1, [replace(kept[0], summary="Theirs.")])
        await graphs.apply(theirs, "d", GraphChange(1, removed=["d1"], lost=["ann", "acme"]))
        assert await everything(graphs, ours) == before
        await graphs.drop(theirs, "d")
        assert await everything(graphs, ours) == before
        assert not await graphs.find(ours, "d", "spy", 5)
        assert not await graphs.evidence(ours, "d", [("spy", "ann")])

    async def test_communities_are_those_last_kept_for_the_graph_as_it_is(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN, BO)
        first = [Community("old", 0, "", ["ann"])]
        kept = [
            Community("b", 0, "", ["bo", "acme"], [Sentence(2, 3, 9), Sentence(1, 0, 9)], "Summary.", [1, 2]),
            Community("a", 1, "b", ["bo"]),
            Community("a1", 0, "", ["ann"]),
        ]
        assert not await graphs.keep_communities(tenant, "d", 0, first)
        assert await graphs.communities(tenant, "d") == []
        assert await graphs.keep_communities(tenant, "d", 1, first)
        assert await graphs.keep_communities(tenant, "d", 1, kept)
        found = listed(await graphs.communities(tenant, "d"))
        assert found == listed([kept[2], kept[0], kept[1]])
        assert (await graphs.counts(tenant, "d"))["communities"] == 3
        assert await graphs.version(tenant, "d") == 1
        await fill(graphs, tenant, document("d3", mention(3, "x")))
        assert not await graphs.keep_communities(tenant, "d", 1, first)
        assert listed(await graphs.communities(tenant, "d")) == found

    async def test_what_is_gone_leaves_communities_and_voids_their_summaries(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN, BO)
        kept = [
            Community(
                "a", 0, "", ["ann", "acme", "nobody"], [Sentence(1, 0, 9), Sentence(2, 0, 9)], "Of both.", [1, 2]
            ),
            Community("b", 1, "a", ["ann"], (), "Of Ann."),
            Community("c", 1, "a", ["acme"], [Sentence(2, 0, 5)], "Of Bo.", [2]),
        ]
        await graphs.keep_communities(tenant, "d", 1, kept)
        await remove(graphs, tenant, "d1")
        left = [
            Community("a", 0, "", ["acme"], [Sentence(2, 0, 9)], "", []),
            Community("c", 1, "a", ["acme"], [Sentence(2, 0, 5)], "Of Bo.", [2]),
        ]
        assert listed(await graphs.communities(tenant, "d")) == listed(left)
        await fill(graphs, tenant, ANN)
        assert listed(await graphs.communities(tenant, "d")) == listed(left)

    @pytest.mark.parametrize("name", NASTY)
    async def test_names_and_titles_are_text_whatever_they_say(self, graphs: GraphStore, name: str) -> None:
        tenant = unused()
        nasty = document(
            name, chunk(1, name), mention(1, name, name=name), says(1, name, name, "x"), alias(1, "y", name), title=name
        )
        await fill(graphs, tenant, nasty, BO, dataset=name)
        model = PlainGraph()
        model.apply(GraphChange(0, [nasty, BO]))
        assert plain(await graphs.read(tenant, name)) == model.read()
        assert name in {entity.norm for entity in await graphs.find(tenant, name, name, 9)}
        assert await graphs.evidence(tenant, name, [(name, "x")]) == list(nasty.evidence)
        assert await graphs.mentions(tenant, name, [(name, 1)]) == list(nasty.mentions)
        assert await graphs.neighbourhood(tenant, name, [name], 1, 9) == model.neighbourhood([name], 1, 9)
        await remove(graphs, tenant, name, dataset=name)
        assert [entity.norm for entity in (await graphs.read(tenant, name)).entities] == ["acme", "bo"]

    async def test_names_that_are_no_unicode_are_refused(self, graphs: GraphStore) -> None:
        tenant = unused()
        for broken in (mention(1, "ann", name="\ud800"), mention(1, "\udfff"), alias(1, "ann", "\ud800")):
            with pytest.raises(InvalidInput):
                await fill(graphs, tenant, document("d1", broken))
        assert await graphs.version(tenant, "d") == 0

    async def test_a_name_may_be_as_long_as_a_page(self, graphs: GraphStore) -> None:
        tenant = unused()
        long = ["长名" * 20_000, "长名" * 20_000 + "!"]
        one = document("d1", chunk(1, long[0]), mention(1, long[1]), says(1, long[0], "uses", long[1]))
        await fill(graphs, tenant, one)
        assert [entity.norm for entity in (await graphs.read(tenant, "d")).entities] == long
        assert await graphs.evidence(tenant, "d", [(long[0], long[1])]) == list(one.evidence)
        await remove(graphs, tenant, "d1")
        assert set((await graphs.counts(tenant, "d")).values()) == {0}

    async def test_three_tenants_with_the_same_names_each_have_their_own_graph(self, graphs: GraphStore) -> None:
        await Conversation(graphs, seed=1).go(self.operations)

    operations = 1000
    """How many random operations the three tenants make."""

    async def test_check_returns_where_the_store_answers(self, graphs: GraphStore) -> None:
        await graphs.check()


class Conversation:
    """Random operations of three tenants, each answer held against a model of that tenant's graph."""

    def __init__(self, graphs: GraphStore, seed: int) -> None:
        self.graphs = graphs
        self.drawing = Drawing(seed)
        self.random = random.Random(seed)
        self.models = {(unused(), dataset): PlainGraph() for _ in range(3) for dataset in ("d", "e")}

    async def go(self, operations: int) -> None:
        for _ in range(operations):
            key = self.random.choice(list(self.models))
            await self.step(key, self.models[key])
        for key, model in self.models.items():
            assert plain(await self.graphs.read(*key)) == model.read()

    async def step(self, key: tuple[str, str], model: PlainGraph) -> None:
        draw, graphs = self.random, self.graphs
        norms = draw.sample(NAMES, 4)
        ids = [f"doc{n}" for n in range(8)]
        positions = sorted(model.chunks)
        pairs = [(draw.choice(NAMES), draw.choice(NAMES)) for _ in range(3)]
        number = draw.randint(1, 12)
        match draw.randint(0, 19):
            case 0 | 1 | 2 | 3 | 4 | 5:
                change = self.drawing.change(model.version, ids, positions)
                assert await graphs.apply(*key, change) == model.apply(change)
            case 6:
                with pytest.raises(Conflict):
                    await graphs.apply(*key, self.drawing.change(model.version + 1, ids, positions))
            case 7:
                assert await graphs.names_of(*key, ids[:4]) == model.names_of(ids[:4])
            case 8:
                assert await graphs.standing(*key, norms, ids[:2]) == model.standing(norms, ids[:2])
            case 9:
                assert await graphs.known_names(*key) == model.known_names()
            case 10:
                assert plain(await graphs.read(*key)) == model.read()
            case 11:
                assert await graphs.evidence(*key, pairs, number) == model.evidence(pairs, number)
            case 12:
                asked = [(norm, at) for norm in norms for at in positions[:3]]
                assert await graphs.mentions(*key, asked) == model.mentions(asked)
            case 13:
                found = await graphs.passages_of(*key, norms[0], number)
                assert found == model.passages_of(norms[0], number)
            case 14 | 15:
                around = norms[: draw.randint(0, 2)], draw.randint(0, 3), number
                assert await graphs.neighbourhood(*key, *around) == model.neighbourhood(*around)
            case 16:
                text = draw.choice(NAMES)[: draw.randint(0, 3)]
                assert await graphs.find(*key, text, number) == model.find(text, number)
            case 17:
                kept = self.drawing.communities(sorted(model.norms), positions)
                version = model.version - draw.randint(0, 1)
                assert await graphs.keep_communities(*key, version, kept) == model.keep_communities(version, kept)
            case 18:
                assert listed(await graphs.communities(*key)) == model.communities()
                assert await graphs.counts(*key) == model.counts()
            case _:
                if draw.random() < 0.2:
                    await graphs.drop(*key)
                    model.drop()
                assert await graphs.version(*key) == model.version
