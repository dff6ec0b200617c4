"""One question's pass over a tenant's index and graphs: lists, pool, fusion, floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.dates import EVER
from tools.knowledge.graph.features import features
from tools.knowledge.graph.fusion import learned
from tools.knowledge.graph.graph_index import GraphIndex
from tools.knowledge.graph.pool import Pool, pool, walk_list
from tools.knowledge.graph.walking import CHUNK_SEEDS, Explored, explore, linked
from tools.knowledge.index import TenantIndex
from tools.knowledge.protocol import SearchType
from tools.knowledge.ranking import Hit, best, depth, rank, speaks_for
from tools.knowledge.segment import Floats, Mask

Places = NDArray[np.int64]

NO_ROWS: Places = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Search:
    """A query made ready: its words and, where an encoder can be trusted with it, its vector.

    `entity_types` keeps passages that mention an entity of one of these types.
    """

    text: str
    words: Sequence[str]
    vector: Floats | None
    dataset_ids: Sequence[str] | None
    days: tuple[int, int]
    top_k: int
    kind: SearchType = "hybrid"
    entity_types: frozenset[str] = frozenset()

    def without_vector(self) -> Search:
        """The same by words and graph alone."""
        return replace(self, vector=None)


@dataclass(frozen=True)
class Pass:
    """What words and graph say of an index; `hits` adds the meaning and joins them.

    `allowed` None means every row, `searched` whether there is any row at all that may be found.
    """

    search: Search
    index: TenantIndex
    relevance: Floats
    allowed: Mask | None
    searched: bool
    explored: Sequence[Explored] = field(default_factory=list[Explored])
    by_words: Places = field(default_factory=lambda: NO_ROWS)
    by_walk: Places = field(default_factory=lambda: NO_ROWS)

    @property
    def nodes(self) -> int:
        """Entities and chunks that the walk came to."""
        return sum(one.nodes for one in self.explored)

    def wanted(self) -> list[int]:
        """Positions of the rows found so far, whose cosines the ranking asks for."""
        return self.index.positions[np.union1d(self.by_words, self.by_walk)].tolist()

    def hits(self, cosines: Floats | None) -> list[Hit]:
        """The best rows, best first; `cosines` are of all rows, `NO_VECTOR` where unknown."""
        if not self.searched:
            return []
        if self.search.kind == "graph":
            return self._by_walk_alone()
        if not self.explored:
            return rank(self.relevance, cosines, self.allowed, self.search.top_k)
        return self._fused(cosines)

    def pool(self, cosines: Floats | None) -> Pool:
        """The candidates of all lists; there must be something explored."""
        by_meaning = NO_ROWS if cosines is None else best(cosines, self.allowed, depth(self.search.top_k))
        lists = [self.by_words, by_meaning, self.by_walk]
        positions, least = self.index.positions, self.search.top_k
        return pool(lists, self.relevance, cosines, positions, self.explored, at_least=least)

    def _by_walk_alone(self) -> list[Hit]:
        if not len(self.by_walk):
            return []
        positions = self.index.positions[self.by_walk[: self.search.top_k]]
        visits = np.max([_visits(one, positions) for one in self.explored], axis=0)
        scores = visits / max(float(visits.max()), 1e-12)
        return [
            Hit(int(row), float(score), "graph_traversal") for row, score in zip(self.by_walk, scores, strict=False)
        ]

    def _fused(self, cosines: Floats | None) -> list[Hit]:
        found = self.pool(cosines)
        scores = learned("words" if cosines is None else "vectors").score(features(found.candidates))
        shown = speaks_for(found.rows, self.relevance, cosines) | self._graph_speaks(found)
        order = np.lexsort((found.rows, -scores))
        order = order[shown[order]][: self.search.top_k]
        sources = np.argmin(found.candidates.ranks, axis=0)
        names = ("bm25", "vector", "graph_traversal")
        return [Hit(int(found.rows[at]), float(scores[at]), names[sources[at]]) for at in order]

    def _graph_speaks(self, found: Pool) -> Mask:
        """A passage that neither words nor meaning speak for needs a walk from a name as the question writes it."""
        certain = any(link.how == "exact" for one in self.explored for link in one.links)
        return np.isfinite(found.candidates.ranks[2]) & certain


def begin(search: Search, index: TenantIndex, graphs: Sequence[GraphIndex]) -> Pass:
    """Look for the words and, where the question names entities of the graphs, walk from these."""
    allowed = _allowed(search, index, graphs)
    if not len(index) or (allowed is not None and not allowed.any()):
        return Pass(search, index, np.zeros(len(index), dtype=np.float32), allowed, searched=False)
    relevance = index.relevance(search.words)
    reached = Pass(search, index, relevance, allowed, searched=True)
    links = linked(search.text, graphs) if search.kind != "vector" else []
    if not any(links):
        return reached
    by_words = best(relevance, allowed, depth(search.top_k))
    first = by_words[:CHUNK_SEEDS]
    explored = explore(graphs, links, index.positions[first], relevance[first])
    by_walk = walk_list(explored, index.positions, allowed, depth(search.top_k))
    return replace(reached, explored=explored, by_words=by_words, by_walk=by_walk)


def _allowed(search: Search, index: TenantIndex, graphs: Sequence[GraphIndex]) -> Mask | None:
    """Which rows the filters leave; None where there is no filter."""
    allowed = None
    if search.dataset_ids is not None or search.days != EVER:
        allowed = index.mask(search.dataset_ids, *search.days)
    if search.entity_types:
        having = np.concatenate([NO_ROWS, *(graph.positions_with(search.entity_types) for graph in graphs)])
        typed = np.isin(index.positions, having)
        allowed = typed if allowed is None else allowed & typed
    return allowed


def _visits(one: Explored, positions: Places) -> Floats:
    chunks = one.graph.chunks_at(positions)
    visits = np.zeros(len(positions), dtype=np.float32)
    visits[chunks >= 0] = one.chunks[chunks[chunks >= 0]]
    return visits
