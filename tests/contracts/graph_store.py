"""What every `GraphStore` must do, told apart from `PlainGraph`, which does it in the plainest way."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

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
from tools.errors import Conflict, InvalidInput
from tools.stores.graph_protocol import (
    Community,
    GraphChange,
    GraphDocument,
    GraphEdge,
    GraphStore,
    NameStanding,
    Neighbourhood,
    Sentence,
)

ANN = document(
    "d1", chunk(1, "ann", "person", 0.8), mention(1, "acme", "organization"), says(1, "ann", "works_for", "acme")
)
BO = document(
    "d2", chunk(2, "bo", "person", 0.8), mention(2, "acme", "organization"), says(2, "bo", "works_for", "acme")
)


def unused() -> str:
    """A tenant that no other test has."""
    return f"t-{secrets.token_hex(6)}"


async def fill(graphs: GraphStore, tenant: str, *documents: GraphDocument, dataset: str = "d") -> int:
    """Apply the documents to the graph as it is."""
    version = await graphs.version(tenant, dataset)
    return await graphs.apply(tenant, dataset, GraphChange(version, documents))


async def fill_after_all(graphs: GraphStore, tenant: str) -> int:
    """Make an empty change; one that was given up may still come before it."""
    while True:
        try:
            return await fill(graphs, tenant)
        except Conflict:
            continue


async def remove(graphs: GraphStore, tenant: str, *ids: str, dataset: str = "d") -> int:
    """Remove documents from the graph as it is."""
    version = await graphs.version(tenant, dataset)
    return await graphs.apply(tenant, dataset, GraphChange(version, removed=ids))


async def everything(graphs: GraphStore, tenant: str, dataset: str = "d") -> Mapping[str, object]:
    """All that can be asked of a graph; versions apart, equal graphs give equal answers."""
    rows = await graphs.read(tenant, dataset)
    norms = [entity.norm for entity in rows.entities]
    pairs = [(norm, position) for norm in norms for position in rows.positions.tolist()]
    around = await graphs.neighbourhood(tenant, dataset, (), 0, 1000)
    return {
        **plain(replace(rows, version=0)),
        "names": await graphs.known_names(tenant, dataset),
        "named by": [await graphs.names_of(tenant, dataset, [id_]) for id_ in rows.documents],
        "evidence": await graphs.evidence(tenant, dataset, [(a, b) for a in norms for b in norms if a <= b], 1000),
        "mention rows": await graphs.mentions(tenant, dataset, pairs),
        "around": replace(around, version=0),
        "counts": await graphs.counts(tenant, dataset),
        "communities": await graphs.communities(tenant, dataset),
    }


class GraphStoreContract:
    """Subclass and provide a fixture `graphs`."""

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

    async def test_a_name_is_spelt_as_it_is_most_often(self, graphs: GraphStore) -> None:
        tenant = unused()
        spelt = [mention(1, "ann", start=n, name=name) for n, name in enumerate(("ANN", "Ann", "ann", "ANN", "Ann"))]
        await fill(graphs, tenant, document("d1", *spelt))
        (ann,) = (await graphs.read(tenant, "d")).entities
        assert (ann.name, ann.aliases, ann.df) == ("ANN", ("Ann", "ann"), 1)

    async def test_the_type_is_the_one_of_the_highest_sum_of_confidences(self, graphs: GraphStore) -> None:
        tenant = unused()
        votes = [("person", 0.9), ("location", 0.5), ("location", 0.6), ("", 1.0)]
        rows = [mention(1, "ann", type_, confidence, start) for start, (type_, confidence) in enumerate(votes)]
        await fill(graphs, tenant, document("d1", chunk(1, "ann", "location", 0.4), *rows))
        (ann,) = await graphs.find(tenant, "d", "ann", 5)
        assert (ann.type, ann.type_confidence) == ("location", round(1.5 / 2.4 * 0.5, 6))

    async def test_without_any_vote_there_is_no_type(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(
            graphs, tenant, document("d1", chunk(1, "ann"), mention(1, "bo", "person", 0.0), says(1, "x", "uses", "y"))
        )
        found = {entity.norm: entity for entity in (await graphs.read(tenant, "d")).entities}
        assert {norm: (entity.type, entity.type_confidence) for norm, entity in found.items()} == {
            "ann": ("", 0.0),
            "bo": ("person", 0.0),
            "x": ("", 0.0),
            "y": ("", 0.0),
        }
        assert (found["x"].name, found["x"].df) == ("x", 0)

    async def test_the_confidence_of_an_edge_is_the_chance_that_one_sentence_is_right(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [says(1, "ann", "uses", "bo", confidence, n) for n, confidence in enumerate((0.5, 0.4, 0.123456))]
        await fill(graphs, tenant, document("d1", *rows))
        around = await graphs.neighbourhood(tenant, "d", ["ann"], 1, 5)
        assert around.edges == [GraphEdge("ann", "uses", "bo", round(1 - 0.5 * 0.6 * 0.876544, 6), 3)]

    async def test_an_edge_rests_on_its_fifty_surest_sentences(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [says(n, "ann", "uses", "bo", 0.01 + 0.0001 * n) for n in range(60)]
        await fill(graphs, tenant, *(document(f"d{row.position}", row) for row in rows))
        model = PlainGraph()
        model.apply(GraphChange(0, [document(f"d{row.position}", row) for row in rows]))
        assert (await graphs.neighbourhood(tenant, "d", ["ann"], 1, 5)).edges == model.edges
        await remove(graphs, tenant, "d59", "d3")
        model.apply(GraphChange(1, removed=["d59", "d3"]))
        assert (await graphs.neighbourhood(tenant, "d", ["ann"], 1, 5)).edges == model.edges

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

    async def test_another_name_is_merged_and_comes_apart_again(self, graphs: GraphStore) -> None:
        tenant = unused()
        who = document("d1", chunk(1, "who"), mention(1, "world health organization", name="World Health Organization"))
        says_so = document("d2", alias(2, "who", "world health organization"), mention(2, "who", name="W.H.O."))
        await fill(graphs, tenant, who)
        apart = await everything(graphs, tenant)
        await fill(graphs, tenant, says_so)
        short, long = (await graphs.read(tenant, "d")).entities
        assert (short.merged_into, short.aliases) == ("world health organization", ("Who",))
        assert (long.merged_into, long.aliases, long.df) == ("", ("W.H.O.", "Who"), 1)
        assert [row.position for row in await graphs.passages_of(tenant, "d", "who", 5)] == [1, 2]
        assert await graphs.find(tenant, "d", "wh", 5) == [short]
        await remove(graphs, tenant, "d2")
        assert await everything(graphs, tenant) == apart

    @pytest.mark.parametrize(
        ("pairs", "merged"),
        [
            ([("a", "b"), ("a", "b")], {"a": "b"}),
            ([("a", "b"), ("a", "c")], {}),
            ([("a", "b"), ("b", "c")], {"b": "c"}),
            ([("a", "b"), ("b", "a")], {}),
            ([("a", "a"), ("c", "a")], {}),
            ([("a", "c"), ("b", "c")], {"a": "c", "b": "c"}),
        ],
    )
    async def test_names_are_merged_where_all_agree_on_one_that_has_no_other_itself(
        self, graphs: GraphStore, pairs: Sequence[tuple[str, str]], merged: Mapping[str, str]
    ) -> None:
        tenant = unused()
        for at, pair in enumerate(pairs):
            await fill(graphs, tenant, document(f"d{at}", alias(at, *pair)))
        entities = (await graphs.read(tenant, "d")).entities
        assert {entity.norm: entity.merged_into for entity in entities if entity.merged_into} == merged
        around = await graphs.neighbourhood(tenant, "d", [], 0, 9)
        assert sorted(around.entities) == sorted(entities)
        for entity in entities:
            assert await graphs.find(tenant, "d", entity.norm, 1) == [entity]

    async def test_the_names_of_documents_are_what_their_own_rows_speak_of(self, graphs: GraphStore) -> None:
        tenant = unused()
        one = document(
            "d1", chunk(1, "ann"), mention(1, "bo"), known(1, "rome"), alias(1, "x", "y"), says(1, "p", "uses", "q")
        )
        await fill(graphs, tenant, one, document("d2", mention(2, "zoe")))
        assert await graphs.names_of(tenant, "d", ["d1", "gone"]) == ["ann", "bo", "x", "y"]
        assert await graphs.names_of(tenant, "d", []) == []

    async def test_standing_counts_chunks_of_all_documents_but_some(self, graphs: GraphStore) -> None:
        tenant = unused()
        one = document(
            "d1", chunk(1, "ann"), chunk(2, "ann"), mention(1, "ann"), mention(1, "ann", start=9), known(2, "bo")
        )
        two = document("d2", chunk(3, "bo"), mention(3, "ann"), known(3, "rome"), alias(3, "x", "bo"))
        await fill(graphs, tenant, one, two)
        names = ["bo", "ann", "rome", "x", "nobody"]
        assert await graphs.standing(tenant, "d", names) == {
            "ann": NameStanding(2, 2),
            "bo": NameStanding(1, 0),
            "x": NameStanding(0, 0),
        }
        assert await graphs.standing(tenant, "d", names, ["d2", "gone"]) == {"ann": NameStanding(2, 1)}
        assert await graphs.standing(tenant, "d", [], ["d2"]) == {}
        assert await graphs.known_names(tenant, "d") == [
            ("ann", NameStanding(2, 2)),
            ("bo", NameStanding(1, 0)),
            ("x", NameStanding(0, 0)),
        ]

    async def test_evidence_comes_surest_first_for_either_direction(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [
            says(1, "a", "uses", "b", 0.4),
            says(2, "b", "uses", "a", 0.9),
            says(3, "a", "is_a", "b", 0.9),
            says(4, "a", "uses", "c"),
        ]
        await fill(graphs, tenant, document("d1", *rows))
        assert await graphs.evidence(tenant, "d", [("b", "a")], 2) == [rows[1], rows[2]]
        assert await graphs.evidence(tenant, "d", [("a", "c"), ("a", "b"), ("a", "z")]) == [
            rows[3],
            rows[1],
            rows[2],
            rows[0],
        ]
        assert await graphs.evidence(tenant, "d", []) == []

    async def test_mentions_are_the_first_in_their_chunk_for_each_pair(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [mention(1, "ann", start=30), mention(1, "ann", start=10), mention(2, "ann"), mention(1, "bo", start=5)]
        await fill(graphs, tenant, document("d1", *rows))
        asked = [("bo", 1), ("ann", 2), ("bo", 2), ("ann", 1)]
        assert await graphs.mentions(tenant, "d", asked) == [rows[3], rows[2], rows[1]]

    async def test_passages_are_one_for_a_chunk_by_position(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [mention(at, "ann", start=start) for at in (5, 3, 9) for start in (20, 10)]
        await fill(graphs, tenant, document("d1", chunk(1, "ann"), *rows))
        found = await graphs.passages_of(tenant, "d", "ann", 2)
        assert [(row.position, row.start) for row in found] == [(3, 10), (5, 10)]

    async def test_a_neighbourhood_is_the_nearest_first_and_then_by_df(self, graphs: GraphStore) -> None:
        tenant = unused()
        chain = [says(n, f"n{n}", "precedes", f"n{n + 1}", 0.5) for n in range(1, 5)]
        more = [says(9, "hub", "uses", "n1", 0.5), mention(9, "hub"), mention(10, "hub"), mention(11, "n2")]
        await fill(graphs, tenant, document("d1", *chain, *more))
        around = await graphs.neighbourhood(tenant, "d", ["n1"], 2, 10)
        assert ([entity.norm for entity in around.entities], around.complete) == (["n1", "hub", "n2", "n3"], True)
        assert [(edge.head, edge.tail) for edge in around.edges] == [("hub", "n1"), ("n1", "n2"), ("n2", "n3")]
        cut = await graphs.neighbourhood(tenant, "d", ["n1"], 2, 2)
        assert ([entity.norm for entity in cut.entities], cut.complete) == (["n1", "hub"], False)
        exact = await graphs.neighbourhood(tenant, "d", ["n1"], 1, 3)
        assert exact.complete
        assert not (await graphs.neighbourhood(tenant, "d", ["n1"], 2, 3)).complete
        alone = await graphs.neighbourhood(tenant, "d", ["n1", "nobody"], 0, 3)
        assert ([entity.norm for entity in alone.entities], alone.edges, alone.version) == (["n1"], [], 1)

    async def test_subject_and_mention_of_a_chunk_are_neighbours(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [
            chunk(1, "b"),
            mention(1, "a"),
            mention(1, "a", start=9),
            chunk(2, "b"),
            mention(2, "a"),
            chunk(3, "a"),
            mention(3, "b"),
        ]
        await fill(graphs, tenant, document("d1", *rows, mention(1, "c"), says(1, "c", "uses", "b")))
        around = await graphs.neighbourhood(tenant, "d", ["a"], 1, 5)
        assert around.edges == [GraphEdge("a", "related_to", "b", 0.0, 3)]
        both = await graphs.neighbourhood(tenant, "d", ["b"], 1, 5)
        assert both.edges == [GraphEdge("a", "related_to", "b", 0.0, 3), GraphEdge("c", "uses", "b", 0.8, 1)]

    async def test_without_names_the_best_known_are_shown(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN, BO)
        around = await graphs.neighbourhood(tenant, "d", [], 2, 2)
        assert ([entity.norm for entity in around.entities], around.complete) == (["acme", "ann"], False)
        assert (await graphs.neighbourhood(tenant, "d", [], 0, 3)).complete

    async def test_a_neighbourhood_names_the_coarsest_communities(self, graphs: GraphStore) -> None:
        tenant = unused()
        await fill(graphs, tenant, ANN)
        kept = [Community("top", 0, "", ["ann", "acme"]), Community("deep", 1, "top", ["ann"])]
        assert await graphs.keep_communities(tenant, "d", 1, kept)
        around = await graphs.neighbourhood(tenant, "d", ["ann"], 1, 5)
        assert around.community_of == {"ann": "top", "acme": "top"}

    async def test_entities_are_found_by_a_piece_of_their_name(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [
            mention(1, "new york"),
            mention(2, "york"),
            mention(3, "yorkshire"),
            mention(4, "yorkshire"),
            mention(5, "rome"),
        ]
        await fill(graphs, tenant, document("d1", *rows))
        assert [entity.norm for entity in await graphs.find(tenant, "d", "york", 9)] == [
            "yorkshire",
            "york",
            "new york",
        ]
        assert [entity.norm for entity in await graphs.find(tenant, "d", "york", 1)] == ["yorkshire"]
        assert len(await graphs.find(tenant, "d", "", 9)) == 4

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
