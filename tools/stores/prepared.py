"""Statements of the hot path, written in SQLAlchemy Core and run on the driver.

`Connection.execute` spends 15-20 µs a statement around SQLite's 2-5 µs, and a turn runs some fifteen of
them. What is lost is type conversion: JSON goes in and comes out as text, booleans come out as 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Delete, Insert, Select, Update
from sqlalchemy.dialects import sqlite

Parameters = Mapping[str, Any]


class Prepared:
    """A statement rendered once; parameters are named as its `bindparam`s (in a plain insert, as its columns)."""

    def __init__(
        self,
        statement: Select[*tuple[Any, ...]] | Insert | Update | Delete,
        *,
        columns: Iterable[Column[Any]] | None = None,
    ) -> None:
        """Render `statement`; `columns` are those that a plain insert is given."""
        keys = None if columns is None else [column.key for column in columns]
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=keys)
        self.sql = str(compiled)
        self._constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}

    def rows(self, connection: Connection, parameters: Parameters) -> list[tuple[Any, ...]]:
        """All rows that a select finds, or that a change returns."""
        return self._driver(connection).execute(self.sql, self._all(parameters)).fetchall()

    def row(self, connection: Connection, parameters: Parameters) -> tuple[Any, ...] | None:
        """The first row, if there is one."""
        found = self.rows(connection, parameters)
        return found[0] if found else None

    def change(self, connection: Connection, parameters: Parameters) -> int:
        """Run it; gives the number of rows changed."""
        return self._driver(connection).execute(self.sql, self._all(parameters)).rowcount

    def change_all(self, connection: Connection, rows: Sequence[Parameters]) -> int:
        """Run it once for each of `rows`; gives the number of rows changed in all."""
        return self._driver(connection).executemany(self.sql, [self._all(row) for row in rows]).rowcount

    def _all(self, parameters: Parameters) -> Parameters:
        return {**parameters, **self._constants} if self._constants else parameters

    @staticmethod
    def _driver(connection: Connection) -> Any:
        return connection.connection.dbapi_connection
