"""The servers that tests of this folder share."""

from __future__ import annotations

from tests.server.milvus import milvus_server, milvus_uri
from tests.server.neo4j import neo4j

__all__ = ["milvus_server", "milvus_uri", "neo4j"]
