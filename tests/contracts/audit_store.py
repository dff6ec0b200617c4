"""What every `AuditStore` keeps to; a backend's test subclasses it and provides `store`."""

from __future__ import annotations

from typing import Any

import pytest

from tools.errors import InvalidInput
from tools.stores import cursors
from tools.stores.protocol import AuditRow, AuditStore


async def note(store: AuditStore, *targets: str, tenant: str = "t") -> None:
    for target in targets:
        await store.append(tenant, AuditRow("ann", "flag.set", target))


class AuditStoreContract:
    """One test for each sentence of the Protocol."""

    @pytest.fixture
    def store(self) -> AuditStore:
        raise NotImplementedError

    async def test_a_row_is_kept_with_the_stores_time(self, store: AuditStore) -> None:
        await store.append("t", AuditRow("ann", "flag.set", "AB", False, True, "req_1", at="1999", position=99))
        (row,) = (await store.list("t", 10, None)).items
        assert (row.principal, row.action, row.target, row.before, row.after) == ("ann", "flag.set", "AB", False, True)
        assert row.request_id == "req_1"
        assert row.at > "2020"
        assert row.at.endswith("Z")

    @pytest.mark.parametrize("value", [None, False, 0, 0.1, "值", ["a", {"b": None}], {"nested": {"k": [1, 2]}}])
    async def test_values_come_back_as_they_were(self, store: AuditStore, value: Any) -> None:
        await store.append("t", AuditRow("ann", "flag.set", "AB", before=value, after=value))
        (row,) = (await store.list("t", 10, None)).items
        assert (row.before, row.after) == (value, value)
        assert type(row.after) is type(value)

    async def test_the_newest_comes_first(self, store: AuditStore) -> None:
        await note(store, "a", "b", "c")
        page = await store.list("t", 10, None)
        assert [row.target for row in page.items] == ["c", "b", "a"]
        assert page.next_cursor is None

    async def test_pages_hold_every_row_once_even_when_more_are_added(self, store: AuditStore) -> None:
        await note(store, "a", "b", "c", "d", "e")
        first = await store.list("t", 2, None)
        await note(store, "f")
        second = await store.list("t", 2, first.next_cursor)
        third = await store.list("t", 2, second.next_cursor)
        seen = [row.target for page in (first, second, third) for row in page.items]
        assert seen == ["e", "d", "c", "b", "a"]
        assert third.next_cursor is None

    @pytest.mark.parametrize(
        "cursor", ["", "nonsense", "游标", cursors.encode("a", "b"), cursors.encode(-1), cursors.encode(2**70)]
    )
    async def test_a_bad_cursor_is_invalid_input(self, store: AuditStore, cursor: str) -> None:
        with pytest.raises(InvalidInput):
            await store.list("t", 10, cursor)

    async def test_a_page_of_nothing_is_invalid_input(self, store: AuditStore) -> None:
        with pytest.raises(InvalidInput):
            await store.list("t", 0, None)

    async def test_a_tenant_never_sees_another_tenants_records(self, store: AuditStore) -> None:
        await note(store, "a", "b")
        await note(store, "x", tenant="other")
        assert [row.target for row in (await store.list("other", 10, None)).items] == ["x"]
        cursor = (await store.list("t", 1, None)).next_cursor
        assert cursor is not None
        assert (await store.list("other", 10, cursor)).items == []
