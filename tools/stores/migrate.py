"""Bring a database file to the schema this program speaks, safely beside other processes that start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from tools.errors import StoreUnavailable
from tools.stores.schema import REVISION

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
        if _revision(path) != REVISION:
            with _locked(path.parent):
                if _revision(path) != REVISION:
                    _upgrade(path)
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
    """One process at a time; the kernel lets go when it dies. The lock leaves no file behind."""
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _upgrade(path: Path) -> None:
    # alembic costs 0.3 CPU-seconds to import, which only a new or old file is worth.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if (revision := _revision(path)) is not None and revision not in known:
        raise StoreUnavailable(f"The database {path} was made by a newer version of this program ({revision}).")
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": WAIT_SECONDS}
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.exec_driver_sql("COMMIT")
