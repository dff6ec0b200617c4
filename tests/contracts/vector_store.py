"""What every vector store must do: the nearest chunks, exactly those of the tenant and the scope that are there now."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from tools.stores.vector_protocol import Near, Vector, VectorRow, VectorScope, VectorStore

DIMENSION = 16
EVERYTHING = VectorScope(None, 1, 3_652_059)
HARD_IDS = [
    'a"b',
    "a'b",
    "back\\slash",
    '\\"',
    '" or tenant != "',
    '" or 1 == 1 or tenant == "',
    "x] or position > 0 or position in [1",
    "%",
    "_",
    "a\nb\tc",
    "\u0001\x7f",
    "\u2028",
    "🎉 知音",
    "مرحبا",
    "e\u0301",
    "\\u0041",
    "{x} $x",
    "n" * 200,
    "音" * 200,
    "长" * 2_000,
    " ",
]
_NUMBERS = itertools.count()


def tenants(number: int) -> list[str]:
    """Names that no other test uses, so that tests can share a server's collection."""
    return [f"tenant {next(_NUMBERS)}" for _ in range(number)]


def unit(*numbers: float) -> Vector:
    """A unit vector that begins with these numbers."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def at_angles(first_position: int, document_id: str, *degrees: float, day: int = 700_000) -> list[VectorRow]:
    """Rows at successive positions whose vectors stand at these angles to `unit(1)`."""
    turned = np.deg2rad(degrees)
    return [
        VectorRow(first_position + n, document_id, day, unit(np.cos(angle), np.sin(angle)).tobytes())
        for n, angle in enumerate(turned)
    ]


def random_vectors(number: int, seed: int) -> Vector:
    """Unit vectors in all directions, (number, DIMENSION)."""
    drawn = np.random.default_rng(seed).standard_normal((number, DIMENSION)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


async def positions(
    vectors: VectorStore, tenant: str, number: int = 100, scope: VectorScope = EVERYTHING, towards: Vector | None = None
) -> list[int]:
    """Positions of the nearest, in order."""
    return [
        hit.position for hit in await vectors.nearest(tenant, unit(1) if towards is None else towards, number, scope)
    ]


class VectorStoreContract:
    """Subclass and provide a fixture `vectors`: a store for vectors of `DIMENSION`, which may hold other tests'."""

    async def test_a_tenant_never_sees_another_tenants_records(self, vectors: VectorStore) -> None:
        one, other = tenants(2)
        await vectors.replace(one, "d", "doc", at_angles(1, "doc", 0, 10))
        await vectors.replace(other, "d", "doc", at_angles(1, "doc", 20, 30, 40))
        assert await positions(vectors, one) == [1, 2]
        assert await positions(vectors, other) == [1, 2, 3]
        assert (await vectors.nearest(other, unit(1), 1, EVERYTHING))[0].cosine == pytest.approx(np.cos(np.pi / 9))
        assert [hit.position for hit in await vectors.cosines(one, unit(1), [1, 3])] == [1]
        await vectors.replace(one, "d", "doc", [])
        assert await positions(vectors, one) == []
        assert await positions(vectors, other) == [1, 2, 3]

    async def test_the_nearest_come_first_with_their_cosines(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        await vectors.replace(tenant, "d", "doc", at_angles(1, "doc", 60, 0, 180, 90))
        found = await vectors.nearest(tenant, unit(1), 10, EVERYTHING)
        assert [hit.position for hit in found] == [2, 1, 4, 3]
        assert [hit.cosine for hit in found] == pytest.approx([1, 0.5, 0, -1], abs=1e-6)
        assert all(-1 <= hit.cosine <= 1 for hit in found)
        assert await positions(vectors, tenant, 2) == [2, 1]
        assert await positions(vectors, tenant, 0) == []

    async def test_ties_go_to_the_lower_position_also_at_the_cut(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        await vectors.replace(tenant, "d", "late", at_angles(100, "late", *[30] * 40))
        await vectors.replace(tenant, "d", "early", at_angles(200, "early", 0, *[30] * 60))
        assert await positions(vectors, tenant, 6) == [200, 100, 101, 102, 103, 104]
        assert await positions(vectors, tenant, 100) == [200, *range(100, 140), *range(201, 260)]

    async def test_all_there_are_is_all_one_gets(self, vectors: VectorStore) -> None:
        tenant, unknown = tenants(2)
        await vectors.replace(tenant, "d", "doc", at_angles(1, "doc", 0, 10))
        assert await positions(vectors, tenant, 10_000) == [1, 2]
        assert await positions(vectors, unknown) == []
        assert list(await vectors.cosines(unknown, unit(1), [1, 2])) == []

    async def test_a_scope_names_data_sets(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        for number, dataset in enumerate(["a", "b", "c"]):
            await vectors.replace(tenant, dataset, f"doc {dataset}", at_angles(10 * (number + 1), dataset, 5 * number))

        async def within(*names: str) -> list[int]:
            return await positions(vectors, tenant, scope=VectorScope(names, EVERYTHING.first_day, EVERYTHING.last_day))

        assert await within("a") == [10]
        assert await within("a", "c") == [10, 30]
        assert await within("nowhere") == []
        assert await within() == []
        assert await positions(vectors, tenant) == [10, 20, 30]

    async def test_a_scope_includes_both_its_days(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        for day in range(700_000, 700_005):
            await vectors.replace(tenant, "d", f"doc {day}", at_angles(day, f"doc {day}", day % 10, day=day))
        scope = VectorScope(["d"], 700_001, 700_003)
        assert await positions(vectors, tenant, scope=scope) == [700_001, 700_002, 700_003]
        assert await positions(vectors, tenant, scope=VectorScope(None, 700_004, 700_004)) == [700_004]
        assert await positions(vectors, tenant, scope=VectorScope(None, 700_005, 700_009)) == []

    async def test_replacing_twice_changes_nothing(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        rows = at_angles(1, "doc", 0, 10, 20)
        for _ in range(3):
            await vectors.replace(tenant, "d", "doc", rows)
        assert await positions(vectors, tenant) == [1, 2, 3]
        assert len(await vectors.cosines(tenant, unit(1), [1, 2, 3])) == 3

    async def test_a_changed_document_has_only_its_new_rows(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        await vectors.replace(tenant, "d", "doc", at_angles(1, "doc", 0, 10, 20))
        await vectors.replace(tenant, "d", "other", at_angles(4, "other", 15))
        await vectors.replace(tenant, "e", "doc", at_angles(5, "doc", 5, 25, day=700_009))
        assert await positions(vectors, tenant) == [5, 4, 6]
        assert await positions(vectors, tenant, scope=VectorScope(["d"], 1, 800_000)) == [4]
        assert await positions(vectors, tenant, scope=VectorScope(["e"], 700_009, 700_009)) == [5, 6]
        assert list(await vectors.cosines(tenant, unit(1), [1, 2, 3])) == []

    async def test_a_removed_document_leaves_nothing(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        await vectors.replace(tenant, "d", "doc", at_angles(1, "doc", 0, 10))
        await vectors.replace(tenant, "d", "other", at_angles(3, "other", 20))
        for _ in range(2):
            await vectors.replace(tenant, "d", "doc", [])
            assert await positions(vectors, tenant) == [3]
            assert [hit.position for hit in await vectors.cosines(tenant, unit(1), [1, 2, 3])] == [3]
        await vectors.replace(tenant, "d", "never there", [])
        assert await positions(vectors, tenant) == [3]

    async def test_cosines_are_of_the_chunks_asked_for(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        rows = [*at_angles(1, "doc", 0, 60), VectorRow(3, "doc", 700_000, b""), *at_angles(4, "doc", 180)]
        await vectors.replace(tenant, "d", "doc", rows)
        found = {hit.position: hit.cosine for hit in await vectors.cosines(tenant, unit(1), [4, 2, 3, 99])}
        assert found == pytest.approx({2: 0.5, 4: -1.0}, abs=1e-6)
        assert list(await vectors.cosines(tenant, unit(1), [])) == []
        assert sorted(await positions(vectors, tenant)) == [1, 2, 4]

    async def test_cosines_of_a_thousand_and_more_come_at_once(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        made = random_vectors(2_100, seed=3)
        rows = [VectorRow(n + 1, "long", 700_000, vector.tobytes()) for n, vector in enumerate(made)]
        await vectors.replace(tenant, "d", "long", rows)
        found = dict(await vectors.cosines(tenant, unit(1), range(1, 2_201)))
        assert sorted(found) == list(range(1, 2_101))
        assert [found[n] for n in range(1, 2_101)] == pytest.approx((made @ unit(1)).tolist(), abs=1e-6)
        await vectors.replace(tenant, "d", "long", [])
        assert await positions(vectors, tenant) == []

    async def test_an_id_is_a_name_whatever_stands_in_it(self, vectors: VectorStore) -> None:
        (bystander,) = tenants(1)
        await vectors.replace(bystander, "d", "doc", at_angles(1, "doc", 0))
        await asyncio.gather(
            *(
                vectors.replace(bystander + name, name, name, at_angles(n + 10, name, n))
                for n, name in enumerate(HARD_IDS)
            )
        )
        for n, name in enumerate(HARD_IDS):
            scope = VectorScope([name], EVERYTHING.first_day, EVERYTHING.last_day)
            assert await positions(vectors, bystander + name, scope=scope) == [n + 10], name
            assert await positions(vectors, bystander, scope=scope) == [], name
        await asyncio.gather(*(vectors.replace(bystander + name, name, name, []) for name in HARD_IDS[::2]))
        left = [await positions(vectors, bystander + name) for name in HARD_IDS]
        assert left == [[] if n % 2 == 0 else [n + 10] for n in range(len(HARD_IDS))]
        assert await positions(vectors, bystander) == [1]

    async def test_the_nearest_are_those_of_an_exact_search(self, vectors: VectorStore) -> None:
        (tenant,) = tenants(1)
        made = random_vectors(2_000, seed=1)
        for start in range(0, 2_000, 500):
            rows = [VectorRow(n + 1, f"{start}", 700_000, made[n].tobytes()) for n in range(start, start + 500)]
            await vectors.replace(tenant, "d", f"{start}", rows)
        shared = 0
        for query in random_vectors(40, seed=2):
            best = np.argsort(-(made @ query))[:20] + 1
            shared += len({*best.tolist()} & {*await positions(vectors, tenant, 20, towards=query)})
        assert shared / (40 * 20) >= 0.99

    @pytest.mark.timeout(240)
    async def test_a_thousand_random_operations_leave_what_a_plain_table_has(self, vectors: VectorStore) -> None:
        names, draw = tenants(3), random.Random(7)
        tables = {name: Table() for name in names}
        done = 0
        while done < 1_000:
            changes = {(draw.choice(names), f"doc {draw.randint(1, 16)}"): draw.random() for _ in range(24)}
            await asyncio.gather(
                *(
                    tables[tenant].change(vectors, tenant, document, kind, draw)
                    for (tenant, document), kind in changes.items()
                )
            )
            for tenant in names:
                await tables[tenant].compare(vectors, tenant, draw)
            done += len(changes) + 2 * len(names)


@dataclass
class Table:
    """One tenant's rows, kept and searched the plain way."""

    documents: dict[str, tuple[str, list[VectorRow]]] = field(default_factory=dict[str, tuple[str, list[VectorRow]]])
    last: int = 0

    async def change(
        self, vectors: VectorStore, tenant: str, document_id: str, kind: float, draw: random.Random
    ) -> None:
        """Make a document's rows anew, say them again, or remove them."""
        dataset, rows = self.documents.get(document_id, ("", []))
        if kind < 0.65:
            dataset = draw.choice(["red", "green", "blue"])
            rows = [self._row(document_id, draw) for _ in range(draw.randint(1, 6))]
        elif kind < 0.85:
            rows = []
        self.documents[document_id] = dataset or "red", rows
        await vectors.replace(tenant, dataset or "red", document_id, rows)

    async def compare(self, vectors: VectorStore, tenant: str, draw: random.Random) -> None:
        """Ask the store and the table the same."""
        datasets = draw.choice([None, ["red"], ["green", "blue"], ["none"]])
        scope = VectorScope(datasets, *sorted(draw.sample(range(700_000, 700_010), 2)))
        query = random_vectors(1, draw.randint(0, 9_999))[0]
        allowed = [
            row
            for dataset, rows in self.documents.values()
            for row in rows
            if (datasets is None or dataset in datasets) and scope.first_day <= row.day <= scope.last_day
        ]
        found = await vectors.nearest(tenant, query, 10, scope)
        agree(found, _cosines(allowed, query)[:10])
        everywhere = _cosines([row for _, rows in self.documents.values() for row in rows], query)
        asked = draw.sample(range(1, self.last + 2), min(20, self.last))
        agree(sorted(await vectors.cosines(tenant, query, asked)), sorted(n for n in everywhere if n.position in asked))

    def _row(self, document_id: str, draw: random.Random) -> VectorRow:
        self.last += 1
        vector = random_vectors(1, draw.randint(0, 40))[0]
        return VectorRow(self.last, document_id, draw.randint(700_000, 700_009), vector.tobytes())


def _cosines(rows: Sequence[VectorRow], query: Vector) -> list[Near]:
    """By falling cosine, then position; vectors that are equal have equal cosines here."""
    found = [Near(row.position, round(float(np.frombuffer(row.vector, np.float32) @ query), 5)) for row in rows]
    return sorted(found, key=lambda hit: (-hit.cosine, hit.position))


def agree(found: Sequence[Near], expected: Sequence[Near]) -> None:
    """The same positions in the same order, the same cosines to within rounding."""
    assert [hit.position for hit in found] == [hit.position for hit in expected]
    assert [hit.cosine for hit in found] == pytest.approx([hit.cosine for hit in expected], abs=2e-5)
