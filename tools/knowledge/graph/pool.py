"""The passages worth a second look: the best by the walk, by words and by meaning, and all that is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.graph.features import Candidates
from tools.knowledge.graph.linking import HOW_SURE
from tools.knowledge.graph.rows import Rows, rows_of
from tools.knowledge.graph.walking import Explored

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

BY_WALK, BY_WORDS, BY_MEANING = 40, 20, 20
"""How many of each list; on the questions this was measured with, 99.6 in 100 gold passages are among them."""

KEPT = 1_000
"""Chunks that the walk came to which are looked up in the index: more than any list is deep."""


@dataclass(frozen=True)
class Pool:
    """Rows of the index (p,) in ascending order, their candidates, and where each stands in a graph.

    `graphs` (p,) are places in what was explored and `chunks` (p,) rows there, both -1 for a passage that is in no
    graph.
    """

    rows: Places
    candidates: Candidates
    graphs: Places
    chunks: Places


def walk_list(explored: Sequence[Explored], positions: Places, allowed: NDArray[np.bool_] | None, depth: int) -> Places:
    """Rows of the index that the walk came to, best first, at most `depth`; `positions` are those of all rows."""
    parts = [_reached(one, positions, allowed) for one in explored]
    rows = np.concatenate([rows for rows, _ in parts])
    visits = np.concatenate([visits for _, visits in parts])
    return rows[np.lexsort((rows, -visits))][:depth]


def _reached(one: Explored, positions: Places, allowed: NDArray[np.bool_] | None) -> tuple[Places, Floats]:
    chunks = np.flatnonzero(one.chunks > 0)
    if allowed is None and len(chunks) > KEPT:
        chunks = chunks[np.argpartition(one.chunks[chunks], -KEPT)[-KEPT:]]
    rows = _rows_at(positions, one.graph.positions[chunks])
    there = rows >= 0
    if allowed is not None:
        there &= allowed[np.maximum(rows, 0)]
    return rows[there], one.chunks[chunks[there]]


def _rows_at(positions: Places, wanted: Places) -> Places:
    """The row at each position, -1 where there is none: the graph may know chunks that the index does not."""
    if not len(positions):
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(positions, wanted), len(positions) - 1)
    return np.where(positions[places] == wanted, places, -1)


def pool(
    lists: Sequence[Places],
    relevance: Floats,
    cosines: Floats | None,
    positions: Places,
    explored: Sequence[Explored],
    at_least: int = 0,
) -> Pool:
    """Put together what the three `lists` (words, meaning, walk: rows, best first) found.

    `relevance` and `cosines` are of all rows of the index, `positions` too. `at_least` passages of each list are taken.
    """
    tops = [found[: max(depth, at_least)] for found, depth in zip(lists, (BY_WORDS, BY_MEANING, BY_WALK), strict=True)]
    rows = np.unique(np.concatenate(tops))
    graphs, chunks = _in_graphs(positions[rows], explored)
    firsts = np.cumsum([0, *(one.graph.entities for one in explored)])
    subjects, visits = np.full(len(rows), -1, dtype=np.int64), np.zeros(len(rows), dtype=np.float32)
    for number, one in enumerate(explored):
        here = np.flatnonzero(graphs == number)
        about = one.graph.subjects[chunks[here]]
        visits[here] = one.chunks[chunks[here]]
        subjects[here[about >= 0]] = about[about >= 0] + firsts[number]
    candidates = Candidates(
        relevance=relevance[rows],
        cosines=None if cosines is None else cosines[rows],
        visits=visits,
        ranks=np.stack([_ranks(found, rows) for found in lists]),
        subjects=subjects,
        mentions=_mentions(explored, graphs, chunks, firsts),
        linked=np.concatenate([one.seeds + first for one, first in zip(explored, firsts, strict=False)]),
        weights=np.concatenate([one.weights for one in explored]),
        sure=np.concatenate([[HOW_SURE[found.how] for found in one.links] for one in explored]).astype(np.float32),
    )
    return Pool(rows, candidates, graphs, chunks)


def _in_graphs(positions: Places, explored: Sequence[Explored]) -> tuple[Places, Places]:
    graphs, chunks = np.full(len(positions), -1, dtype=np.int64), np.full(len(positions), -1, dtype=np.int64)
    for number, one in enumerate(explored):
        found = one.graph.chunks_at(positions)
        graphs[found >= 0] = number
        chunks = np.maximum(chunks, found)
    return graphs, chunks


def _mentions(explored: Sequence[Explored], graphs: Places, chunks: Places, firsts: Places) -> Rows:
    """The entities of each candidate, counted through all graphs."""
    owners, values = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for number, one in enumerate(explored):
        here = np.flatnonzero(graphs == number)
        places, of = one.graph.mentions.places(chunks[here])
        owners.append(here[of])
        values.append(one.graph.mentions.values[places] + firsts[number])
    return rows_of(np.concatenate(owners), np.concatenate(values), len(graphs))[0]


def _ranks(found: Places, rows: Places) -> Floats:
    """The rank of each of `rows` in a list, counted from 1; infinite for what is not in it."""
    order = np.argsort(found)
    if not len(found):
        return np.full(len(rows), np.inf, dtype=np.float32)
    places = np.minimum(np.searchsorted(found, rows, sorter=order), len(found) - 1)
    at = order[places]
    return np.where(found[at] == rows, at + 1, np.inf).astype(np.float32)
