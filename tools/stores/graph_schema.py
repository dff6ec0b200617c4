"""The tables of the embedded graph store: rows that rest on chunks, and what they make of each name.

A tenant's data set has one row in `graphs`; its `id` stands for both in all other tables, so no row can be
reached but through its tenant. Entities are what their rows add up to (`tally`), with the columns that search and
people read kept beside it.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, Table, Text, UniqueConstraint, text

from tools.stores.schema import metadata

graphs = Table(
    "graphs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("dataset_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("tenant_id", "dataset_id", name="one_graph_of_dataset"),
)

graph_documents = Table(
    "graph_documents",
    metadata,
    Column("graph", Integer, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    sqlite_with_rowid=False,
)

graph_chunks = Table(
    "graph_chunks",
    metadata,
    Column("graph", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("subject", Integer),
    Column("subject_name", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_confidence", Float, nullable=False),
    Index("graph_chunks_of_document", "graph", "document"),
    Index("graph_chunks_about", "subject", "position", sqlite_where=text("subject IS NOT NULL")),
    sqlite_with_rowid=False,
)

graph_entities = Table(
    "graph_entities",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("graph", Integer, nullable=False),
    Column("norm", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("type_confidence", Float, nullable=False),
    Column("df", Integer, nullable=False),
    Column("others", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("renamed", Boolean, nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("mentions", Integer, nullable=False),
    Column("aliases", Integer, nullable=False),
    Column("tally", Text, nullable=False),
    UniqueConstraint("graph", "norm", name="one_entity_of_norm"),
    Index("graph_entities_by_df", "graph", "df"),
    Index("graph_entities_by_target", "graph", "target", sqlite_where=text("target <> ''")),
)

graph_mentions = Table(
    "graph_mentions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("graph", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("entity", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("sentence_start", Integer, nullable=False),
    Column("sentence_end", Integer, nullable=False),
    Column("extractor", Text, nullable=False),
    Index("graph_mentions_of_chunk", "graph", "position", "entity"),
    Index("graph_mentions_of_entity", "entity", "position"),
)

graph_evidence = Table(
    "graph_evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("graph", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("head", Integer, nullable=False),
    Column("relation", Text, nullable=False),
    Column("tail", Integer, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("sentence_start", Integer, nullable=False),
    Column("sentence_end", Integer, nullable=False),
    Column("extractor", Text, nullable=False),
    Index("graph_evidence_of_chunk", "graph", "position"),
    Index("graph_evidence_of_edge", "head", "tail", "relation", "confidence"),
)

graph_edges = Table(
    "graph_edges",
    metadata,
    Column("head", Integer, primary_key=True),
    Column("tail", Integer, primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("graph", Integer, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("evidence", Integer, nullable=False),
    Index("graph_edges_of_graph", "graph"),
    Index("graph_edges_to", "tail", "head"),
    sqlite_with_rowid=False,
)

graph_aliases = Table(
    "graph_aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("graph", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("alias", Integer, nullable=False),
    Column("of", Integer, nullable=False),
    Column("extractor", Text, nullable=False),
    Index("graph_aliases_of_chunk", "graph", "position"),
)

graph_communities = Table(
    "graph_communities",
    metadata,
    Column("graph", Integer, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("parent", Text, nullable=False),
    Column("sentences", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("rests_on", Text, nullable=False),
    sqlite_with_rowid=False,
)

graph_members = Table(
    "graph_members",
    metadata,
    Column("graph", Integer, primary_key=True),
    Column("community", Text, primary_key=True),
    Column("entity", Integer, primary_key=True),
    Column("place", Integer, nullable=False),
    Index("graph_members_of_entity", "entity"),
    sqlite_with_rowid=False,
)
