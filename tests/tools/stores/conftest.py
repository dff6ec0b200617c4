"""A fresh database for each test, copied from one that was migrated once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.stores.database import Database
from tools.stores.migrate import upgrade


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "migrated.db"
    upgrade(path)  # by the scripts, as an older file is
    return path


@pytest.fixture
def database_path(tmp_path: Path, migrated: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "zhiyin.db"))


@pytest.fixture
def database(database_path: Path) -> Iterator[Database]:
    database = Database(database_path, busy_timeout_ms=200)
    yield database
    asyncio.run(database.close())
