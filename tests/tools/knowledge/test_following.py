"""Stores that follow: whatever fails, in the end they hold what the records hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.tools.stores.test_chunks import keep
from tools.errors import StoreUnavailable
from tools.knowledge import following
from tools.knowledge.following import Follower, Followers
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.following_protocol import StaleBatch
from tools.stores.outbox import SqlOutbox


class Mirror:
    """A store that holds the ids of documents; it refuses as often as it is told to."""

    def __init__(self, outbox: SqlOutbox, refuse: int = 0, poison: str = "") -> None:
        self.outbox = outbox
        self.refuse = refuse
        self.poison = poison
        self.held: set[str] = set()
        self.caught_up: list[tuple[str, str]] = []

    async def follow(self, batch: StaleBatch) -> None:
        if self.refuse:
            self.refuse -= 1
            raise StoreUnavailable("Not now.")
        if self.poison in batch.document_ids:
            raise RuntimeError("poisoned")
        found = await self.outbox.documents(batch.tenant_id, batch.dataset_id, batch.document_ids)
        self.held -= set(batch.document_ids)
        self.held |= {document.id for document in found}

    async def note(self, tenant_id: str, dataset_id: str) -> None:
        self.caught_up.append((tenant_id, dataset_id))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(following, "POLL_SECONDS", 0.05)


@asynccontextmanager
async def mirrored(folder: Path, **mirror: object) -> AsyncIterator[tuple[Database, Mirror, Follower]]:
    database = Database(folder / "x.db")
    held = Mirror(SqlOutbox(database), **mirror)  # type: ignore[arg-type]
    follower = Follower("mirror", "here", held.outbox, held.follow, folder, held.note)
    try:
        await follower.start()
        yield database, held, follower
    finally:
        await follower.close()
        await database.close()


async def settled(follower: Follower) -> None:
    await asyncio.wait_for(follower.idle(), 10)


async def test_what_is_kept_and_deleted_is_followed(tmp_path: Path) -> None:
    async with mirrored(tmp_path) as (database, mirror, follower):
        ids = [await keep(database, "t", f"{n}.txt") for n in range(5)]
        await settled(follower)
        assert mirror.held == set(ids)
        await SqlDocumentStore(database).delete("t", ids[0])
        assert await Followers([follower]).wait_until_caught_up("t", "d", 10)
        assert mirror.held == set(ids[1:])
        assert mirror.caught_up[-1] == ("t", "d")


async def test_a_store_that_refuses_is_tried_until_it_does_not(tmp_path: Path) -> None:
    async with mirrored(tmp_path, refuse=5) as (database, mirror, follower):
        document_id = await keep(database, "t", "one.txt")
        await settled(follower)
        assert mirror.held == {document_id}
        assert not follower.failing


async def test_a_store_that_stays_away_is_said_to_be_behind(tmp_path: Path) -> None:
    async with mirrored(tmp_path, refuse=1_000_000) as (database, mirror, follower):
        await keep(database, "t", "one.txt")
        followers = Followers([follower])
        assert not await followers.wait_until_caught_up("t", "d", 0.2)
        assert followers.failing() == ["mirror"]
        mirror.refuse = 0
        await settled(follower)
        assert followers.failing() == []


async def test_one_document_that_cannot_be_followed_holds_up_no_other(tmp_path: Path) -> None:
    async with mirrored(tmp_path) as (database, mirror, follower):
        await follower.close()
        ids = [await keep(database, "t", f"{n}.txt") for n in range(4)]
        mirror.poison = ids[1]
        await follower.start()
        await settled(follower)
        assert mirror.held == {ids[0], ids[2], ids[3]}


async def test_after_a_stop_in_the_middle_the_next_start_goes_on(tmp_path: Path) -> None:
    async with mirrored(tmp_path, refuse=1_000_000) as (database, _, _follower):
        ids = {await keep(database, "t", f"{n}.txt") for n in range(3)}
    async with mirrored(tmp_path) as (_, mirror, follower):
        await settled(follower)
        assert mirror.held == ids


async def test_one_process_leads_at_a_time(tmp_path: Path) -> None:
    async with mirrored(tmp_path) as (database, mirror, first):
        await settled(first)
        second_mirror = Mirror(mirror.outbox)
        second = Follower("mirror", "here", mirror.outbox, second_mirror.follow, tmp_path)
        await second.start()
        document_id = await keep(database, "t", "one.txt")
        await settled(first)
        assert mirror.held == {document_id}
        assert second_mirror.held == set()
        await first.close()
        other = await keep(database, "t", "two.txt")
        await settled(second)
        assert second_mirror.held == {other}
        await second.close()
