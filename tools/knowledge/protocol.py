"""What the tenant's documents are to the rest of the house: data sets, documents, passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

SearchType = Literal["vector", "graph", "hybrid"]
Source = Literal["vector", "bm25", "graph_traversal", "community"]


@dataclass(frozen=True, slots=True)
class PathStep:
    """One hop of a path: what it leads from and to, how, and the sentence that says so.

    `relation` is the type's name in the language of the question, `confidence` 0-1. The sentence stands at
    characters `start`-`end` of the document's text. `forward` is False where the relation reads from the
    second entity to the first.
    """

    entities: tuple[str, str]
    relation: str
    confidence: float
    sentence: str
    document_id: str
    start: int
    end: int
    forward: bool = True


@dataclass(frozen=True, slots=True)
class GraphContext:
    """How the graph leads from the question to a passage.

    `path` holds lines of entity names joined by `->`, `path_steps` the hops of the first one. A hop without a
    stored sentence is never here.
    """

    entities: Sequence[str] = ()
    relations: Sequence[str] = ()
    path: Sequence[str] = ()
    path_steps: Sequence[PathStep] = ()


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
    graph: GraphContext | None = None


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """A question to the documents. `dataset_ids` None means all of the tenant's.

    `max_hops` bounds the paths that are looked for, `use_path_reasoning` False leaves them out, `use_community`
    False leaves out the communities that answer broad questions. `asked_broadly` says that an intent was read which
    asks for the documents as a whole.
    """

    text: str
    top_k: int = 5
    dataset_ids: Sequence[str] | None = None
    search_type: SearchType = "hybrid"
    filters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    max_hops: int = 2
    use_community: bool = True
    use_path_reasoning: bool = True
    asked_broadly: bool = False


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Passages, best first, and what the caller should know about how they were found.

    `notices` are stable codes (`graph_not_available`, `no_documents`); `version` is the tenant's
    knowledge version that answered; `degraded` says that a part of the search could not be done.
    `nodes_explored` counts the entities and chunks that the walk over the graph reached, `communities_found`
    those that answered a broad question.
    """

    passages: Sequence[Passage] = ()
    notices: Sequence[str] = ()
    version: int = 0
    degraded: bool = False
    nodes_explored: int = 0
    communities_found: int = 0


class Retriever(Protocol):
    """Finds the passages that a question may be answered from."""

    async def retrieve(self, tenant_id: str, query: RetrievalQuery) -> Retrieval:
        """At most `top_k` passages of this tenant, best first.

        Raises:
            NotFound: a data set that is not the tenant's.
            InvalidInput: a filter that means nothing.
        """
        ...
