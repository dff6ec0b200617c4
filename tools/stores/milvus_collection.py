"""One embedder's vectors as a collection of Milvus.

Every method blocks, is safe in threads and may raise StoreUnavailable. Rows are deleted and inserted, never
upserted: Milvus 2.3 loses what is upserted where there is a partition key.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from tools.errors import StoreUnavailable
from tools.stores.milvus_driver import CLOSED, MESSAGE, MilvusAddress, connect, disconnect, driver, translated
from tools.stores.vector_order import TIE, near, nearest_first
from tools.stores.vector_protocol import Near, Vector, VectorRow, VectorScope

if TYPE_CHECKING:
    from pymilvus import MilvusClient

SCHEMA = 1
"""Counts up when the fields change: then there is a new collection, filled from the records."""
MAX_HITS = 16_384
"""The most that Milvus gives for one search."""
SPARE_HITS = 10
"""Asked for beyond what is wanted, so that a tie at the end is seen whole."""
POSITIONS_AT_ONCE = 1_000
KEY_BYTES = 4_096
HNSW = {"M": 32, "efConstruction": 200}
EXPLORED = 1_024, 8
"""Candidates that a search keeps (`ef`): at least, and as a multiple of the hits it returns.

Rows of other tenants and removed ones are in the same graph, and are not walked through when they are many: of the
20 nearest among 2,000 such rows of 6,100, a search that keeps 256 misses 8 in 100, one that keeps 1,024 up to 3.
"""
MOST_EXPLORED = 32_768
"""Milvus' limit for it; for a search that finds less than it was asked for."""
CREATION_SECONDS = 60.0
"""For making a collection with its 64 partitions: 3 s on an idle machine."""
LITE_MEMORY_ROWS = 256
"""Rows that Milvus Lite may hold unflushed: it looks at those one by one in Python, 0.1 ms each."""
SERVER_MEMORY_ROWS = 2_000
"""Rows after which a server is asked to seal its segments: past 5,000 it searches unsealed ones by a rough index.

Of the 20 nearest among 10,000 random unsealed rows it finds 6.
"""


def collection_name(prefix: str, embedder: str, dimension: int) -> str:
    """A name for the vectors of one embedder, in the letters that Milvus allows; distinct for distinct arguments."""
    digest = blake2b(repr((SCHEMA, embedder, dimension)).encode(), digest_size=5).hexdigest()
    return f"{prefix}_{re.sub('[^A-Za-z0-9]+', '_', embedder)[:60]}_{dimension}_{digest}"


class MilvusCollection:
    """Connects on first use, and makes the collection on the first write."""

    def __init__(self, address: MilvusAddress, name: str, dimension: int, seconds: float) -> None:
        """`seconds` bounds each request."""
        self._address = address
        self._name = name
        self._dimension = dimension
        self._seconds = seconds
        self._lock = threading.Lock()
        self._client: MilvusClient | None = None
        self._ready = False
        self._unflushed = 0
        self._closed = False

    def nearest(self, tenant_id: str, vector: Vector, number: int, scope: VectorScope) -> list[Near]:
        """See `VectorSearch`."""
        if number < 1 or (scope.dataset_ids is not None and not scope.dataset_ids):
            return []
        with self._opened() as client:
            return [] if client is None else self._nearest(client, vector, number, _filter(tenant_id, scope))

    def cosines(self, tenant_id: str, vector: Vector, positions: Sequence[int]) -> list[Near]:
        """See `VectorSearch`: fetches the vectors and compares them here, which is exact."""
        with self._opened() as client:
            if client is None:
                return []
            found: list[Near] = []
            for start in range(0, len(positions), POSITIONS_AT_ONCE):
                part = [int(position) for position in positions[start : start + POSITIONS_AT_ONCE]]
                rows = self._read(client.query, f"{_of_tenant(tenant_id)} and position in {part}", ["vector"])
                vectors = np.array([row["vector"] for row in rows], dtype=np.float32).reshape(-1, self._dimension)
                found += near(np.array([row["position"] for row in rows], dtype=np.int64), vectors @ vector)
            return found

    def prepare(self) -> None:
        """Make sure that the collection is there, indexed and loaded."""
        with self._opened(create=True):
            pass

    def insert(self, rows: Sequence[dict[str, Any]]) -> bool:
        """Write rows as `rows_of` makes them; True when a `flush` is due. Duplicates are found once."""
        with self._opened() as client:
            if client is None:
                raise StoreUnavailable(MESSAGE)
            client.insert(self._name, list(rows), timeout=self._seconds)
            return self._is_full(len(rows))

    def flush(self) -> None:
        """Seal what is unsealed, which takes seconds; servers may limit how often, and the next time will do."""
        with self._opened() as client:
            if client is not None:
                with suppress(driver().MilvusException):
                    client.flush(self._name, timeout=CREATION_SECONDS)

    def remove(self, tenant_id: str, document_id: str) -> None:
        """Delete the document's rows, whoever has written them before this."""
        which = f"{_of_tenant(tenant_id)} and document == {_literal(document_id)}"
        with self._opened() as client:
            if client is not None:
                client.delete(self._name, filter=which, timeout=self._seconds, consistency_level="Strong")

    def settle(self, tenant_id: str) -> None:
        """Return when every reader, in whatever process, finds what has been written and not what was removed."""
        with self._opened() as client:
            if client is not None:
                self._read(client.query, _of_tenant(tenant_id), level="Strong", limit=1)

    def rows_of(
        self, tenant_id: str, dataset_id: str, document_id: str, rows: Sequence[VectorRow]
    ) -> list[dict[str, Any]]:
        """A document's rows as they are stored; vectors that cannot be compared are left out."""
        tenant, dataset, document = _key(tenant_id), _key(dataset_id), _key(document_id)
        vectors = [np.frombuffer(row.vector, dtype="<f4") for row in rows]
        return [
            {
                "id": f"{tenant}/{row.position}",
                "tenant": tenant,
                "dataset": dataset,
                "document": document,
                "position": row.position,
                "day": row.day,
                "vector": vector,
            }
            for row, vector in zip(rows, vectors, strict=True)
            if _fits(vector, self._dimension)
        ]

    def check(self) -> None:
        """Return if the store answers."""
        with self._opened() as client:
            if client is not None:
                client.get_collection_stats(self._name, timeout=self._seconds)

    def close(self) -> None:
        """Disconnect; requests under way fail."""
        with self._held():
            client, self._client, self._ready, self._closed = self._client, None, False, True
        if client is not None:
            disconnect(client, self._address)

    def _nearest(self, client: MilvusClient, vector: Vector, number: int, which: str) -> list[Near]:
        limit = number + SPARE_HITS
        while True:
            limit = min(limit, MAX_HITS)
            hits = self._search(client, vector, limit, which, max(EXPLORED[0], EXPLORED[1] * limit))
            if len(hits) < limit and not self._address.is_lite:
                hits = self._search(client, vector, limit, which, MOST_EXPLORED)
            cosines = np.array([hit["distance"] for hit in hits], dtype=np.float32)
            if len(hits) < limit or limit == MAX_HITS or cosines[number - 1] - cosines[-1] > TIE:
                positions = np.array([hit["entity"]["position"] for hit in hits], dtype=np.int64)
                return nearest_first(positions, cosines, number)
            limit *= 4

    def _is_full(self, rows: int) -> bool:
        """Count written rows; True for the one caller that is to flush them."""
        with self._held():
            self._unflushed += rows
            full = self._unflushed >= (LITE_MEMORY_ROWS if self._address.is_lite else SERVER_MEMORY_ROWS)
            if full:
                self._unflushed = 0
            return full

    def _search(self, client: MilvusClient, vector: Vector, limit: int, which: str, explored: int) -> Any:
        options = {"params": {"ef": min(explored, MOST_EXPLORED)}}
        found = self._read(client.search, which, data=[vector], limit=limit, anns_field="vector", search_params=options)
        return found[0]

    def _read(
        self, request: Any, which: str, fields: Sequence[str] = (), level: str = "Bounded", **options: Any
    ) -> Any:
        """Milvus' answer. `Strong` waits up to 0.4 s for the reader to have caught up with all writes there are.

        As each write waits for that, `Bounded` is enough for a search: it waits for a reader that is 5 s behind, as
        one is that has just been started.
        """
        return request(
            self._name,
            filter=which,
            output_fields=["position", *fields],
            consistency_level=level,
            timeout=self._seconds,
            **options,
        )

    @contextmanager
    def _opened(self, create: bool = False) -> Iterator[MilvusClient | None]:
        """The connection; None while there is no collection. After a failure all is looked at anew."""
        try:
            with translated():
                client = self._connected()
                yield client if self._ready or self._prepare(client, create) else None
        except StoreUnavailable:
            self._ready = False
            raise

    def _connected(self) -> MilvusClient:
        with self._held():
            if self._closed:
                raise StoreUnavailable(CLOSED)
            if self._client is None:
                self._client = connect(self._address, self._seconds)
            return self._client

    def _prepare(self, client: MilvusClient, create: bool) -> bool:
        """Whether the collection is there, after making it if asked to. Others may be doing the same."""
        with self._held():
            there = self._ready or client.has_collection(self._name, timeout=self._seconds)
            if not there and create:
                self._create(client)
            if (there or create) and not self._ready:
                if not client.list_indexes(self._name):
                    client.create_index(self._name, self._index(client), timeout=CREATION_SECONDS)
                client.load_collection(self._name, timeout=CREATION_SECONDS)
                self._ready = True
            return self._ready

    def _create(self, client: MilvusClient) -> None:
        pymilvus = driver()
        text, number = pymilvus.DataType.VARCHAR, pymilvus.DataType.INT64
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", text, is_primary=True, max_length=KEY_BYTES + 32)
        schema.add_field("tenant", text, max_length=KEY_BYTES, is_partition_key=True)
        schema.add_field("dataset", text, max_length=KEY_BYTES)
        schema.add_field("document", text, max_length=KEY_BYTES)
        schema.add_field("position", number)
        schema.add_field("day", number)
        schema.add_field("vector", pymilvus.DataType.FLOAT_VECTOR, dim=self._dimension)
        try:
            client.create_collection(self._name, schema=schema, timeout=CREATION_SECONDS, consistency_level="Strong")
        except pymilvus.MilvusException:
            if not client.has_collection(self._name, timeout=self._seconds):
                raise

    def _index(self, client: MilvusClient) -> Any:
        """HNSW; for Milvus Lite none, which is exact, as fast at its sizes, and does not load for seconds."""
        kind, options = ("FLAT", {}) if self._address.is_lite else ("HNSW", HNSW)
        index = client.prepare_index_params()
        index.add_index("vector", index_type=kind, metric_type="COSINE", params=options)
        return index

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The lock, or StoreUnavailable when somebody waits with it for longer than the time limit."""
        if not self._lock.acquire(timeout=self._seconds):
            raise StoreUnavailable(MESSAGE)
        try:
            yield
        finally:
            self._lock.release()


def _filter(tenant_id: str, scope: VectorScope) -> str:
    parts = [_of_tenant(tenant_id), f"day >= {int(scope.first_day)}", f"day <= {int(scope.last_day)}"]
    if scope.dataset_ids is not None:
        parts.append(f"dataset in [{', '.join(map(_literal, scope.dataset_ids))}]")
    return " and ".join(parts)


def _of_tenant(tenant_id: str) -> str:
    return f"tenant == {_literal(tenant_id)}"


def _literal(text: str) -> str:
    return f'"{_key(text)}"'


def _key(text: str) -> str:
    """An id as it is stored: percent-encoded, so that it holds nothing that any expression parser would read.

    Milvus Lite, for one, knows no escapes for control characters. Ids past the field's length become a digest.
    """
    key = quote(text.encode(errors="surrogatepass"), safe="")
    return key if len(key) <= KEY_BYTES else "=" + blake2b(key.encode(), digest_size=32).hexdigest()


def _fits(vector: Vector, dimension: int) -> bool:
    return vector.shape == (dimension,) and bool(np.isfinite(vector).all()) and bool(vector.any())
