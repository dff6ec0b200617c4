"""The vector search that needs no server: exact, over the same index in memory that words are searched in."""

from __future__ import annotations

from collections.abc import Sequence

from tools.knowledge.dates import EVER
from tools.knowledge.index import TenantIndex
from tools.knowledge.indexes import IndexCache
from tools.stores.vector_protocol import Near, Vector, VectorScope

ROWS_ON_LOOP = 2_000
"""Larger indexes are searched in a thread: up to here the work is shorter than the hop."""


class IndexedVectors:
    """A `VectorSearch` of a tenant's index as the cache has it: up to date as of its last `refresh`."""

    def __init__(self, indexes: IndexCache) -> None:
        """The cache stays its owner's, who closes it."""
        self._indexes = indexes

    async def nearest(self, tenant_id: str, vector: Vector, number: int, scope: VectorScope) -> Sequence[Near]:
        """See `VectorSearch`."""
        index = await self._indexes.get(tenant_id)
        if len(index) <= ROWS_ON_LOOP:
            return _nearest(index, vector, number, scope)
        return await self._indexes.run(_nearest, index, vector, number, scope)

    async def cosines(self, tenant_id: str, vector: Vector, positions: Sequence[int]) -> Sequence[Near]:
        """See `VectorSearch`."""
        index = await self._indexes.get(tenant_id)
        if len(positions) <= ROWS_ON_LOOP:
            return index.cosines_at(vector, positions)
        return await self._indexes.run(index.cosines_at, vector, positions)


def _nearest(index: TenantIndex, vector: Vector, number: int, scope: VectorScope) -> list[Near]:
    days = (scope.first_day, scope.last_day)
    everything = scope.dataset_ids is None and days == EVER
    allowed = None if everything else index.mask(scope.dataset_ids, *days)
    return index.nearest(vector, number, allowed)
