"""What the store of enrichments promises: what a language model added to chunks, kept with each, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class WaitingChunk(NamedTuple):
    """A chunk of a graph that no model has read."""

    position: int
    document_id: str
    title: str
    heading: str
    text: str
    language: str


class Enrichment(NamedTuple):
    """What a model added to a chunk: an `Extraction` as JSON, and what it says of entities by their norms."""

    position: int
    data: str
    descriptions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Spent:
    """What was asked and got; sums of several add up.

    `dropped` counts items of answers that did not hold, `failed` requests whose answer was of no use.
    """

    requests: int = 0
    tokens: int = 0
    mentions: int = 0
    relations: int = 0
    summaries: int = 0
    dropped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class EnrichmentStats:
    """How far a data set is: its chunks that have a graph, those read by a model, and what that cost."""

    chunks: int = 0
    enriched: int = 0
    today: Spent = field(default_factory=Spent)
    total: Spent = field(default_factory=Spent)


class EnrichmentStore(Protocol):
    """Enrichments go with their chunks. Every method may raise StoreUnavailable. Days are RFC 3339 dates in UTC."""

    async def datasets(self) -> Sequence[tuple[str, str]]:
        """Tenants and data sets, in order; those that are indexed by vectors alone left out."""
        ...

    async def newest(self) -> int:
        """The highest position that any chunk ever had: while it stays, no chunk has come."""
        ...

    async def waiting(self, tenant_id: str, dataset_id: str, after: int, limit: int) -> Sequence[WaitingChunk]:
        """The next chunks past the position `after` that have an extraction and no enrichment, in order."""
        ...

    async def keep(
        self, tenant_id: str, dataset_id: str, model: str, day: str, enrichments: Sequence[Enrichment], spent: Spent
    ) -> Sequence[int]:
        """Keep what was added, note the cost and tell followers of the documents, all in one transaction.

        Chunks that are gone are passed over; gives the positions that were kept.
        """
        ...

    async def read(self, tenant_id: str, positions: Sequence[int]) -> Sequence[tuple[int, str]]:
        """The enrichments of these chunks as JSON, where they have one."""
        ...

    async def descriptions(self, tenant_id: str, positions: Sequence[int], norms: Sequence[str]) -> Mapping[str, str]:
        """What these chunks say of the entities, one text for each that has one: of several chunks the earliest's."""
        ...

    async def tokens(self, day: str, tenant_id: str | None = None, dataset_id: str | None = None) -> int:
        """Tokens spent on a day: of everybody, of a tenant, of a data set."""
        ...

    async def stats(self, tenant_id: str, dataset_id: str, day: str) -> EnrichmentStats:
        """How far a data set is."""
        ...
