"""Which vector store there is beside the records, by the settings."""

from __future__ import annotations

from tools.stores.settings import MilvusSettings
from tools.stores.vector_protocol import VectorStore


def open_vectors(settings: MilvusSettings, embedder: str, dimension: int) -> VectorStore | None:
    """Milvus where an address is set, for the vectors that `embedder` makes; connects on first use. Else None."""
    address = settings.milvus_address
    if address is None:
        return None
    from tools.stores.milvus import MilvusVectors
    from tools.stores.milvus_driver import MilvusAddress

    return MilvusVectors(
        MilvusAddress(address, settings.milvus_credentials),
        settings.milvus_collection_prefix,
        embedder,
        dimension,
        settings.milvus_timeout_seconds,
    )
