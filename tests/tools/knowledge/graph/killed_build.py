"""A program that builds a graph batch by batch, and stands still at the worst moments until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.tools.knowledge.workshop import workshop
from tools.knowledge import following
from tools.stores.database import Database
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphChange

BATCH = 8
DOCUMENTS = 40
STANDS_AT = 3
"""The change at which it stands still: some of the graph is there, most of it is not."""
PEOPLE = ("Ada Merrow", "Bo Lindqvist", "Cy Okonkwo", "Dee Varga", "Eli Sørensen")
PLACES = ("Tarn Bay", "Lowick Harbour", "Ostrava", "Port Ennis", "Norland", "Ely", "Bath")


def files() -> dict[str, bytes]:
    """Documents whose names come back in the others, so that each batch changes what earlier ones mention."""
    named = [(PEOPLE[n % 5], PLACES[n % 7], PLACES[(3 * n + 1) % 7]) for n in range(DOCUMENTS)]
    return {
        f"{n}.md": f"# Visit {n} of {who}\n\n{who} was born in {here}. In 1931 {who} left for {there}.\n".encode()
        for n, (who, here, there) in enumerate(named)
    }


class StandingStill(SqlGraphStore):
    """Says when a change is in hand or made, and then nothing any more."""

    def __init__(self, database: Database, made: bool) -> None:
        super().__init__(database)
        self._made = made

    async def apply(self, tenant_id: str, dataset_id: str, change: GraphChange) -> int:
        if change.base_version + 1 < STANDS_AT:
            return await super().apply(tenant_id, dataset_id, change)
        if self._made:
            await super().apply(tenant_id, dataset_id, change)
        sys.stdout.write("standing\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
        raise AssertionError


async def _stand_until_killed(folder: Path, made: bool) -> None:
    following.BATCH = BATCH
    database = Database(folder / "x.db")
    async with workshop(folder, graphs=StandingStill(database, made)) as shop:
        await shop.submit(files())
        await shop.ingestor.idle()


if __name__ == "__main__":
    asyncio.run(_stand_until_killed(Path(sys.argv[1]), sys.argv[2] == "made"))
