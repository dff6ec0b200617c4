"""Vectors in Milvus Lite, which needs no server, and what holds before any server answers."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("milvus_lite")

from tests.contracts.vector_store import DIMENSION, EVERYTHING, VectorStoreContract, at_angles, positions, unit
from tools.errors import StoreUnavailable
from tools.stores.milvus import MilvusVectors
from tools.stores.milvus_collection import collection_name
from tools.stores.milvus_driver import MilvusAddress
from tools.stores.open_vectors import open_vectors
from tools.stores.settings import MilvusSettings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def vectors(tmp_path: Path) -> Iterator[MilvusVectors]:
    store = MilvusVectors(MilvusAddress(str(tmp_path / "v.db")), "test", "an embedder", DIMENSION, 10.0)
    yield store
    asyncio.run(store.close())


class TestMilvusLite(VectorStoreContract):
    """The contract, on Milvus Lite."""


async def test_what_was_written_is_there_when_the_folder_is_opened_again(tmp_path: Path) -> None:
    address = MilvusAddress(str(tmp_path / "made" / "v.db"))
    first = MilvusVectors(address, "test", "e", DIMENSION, 10.0)
    await first.replace("t", "d", "doc", at_angles(1, "doc", 0, 10))
    await first.close()
    with pytest.raises(StoreUnavailable):
        await first.check()
    second = MilvusVectors(address, "test", "e", DIMENSION, 10.0)
    other = MilvusVectors(address, "test", "another embedder", DIMENSION, 10.0)
    assert await positions(second, "t") == [1, 2]
    assert await positions(other, "t") == []
    await second.close()


async def test_a_server_that_is_not_there_is_a_store_that_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = MilvusAddress(f"http://127.0.0.1:{taken.getsockname()[1]}", token="user:a secret")
        store = MilvusVectors(address, "test", "e", DIMENSION, 0.5)
        assert "a secret" not in repr(address)
        started = time.monotonic()
        for work in (store.check(), store.nearest("t", unit(1), 3, EVERYTHING), store.replace("t", "d", "doc", [])):
            with pytest.raises(StoreUnavailable) as raised:
                await work
            assert "secret" not in str(raised.value)
        assert time.monotonic() - started < 3
        await store.close()


def test_another_embedder_or_dimension_has_another_collection() -> None:
    arguments = itertools.product(["a", "b"], ["x/y", "x_y", "x" * 300], [3, 4])
    names = [collection_name(*each) for each in arguments]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", name) for name in names)


def test_the_driver_neither_reads_nor_changes_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SURPRISE=1\n")
    code = (
        "import os; before = dict(os.environ); from tools.stores.milvus_driver import driver; driver();"
        "assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())"
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "MILVUS_URI": str(tmp_path / "v.db")}
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_without_an_address_there_is_no_vector_store(tmp_path: Path) -> None:
    assert open_vectors(MilvusSettings(), "e", DIMENSION) is None
    opened = open_vectors(MilvusSettings(milvus_uri=str(tmp_path / "v.db")), "e", DIMENSION)
    assert isinstance(opened, MilvusVectors)
