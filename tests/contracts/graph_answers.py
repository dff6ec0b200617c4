"""What a `GraphStore` tells of names, edges, sentences and neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from tests.contracts.graph_documents import (
    alias,
    chunk,
    document,
    known,
    mention,
    says,
)
from tests.contracts.graph_model import PlainGraph
from tests.contracts.graph_steps import ANN, BO, everything, fill, remove, unused
from tools.stores.graph_protocol import (
    Community,
    GraphChange,
    GraphEdge,
    GraphStore,
    NameStanding,
)


class GraphAnswersContract:
    """Part of `GraphStoreContract`."""

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
        assert await graphs.find(tenant, "d", "wh", 5) == await graphs.find(tenant, "d", "wo", 5) == [long]
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
        assert sorted(around.entities) == sorted(entity for entity in entities if not entity.merged_into)
        by_norm = {entity.norm: entity for entity in entities}
        for entity in entities:
            kept = by_norm[entity.merged_into or entity.norm]
            assert await graphs.find(tenant, "d", entity.norm, 1) == [kept]

    async def test_what_a_merged_name_relates_to_relates_to_what_it_is_merged_with(self, graphs: GraphStore) -> None:
        tenant = unused()
        rows = [
            says(1, "who", "uses", "aid", 0.5),
            says(2, "health", "uses", "aid", 0.5),
            says(3, "rome", "uses", "who"),
        ]
        about = [chunk(4, "who"), mention(4, "geneva"), mention(4, "health"), mention(5, "health")]
        await fill(graphs, tenant, document("d1", *rows, *about, says(6, "who", "is_a", "health")))
        await fill(graphs, tenant, document("d2", alias(7, "who", "health")))
        for name in ("who", "health"):
            assert await graphs.evidence(tenant, "d", [("aid", name)]) == rows[:2]
            assert await graphs.evidence(tenant, "d", [(name, "aid")], 1) == rows[:1]
            around = await graphs.neighbourhood(tenant, "d", [name], 1, 9)
            assert [entity.norm for entity in around.entities] == ["health", "geneva", "aid", "rome"]
            assert around.complete
            assert around.edges == [
                GraphEdge("geneva", "related_to", "health", 0.0, 1),
                GraphEdge("health", "uses", "aid", 0.75, 2),
                GraphEdge("rome", "uses", "health", 0.8, 1),
            ]
        further = await graphs.neighbourhood(tenant, "d", ["aid"], 2, 9)
        assert [entity.norm for entity in further.entities] == ["aid", "health", "geneva", "rome"]
        best = await graphs.neighbourhood(tenant, "d", [], 0, 9)
        assert "who" not in {entity.norm for entity in best.entities}

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
