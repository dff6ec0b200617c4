"""The arithmetic of names, types, edges and walks, against worked examples and properties."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.contracts.graph_documents import Drawing, chunk, document, known, mention
from tools.stores.graph_change import difference, rows_of
from tools.stores.graph_protocol import GraphChange, GraphEdge
from tools.stores.graph_rows import (
    EntityRow,
    Rows,
    Walk,
    combined,
    entities_of,
    entity_row,
    noisy_or,
    picture,
    tallies,
)


def test_noisy_or_is_the_chance_that_one_is_right() -> None:
    assert noisy_or([]) == 0.0
    assert noisy_or([0.3]) == 0.3
    assert noisy_or([0.5, 0.5, 1.0]) == 1.0
    assert noisy_or([0.1, 0.7, 0.2]) == round(1 - 0.9 * 0.3 * 0.8, 6)


def test_noisy_or_is_the_same_in_any_order() -> None:
    values = [random.Random(3).random() / 9 for _ in range(7)]
    assert len({noisy_or(order) for order in itertools.islice(itertools.permutations(values), 2000)}) == 1


def test_noisy_or_counts_the_fifty_surest() -> None:
    assert noisy_or([0.001] * 1000 + [0.01] * 50) == noisy_or([0.01] * 50)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_added_and_taken_out_again_leaves_no_trace(seed: int) -> None:
    drawing = Drawing(seed)
    one, two = (tallies(rows_of([drawing.document(id_, 5)])) for id_ in ("a", "b"))
    for norm, tally in one.items():
        other = two.get(norm, {})
        assert combined(combined(tally, other), other, -1) == tally
        assert combined(tally, tally, -1) == {}


def test_a_chunk_counts_once_however_often_it_names_something() -> None:
    rows = rows_of([document("d", chunk(1, "ann"), mention(1, "ann"), mention(1, "ann", start=9), known(1, "ann"))])
    tally = tallies(rows)["ann"]
    assert (tally["df"], tally["subjects"], tally["mentions"], tally["name:Ann"]) == (1, 1, 1, 3)


def test_an_entity_without_spelling_is_called_by_its_norm() -> None:
    assert entity_row("ann", {"links": 1}) == EntityRow("ann", "ann", "", 0.0, 0, [], "", False)


def test_merges_look_at_what_is_around() -> None:
    short = EntityRow("who", "WHO", "", 0.0, 1, (), "world health organization", True)
    long = EntityRow("world health organization", "World Health Organization", "", 0.0, 1, (), "", False)
    assert [one.merged_into for one in entities_of([short], [short])] == ["world health organization"]
    assert [one.aliases for one in entities_of([long], [short, long])] == [("WHO",)]
    renamed = long._replace(renamed=True)
    assert [one.merged_into for one in entities_of([short], [short, renamed])] == [""]
    assert [one.aliases for one in entities_of([renamed], [short, renamed])] == [()]


def test_a_row_must_rest_on_a_chunk_of_its_document() -> None:
    stray = document("d", mention(1, "ann"))
    with pytest.raises(ValueError, match="rests on no chunk"):
        rows_of([stray.__class__("d", "", [], stray.mentions)])
    with pytest.raises(ValueError, match="Two documents"):
        rows_of([stray, document("e", mention(1, "bo"))])


def test_a_document_that_changes_a_little_touches_only_that() -> None:
    old = rows_of([document("d", chunk(1, "ann"), mention(1, "bo"), mention(1, "zoe"))])
    new = rows_of([document("d", chunk(1, "ann"), mention(1, "bo"), mention(1, "acme"), title="Another")])
    what = difference(GraphChange(0), old, new, Rows())
    assert (what.removed.mentions, what.added.mentions) == ({mention(1, "zoe")}, {mention(1, "acme")})
    assert (what.removed.chunks, what.added.chunks, what.gone) == ({}, {}, set())
    assert sorted(what.tallies) == ["acme", "zoe"]
    assert what.added.documents == {"d": "Another"}


def test_a_walk_stops_where_it_may_and_says_whether_that_was_all() -> None:
    walk = Walk(["a"], 2, 3)
    assert walk.wanted == (("a",), 3)
    walk.take(["b"])
    assert walk.wanted == (["b"], 2)
    walk.take(["c"])
    assert (walk.wanted, walk.reached, walk.complete) == (None, ["a", "b", "c"], True)
    cut = Walk(["a"], 5, 2)
    cut.take(["b", "c"])
    assert (cut.wanted, cut.reached, cut.complete) == (None, ["a", "b"], False)
    assert Walk([], 2, 3).wanted is None
    assert not Walk(["a", "b"], 2, 1).complete


def test_names_that_stand_together_are_joined_once_and_only_without_an_edge() -> None:
    edge = GraphEdge("b", "uses", "a", 0.5, 1)
    found = picture(1, [], [edge], [("a", "b", 4), ("c", "a", 2), ("a", "c", 1)], {}, True, {})
    assert found.edges == [GraphEdge("a", "related_to", "c", 0.0, 3), edge]
