"""What the stores of documents and their chunks promise, whatever they are built on.

`tenant_id` is the first argument everywhere but where a whole process is meant; what belongs to another
tenant does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from tools.stores.protocol import Page

DocumentStatus = Literal["queued", "indexing", "ready", "failed"]
IndexStage = Literal["queued", "parsing", "embedding", "storing", "done"]
IndexType = Literal["vector", "graph", "hybrid"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A tenant's named set of documents and how it is indexed; `documents` and `chunks` count what is in it."""

    id: str
    index_type: IndexType
    options: Mapping[str, Any]
    created_at: str = ""
    documents: int = 0
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A file about to be registered. With `error_code` it is registered as failed and never indexed."""

    id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    error_code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file of a data set. `progress` is 0-1 and only grows while one process indexes it.

    `metadata` holds what the file says of itself (`date`, `author`). `chunks` counts the searchable ones.
    """

    id: str
    dataset_id: str
    name: str
    title: str
    media_type: str
    size_bytes: int
    sha256: str
    status: DocumentStatus
    stage: IndexStage
    progress: float
    error_code: str | None
    error: str | None
    metadata: Mapping[str, Any]
    created_at: str
    indexed_at: str | None
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of an upload: a document for every file, in order, and the ids of documents that gave way.

    A file that was there already stands for its old document, so its new id is in neither.
    """

    documents: Sequence[Document]
    replaced: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A document that its owner is to index now, in the way its data set is indexed."""

    document: Document
    options: Mapping[str, Any]
    index_type: IndexType = "hybrid"


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The text that citations point into. `pages` are `{"number", "start", "end"}`, numbers from 1."""

    title: str
    text: str
    pages: Sequence[Mapping[str, int]] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A passage to keep: the text at `start`-`end`. `vector` is little-endian float32, None without `embedder`.

    `extraction` is what was read out of it, as JSON; None where nothing was looked for.
    """

    heading: str
    page: int | None
    start: int
    end: int
    text: str
    language: str
    terms: str
    vector: bytes | None = None
    embedder: str | None = None
    extraction: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """How far a data set is. `stage` is that of the least advanced document; `progress` 0-1 over all of them."""

    counts: Mapping[DocumentStatus, int]
    stage: IndexStage
    progress: float
    chunks: int
    failed: Sequence[Document] = ()


class EncodedChunk(NamedTuple):
    """A chunk with its vector (little-endian float32); `title` was its document's."""

    title: str
    heading: str
    text: str
    vector: bytes


class DocumentStore(Protocol):
    """Data sets and their documents.

    Every change of what can be found counts the tenant's knowledge `version` up by one in the same
    transaction, and `removals` too when chunks are gone.
    """

    async def register(
        self,
        tenant_id: str,
        dataset_id: str,
        files: Sequence[NewDocument],
        index_type: IndexType,
        options: Mapping[str, Any],
    ) -> Registration:
        """Queue files in a data set, which is made with these options if it is not there.

        A file with the id of a document there is that document's new content: what was found of it is found
        until the new chunks are there. Of other documents with the name of one of the files, those with the same
        hash that did not fail stay as they are, the rest give way with all their chunks. Files of one name in
        one call all stay.
        """
        ...

    async def named(self, tenant_id: str, dataset_id: str, names: Sequence[str]) -> Mapping[str, str]:
        """The ids of documents by name, for those of the names that exactly one document of the data set has."""
        ...

    async def get_dataset(self, tenant_id: str, dataset_id: str) -> Dataset:
        """One data set. Raises NotFound."""
        ...

    async def datasets(self, tenant_id: str, limit: int, cursor: str | None) -> Page[Dataset]:
        """The tenant's data sets by id. Raises InvalidInput for a bad cursor."""
        ...

    async def delete_dataset(self, tenant_id: str, dataset_id: str) -> Sequence[str]:
        """Remove it with its documents and chunks; gives the documents' ids. Raises NotFound."""
        ...

    async def status(self, tenant_id: str, dataset_id: str) -> DatasetStatus:
        """How far its indexing is, with all failed documents. Raises NotFound."""
        ...

    async def documents(self, tenant_id: str, dataset_id: str, limit: int, cursor: str | None) -> Page[Document]:
        """Its documents, newest first. Raises NotFound, and InvalidInput for a bad cursor."""
        ...

    async def get(self, tenant_id: str, document_id: str) -> Document:
        """One document. Raises NotFound."""
        ...

    async def text(self, tenant_id: str, document_id: str) -> DocumentText:
        """Its text. Raises NotFound, and Conflict (`document_not_ready`) before it has been indexed once."""
        ...

    async def delete(self, tenant_id: str, document_id: str) -> None:
        """Remove a document with its text and chunks. Raises NotFound."""
        ...

    async def requeue(self, tenant_id: str, dataset_id: str, index_type: IndexType, options: Mapping[str, Any]) -> int:
        """Set how it is indexed and queue its documents again; gives their number. Raises NotFound.

        What is found now is found until the new chunks are there. Documents being indexed are taken from
        their owner; unsupported ones stay as they are.
        """
        ...


class IndexQueue(Protocol):
    """The documents still to be indexed; several processes may take from it, each document is one owner's at a time.

    A claim is lost when the document is deleted, replaced or queued again meanwhile: what its owner still
    writes is then refused with False.
    """

    async def tenants_waiting(self) -> Sequence[str]:
        """Tenants that have queued documents."""
        ...

    async def claim(self, tenant_id: str, owner: str) -> Claim | None:
        """The tenant's longest-queued document, now `indexing` and the owner's alone; None when there is none."""
        ...

    async def advance(self, tenant_id: str, document_id: str, owner: str, stage: IndexStage, progress: float) -> bool:
        """Note how far it is; False, and nothing written, when it is not the owner's to index any more."""
        ...

    async def keep_chunks(
        self, tenant_id: str, document_id: str, owner: str, content: DocumentText, chunks: Sequence[NewChunk]
    ) -> bool:
        """Make these its text and chunks and make it `ready`; False when it is not the owner's any more.

        A chunk that is there already, wherever it stood in the text, stays and keeps its id and position.
        """
        ...

    async def vectors(self, tenant_id: str, document_id: str, embedder: str) -> Sequence[EncodedChunk]:
        """What an earlier indexing of the document had encoded by this embedder; none for another tenant's."""
        ...

    async def fail(self, tenant_id: str, document_id: str, owner: str, code: str, message: str) -> bool:
        """Mark it failed; chunks of an earlier indexing stay. False when it is not the owner's any more."""
        ...

    async def owners_of_indexing(self) -> Sequence[str]:
        """All owners that have documents in hand."""
        ...

    async def release(self, owner: str) -> int:
        """Queue again what a dead or leaving owner has in hand; gives the number of documents."""
        ...


@dataclass(frozen=True, slots=True)
class KnowledgeVersion:
    """Counts up with every change of what can be found; `removals` only when chunks went away."""

    version: int = 0
    removals: int = 0


class SearchableChunk(NamedTuple):
    """What an index needs to know of a chunk. `position` never changes and later chunks have higher ones.

    `terms` are separated by single spaces. `vector` is little-endian float32, None when the asked-for
    embedder made none. `date` is the document's own date where it states one, else the time of upload.
    """

    position: int
    dataset_id: str
    title: str
    date: str
    terms: str
    vector: bytes | None


class StoredChunk(NamedTuple):
    """A chunk with its text, as it is shown to people."""

    position: int
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

    def quote(self, start: int, end: int) -> str:
        """What stands at `start`-`end` of the document's text; "" where that does not lie within the chunk."""
        within = self.start <= start < end <= self.start + len(self.text)
        return self.text[start - self.start : end - self.start] if within else ""


@dataclass(frozen=True, slots=True)
class ChunkReading:
    """Chunks and the knowledge version at the moment they were read."""

    version: KnowledgeVersion
    chunks: Sequence[StoredChunk]


class ChunkReader(Protocol):
    """The reading side of the chunks, for search."""

    async def version(self, tenant_id: str) -> KnowledgeVersion:
        """The tenant's knowledge version; zeros before its first document."""
        ...

    async def after(self, tenant_id: str, position: int, limit: int, embedder: str) -> Sequence[SearchableChunk]:
        """The next `limit` chunks past `position`, in order, with the vectors that `embedder` made."""
        ...

    async def positions(self, tenant_id: str) -> Sequence[int]:
        """The positions of all the tenant's chunks, in order."""
        ...

    async def read(self, tenant_id: str, positions: Sequence[int], dataset_ids: Sequence[str] = ()) -> ChunkReading:
        """Those of the chunks that are still there, in any order, and the version, all at one moment.

        Raises:
            NotFound: one of `dataset_ids` is not a data set of the tenant.
        """
        ...
