"""Prepared statements say what Core would, and every one of them is answered by an index."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update

from tools.stores import audit, checkpoints, conversations, turns
from tools.stores.database import Database
from tools.stores.prepared import Prepared
from tools.stores.schema import knowledge_versions

STATEMENTS = {
    f"{module.__name__}.{name}": value
    for module in (audit, checkpoints, conversations, turns)
    for name, value in vars(module).items()
    if isinstance(value, Prepared)
}
ADD = Prepared(insert(knowledge_versions), columns=knowledge_versions.c)
BUMP = Prepared(
    update(knowledge_versions)
    .where(knowledge_versions.c.tenant_id == bindparam("tenant"))
    .values(version=knowledge_versions.c.version + 1)
    .returning(knowledge_versions.c.version)
)
ALL = Prepared(select(knowledge_versions).where(knowledge_versions.c.removals < 100))


async def test_constants_of_the_statement_and_parameters_of_the_call_meet(database: Database) -> None:
    rows = [{"tenant_id": name, "version": 7, "removals": n} for n, name in enumerate(("a", "b"))]

    def work(connection: Connection) -> None:
        assert ADD.change_all(connection, rows) == 2
        assert BUMP.row(connection, {"tenant": "b"}) == (8,)
        assert BUMP.row(connection, {"tenant": "none"}) is None
        assert ALL.rows(connection, {}) == [("a", 7, 0), ("b", 8, 1)]

    await database.write(work)


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_of_a_store_reads_a_whole_table_or_sorts(database_path: Path, name: str) -> None:
    with contextlib.closing(sqlite3.connect(database_path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name].sql}", _Anything()).fetchall()
    steps = [detail for *_, detail in plan]
    # The partial index holds running turns only, so all of it is little.
    heavy = [step for step in steps if step.startswith(("SCAN", "USE TEMP")) and "running_turns" not in step]
    assert heavy == []


class _Anything(defaultdict[str, int]):
    """A value for every parameter, whatever it is called."""

    def __init__(self) -> None:
        super().__init__(int)
