"""One list from two: words and vectors, joined by reciprocal rank fusion, and a floor under both."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.segment import NO_VECTOR, Floats, Mask

FUSION_K = 60
"""Ranks count 1 / (k + rank), both lists alike: the constant of Cormack, Clarke and Büttcher (SIGIR 2009)."""
DEPTH = 100
"""How far down each list is read."""
RELEVANCE_FLOOR = 0.11
"""Least `TenantIndex.relevance` of a passage that only words speak for.

Chosen on the dev questions of CMRC 2018: it costs .1 of 99.5 recall@5, and of the questions whose passage
is taken out of the corpus, 45 in 100 find nothing instead of something else.
"""
COSINE_FLOOR = 0.3
"""Least cosine of a passage that its vector alone speaks for: small talk (CLINC150 train) rarely gets there."""
COSINE_VETO = 0.1
"""A cosine below this silences the words: two texts picked at random reach it.

On 600 queries made of predicate and object of triples (OpenIE of the MuSiQue corpus; no question of the
set), the veto costs .2 of 77.0 recall@5 and takes away three in four of the passages that small talk finds.
"""


class Hit(NamedTuple):
    """A row of the index with its score, 0-1, and the list that ranked it highest."""

    row: int
    score: float
    source: Literal["bm25", "vector", "graph_traversal"]


def rank(relevance: Floats, cosines: Floats | None, allowed: Mask | None, top_k: int) -> list[Hit]:
    """The `top_k` rows that words and vectors speak for, best first; ties go to the earlier row.

    All arrays have one entry per row. `cosines` None leaves the ranking to the words. A score is the
    share of the highest there could be: first in every list.
    """
    scores = [relevance] if cosines is None else [relevance, cosines]
    lists = [best(score, allowed, depth(top_k)) for score in scores]
    ranks = [_ranks(found, len(relevance)) for found in lists]
    fused = sum((1 / (FUSION_K + row_ranks) for row_ranks in ranks), np.zeros(len(relevance)))
    found = np.unique(np.concatenate(lists))
    found = found[speaks_for(found, relevance, cosines)]
    found = found[np.lexsort((found, -fused[found]))][:top_k]
    share = (FUSION_K + 1) / len(lists)
    by_vector = ranks[-1] < ranks[0]
    return [Hit(int(row), float(fused[row] * share), "vector" if by_vector[row] else "bm25") for row in found]


def depth(top_k: int) -> int:
    """How far down lists are read for so many passages."""
    return max(DEPTH, 2 * top_k)


def best(scores: Floats, allowed: Mask | None, depth: int) -> NDArray[np.int64]:
    """The rows of the `depth` highest positive scores, best first; only allowed ones."""
    positive = scores > 0 if allowed is None else (scores > 0) & allowed
    rows = np.flatnonzero(positive)  # first of all: ties, such as thousands of zeros, make partition slow
    if len(rows) > depth:
        least = np.partition(scores[rows], -depth)[-depth]
        rows = rows[scores[rows] >= least]
    return rows[np.lexsort((rows, -scores[rows]))][:depth]


def _ranks(rows: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """The rank of each row, counted from 1; infinite for rows not in the list."""
    ranks = np.full(size, np.inf)
    ranks[rows] = np.arange(1, len(rows) + 1)
    return ranks


def speaks_for(rows: NDArray[np.int64], relevance: Floats, cosines: Floats | None) -> Mask:
    """Whether words or meaning say enough of each of `rows` for it to be shown at all."""
    by_words = relevance[rows] >= RELEVANCE_FLOOR
    if cosines is None:
        return by_words
    found = cosines[rows]
    return (found >= COSINE_FLOOR) | (by_words & ((found >= COSINE_VETO) | (found == NO_VECTOR)))
