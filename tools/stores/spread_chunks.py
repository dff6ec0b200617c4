"""Chunks that stand for a whole data set without anything being known of them: spread over its documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection

from tools.stores.database import Database

_DATE = "substr(coalesce(json_extract(metadata, '$.date'), created_at), 1, 10)"
_DATASETS = "SELECT id FROM datasets WHERE tenant_id = ?1 ORDER BY id"
_DOCUMENTS = """
SELECT id FROM (
  SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS place, count(*) OVER () AS total FROM documents
  WHERE tenant_id = ?1 AND (?2 IS NULL OR dataset_id IN (SELECT value FROM json_each(?2)))
    AND EXISTS (SELECT 1 FROM chunks WHERE document_id = documents.id){dated}
)
WHERE total <= ?3 OR place = 0 OR place * ?3 / total <> (place - 1) * ?3 / total ORDER BY place
"""
_CHUNKS = "SELECT position FROM chunks WHERE tenant_id = ?1 AND document_id = ?2 ORDER BY position"
_WITHIN = f"""
SELECT chunks.position FROM chunks JOIN documents ON documents.id = chunks.document_id
WHERE chunks.tenant_id = ?1 AND chunks.position IN (SELECT value FROM json_each(?2)) AND {_DATE} BETWEEN ?3 AND ?4
"""  # noqa: S608 - both parts are ours
_ALL_DAYS = (date.min.toordinal(), date.max.toordinal())


class SqlSpreadChunks:
    """The `SpreadChunks` of broad questions on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def datasets(self, tenant_id: str) -> Sequence[str]:
        """The tenant's data sets, in order."""
        return await self._database.read(lambda connection: _first_column(connection, _DATASETS, tenant_id))

    async def spread(
        self, tenant_id: str, dataset_ids: Sequence[str] | None, number: int, days: tuple[int, int]
    ) -> Sequence[int]:
        """Positions of at most `number` chunks, documents taking turns; what a document opens with comes first.

        Of more documents than `number`, those are taken that stand evenly in the order of upload; of a document's
        chunks likewise. `days` (ordinals, both included) bound the documents' dates.
        """

        def work(connection: Connection) -> list[int]:
            statement, bounds = _DOCUMENTS.format(dated=""), ()
            if days != _ALL_DAYS:
                statement, bounds = _DOCUMENTS.format(dated=f" AND {_DATE} BETWEEN ?4 AND ?5"), _dates(days)
            asked = None if dataset_ids is None else _json(dataset_ids)
            found = _first_column(connection, statement, tenant_id, asked, number, *bounds)
            each = -(-number // max(len(found), 1))
            chunks = [_evenly(_first_column(connection, _CHUNKS, tenant_id, one), each) for one in found]
            turns = [of_document[turn] for turn in range(each) for of_document in chunks if turn < len(of_document)]
            return turns[:number]

        return await self._database.read(work)

    async def within(self, tenant_id: str, positions: Sequence[int], days: tuple[int, int]) -> Sequence[int]:
        """Those of the positions whose documents bear a date within `days`, in any order."""
        if days == _ALL_DAYS or not positions:
            return positions
        return await self._database.read(
            lambda connection: _first_column(connection, _WITHIN, tenant_id, _json(positions), *_dates(days))
        )


def _evenly(values: Sequence[int], number: int) -> list[int]:
    """At most `number` of the values, evenly spaced from the first; so are the first few of them (van der Corput)."""
    places = range(min(number, len(values)))
    bits = max(len(places) - 1, 0).bit_length()
    order = sorted(places, key=lambda place: f"{place:0{bits}b}"[::-1])
    return [values[place * len(values) // len(places)] for place in order]


def _dates(days: tuple[int, int]) -> tuple[str, str]:
    return date.fromordinal(days[0]).isoformat(), date.fromordinal(days[1]).isoformat()


def _first_column(connection: Connection, statement: str, *parameters: Any) -> list[Any]:
    return [row[0] for row in connection.exec_driver_sql(statement, parameters)]


def _json(values: Sequence[Any]) -> str:
    return orjson.dumps(list(values)).decode()
