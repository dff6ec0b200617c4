from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.knowledge.graph.communities_partition import CHUNKS_OF_DOCUMENT, Linked, Partition, partition


def linked(
    subjects: Sequence[int],
    mentions: Sequence[tuple[int, int]],
    edges: Sequence[tuple[int, int, float]] = (),
    group_of: Sequence[int] | None = None,
    documents: Sequence[int] | None = None,
    entities: int = 0,
) -> Linked:
    """Chunk i is about `subjects[i]`; mentions are (chunk, entity), edges (head, tail, confidence)."""
    number = max([entities - 1, *subjects, *(e for _, e in mentions), *(max(h, t) for h, t, _ in edges)]) + 1
    return Linked(
        np.array(range(number) if group_of is None else group_of, np.int32),
        np.array(range(len(subjects)) if documents is None else documents, np.int32),
        np.array(subjects, np.int32),
        np.array([chunk for chunk, _ in mentions], np.int32),
        np.array([entity for _, entity in mentions], np.int32),
        np.array([head for head, _, _ in edges], np.int32),
        np.array([tail for _, tail, _ in edges], np.int32),
        np.array([confidence for _, _, confidence in edges], np.float32),
    )


def sets(found: Partition, level: int) -> list[set[int]]:
    row = found.members[level]
    return [set(np.flatnonzero(row == number).tolist()) for number in np.flatnonzero(found.levels == level)]


def two_circles() -> Linked:
    """Entities 0-3 and 4-7 speak of each other, and one chunk of both."""
    mentions = [(c, e) for c in range(4) for e in range(4)] + [(c, e) for c in range(4, 8) for e in range(4, 8)]
    return linked(range(8), [*mentions, (0, 4)])


def test_those_who_speak_of_each_other_belong_together() -> None:
    assert sets(partition(two_circles()), 0) == [{0, 1, 2, 3}, {4, 5, 6, 7}]


def test_a_relation_alone_binds_two_entities() -> None:
    found = partition(linked([-1], [], [(0, 1, 0.9), (2, 3, 0.9)]))
    assert sets(found, 0) == [{0, 1}, {2, 3}]


def test_mentions_of_a_chunk_without_subject_belong_together() -> None:
    found = partition(linked([-1, -1], [(0, 0), (0, 2), (0, 4), (1, 1), (1, 3)]))
    assert sets(found, 0) == [{0, 2, 4}, {1, 3}]


def test_merged_entities_are_one() -> None:
    # Entities 1 and 2 are one group; nothing else joins 0 to 3.
    found = partition(linked([0, 3], [(0, 1), (1, 2)], group_of=[0, 1, 1, 2]))
    assert sets(found, 0) == [{0, 1, 2}]


def test_an_entity_alone_is_no_community() -> None:
    found = partition(linked([0, 1], [(0, 0), (1, 1)]))
    assert found.levels.size == 0
    assert (found.members == -1).all()


def test_an_empty_graph_has_none() -> None:
    found = partition(_nothing())
    assert found.levels.size == 0
    assert found.chunks.size == 0


def _nothing() -> Linked:
    empty = np.zeros(0, np.int32)
    return Linked(empty, empty, empty, empty, empty, empty, empty, np.zeros(0, np.float32))


def cliques(circles: int, each: int, size: int) -> Linked:
    """Circles of cliques: each entity knows its clique, one in each clique its circle, one in each circle the next."""
    edges: list[tuple[int, int, float]] = []
    for clique in range(circles * each):
        first, circle = clique * size, clique // each
        edges += [(first + a, first + b, 1.0) for a in range(size) for b in range(a)]
        edges += [(first + other % size, other * size, 1.0) for other in range(circle * each, clique)]
    edges += [(c * each * size, (c + 1) % circles * each * size, 0.5) for c in range(circles)]
    return linked([-1], [], edges)


def test_large_communities_fall_into_smaller_ones() -> None:
    found = partition(cliques(6, 4, 5))
    assert sets(found, 0) == [set(range(first, first + 20)) for first in range(0, 120, 20)]
    assert sets(found, 1) == [set(range(first, first + 5)) for first in range(0, 120, 5)]
    for child in np.flatnonzero(found.levels == 1):
        assert (found.members[0][found.members[1] == child] == found.parents[child]).all()


def test_the_same_graph_gives_the_same_communities() -> None:
    first, second = partition(cliques(3, 3, 5)), partition(cliques(3, 3, 5))
    assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in ("members", "centres", "chunks"))


def test_the_order_of_chunks_and_edges_changes_nothing() -> None:
    graph = cliques(4, 3, 5)
    order = np.random.default_rng(3).permutation(len(graph.edge_heads))
    shuffled = Linked(
        graph.group_of,
        graph.chunk_documents,
        graph.subjects,
        graph.mention_chunks,
        graph.mention_entities,
        graph.edge_tails[order],
        graph.edge_heads[order],
        graph.edge_confidences[order],
    )
    assert np.array_equal(partition(graph).members, partition(shuffled).members)


def test_the_best_connected_entity_is_the_centre() -> None:
    found = partition(linked([2, 2, 2], [(0, 0), (1, 1), (2, 3)]))
    assert found.centres.tolist() == [2]


def test_chunks_that_speak_of_a_community_stand_for_it() -> None:
    found = partition(two_circles())
    standing = {owner: found.chunks[found.chunk_owners == owner].tolist() for owner in range(2)}
    assert set(standing[0]) == {0, 1, 2, 3}
    assert standing[0][-1] == 0  # it speaks of another community besides
    assert set(standing[1]) >= {4, 5, 6, 7}


def test_chunks_are_spread_over_documents() -> None:
    mentions = [(chunk, entity) for chunk in range(30) for entity in range(3)]
    documents = [0] * 24 + [1, 1, 2, 2, 3, 3]
    found = partition(linked([0] * 30, mentions, documents=documents))
    of_documents = [documents[chunk] for chunk in found.chunks[: CHUNKS_OF_DOCUMENT + 6].tolist()]
    assert set(of_documents) == {0, 1, 2, 3}
    assert of_documents.count(0) == CHUNKS_OF_DOCUMENT
