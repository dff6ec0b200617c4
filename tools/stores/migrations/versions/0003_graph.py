"""The knowledge graphs of the embedded store."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "graph_aliases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("alias", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("extractor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("graph_aliases_of_chunk", "graph_aliases", ["graph", "position"])
    op.create_table(
        "graph_chunks",
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=True),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_confidence", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("graph", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "graph_chunks_about", "graph_chunks", ["subject", "position"], sqlite_where=sa.text("subject IS NOT NULL")
    )
    op.create_index("graph_chunks_of_document", "graph_chunks", ["graph", "document"])
    op.create_table(
        "graph_communities",
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("sentences", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("rests_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("graph", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "graph_documents",
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("graph", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "graph_edges",
        sa.Column("head", sa.Integer(), nullable=False),
        sa.Column("tail", sa.Integer(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("head", "tail", "relation"),
        sqlite_with_rowid=False,
    )
    op.create_index("graph_edges_of_graph", "graph_edges", ["graph"])
    op.create_index("graph_edges_to", "graph_edges", ["tail", "head"])
    op.create_table(
        "graph_entities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("norm", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("type_confidence", sa.Float(), nullable=False),
        sa.Column("df", sa.Integer(), nullable=False),
        sa.Column("others", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("renamed", sa.Boolean(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.Integer(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("graph", "norm", name="one_entity_of_norm"),
    )
    op.create_index("graph_entities_by_df", "graph_entities", ["graph", "df"])
    op.create_index(
        "graph_entities_by_target", "graph_entities", ["graph", "target"], sqlite_where=sa.text("target <> ''")
    )
    op.create_table(
        "graph_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("head", sa.Integer(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("tail", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("sentence_start", sa.Integer(), nullable=False),
        sa.Column("sentence_end", sa.Integer(), nullable=False),
        sa.Column("extractor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("graph_evidence_of_chunk", "graph_evidence", ["graph", "position"])
    op.create_index("graph_evidence_of_edge", "graph_evidence", ["head", "tail", "relation", "confidence"])
    op.create_table(
        "graph_members",
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("community", sa.Text(), nullable=False),
        sa.Column("entity", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("graph", "community", "entity"),
        sqlite_with_rowid=False,
    )
    op.create_index("graph_members_of_entity", "graph_members", ["entity"])
    op.create_table(
        "graph_mentions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("graph", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("entity", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("sentence_start", sa.Integer(), nullable=False),
        sa.Column("sentence_end", sa.Integer(), nullable=False),
        sa.Column("extractor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("graph_mentions_of_chunk", "graph_mentions", ["graph", "position", "entity"])
    op.create_index("graph_mentions_of_entity", "graph_mentions", ["entity", "position"])
    op.create_table(
        "graphs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "dataset_id", name="one_graph_of_dataset"),
    )
