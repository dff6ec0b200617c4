"""Documents on two subjects in a real store, with their graph, their communities and a search for broad questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.tools.knowledge.workshop import Workshop, workshop
from tools.knowledge.graph.broad import BroadSearch
from tools.knowledge.graph.communities import CommunityBuilder
from tools.knowledge.graph.gazetteer import Gazetteer, first_of_each
from tools.stores.database import Database
from tools.stores.following_protocol import Outbox
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphChange, GraphChunk, GraphDocument, GraphMention
from tools.stores.spread_chunks import SqlSpreadChunks

NAMES = ("longjing", "hangzhou", "west lake", "green tea", "lowick", "skua", "marlow sound", "龙井茶", "杭州")
FILES = {
    "tea.md": b"# Tea\n\nLongjing is a green tea from Hangzhou. Farmers near West Lake roast green tea by hand.",
    "lake.md": b"# Lake\n\nWest Lake lies in the middle of Hangzhou. Visitors drink Longjing on the shore of it.",
    "ship.md": b"# Ship\n\nThe Skua is the ferry of Lowick. The ferry crosses Marlow Sound in forty minutes.",
    "port.md": b"# Port\n\nLowick is a harbour on Marlow Sound. Tickets for the Skua are sold there every morning.",
    "notes.md": b"# Notes\n\nThe printer on the second floor is broken and nobody knows when it will be mended again.",
}


@dataclass(frozen=True)
class Library:
    """The stores and what is built on them."""

    shop: Workshop
    graphs: SqlGraphStore
    outbox: Outbox
    builder: CommunityBuilder
    search: BroadSearch

    async def fill(self, files: dict[str, bytes], tenant_id: str = "t", dataset_id: str = "d") -> dict[str, str]:
        """Index files and bring the graph up to date; gives document ids by name."""
        documents = await self.shop.index(files, tenant_id, dataset_id)
        await self.follow([document.id for document in documents], tenant_id=tenant_id, dataset_id=dataset_id)
        return {document.name: document.id for document in documents}

    async def follow(
        self, changed: Sequence[str], removed: Sequence[str] = (), tenant_id: str = "t", dataset_id: str = "d"
    ) -> None:
        """Put the documents' rows into the graph: which of `NAMES` their chunks speak of."""
        followed = await self.outbox.documents(tenant_id, dataset_id, changed)
        known = Gazetteer(NAMES)
        rows: list[GraphDocument] = []
        for document in followed:
            found = [(chunk, list(first_of_each(known.find(chunk.text)).values())) for chunk in document.chunks]
            chunks = [
                GraphChunk(chunk.position, names[0].norm, names[0].norm, "", 1.0)
                if names
                else GraphChunk(chunk.position)
                for chunk, names in found
            ]
            mentions = [
                GraphMention(chunk.position, one.norm, one.norm, "concept", 0.9, one.start, one.end, 0, 1, "test")
                for chunk, names in found
                for one in names
            ]
            rows.append(GraphDocument(document.id, document.title, chunks, mentions))
        version = await self.graphs.version(tenant_id, dataset_id)
        await self.graphs.apply(tenant_id, dataset_id, GraphChange(version, rows, removed))


@asynccontextmanager
async def library(folder: Path) -> AsyncIterator[Library]:
    """Open everything under `folder`."""
    async with workshop(folder) as shop:
        database = Database(folder / "graphs.db")  # where nobody but the test writes graphs
        try:
            graphs = SqlGraphStore(database)
            search = BroadSearch(graphs, shop.reader, SqlSpreadChunks(shop.database))
            yield Library(shop, graphs, shop.outbox, CommunityBuilder(graphs, shop.outbox), search)
        finally:
            await database.close()
