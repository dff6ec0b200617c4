"""Ways from a question's entities to passages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.tools.knowledge.graph.made import rows
from tools.knowledge.graph.graph_index import GraphIndex, index_of
from tools.knowledge.graph.linking import Link
from tools.knowledge.graph.routes import NO_CHUNK, Route, routes
from tools.knowledge.graph.walking import explore, linked

CHAIN = [
    ("A One", ["B Two"]),
    ("B Two", ["C Three"]),
    ("C Three", ["D Four"]),
    ("D Four", []),
    ("Far Off", ["Out There"]),
]


def ways(graph: GraphIndex, question: str, chunk: int, max_hops: int = 2) -> list[list[str]]:
    return [_stops(graph, way) for way in _routes(graph, question, chunk, max_hops)]


def _routes(graph: GraphIndex, question: str, chunk: int, max_hops: int) -> list[Route]:
    links: Sequence[Sequence[Link]] = linked(question, [graph])
    (explored,) = explore([graph], links, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    return routes(explored, [chunk], max_hops)[0]


def _stops(graph: GraphIndex, way: Route) -> list[str]:
    return [graph.names[way.hops[0].start], *(graph.names[hop.end] for hop in way.hops)]


def test_a_way_is_found_within_its_hops_and_not_beyond() -> None:
    graph = index_of(rows(CHAIN))
    for hops in range(1, 7):
        for chunk in (1, 2, 3):
            found = ways(graph, "Who is A One?", chunk, hops)
            expected = ["A One", "B Two", "C Three", "D Four"][: chunk + 1]
            assert found == ([expected] if chunk <= hops else [])
    assert ways(graph, "Who is A One?", 4, 6) == []


def test_ways_lead_against_the_direction_of_mentions_too() -> None:
    graph = index_of(rows(CHAIN))
    (way,) = _routes(graph, "Who is C Three?", 0, 2)
    assert _stops(graph, way) == ["C Three", "B Two", "A One"]
    assert [hop.forward for hop in way.hops] == [False, False]
    assert [hop.chunk for hop in way.hops] == [1, 0]


def test_a_certain_relation_is_taken_before_a_mention() -> None:
    graph = index_of(rows(CHAIN, [("A One", "works_for", "B Two", 0.95)]))
    way = _routes(graph, "Who is A One?", 1, 2)[0]
    assert [hop.chunk for hop in way.hops] == [NO_CHUNK]


def test_a_way_round_a_hub_is_taken_before_one_through_it() -> None:
    chunks = [("A One", ["Hub", "Side"]), ("C Three", ["Hub", "Side"]), *[("", ["Hub"])] * 50]
    graph = index_of(rows(chunks))
    assert ways(graph, "Who is A One?", 1)[0] == ["A One", "Side", "C Three"]


def test_a_passage_about_a_linked_entity_leads_to_the_other_linked_ones() -> None:
    graph = index_of(rows(CHAIN))
    assert ways(graph, "How is A One related to B Two?", 0) == [["A One", "B Two"]]
    assert ways(graph, "How is A One?", 0) == []


def test_a_passage_about_nothing_is_reached_by_what_it_mentions() -> None:
    graph = index_of(rows([("A One", ["B Two"]), ("", ["B Two"])]))
    assert ways(graph, "How is A One?", 1) == [["A One", "B Two"]]


def test_no_way_goes_in_circles() -> None:
    graph = index_of(rows([("A One", ["B Two"]), ("B Two", ["A One"]), ("C Three", ["A One", "B Two"])]))
    for stops in ways(graph, "How is A One?", 2, 6):
        assert len(set(stops)) == len(stops)
