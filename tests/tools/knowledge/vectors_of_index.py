"""An index in memory asked as vector stores are, so that both can be held to the same answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.knowledge.index import TenantIndex
from tools.knowledge.segment import Mask
from tools.stores.vector_order import near, nearest_first
from tools.stores.vector_protocol import Near, Vector, VectorScope


def nearest_in(index: TenantIndex, vector: Vector, number: int, scope: VectorScope) -> Sequence[Near]:
    """As `VectorSearch.nearest`."""
    rows = _having_vectors(index) & index.mask(scope.dataset_ids, scope.first_day, scope.last_day)
    return nearest_first(index.positions[rows], index.cosines(vector)[rows], number)


def cosines_in(index: TenantIndex, vector: Vector, positions: Sequence[int]) -> Sequence[Near]:
    """As `VectorSearch.cosines`."""
    rows = _having_vectors(index) & np.isin(index.positions, positions)
    return near(index.positions[rows], index.cosines(vector)[rows])


def _having_vectors(index: TenantIndex) -> Mask:
    starts = np.cumsum([0, *map(len, index.segments)])
    rows = [start + segment.vector_rows for start, segment in zip(starts, index.segments, strict=False)]
    return np.isin(np.arange(len(index)), np.concatenate([*rows, np.zeros(0, dtype=np.int64)]))
