"""The writer that commits for all, the readers beside it, and what happens when the file lets them down."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, RootTransaction, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.tools.stores.processes import line_of, process
from tools.errors import StoreUnavailable
from tools.stores.database import READERS, Database
from tools.stores.schema import datasets, documents, knowledge_versions

DEADLINE = 20.0


def put(name: str, version: int = 1) -> Callable[[Connection], None]:
    row = {"tenant_id": name, "version": version, "removals": 0}

    def work(connection: Connection) -> None:
        connection.execute(insert(knowledge_versions), row)

    return work


def names(connection: Connection) -> list[str]:
    query = select(knowledge_versions.c.tenant_id).order_by(knowledge_versions.c.tenant_id)
    return list(connection.scalars(query))


def pragma(text: str) -> Callable[[Connection], Any]:
    return lambda connection: connection.exec_driver_sql(f"PRAGMA {text}").scalar()


@contextlib.contextmanager
def write_lock(path: Path) -> Iterator[Callable[[], None]]:
    """Another program's write lock on the file; call what it gives to let go early."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield lambda: connection.execute("ROLLBACK") and None


class Gate:
    """A unit of work that waits in its thread until the test opens the gate."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self, connection: Connection) -> list[str]:
        before = names(connection)
        self.reached.set()
        assert self._opened.wait(DEADLINE)
        assert names(connection) == before
        return before

    def open(self) -> None:
        self._opened.set()

    async def wait_until_reached(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, DEADLINE)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


# Transactions


async def test_a_write_is_seen_by_the_next_read(database: Database) -> None:
    for n in range(20):
        await database.write(put(f"{n:02}"))
        assert len(await database.read(names)) == n + 1


async def test_writes_that_wait_together_are_committed_together(database: Database) -> None:
    def which_transaction(n: int) -> Callable[[Connection], RootTransaction | None]:
        def work(connection: Connection) -> RootTransaction | None:
            put(f"{n:03}")(connection)
            return connection.get_transaction()

        return work

    with write_lock(database.path) as let_go:
        writes = [asyncio.ensure_future(database.write(which_transaction(n))) for n in range(100)]
        await asyncio.sleep(0)
        let_go()
        transactions = await asyncio.gather(*writes)
    assert len(set(transactions)) <= 2
    assert len(await database.read(names)) == 100


async def test_an_error_rolls_back_that_work_alone(database: Database) -> None:
    def breaks(connection: Connection) -> None:
        put("half done")(connection)
        raise LookupError("mine")

    works = [put("a"), breaks, put("b"), put("a"), put("c")]
    with write_lock(database.path) as let_go:
        writes = [asyncio.ensure_future(database.write(work)) for work in works]
        await asyncio.sleep(0)
        let_go()
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), LookupError, type(None), IntegrityError, type(None)]
    assert await database.read(names) == ["a", "b", "c"]


async def test_a_read_sees_one_state_whatever_is_written_meanwhile(database: Database, gate: Gate) -> None:
    await database.write(put("before"))
    reading = asyncio.ensure_future(database.read(gate))
    await gate.wait_until_reached()
    await database.write(put("meanwhile"))
    gate.open()
    assert await reading == ["before"]


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(StoreUnavailable):
        await database.read(put("a"))
    assert await database.read(names) == []


async def test_a_broken_statement_is_not_taken_for_a_broken_store(database: Database) -> None:
    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT * FROM nowhere")

    for call in (database.read, database.write):
        with pytest.raises(OperationalError, match="no such table"):
            await call(broken)


async def test_work_that_runs_out_of_an_iterator_fails_like_any_other(database: Database) -> None:
    with pytest.raises(RuntimeError):
        await database.write(lambda connection: next(iter(())))
    await database.write(put("a"))


async def test_foreign_keys_hold(database: Database) -> None:
    def orphan(connection: Connection) -> None:
        row = {column.key: "x" for column in documents.c} | {"size_bytes": 1, "progress": 0.0, "metadata": {}}
        connection.execute(insert(documents), row)

    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        await database.write(orphan)


async def test_json_comes_back_as_it_was(database: Database) -> None:
    value = {"文": [1, 2.5, None, True], "nested": {"a": "b"}}
    row = {"tenant_id": "t", "id": "d", "index_type": "vector", "options": value, "created_at": ""}
    await database.write(lambda connection: connection.execute(insert(datasets), row).rowcount)
    assert await database.read(lambda connection: connection.scalar(select(datasets.c.options))) == value


@pytest.mark.parametrize(
    ("name", "value"), [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("busy_timeout", 200)]
)
async def test_connections_are_set_up(database: Database, name: str, value: object) -> None:
    assert await database.read(pragma(name)) == value
    assert await database.write(pragma(name)) == value


# Threads and callers


async def test_reads_do_not_wait_for_a_write(database: Database, gate: Gate) -> None:
    await database.write(put("before"))
    writing = asyncio.ensure_future(database.write(gate))
    await gate.wait_until_reached()
    async with asyncio.timeout(DEADLINE):
        for _ in range(2 * READERS):
            assert await database.read(names) == ["before"]
    assert not writing.done()
    gate.open()
    await writing


async def test_reads_do_not_wait_for_a_long_read(database: Database, gate: Gate) -> None:
    loading = asyncio.ensure_future(database.read(gate))
    await gate.wait_until_reached()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(database.read(names) for _ in range(50)))
    assert not loading.done()
    gate.open()
    await loading


async def test_no_statement_runs_on_the_event_loops_thread(database: Database, gate: Gate) -> None:
    here = threading.get_ident()
    for call in (database.read, database.write):
        assert await call(lambda connection: threading.get_ident()) != here
    writing = asyncio.ensure_future(database.write(gate))
    await gate.wait_until_reached()
    for _ in range(1000):
        await asyncio.sleep(0)
    assert not writing.done()
    gate.open()
    await writing


async def test_cancelling_the_caller_leaves_the_write_and_the_writer_alone(database: Database, gate: Gate) -> None:
    holding = asyncio.ensure_future(database.write(gate))
    await gate.wait_until_reached()
    cancelled = asyncio.ensure_future(database.write(put("cancelled")))
    waiting = asyncio.ensure_future(database.write(put("waiting")))
    await asyncio.sleep(0)
    for task in (holding, cancelled):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gate.open()
    async with asyncio.timeout(DEADLINE):
        await waiting
    assert await database.read(names) == ["cancelled", "waiting"]


def test_an_event_loop_that_ends_during_a_write_does_not_stop_the_writer(database: Database, gate: Gate) -> None:
    async def start_and_leave() -> None:
        asyncio.ensure_future(database.write(gate))  # noqa: RUF006
        await gate.wait_until_reached()

    async def write_on() -> list[str]:
        async with asyncio.timeout(DEADLINE):
            await database.write(put("a"))
        return await database.read(names)

    asyncio.run(start_and_leave())
    gate.open()
    assert asyncio.run(write_on()) == ["a"]


async def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(database: Database) -> None:
    with write_lock(database.path) as let_go:
        writes = [asyncio.ensure_future(database.write(put(f"{n}"))) for n in range(5)]
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(database.close())
        await asyncio.sleep(0)
        let_go()
        await asyncio.gather(closing, *writes)
    await database.close()
    for call in (database.read, database.write):
        with pytest.raises(StoreUnavailable):
            await call(names)
    with contextlib.closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("SELECT count(*) FROM knowledge_versions").fetchone() == (5,)
    assert not database.path.with_name("zhiyin.db-wal").exists()


# A file that lets us down


async def test_a_locked_database_refuses_all_who_wait_within_the_busy_timeout(database: Database) -> None:
    with write_lock(database.path):
        started = time.monotonic()
        outcomes = await asyncio.gather(*(database.write(put(f"{n}")) for n in range(20)), return_exceptions=True)
        took = time.monotonic() - started
        assert await database.read(names) == []
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert 0.1 < took < 1.5
    await database.write(put("later"))
    assert await database.read(names) == ["later"]


async def test_a_full_disk_refuses_what_does_not_fit_and_loses_nothing(database: Database) -> None:
    await database.write(put("before"))
    pages = await database.read(pragma("page_count"))
    await database.write(pragma(f"max_page_count={pages + 2}"))
    large = put("large" * 10_000)
    with write_lock(database.path) as let_go:
        writes = [asyncio.ensure_future(database.write(work)) for work in (put("small"), large, put("tiny"))]
        await asyncio.sleep(0)
        let_go()
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), StoreUnavailable, type(None)]
    assert await database.read(names) == ["before", "small", "tiny"]
    await database.write(pragma("max_page_count=1000000"))
    await database.write(large)
    assert len(await database.read(names)) == 4
    assert await database.read(pragma("integrity_check")) == "ok"


NO_ROOM = """
import asyncio, resource, sys
from pathlib import Path
from tests.tools.stores.test_database import names, pragma, put
from tools.errors import StoreUnavailable
from tools.stores.database import Database

async def main():
    database = Database(Path(sys.argv[1]))
    kept = []
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
    refused = 0
    for n in range(400):
        name = f"{n:03}" + "x" * 4000
        try:
            await database.write(put(name))
        except StoreUnavailable:
            refused += 1
        else:
            kept.append(name)
    assert refused and kept, (refused, len(kept))
    assert await database.read(names) == kept
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await database.write(put("later"))
    assert await database.read(names) == [*kept, "later"]
    assert await database.read(pragma("integrity_check")) == "ok"
    print("good")
    await database.close()

asyncio.run(main())
"""


def test_writes_that_the_system_refuses_lose_nothing(database_path: Path) -> None:
    with process(NO_ROOM, database_path) as child:
        assert line_of(child) == "good"
        assert child.wait(DEADLINE) == 0


async def test_a_removed_file_takes_no_more_writes(database: Database) -> None:
    await database.write(put("a"))
    database.path.rename(database.path.with_name("moved.db"))
    with pytest.raises(StoreUnavailable):
        await database.write(put("b"))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("These are my notes. " * 100)
    with pytest.raises(StoreUnavailable):
        Database(path)
    assert path.read_text() == "These are my notes. " * 100


# Several processes


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.tools.stores.test_database import put
from tools.stores.database import Database

async def stream(database, stream_name, many):
    for n in range(many):
        name = f"{stream_name}-{n:05}"
        await database.write(put(name))
        print(name, flush=True)

async def main():
    _, path, name, many = sys.argv
    database = Database(Path(path))
    await asyncio.gather(*(stream(database, f"{name}{k}", int(many)) for k in range(8)))
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_write_at_once(database: Database) -> None:
    async def stream(k: int) -> None:
        for n in range(100):
            await database.write(put(f"here{k}-{n}"))

    with process(WRITER, database.path, "there", 100) as child:
        assert await asyncio.to_thread(line_of, child) == "there0-00000"
        await asyncio.gather(*(stream(k) for k in range(8)))
        _, complaints = await asyncio.to_thread(child.communicate)
        assert (child.returncode, complaints) == (0, "")
    assert len(await database.read(names)) == 1600


def test_what_was_acknowledged_survives_kill_9(database_path: Path) -> None:
    with process(WRITER, database_path, "w", 10_000) as child:
        acknowledged = [line_of(child) for _ in range(500)]
        child.kill()
        assert child.stdout is not None
        acknowledged += [line.strip() for line in child.stdout if line.endswith("\n")]
    with contextlib.closing(sqlite3.connect(database_path)) as connection:
        kept = {name for (name,) in connection.execute("SELECT tenant_id FROM knowledge_versions")}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert set(acknowledged) <= kept
