"""An ingestor with real stores around it, and a program that runs one until it is killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.doubles import HashingEmbedder
from tools.knowledge.following import Follower, Followers
from tools.knowledge.graph.projection import GraphProjection
from tools.knowledge.ingest import Ingestor
from tools.knowledge.settings import KnowledgeSettings
from tools.models.protocol import Embedder, Vectors
from tools.stores.chunks import SqlChunkReader
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import Document, StoredChunk
from tools.stores.outbox import SqlOutbox
from tools.stores.owner import ProcessOwner


@dataclass(frozen=True)
class Workshop:
    """An ingestor and the stores it writes to."""

    database: Database
    graphs: GraphStore
    outbox: SqlOutbox
    followers: Followers
    ingestor: Ingestor
    documents: SqlDocumentStore
    reader: SqlChunkReader
    owner: ProcessOwner
    folder: Path

    async def submit(self, files: dict[str, bytes], tenant_id: str = "t", dataset_id: str = "d") -> list[Document]:
        """Take files in; they are still to be indexed."""
        return list(await self.ingestor.submit(tenant_id, dataset_id, list(files.items())))

    async def index(
        self, files: dict[str, bytes], tenant_id: str = "t", dataset_id: str = "d", seconds: float = 60
    ) -> list[Document]:
        """Take files in and wait until they are indexed."""
        documents = await self.submit(files, tenant_id, dataset_id)
        await asyncio.wait_for(self.ingestor.idle(), seconds)
        return [await self.documents.get(tenant_id, document.id) for document in documents]

    async def chunks(self, tenant_id: str = "t") -> list[StoredChunk]:
        """All the tenant's chunks, in order."""
        return sorted((await self.reader.read(tenant_id, await self.reader.positions(tenant_id))).chunks)

    def files(self) -> set[str]:
        """What lies in the uploads folder, as paths inside it."""
        root = self.folder / "uploads"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@asynccontextmanager
async def workshop(
    folder: Path,
    embedder: Embedder | None = None,
    queue: type[SqlIndexQueue] = SqlIndexQueue,
    *,
    workers: int = 2,
    max_file_bytes: int = 2**20,
    start: bool = True,
    graphs: GraphStore | None = None,
    parse_seconds: float = 30,
) -> AsyncIterator[Workshop]:
    """Open the stores under `folder` and run an ingestor on them, and a graph after it (embedded, or `graphs`)."""
    database = Database(folder / "x.db")
    documents, owner = SqlDocumentStore(database), ProcessOwner(folder / "owners")
    settings = KnowledgeSettings(
        knowledge_workers=workers,
        knowledge_max_file_bytes=max_file_bytes,
        knowledge_parse_timeout_seconds=parse_seconds,
    )
    outbox, kept = SqlOutbox(database), graphs or SqlGraphStore(database)
    followers = Followers([Follower("graph", "here", outbox, GraphProjection(outbox, kept).follow, folder)])
    ingestor = Ingestor(documents, queue(database), embedder or HashingEmbedder(), owner, folder, settings, followers)
    try:
        if start:
            await followers.start()
            await ingestor.start()
        yield Workshop(database, kept, outbox, followers, ingestor, documents, SqlChunkReader(database), owner, folder)
    finally:
        await ingestor.close()
        await followers.close()
        owner.close()
        await database.close()


class GatedEmbedder(HashingEmbedder):
    """Encodes only as often as it is let; `asked` is set while somebody waits."""

    def __init__(self, ahead: int = 0) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.gate = asyncio.Semaphore(ahead)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked.set()
        await self.gate.acquire()
        self.asked.clear()
        return await super().embed(texts)

    def open(self) -> None:
        """Let everything through from now on."""
        for _ in range(10_000):
            self.gate.release()


async def _stand_until_killed(folder: Path, ahead: int) -> None:
    """Take ten files in, index `ahead` of them, say so, and never finish the next."""
    embedder = GatedEmbedder(ahead)
    async with workshop(folder, embedder, workers=1) as shop:
        await shop.submit({f"{n}.txt": f"File number {n}.".encode() for n in range(10)})
        while not (embedder.gate.locked() and embedder.asked.is_set()):
            await asyncio.sleep(0.01)
        sys.stdout.write("in hand\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_stand_until_killed(Path(sys.argv[1]), int(sys.argv[2])))
