"""Graphs made of a few lines: what each chunk is about and what it mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tools.knowledge.extraction.names import normal_form
from tools.stores.graph_protocol import GraphEntity, GraphRows


def rows(
    chunks: Sequence[tuple[str, Sequence[str]]],
    edges: Sequence[tuple[str, str, str, float]] = (),
    merged: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    version: int = 1,
) -> GraphRows:
    """Chunks (subject or "", mentions) at positions 10, 20, …; edges are head, relation, tail, confidence."""
    names = {name for about, mentions in chunks for name in (about, *mentions) if name}
    names |= {name for head, _, tail, _ in edges for name in (head, tail)}
    spelt = {normal_form(name): name for name in sorted(names)}
    norms = sorted(spelt)
    place = {norm: number for number, norm in enumerate(norms)}
    targets = {normal_form(a): normal_form(b) for a, b in (merged or {}).items()}
    kinds = {normal_form(name): kind for name, kind in (types or {}).items()}
    entities = [GraphEntity(n, spelt[n], kinds.get(n, ""), 0.9, 1, (), targets.get(n, "")) for n in norms]
    pairs = [(c, place[normal_form(name)]) for c, (_, mentions) in enumerate(chunks) for name in mentions]
    relations = sorted({relation for _, relation, _, _ in edges})
    return GraphRows(
        version=version,
        entities=entities,
        positions=np.arange(10, 10 * len(chunks) + 10, 10, dtype=np.int64),
        documents=[f"doc_{number}" for number in range(len(chunks))],
        chunk_documents=np.arange(len(chunks), dtype=np.int32),
        subjects=np.array([place[normal_form(about)] if about else -1 for about, _ in chunks], dtype=np.int32),
        mention_chunks=np.array([chunk for chunk, _ in pairs], dtype=np.int32),
        mention_entities=np.array([entity for _, entity in pairs], dtype=np.int32),
        relations=relations,
        edge_heads=np.array([place[normal_form(head)] for head, *_ in edges], dtype=np.int32),
        edge_tails=np.array([place[normal_form(tail)] for _, _, tail, _ in edges], dtype=np.int32),
        edge_relations=np.array([relations.index(relation) for _, relation, _, _ in edges], dtype=np.int32),
        edge_confidences=np.array([confidence for *_, confidence in edges], dtype=np.float32),
    )
