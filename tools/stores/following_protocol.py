"""How stores that follow the records learn what to do: an outbox written with every change, read until it is empty.

A follower (the graph, an external vector store) is told of a document in the very transaction that changes
it, and settles it once its own store has it. A crash between the two makes it do the work twice, so that
work is written to bear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class StaleBatch:
    """Documents of one data set that a follower is to look at anew; `until` names this batch when it is settled."""

    tenant_id: str
    dataset_id: str
    document_ids: Sequence[str]
    until: int


class FollowedChunk(NamedTuple):
    """A chunk as followers see it. `start` is its place in the document's text; `extraction` is JSON or None, and so
    is `enrichment`, what a language model added to it;
    `vector` is little-endian float32, None when the asked-for embedder made none. `date` is RFC 3339."""

    position: int
    start: int
    text: str
    language: str
    extraction: str | None
    vector: bytes | None
    enrichment: str | None = None


@dataclass(frozen=True, slots=True)
class FollowedDocument:
    """A document that can be found, with all its chunks in order; `date` as in `SearchableChunk`."""

    id: str
    title: str
    date: str
    chunks: Sequence[FollowedChunk]


class ChunkText(NamedTuple):
    """What a name is looked for in."""

    position: int
    document_id: str
    start: int
    text: str


class Outbox(Protocol):
    """What followers have still to do. Every method may raise StoreUnavailable."""

    async def enlist(self, follower: str, identity: str) -> None:
        """Tell this follower of changes from now on; of all there is, when it is new or its store is another one.

        `identity` names the store that follows: address and kind, no secrets.
        """
        ...

    async def dismiss(self, follower: str) -> None:
        """Tell it nothing more, and forget what it had to do."""
        ...

    async def next_batch(self, follower: str, limit: int, after: tuple[str, str] = ("", "")) -> StaleBatch | None:
        """At most `limit` documents of one data set, the oldest first; None when nothing is left to do.

        Data sets take turns: the next one past `after` (tenant, data set) that waits, else the first.
        """
        ...

    async def settle(self, follower: str, batch: StaleBatch) -> None:
        """The follower's store has these; what changed after the batch was taken stays to do."""
        ...

    async def waiting(self, follower: str, tenant_id: str, dataset_ids: Sequence[str] | None = None) -> Sequence[str]:
        """The documents of the tenant (of these data sets), there or gone, that the follower has still to look at."""
        ...

    async def documents(
        self, tenant_id: str, dataset_id: str, document_ids: Sequence[str], embedder: str = ""
    ) -> Sequence[FollowedDocument]:
        """Those of the documents that are there now and have been indexed, all at one moment."""
        ...

    async def texts(self, tenant_id: str, dataset_id: str, after: int, limit: int) -> Sequence[ChunkText]:
        """The data set's next `limit` chunks past the position `after`, in order."""
        ...

    async def extractions(self, tenant_id: str, positions: Sequence[int]) -> Sequence[tuple[int, str]]:
        """The extractions of these chunks, where they have one, and what a model added to them, a row each."""
        ...
