"""The contract of audit stores, on SQLite."""

from __future__ import annotations

import pytest

from tests.contracts.audit_store import AuditStoreContract
from tools.stores.audit import SqlAuditStore
from tools.stores.database import Database
from tools.stores.protocol import AuditStore


class TestSqlAuditStore(AuditStoreContract):
    @pytest.fixture
    def store(self, database: Database) -> AuditStore:
        return SqlAuditStore(database)
