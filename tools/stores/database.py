"""One SQLite file, several readers, one writer thread that commits for everybody at once.

All statements run off the event loop. Writes that arrive while a commit is under way share the next
one (group commit), so sixteen streams cost little more than one. Several processes may open the same
file: WAL lets readers go on, and `busy_timeout` queues the writers.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import URL, Connection, Engine, NullPool, RootTransaction, create_engine, event
from sqlalchemy.exc import DBAPIError

from tools.errors import InvalidInput, StoreUnavailable
from tools.stores.migrate import migrate

T = TypeVar("T")
Work = Callable[[Connection], T]
"""A unit of work on a connection. It may run twice, so it touches nothing but the connection."""

BUSY_TIMEOUT_MS = 5_000
MAX_GROUP = 256
"""Writes that share a commit, at most."""
READERS = 4
"""Threads that read; more than one, so that loading a large index does not hold up the chats."""
WAL_KEPT_BYTES = 64 * 1024 * 1024
"""What stays of the write-ahead log on the disk after a burst."""
_PASSING = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    )
)
"""SQLite's result codes that blame the file or the machine; the others blame the statement."""


@dataclass(slots=True, eq=False)
class _Job:
    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    outcome: Any = None
    error: BaseException | None = None

    def resolve(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome)


_Jobs = queue.SimpleQueue[_Job | None]


class Database:
    """The embedded SQL store: `read` and `write` run a unit of work and return its result."""

    def __init__(self, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        """Open `path`, creating and migrating it as needed.

        Raises:
            StoreUnavailable: the file cannot be opened, is not a database, or is newer than this program.
        """
        self.path = path
        migrate(path)
        self._inode = path.stat().st_ino
        self._closed = False
        self._reads: _Jobs = queue.SimpleQueue()
        self._writes: _Jobs = queue.SimpleQueue()
        self._read_engine = _engine(path, "BEGIN", busy_timeout_ms, "query_only=ON")
        self._write_engine = _engine(path, "BEGIN IMMEDIATE", busy_timeout_ms)
        self._threads = [
            *(threading.Thread(target=self._serve_reads, name=f"sqlite-read-{n}", daemon=True) for n in range(READERS)),
            threading.Thread(target=self._serve_writes, name="sqlite-write", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    async def read(self, work: Work[T]) -> T:
        """Run `work` in a snapshot that sees every write already acknowledged.

        Raises:
            StoreUnavailable: the file cannot be read, or is closed.
        """
        return await self._submit(self._reads, work)

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction; when this returns, a killed process has not lost it.

        An error in `work` rolls back that work alone. Cancelling the caller does not undo it.

        Raises:
            StoreUnavailable: locked for longer than the busy timeout, disk full, file gone or closed.
        """
        return await self._submit(self._writes, work)

    async def close(self) -> None:
        """Finish what is queued, then let go of the file."""
        if self._closed:
            return
        self._closed = True
        self._writes.put(None)
        for _ in range(READERS):
            self._reads.put(None)
        await asyncio.to_thread(self._join)

    def _submit(self, jobs: _Jobs, work: Work[T]) -> asyncio.Future[T]:
        if self._closed:
            raise StoreUnavailable("The database is closed.")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        jobs.put(job)
        return job.future

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _serve_reads(self) -> None:
        session = _Session(self._read_engine)
        while _read_next(self._reads, session):
            pass
        session.close()

    def _serve_writes(self) -> None:
        session = _Session(self._write_engine)
        while self._write_next(session):
            pass
        session.close()

    def _write_next(self, session: _Session) -> bool:
        """Wait for a write, and commit it with all that have come by the time the lock is ours."""
        first = self._writes.get()
        if first is None:
            return False
        try:
            self._check_in_place()
            transaction = session.begin()
        except Exception as error:
            jobs = [first, *self._waiting()]
            for job in jobs:
                job.error = _named(error)
        else:
            jobs = [first, *self._waiting()]
            if not _commit(transaction, jobs) and len(jobs) > 1:
                _commit_one_by_one(session, jobs)
        _deliver(jobs)
        return True

    def _waiting(self) -> list[_Job]:
        jobs: list[_Job] = []
        while len(jobs) < MAX_GROUP:
            try:
                job = self._writes.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._writes.put(None)
                break
            jobs.append(job)
        return jobs

    def _check_in_place(self) -> None:
        # SQLite would go on writing to a deleted file, and all would be lost when the process ends.
        try:
            in_place = self.path.stat().st_ino == self._inode
        except OSError:
            in_place = False
        if not in_place:
            raise StoreUnavailable("The database file was removed or replaced; start again.")


class _Session:
    """One thread's connection, opened when first needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def begin(self) -> RootTransaction:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection.begin()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _read_next(jobs: _Jobs, session: _Session) -> bool:
    job = jobs.get()
    if job is None:
        return False
    try:
        _commit(session.begin(), [job])
    except Exception as error:
        job.error = _named(error)
    _deliver([job])
    return True


def _commit(transaction: RootTransaction, jobs: Sequence[_Job]) -> bool:
    """Run the jobs in one transaction; False, nothing written and the error on all, when any of them fails."""
    try:
        with transaction:
            for job in jobs:
                job.outcome = job.work(transaction.connection)
    except BaseException as error:
        for job in jobs:
            job.error = _named(error)
        return False
    return True


def _commit_one_by_one(session: _Session, jobs: Sequence[_Job]) -> None:
    """Give each job its own transaction, so that only those that fail are lost."""
    for place, job in enumerate(jobs):
        job.error = None
        try:
            transaction = session.begin()
        except Exception as error:
            for rest in jobs[place:]:
                rest.error = _named(error)
            return
        _commit(transaction, [job])


def _deliver(jobs: Sequence[_Job]) -> None:
    for loop in {job.loop for job in jobs}:
        with contextlib.suppress(RuntimeError):  # a closed loop: nobody waits any more
            loop.call_soon_threadsafe(_resolve, [job for job in jobs if job.loop is loop])


def _resolve(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.resolve()


def _named(error: BaseException) -> BaseException:
    """Our name for the driver's trouble; a broken statement stays itself, for it is a bug."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    named = error
    if isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _PASSING:
        named = StoreUnavailable(f"The database cannot serve right now: {cause}.")
    elif isinstance(cause, UnicodeEncodeError):
        named = InvalidInput("The text holds characters that are no valid Unicode.")
    elif isinstance(cause, OverflowError):
        named = InvalidInput("A number is too large to be kept.")
    elif isinstance(cause, StopIteration):  # a future refuses to carry one
        named = RuntimeError("A unit of work raised StopIteration.")
    if named is not error:
        named.__cause__ = error
    return named


def _engine(path: Path, begin: str, busy_timeout_ms: int, *pragmas: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        json_serializer=_json_text,
        json_deserializer=_json_value,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # `start`, below, says BEGIN itself
        for pragma in (
            f"busy_timeout={busy_timeout_ms}",
            "journal_mode=WAL",
            f"journal_size_limit={WAL_KEPT_BYTES}",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            *pragmas,
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        driver: Any = connection.connection.dbapi_connection
        driver.execute(begin)  # not through SQLAlchemy, which takes ten times as long

    return engine


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _json_value(text: str | float) -> Any:
    # SQLite keeps a JSON text that is a bare number as that number.
    return orjson.loads(text) if isinstance(text, str) else text
