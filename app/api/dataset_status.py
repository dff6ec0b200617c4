"""How far a data set is on its way from files to what can be found, the graph included."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.wiring import App
from tools.errors import StoreUnavailable
from tools.knowledge.graph.view import FOLLOWER
from tools.stores.knowledge_protocol import Dataset, DatasetStatus, Document, IndexType

GRAPH_STEP = 0.1
"""The graph's share of a data set's progress, where one is built."""

Overall = Literal["empty", "indexing", "ready", "failed", "partial"]


class Counts(BaseModel):
    """Documents by status, the passages that can be found, and what the graph holds of them."""

    documents: int
    queued: int
    indexing: int
    ready: int
    failed: int
    chunks: int
    entities: int = 0
    relations: int = 0
    communities: int = 0


class FileError(BaseModel):
    """Why a file is not indexed. Codes: `encrypted_pdf`, `broken_file`, `empty_document`, `unsupported_type`,
    `archive_too_large`, `not_text`, `parse_timeout`, `too_large`, `indexing_failed`.
    """

    document_id: str
    name: str
    code: str
    message: str


class DatasetStatusOut(BaseModel):
    """How far a data set is; `stage` is its least advanced document's, or `graph` when only that is behind.

    `notices` are stable codes: `graph_behind` (its store cannot be reached; it follows by itself).
    """

    dataset_id: str
    status: Overall
    stage: Literal["queued", "parsing", "embedding", "storing", "graph", "done"]
    progress: float = Field(ge=0, le=1)
    counts: Counts
    errors: list[FileError]
    index_type: IndexType
    options: dict[str, Any]
    notices: list[str]


def file_error(document: Document) -> FileError | None:
    """Why the document is not indexed; None when it is, or will be."""
    if document.error_code is None:
        return None
    return FileError(
        document_id=document.id, name=document.name, code=document.error_code, message=document.error or ""
    )


async def status_of(app: App, tenant_id: str, dataset: Dataset) -> DatasetStatusOut:
    """How far a data set of the tenant is."""
    found = await app.documents.status(tenant_id, dataset.id)
    waiting = len(await app.outbox.waiting(FOLLOWER, tenant_id, [dataset.id]))
    held, reached = await _held(app, tenant_id, dataset.id)
    behind = not reached or (waiting > 0 and FOLLOWER in app.followers.failing())
    counts = _counts(found, held)
    overall, following = _overall(counts), waiting > 0 and not behind
    return DatasetStatusOut(
        dataset_id=dataset.id,
        status="indexing" if following else overall,
        stage="graph" if following and found.stage == "done" else found.stage,
        progress=_progress(found, dataset.index_type, waiting if following else 0),
        counts=counts,
        errors=[error for document in found.failed if (error := file_error(document))],
        index_type=dataset.index_type,
        options=dict(dataset.options),
        notices=["graph_behind"] if behind else [],
    )


async def _held(app: App, tenant_id: str, dataset_id: str) -> tuple[dict[str, int], bool]:
    """What the graph holds, and whether its store could be asked."""
    try:
        return dict(await app.graphs.counts(tenant_id, dataset_id)), True
    except StoreUnavailable:
        return {}, False


def _counts(found: DatasetStatus, held: dict[str, int]) -> Counts:
    return Counts(
        documents=sum(found.counts.values()),
        queued=found.counts.get("queued", 0),
        indexing=found.counts.get("indexing", 0),
        ready=found.counts.get("ready", 0),
        failed=found.counts.get("failed", 0),
        chunks=found.chunks,
        entities=held.get("entities", 0),
        relations=held.get("edges", 0),
        communities=held.get("communities", 0),
    )


def _progress(found: DatasetStatus, index_type: IndexType, waiting: int) -> float:
    """Progress 0-1; where a graph is built, the last step is its."""
    total = sum(found.counts.values())
    if index_type == "vector" or not total:
        return found.progress
    return found.progress * (1 - GRAPH_STEP) + GRAPH_STEP * max(0.0, found.progress - waiting / total)


def _overall(counts: Counts) -> Overall:
    if not counts.documents:
        return "empty"
    if counts.queued or counts.indexing:
        return "indexing"
    if not counts.failed:
        return "ready"
    return "partial" if counts.ready else "failed"
