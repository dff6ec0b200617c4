from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert

from tools.stores.database import Database
from tools.stores.schema import chunks, datasets, documents
from tools.stores.spread_chunks import SqlSpreadChunks

EVER = (date.min.toordinal(), date.max.toordinal())


async def keep(database: Database, sizes: dict[str, int], tenant_id: str = "t", dataset_id: str = "d") -> None:
    """Documents by name, in this order, with so many chunks."""
    made = [
        {
            "id": f"{tenant_id}-{name}",
            "tenant_id": tenant_id,
            "dataset_id": dataset_id,
            "name": name,
            "media_type": "text/plain",
            "size_bytes": 1,
            "sha256": "",
            "status": "ready",
            "stage": "done",
            "metadata": {"date": f"2024-01-{number:02}"} if number % 2 else {},
            "created_at": f"2025-01-01T00:00:{number:02}Z",
        }
        for number, name in enumerate(sizes, start=1)
    ]
    pieces = [
        {
            "id": f"{tenant_id}-{name}-{n}",
            "tenant_id": tenant_id,
            "dataset_id": dataset_id,
            "document_id": f"{tenant_id}-{name}",
            "start": n,
            "end": n + 1,
            "text": "x",
            "language": "en",
            "terms": "x",
        }
        for name, size in sizes.items()
        for n in range(size)
    ]

    def work(connection: object) -> None:
        of_tenant = {"tenant_id": tenant_id, "id": dataset_id, "index_type": "hybrid", "options": {}, "created_at": ""}
        connection.execute(insert(datasets), [of_tenant])  # type: ignore[attr-defined]
        connection.execute(insert(documents), made)  # type: ignore[attr-defined]
        connection.execute(insert(chunks), pieces)  # type: ignore[attr-defined]

    await database.write(work)


async def names(database: Database, positions: object) -> list[str]:
    rows = await database.read(lambda c: dict(c.exec_driver_sql("SELECT position, id FROM chunks").all()))
    return [rows[position] for position in positions]  # type: ignore[attr-defined]


async def test_documents_take_turns_and_open_with_their_first_chunk(database: Database) -> None:
    await keep(database, {"a": 1, "b": 9, "c": 2})
    found = await SqlSpreadChunks(database).spread("t", ["d"], 6, EVER)
    assert await names(database, found) == ["t-a-0", "t-b-0", "t-c-0", "t-b-4", "t-c-1"]


async def test_of_many_documents_an_even_sample_is_taken(database: Database) -> None:
    await keep(database, {f"{n:02}": 2 for n in range(20)})
    found = await names(database, await SqlSpreadChunks(database).spread("t", None, 4, EVER))
    assert found == ["t-00-0", "t-05-0", "t-10-0", "t-15-0"]


@pytest.mark.parametrize("number", [1, 3, 7, 20, 50])
async def test_never_more_than_asked_for_and_never_one_twice(database: Database, number: int) -> None:
    await keep(database, {f"{n:02}": 3 for n in range(7)})
    found = await SqlSpreadChunks(database).spread("t", ["d"], number, EVER)
    assert len(found) == len(set(found)) == min(number, 21)


async def test_days_bound_the_documents(database: Database) -> None:
    await keep(database, {"dated": 1, "undated": 1})
    spread = SqlSpreadChunks(database)
    days = (date(2024, 1, 1).toordinal(), date(2024, 12, 31).toordinal())
    assert await names(database, await spread.spread("t", ["d"], 5, days)) == ["t-dated-0"]
    everything = await spread.spread("t", ["d"], 5, EVER)
    assert await names(database, await spread.within("t", everything, days)) == ["t-dated-0"]
    assert list(await spread.within("t", everything, EVER)) == list(everything)


async def test_a_tenant_never_sees_another_tenants_records(database: Database) -> None:
    await keep(database, {"a": 2})
    await keep(database, {"b": 2}, tenant_id="u", dataset_id="e")
    spread = SqlSpreadChunks(database)
    mine = await spread.spread("t", None, 10, EVER)
    assert await names(database, mine) == ["t-a-0", "t-a-1"]
    assert await spread.spread("t", ["e"], 10, EVER) == []
    days = (EVER[0], EVER[1] - 1)
    assert await spread.within("u", mine, days) == []
    assert (await spread.datasets("t"), await spread.datasets("u")) == (["d"], ["e"])
