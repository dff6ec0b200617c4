"""What a language model adds to chunks, and what that costs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "enrichments",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("descriptions", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["chunks.position"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "enrichment_spending",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("requests", "tokens", "mentions", "relations", "summaries", "dropped", "failed")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "dataset_id", "day"),
    )
