"""Knowledge: files in, their indexing watched, data sets and documents listed, read and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.chat import Caller, Parts
from app.api.dataset_status import DatasetStatusOut, FileError, file_error, status_of
from app.api.upload_form import missing, received
from app.errors import UnsupportedMediaType, responses
from tools.knowledge.ingest import DEFAULT_INDEX_TYPE
from tools.knowledge.options import IndexOptions
from tools.knowledge.parsing import file_type
from tools.knowledge.uploads import Upload, clean_name
from tools.stores.knowledge_protocol import Dataset, Document, IndexType

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

MAX_ID_CHARACTERS = 200
RESERVED = frozenset("/\\?#%")
"""Characters that a path does not hold as they are."""

Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")]


class AcceptedDocument(BaseModel):
    """A file that was taken in; `status` is `ready` where the same file was there already."""

    id: str
    name: str
    status: Literal["queued", "indexing", "ready", "failed"]


class UploadAccepted(BaseModel):
    """The documents of an upload, in the order of its files."""

    dataset_id: str
    documents: list[AcceptedDocument]


class IndexBody(BaseModel):
    """How a data set is to be indexed from now on."""

    model_config = ConfigDict(strict=True, extra="forbid")

    dataset_id: str = Field(default="default", min_length=1, max_length=200)
    index_type: IndexType = DEFAULT_INDEX_TYPE
    options: IndexOptions = IndexOptions()


class DatasetOut(BaseModel):
    """A data set."""

    id: str
    index_type: IndexType
    options: dict[str, Any]
    documents: int
    chunks: int
    created_at: str


class DatasetPage(BaseModel):
    """Some data sets, by id."""

    items: list[DatasetOut]
    next_cursor: str | None


class DocumentOut(BaseModel):
    """A document; `error` is there when `status` is `failed`."""

    id: str
    dataset_id: str
    name: str
    title: str
    media_type: str
    size_bytes: int
    status: Literal["queued", "indexing", "ready", "failed"]
    stage: Literal["queued", "parsing", "embedding", "storing", "done"]
    progress: float = Field(ge=0, le=1)
    error: FileError | None
    metadata: dict[str, Any]
    chunks: int
    created_at: str
    indexed_at: str | None


class DocumentPage(BaseModel):
    """Some documents, newest first."""

    items: list[DocumentOut]
    next_cursor: str | None


class PageOut(BaseModel):
    """A page's place in the text: characters, end exclusive; `number` from 1."""

    number: int
    start: int
    end: int


class DocumentTextOut(BaseModel):
    """The text that citations point into with `start` and `end`."""

    document_id: str
    title: str
    text: str
    pages: list[PageOut]


async def owned_dataset(dataset_id: str, caller: Caller, app: Parts) -> Dataset:
    """The data set of the path, if it is the tenant's."""
    return await app.documents.get_dataset(caller.tenant_id, dataset_id)


async def owned_document(document_id: str, caller: Caller, app: Parts) -> Document:
    """The document of the path, if it is the tenant's."""
    return await app.documents.get(caller.tenant_id, document_id)


OwnedDataset = Annotated[Dataset, Depends(owned_dataset)]
OwnedDocument = Annotated[Document, Depends(owned_document)]

UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "dataset_id": {"type": "string", "default": "default", "maxLength": 200},
                    },
                }
            }
        },
    }
}


@router.post(
    "/upload",
    status_code=202,
    responses=responses(400, 401, 403, 408, 413, 415, 422, 503),
    openapi_extra=UPLOAD_BODY,
)
async def upload(request: Request, caller: Caller, app: Parts) -> UploadAccepted:
    """Take files in: txt, md, html, pdf, docx, csv, json. Indexing starts by itself.

    A file replaces an earlier one of its name; the same content again stays the document it is. When some of
    several files are of other types, those become failed documents; when all are, nothing is taken in (415).
    """
    settings = app.settings
    limits = settings.knowledge_max_file_bytes, settings.knowledge_max_files
    async with received(request, app.ingestor.folder, *limits) as form:
        dataset_id = _dataset_id(form.fields.get("dataset_id", "default"))
        _check_files(form.uploads)
        documents = await app.ingestor.take_in(caller.tenant_id, dataset_id, form.release())
    accepted = [AcceptedDocument(id=d.id, name=d.name, status=d.status) for d in documents]
    return UploadAccepted(dataset_id=dataset_id, documents=accepted)


@router.post("/index", status_code=202, responses=responses(400, 401, 403, 404, 408, 413, 415, 422, 503))
async def index(body: IndexBody, caller: Caller, app: Parts) -> DatasetStatusOut:
    """Index a data set again with these options; what is found now is found until the new passages are there."""
    await app.ingestor.reindex(caller.tenant_id, body.dataset_id, body.index_type, body.options)
    return await status_of(app, caller.tenant_id, await app.documents.get_dataset(caller.tenant_id, body.dataset_id))


@router.get("/status/{dataset_id}", responses=responses(401, 403, 404, 503))
async def status(dataset: OwnedDataset, caller: Caller, app: Parts) -> DatasetStatusOut:
    """How far a data set's indexing is, and which files failed."""
    return await status_of(app, caller.tenant_id, dataset)


@router.get("/datasets", responses=responses(401, 403, 422, 503))
async def list_datasets(caller: Caller, app: Parts, limit: Limit = 50, cursor: Cursor = None) -> DatasetPage:
    """The tenant's data sets."""
    page = await app.documents.datasets(caller.tenant_id, limit, cursor)
    return DatasetPage(items=[_dataset(dataset) for dataset in page.items], next_cursor=page.next_cursor)


@router.delete("/datasets/{dataset_id}", status_code=204, responses=responses(401, 403, 404, 503))
async def delete_dataset(dataset: OwnedDataset, caller: Caller, app: Parts) -> None:
    """Delete a data set with its documents, their files and passages."""
    await app.ingestor.delete_dataset(caller.tenant_id, dataset.id)


@router.get("/datasets/{dataset_id}/documents", responses=responses(401, 403, 404, 422, 503))
async def list_documents(
    dataset: OwnedDataset, caller: Caller, app: Parts, limit: Limit = 50, cursor: Cursor = None
) -> DocumentPage:
    """A data set's documents."""
    page = await app.documents.documents(caller.tenant_id, dataset.id, limit, cursor)
    return DocumentPage(items=[_document(document) for document in page.items], next_cursor=page.next_cursor)


@router.get("/documents/{document_id}", responses=responses(401, 403, 404, 503))
async def read_document(document: OwnedDocument) -> DocumentOut:
    """A document without its text."""
    return _document(document)


@router.delete("/documents/{document_id}", status_code=204, responses=responses(401, 403, 404, 503))
async def delete_document(document: OwnedDocument, caller: Caller, app: Parts) -> None:
    """Delete a document with its file and passages."""
    await app.ingestor.delete_document(caller.tenant_id, document.id)


@router.get(
    "/documents/{document_id}/text",
    response_model=DocumentTextOut,
    responses=responses(401, 403, 404, 409, 503),
)
async def read_text(document: OwnedDocument, caller: Caller, app: Parts) -> Response:
    """A document's text, for opening a citation; 409 `document_not_ready` before it is indexed."""
    found = await app.documents.text(caller.tenant_id, document.id)
    answer = {"document_id": document.id, "title": found.title, "text": found.text, "pages": list(found.pages)}
    return Response(await asyncio.to_thread(orjson.dumps, answer), media_type="application/json")


def _dataset_id(given: str) -> str:
    """A data set's id: anything that can be shown and can stand in a path, in any script."""
    shown = 0 < len(given) <= MAX_ID_CHARACTERS and given.isprintable() and given == given.strip()
    if not shown or RESERVED & set(given) or given in {".", ".."}:
        message = "1 to 200 printable characters without slashes, and without spaces at the ends"
        raise RequestValidationError([{"type": "string_pattern", "loc": ("body", "dataset_id"), "msg": message}])
    return given


def _check_files(uploads: Sequence[Upload]) -> None:
    if not uploads:
        raise missing("file")
    if not any(file_type(clean_name(upload.name), upload.content_type) for upload in uploads):
        raise UnsupportedMediaType("Files of this type are not read here.", code="unsupported_type")


def _dataset(dataset: Dataset) -> DatasetOut:
    return DatasetOut(
        id=dataset.id,
        index_type=dataset.index_type,
        options=dict(dataset.options),
        documents=dataset.documents,
        chunks=dataset.chunks,
        created_at=dataset.created_at,
    )


def _document(document: Document) -> DocumentOut:
    return DocumentOut(
        id=document.id,
        dataset_id=document.dataset_id,
        name=document.name,
        title=document.title or document.name,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        status=document.status,
        stage=document.stage,
        progress=document.progress,
        error=file_error(document),
        metadata=dict(document.metadata),
        chunks=document.chunks,
        created_at=document.created_at,
        indexed_at=document.indexed_at,
    )
