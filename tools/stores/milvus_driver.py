"""pymilvus as the rest of us wants it: imported without side effects, quiet, failing at once, one error.

Of its two clients the blocking one is used, in threads: the other cannot make an index on Milvus Lite, packs
rows on the event loop, and keeps its connections by the `id` of a loop, which the next loop may have.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tools.errors import StoreUnavailable

if TYPE_CHECKING:
    from pymilvus import MilvusClient

MESSAGE = "The vector store does not answer."
CLOSED = "The vector store is closed."
_IMPORTING = threading.Lock()
_RECONNECT_MS = 1_000
"""Milliseconds between tries to reach a server that is gone; gRPC would wait up to two minutes."""


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """A server's address, or the path of a Milvus Lite folder, which ends in `.db`; `token` may be `user:password`."""

    uri: str
    token: str = field(default="", repr=False)

    @property
    def is_lite(self) -> bool:
        """Whether the store lives in this process."""
        return self.uri.endswith(".db") and "://" not in self.uri


def connect(address: MilvusAddress, seconds: float) -> MilvusClient:
    """A connection of its own. Raises StoreUnavailable."""
    with translated():
        uri = address.uri
        if address.is_lite:
            Path(uri).absolute().parent.mkdir(parents=True, exist_ok=True)
        client = driver().MilvusClient(
            uri,
            token=address.token,
            timeout=seconds,
            dedicated=True,
            grpc_options={"grpc.max_reconnect_backoff_ms": _RECONNECT_MS},
        )
        client._handler._on_rpc_error = _give_up
        return client


def disconnect(client: MilvusClient, address: MilvusAddress) -> None:
    """Close the connection; Milvus Lite's folder may then be opened by another process."""
    client.close()
    if address.is_lite:
        from milvus_lite.server_manager import server_manager_instance

        server_manager_instance.release_server(address.uri)


def driver() -> ModuleType:
    """The package pymilvus. On import it copies `.env` into the environment and fails on a path in MILVUS_URI."""
    with _IMPORTING, _hidden("MILVUS_URI", "MILVUS_DEFAULT_CONNECTION"):
        import pymilvus

    # It logs each error with a traceback and the request; ours say what failed.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return pymilvus


@contextmanager
def translated() -> Iterator[None]:
    """Turn what pymilvus and gRPC raise into StoreUnavailable, which repeats nothing of the request."""
    pymilvus = driver()
    import grpc

    try:
        yield
    except (pymilvus.MilvusException, grpc.RpcError, grpc.FutureTimeoutError, OSError) as error:
        raise StoreUnavailable(MESSAGE) from error


def _give_up(error: Exception) -> bool:
    """Called by pymilvus before it tries again, under one lock and for as long as the time limit: gRPC does better."""
    raise StoreUnavailable(MESSAGE) from error


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Take names out of the environment for a moment, and keep python-dotenv from reading a file."""
    environ = os.environ  # noqa: TID251  what another package reads there is the matter
    kept = {name: environ.pop(name) for name in names if name in environ}
    kept |= {name: environ[name] for name in ("PYTHON_DOTENV_DISABLED",) if name in environ}
    environ["PYTHON_DOTENV_DISABLED"] = "1"
    try:
        yield
    finally:
        del environ["PYTHON_DOTENV_DISABLED"]
        environ.update(kept)
