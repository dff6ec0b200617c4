"""New files, old files, foreign files, and several processes that start at once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from tests.tools.stores.processes import go_on, line_of, process
from tools.errors import StoreUnavailable
from tools.stores.migrate import SCRIPTS, migrate
from tools.stores.schema import REVISION, metadata


def sql(path: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute(query).fetchall()
        connection.commit()
    return found


def objects(path: Path) -> dict[object, str]:
    """Tables and indexes by name, as SQL without the white space."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'"
    return {name: "".join(str(text).split()) for name, text in sql(path, query)}


def test_the_migrations_lead_to_the_schema(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_new_file_is_made_to_the_letter_as_the_migrations_would(migrated: Path, tmp_path: Path) -> None:
    migrate(tmp_path / "new.db")
    assert objects(migrated) == objects(tmp_path / "new.db")
    query = "SELECT name, type, pk FROM pragma_table_info('alembic_version')"
    assert sql(tmp_path / "new.db", query) == sql(migrated, query)


def test_the_schema_names_the_newest_migration(migrated: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
    assert sql(migrated, "SELECT version_num FROM alembic_version") == [(REVISION,)]


def test_a_file_that_is_there_keeps_its_rows(tmp_path: Path, migrated: Path) -> None:
    path = tmp_path / "there.db"
    path.write_bytes(migrated.read_bytes())
    sql(path, "INSERT INTO knowledge_versions VALUES ('t', 1, 0)")
    migrate(path)
    assert sql(path, "SELECT * FROM knowledge_versions") == [("t", 1, 0)]


def test_folders_are_made_and_odd_names_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "a%20b" / "值 ?x=1#2%.db"
    migrate(path)
    migrate(path)
    assert sql(path, "PRAGMA journal_mode") == [("wal",)]


FAST = """
import sys
from pathlib import Path
from tools.stores.database import Database
Database(Path(sys.argv[1]))
print([name for name in ("alembic", "mako") if name in sys.modules])
"""


@pytest.mark.parametrize("new", [True, False])
def test_neither_a_new_file_nor_one_that_is_up_to_date_costs_an_import_of_alembic(
    migrated: Path, tmp_path: Path, new: bool
) -> None:
    with process(FAST, tmp_path / "new.db" if new else migrated) as child:
        assert line_of(child) == "[]"


STARTER = """
import sys
from pathlib import Path
from tools.stores.database import Database
print("ready", flush=True)
input()
Database(Path(sys.argv[1]))
print("open", flush=True)
"""


def test_processes_that_start_at_once_all_open_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "zhiyin.db"
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(process(STARTER, path)) for _ in range(3)]
        assert [line_of(child) for child in children] == ["ready"] * 3
        for child in children:
            go_on(child)
        assert [line_of(child) for child in children] == ["open"] * 3
    assert sql(path, "SELECT version_num FROM alembic_version") == [(REVISION,)]


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path, migrated: Path) -> None:
    path = tmp_path / "newer.db"
    path.write_bytes(migrated.read_bytes())
    sql(path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match="newer version"):
        migrate(path)
    assert sql(path, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "foreign.db"
    sql(path, "CREATE TABLE turns (mine)")
    with pytest.raises(StoreUnavailable):
        migrate(path)
    assert sql(path, "SELECT name FROM sqlite_master") == [("turns",)]


@pytest.mark.parametrize("content", [b"no database " * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable):
        migrate(path)
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "zhiyin.db"):
        with pytest.raises(StoreUnavailable):
            migrate(path)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere, so take its rights away for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("there", [True, False])
def test_a_place_that_cannot_be_written_is_refused_at_once(public_folder: Path, migrated: Path, there: bool) -> None:
    path = public_folder / "zhiyin.db"
    if there:
        path.write_bytes(migrated.read_bytes())
        path.chmod(0o444)
    public_folder.chmod(0o555)
    with as_nobody(), pytest.raises(StoreUnavailable, match="cannot be used"):
        migrate(path)
    public_folder.chmod(0o755)
