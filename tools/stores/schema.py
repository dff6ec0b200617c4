"""The tables, as SQLAlchemy Core sees them; migrations in `migrations/` lead there.

Every row names its tenant, and every key that a tenant chooses itself starts with the tenant.
Times are RFC 3339 UTC strings (`tools.stores.clock`), which sort as text. Positions are never used
twice (AUTOINCREMENT), so "after position n" stays right when the newest rows are deleted.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

REVISION = "0005"
"""The newest migration; a test holds it against the migration scripts."""

metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("summary", Text, nullable=False, default=""),
    Column("summary_until", Integer, nullable=False, default=0),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Index("conversations_by_recency", "tenant_id", "user_id", "updated_at", "id"),
    Index("conversations_of_tenant", "tenant_id", "updated_at", "id"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("conversation_id", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("created_at", Text, nullable=False),
    Column("ended_at", Text),
    Index("one_running_turn", "conversation_id", unique=True, sqlite_where=text("status = 'running'")),
    Index("running_turns", "owner", sqlite_where=text("status = 'running'")),
    Index("turns_of_conversation", "conversation_id"),
    Index("turns_of_user", "tenant_id", "user_id", "created_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("tenant_id", Text, nullable=False),
    Column("conversation_id", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("turn_id", Text),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("messages_in_order", "conversation_id", "position"),
    Index("messages_of_turn", "turn_id"),
    sqlite_autoincrement=True,
)

turn_events = Table(
    "turn_events",
    metadata,
    Column("turn_id", Text, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)

moods = Table(
    "moods",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("turn_id", Text, ForeignKey("turns.id", ondelete="CASCADE")),
    Column("at", Text, nullable=False),
    Column("primary_emotion", Text, nullable=False),
    Column("valence", Float, nullable=False),
    Column("arousal", Float, nullable=False),
    Column("intensity", Float, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("decided_by", Text, nullable=False),
    Index("mood_of_turn", "turn_id", unique=True, sqlite_where=text("turn_id IS NOT NULL")),
    Index("moods_of_user", "tenant_id", "user_id", "at"),
)

mood_opt_outs = Table(
    "mood_opt_outs",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("at", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("turn_id", Text, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("parent_id", Text),
    Column("encoding", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("metadata", Text, nullable=False),
)

checkpoint_writes = Table(
    "checkpoint_writes",
    metadata,
    Column("turn_id", Text, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("checkpoint_id", Text, primary_key=True),
    Column("task_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("task_path", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

datasets = Table(
    "datasets",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("index_type", Text, nullable=False),
    Column("options", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("dataset_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("progress", Float, nullable=False, default=0.0),
    Column("error_code", Text),
    Column("error", Text),
    Column("text", Text),
    Column("pages", JSON),
    Column("metadata", JSON, nullable=False),
    Column("owner", Text),
    Column("created_at", Text, nullable=False),
    Column("indexed_at", Text),
    ForeignKeyConstraint(["tenant_id", "dataset_id"], ["datasets.tenant_id", "datasets.id"], ondelete="CASCADE"),
    Index("documents_of_dataset", "tenant_id", "dataset_id", "created_at"),
    Index("documents_by_status", "status"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("tenant_id", Text, nullable=False),
    Column("dataset_id", Text, nullable=False),
    Column("document_id", Text, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("heading", Text, nullable=False, default=""),
    Column("page", Integer),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("vector", LargeBinary),
    Column("embedder", Text),
    Index("chunks_of_tenant", "tenant_id", "position"),
    Index("chunks_of_document", "document_id"),
    sqlite_autoincrement=True,
)

knowledge_versions = Table(
    "knowledge_versions",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("removals", Integer, nullable=False),
)

extractions = Table(
    "extractions",
    metadata,
    Column("position", Integer, ForeignKey("chunks.position", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("data", Text, nullable=False),
)

enrichments = Table(
    "enrichments",
    metadata,
    Column("position", Integer, ForeignKey("chunks.position", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("descriptions", Text, nullable=False),
)

enrichment_spending = Table(
    "enrichment_spending",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("dataset_id", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    *(
        Column(name, Integer, nullable=False)
        for name in ("requests", "tokens", "mentions", "relations", "summaries", "dropped", "failed")
    ),
)

followers = Table(
    "followers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("identity", Text, nullable=False),
)

stale_documents = Table(
    "stale_documents",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("follower", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("dataset_id", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    Index("stale_documents_of_follower", "follower", "tenant_id", "dataset_id", "position"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("before", JSON),
    Column("after", JSON),
    Column("request_id", Text),
    Index("audit_of_tenant", "tenant_id", "position"),
    sqlite_autoincrement=True,
)
