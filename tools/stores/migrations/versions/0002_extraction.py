"""What is read out of chunks, and the stores that follow the records."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "extractions",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["chunks.position"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "followers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "stale_documents",
        sa.Column("position", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("follower", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "stale_documents_of_follower", "stale_documents", ["follower", "tenant_id", "dataset_id", "position"]
    )
