"""What a vector store promises: the chunks nearest to a vector, within one tenant.

Chunks are named by their `position`. Vectors are unit vectors of float32, all by one embedder, whose name and
dimension the store is opened with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class VectorRow(NamedTuple):
    """A chunk's vector (little-endian float32) and what filters ask for; `day` is a proleptic Gregorian ordinal."""

    position: int
    document_id: str
    day: int
    vector: bytes


class Near(NamedTuple):
    """A chunk and its cosine with what was asked for, -1 to 1."""

    position: int
    cosine: float


@dataclass(frozen=True, slots=True)
class VectorScope:
    """What a search may look at. `dataset_ids` None: all of the tenant's; the days are both included."""

    dataset_ids: Sequence[str] | None
    first_day: int
    last_day: int


class VectorSearch(Protocol):
    """The reading side. Every method may raise StoreUnavailable (not reached, or not within its time limit)."""

    async def nearest(self, tenant_id: str, vector: Vector, number: int, scope: VectorScope) -> Sequence[Near]:
        """At most `number` chunks, the nearest first; ties go to the lower position.

        An approximate index may miss one in a hundred.
        """
        ...

    async def cosines(self, tenant_id: str, vector: Vector, positions: Sequence[int]) -> Sequence[Near]:
        """The cosines of these chunks, in any order; chunks without a vector are left out."""
        ...


class VectorProjection(Protocol):
    """The writing side of a store that is no part of the records and follows them. May raise StoreUnavailable."""

    async def replace(self, tenant_id: str, dataset_id: str, document_id: str, rows: Sequence[VectorRow]) -> None:
        """Make these the document's vectors; none removes it. Doing it twice changes nothing.

        After StoreUnavailable it may have happened, in part too: doing it again puts it right. Several documents
        at once are faster than one after the other; of one document, only one may be under way in all processes.
        """
        ...

    async def check(self) -> None:
        """Return if the store answers. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class VectorStore(VectorSearch, VectorProjection, Protocol):
    """A store that is written to and searched; what `replace` has returned for is found, and nothing it took away."""
