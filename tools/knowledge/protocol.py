"""What the tenant's documents are to the rest of the house: data sets, documents, passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

SearchType = Literal["vector", "graph", "hybrid"]
Source = Literal["vector", "bm25", "graph_traversal", "community"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk of a document as retrieval hands it out.

    `text` stands verbatim in the document's text at characters `start`-`end` (end exclusive); `page`
    counts from 1 and is None where the format has no pages. `score` is 0-1, best first. `source` names
    the list that ranked it highest.
    """

    id: str
    document_id: str
    dataset_id: str
    title: str
    heading: str
    page: int | None
    start: int
    end: int
    text: str
    language: str
    score: float
    source: Source


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """A question to the documents. `dataset_ids` None means all of the tenant's."""

    text: str
    top_k: int = 5
    dataset_ids: Sequence[str] | None = None
    search_type: SearchType = "hybrid"
    filters: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Passages, best first, and what the caller should know about how they were found.

    `notices` are stable codes (`graph_not_available`, `no_documents`); `version` is the tenant's
    knowledge version that answered; `degraded` says that a part of the search could not be done.
    """

    passages: Sequence[Passage] = ()
    notices: Sequence[str] = ()
    version: int = 0
    degraded: bool = False


class Retriever(Protocol):
    """Finds the passages that a question may be answered from."""

    async def retrieve(self, tenant_id: str, query: RetrievalQuery) -> Retrieval:
        """At most `top_k` passages of this tenant, best first.

        Raises:
            NotFound: a data set that is not the tenant's.
            NotAvailable: `search_type` is `graph` and no graph is built.
        """
        ...
