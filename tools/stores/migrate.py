"""Bring a database file to the schema this program speaks, safely beside other processes that start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from tools.errors import StoreUnavailable
from tools.stores import graph_schema  # noqa: F401 its tables join `metadata`
from tools.stores.schema import REVISION, metadata

SCRIPTS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 30.0
"""For another process that writes while this one starts."""


def migrate(path: Path) -> None:
    """Create the file, or lead it to `REVISION` in one transaction; a file that is there already costs 1 ms.

    Raises:
        StoreUnavailable: not a database, not writable, locked, or made by a newer program.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            if (revision := _revision(path)) is None and _is_empty(path):
                create(path)
            elif revision != REVISION:
                upgrade(path)
    except (OSError, sqlite3.Error, DBAPIError) as error:
        cause = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
        raise StoreUnavailable(f"The database {path} cannot be used: {cause}.") from error


def _revision(path: Path) -> str | None:
    """The file's revision (None: it has none yet), asked in a write transaction to know that it can be written."""
    with contextlib.closing(sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
        connection.execute("ROLLBACK")
    return row[0] if row else None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time; the kernel lets go when it dies. The lock leaves no file behind.

    SQLite's own lock is not enough: the change to WAL fails at once when two processes try it.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_empty(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def create(path: Path) -> None:
    """Make a new file's tables as the schema has them: what the scripts lead to, without importing alembic."""
    with _transaction(path) as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version ("
            "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (REVISION,))


def upgrade(path: Path) -> None:
    """Lead a file to the newest revision by the scripts. Raises StoreUnavailable when it is of none they know."""
    # alembic costs 0.3 CPU-seconds to import, which only an older file is worth.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if (revision := _revision(path)) is not None and revision not in known:
        raise StoreUnavailable(f"The database {path} was made by a newer version of this program ({revision}).")
    with _transaction(path) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextlib.contextmanager
def _transaction(path: Path) -> Iterator[Connection]:
    """One transaction for the whole change, in WAL mode; an error leaves the file as it was."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": WAIT_SECONDS}
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.exec_driver_sql("COMMIT")
