"""What a store of histories promises: what a user said in whatever conversation, and what the answers rested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn that was not taken back: the user's message, and the citations of its answer as clients saw them."""

    id: str
    at: str
    message: str
    citations: Sequence[Mapping[str, Any]] = ()


class Quote(NamedTuple):
    """Characters `start`-`end` (end exclusive) of a document's text."""

    document_id: str
    start: int
    end: int


class QuotedExtraction(NamedTuple):
    """What was read out of a chunk that a quote stands in: `place` of the quote, the chunk's start, and JSON."""

    place: int
    start: int
    data: str


class HistoryStore(Protocol):
    """Reads across conversations. Every method may raise StoreUnavailable."""

    async def turns(self, tenant_id: str, user_id: str, limit: int) -> Sequence[PastTurn]:
        """The user's newest `limit` turns, newest first."""
        ...

    async def extractions(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[QuotedExtraction]:
        """The extractions of the chunks that the quotes overlap, by quote; none where the document is gone."""
        ...
