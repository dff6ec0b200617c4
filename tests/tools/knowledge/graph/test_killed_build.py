"""A graph whose builder is killed goes on where it stood, and ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.server.processes import ROOT
from tests.tools.knowledge.graph.killed_build import STANDS_AT, files
from tests.tools.knowledge.graph.test_projection import graph_of
from tests.tools.knowledge.workshop import workshop
from tools.stores.database import Database
from tools.stores.graph import SqlGraphStore


async def build_until_killed(folder: Path, moment: str) -> None:
    """Run the program until it stands still, and kill it."""
    program = [sys.executable, "-m", "tests.tools.knowledge.graph.killed_build", str(folder), moment]
    child = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    async with asyncio.timeout(60):
        assert await child.stdout.readline() == b"standing\n"
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["in hand", "made"])
async def test_a_build_that_is_killed_ends_with_the_graph_of_an_undisturbed_one(tmp_path: Path, moment: str) -> None:
    """Before a change is made, and after it but before the outbox knows: both moments are the worst."""
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    killed.mkdir()
    undisturbed.mkdir()
    await build_until_killed(killed, moment)
    database = Database(killed / "x.db")
    assert await SqlGraphStore(database).version("t", "d") == STANDS_AT - (moment == "in hand")
    await database.close()
    async with workshop(killed) as shop:
        await asyncio.wait_for(shop.ingestor.idle(), 60)
        resumed = await graph_of(shop)
        assert not await shop.outbox.waiting("graph", "t")
    async with workshop(undisturbed) as shop:
        await shop.index(files())
        assert await graph_of(shop) == resumed
