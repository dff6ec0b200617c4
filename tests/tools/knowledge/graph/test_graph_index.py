"""Graphs made ready for questions."""

from __future__ import annotations

import numpy as np

from tests.tools.knowledge.graph.made import rows
from tools.knowledge.graph.graph_index import GraphIndex, index_of

CHUNKS = [
    ("Silver Tide", ["Mara Quill", "1999"]),
    ("Mara Quill", ["Port Ennis", "M. Quill"]),
    ("", ["Port Ennis", "1999"]),
]


def step(graph: GraphIndex, start: str, end: str) -> float:
    """The probability of a step between two nodes, named by entity or by chunk number."""
    nodes = [
        graph.norms.index(x) if not x.isdigit() or x in graph.norms else graph.entities + int(x) for x in (start, end)
    ]
    return float(graph.walk[nodes[0], nodes[1]])


def test_steps_from_every_node_add_up_to_one() -> None:
    graph = index_of(rows(CHUNKS, [("Silver Tide", "created_by", "Mara Quill", 0.8)]))
    assert np.allclose(graph.walk.sum(axis=1), 1)
    assert graph.walk.dtype == np.float32


def test_a_walk_goes_to_what_an_entity_is_the_subject_of_and_shuns_numbers_and_byways() -> None:
    graph = index_of(rows(CHUNKS))
    assert step(graph, "mara quill", "1") > 10 * step(graph, "mara quill", "0")
    assert step(graph, "0", "mara quill") > 10 * step(graph, "0", "1999")
    assert step(graph, "1", "mara quill") > step(graph, "1", "port ennis")


def test_merged_entities_are_one_under_all_their_names() -> None:
    graph = index_of(rows(CHUNKS, merged={"M. Quill": "Mara Quill"}))
    alone = index_of(rows(CHUNKS))
    assert graph.entities == alone.entities - 1
    assert graph.table.rows["m quill"] == graph.table.rows["mara quill"]
    mara = graph.table.rows["mara quill"]
    assert graph.also == {mara: ["m quill"]}
    assert graph.df[mara] == 2
    assert graph.mentions.of(1).tolist().count(mara) == 1


def test_edges_are_seen_from_both_ends_and_never_lead_back_to_their_start() -> None:
    edges = [("Silver Tide", "created_by", "Mara Quill", 0.8), ("Mara Quill", "related_to", "M. Quill", 0.5)]
    graph = index_of(rows(CHUNKS, edges, merged={"M. Quill": "Mara Quill"}))
    tide, mara = graph.table.rows["silver tide"], graph.table.rows["mara quill"]
    assert graph.edges.others.of(tide).tolist() == [mara]
    assert graph.edges.others.of(mara).tolist() == [tide]
    forward = {owner: bool(graph.edges.forward[graph.edges.others.starts[owner]]) for owner in (tide, mara)}
    assert forward == {tide: True, mara: False}


def test_chunks_are_found_by_position_and_by_the_types_they_mention() -> None:
    graph = index_of(rows(CHUNKS, types={"Port Ennis": "location", "Silver Tide": "work"}))
    assert graph.chunks_at(np.array([30, 5, 10, 99])).tolist() == [2, -1, 0, -1]
    assert graph.positions_with({"location"}).tolist() == [20, 30]
    assert graph.positions_with({"work", "metric"}).tolist() == [10]
    assert graph.positions_with({"metric"}).tolist() == []


def test_an_empty_graph_is_a_graph() -> None:
    graph = index_of(rows([]))
    assert (graph.entities, len(graph.positions)) == (0, 0)
    assert graph.chunks_at(np.array([1, 2])).tolist() == [-1, -1]
    assert graph.positions_with({"work"}).tolist() == []
    assert graph.size_bytes > 0
