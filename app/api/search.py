"""Search in the tenant's documents without a turn: passages with where they stand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api.chat import Caller, Parts
from app.errors import responses
from nodes.events import Reference, reference_to
from tools.errors import InvalidInput
from tools.knowledge.dates import date_range
from tools.knowledge.extraction.types import entity_type
from tools.knowledge.protocol import Passage, Retrieval, RetrievalQuery, SearchType, Source

router = APIRouter(prefix="/api/v1/search", tags=["search"])

Name = Annotated[str, Field(min_length=1, max_length=200)]


def _known_type(name: str) -> str:
    if entity_type(name) is None:
        raise ValueError("is no entity type")
    return name


def _checked_range(text: str) -> str:
    try:
        date_range(text)
    except InvalidInput as error:
        raise ValueError(error.message) from error
    return text


class GraphOptions(BaseModel):
    """How the graph is walked: how long paths may be, and whether they and the communities are used."""

    model_config = ConfigDict(strict=True, extra="forbid")

    max_hops: int = Field(default=2, ge=1, le=6)
    use_community: bool = True
    use_path_reasoning: bool = True


class Filters(BaseModel):
    """What a passage must be to count."""

    model_config = ConfigDict(strict=True, extra="forbid")

    entity_types: list[Annotated[Name, AfterValidator(_known_type)]] | None = Field(
        default=None, max_length=50, description="A passage mentions an entity of one of these types; en or zh names."
    )
    date_range: Annotated[str, Field(max_length=30), AfterValidator(_checked_range)] | None = Field(
        default=None, description="Two dates with a slash, both included; `..` leaves an end open."
    )


class SearchBody(BaseModel):
    """A question to the documents. `dataset_ids` absent means all of the tenant's."""

    model_config = ConfigDict(strict=True, extra="forbid")

    query: str = Field(min_length=1, max_length=2_000, pattern=r"\S")
    search_type: SearchType = "hybrid"
    graph_options: GraphOptions = GraphOptions()
    top_k: int = Field(default=10, ge=1, le=100)
    dataset_ids: list[Name] | None = Field(default=None, min_length=1, max_length=100)
    filters: Filters = Filters()


class SearchResult(Reference):
    """A passage as a reference, with its text in `content` too. `graph_context` is null without a graph."""

    content: str
    source: Source
    dataset_id: str


class SearchMetadata(BaseModel):
    """How the results came about. `graph_version` counts up with every change of the tenant's documents."""

    total_nodes_explored: int = 0
    communities_found: int = 0
    execution_time_ms: float
    graph_version: int
    degraded: bool
    notices: Sequence[str]


class SearchAnswer(BaseModel):
    """Results, best first."""

    results: list[SearchResult]
    metadata: SearchMetadata


@router.post("/graph", responses=responses(400, 401, 403, 404, 408, 413, 415, 422, 503))
async def search_graph(body: SearchBody, caller: Caller, app: Parts) -> SearchAnswer:
    """Passages for a query by words, meaning and the graph, each with the path that leads to it."""
    started = time.perf_counter()
    for dataset_id in body.dataset_ids or ():
        await app.documents.get_dataset(caller.tenant_id, dataset_id)
    retrieval = await app.retriever.retrieve(caller.tenant_id, _query(body))
    return SearchAnswer(
        results=[_result(str(place), passage) for place, passage in enumerate(retrieval.passages, start=1)],
        metadata=_metadata(retrieval, (time.perf_counter() - started) * 1_000),
    )


def _query(body: SearchBody) -> RetrievalQuery:
    filters: dict[str, Any] = body.filters.model_dump(exclude_none=True)
    return RetrievalQuery(
        text=body.query,
        top_k=body.top_k,
        dataset_ids=body.dataset_ids,
        search_type=body.search_type,
        filters=filters,
        **body.graph_options.model_dump(),
    )


def _result(label: str, passage: Passage) -> SearchResult:
    return SearchResult(
        **reference_to(label, passage).model_dump(),
        content=passage.text,
        source=passage.source,
        dataset_id=passage.dataset_id,
    )


def _metadata(retrieval: Retrieval, took_ms: float) -> SearchMetadata:
    return SearchMetadata(
        total_nodes_explored=retrieval.nodes_explored,
        communities_found=retrieval.communities_found,
        execution_time_ms=round(took_ms, 3),
        graph_version=retrieval.version,
        degraded=retrieval.degraded,
        notices=retrieval.notices,
    )
