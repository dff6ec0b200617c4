"""What the rooms of the graph store contract share: two documents, small changes, all answers at once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from tests.contracts.graph_documents import (
    chunk,
    document,
    mention,
    says,
)
from tests.contracts.graph_model import plain
from tools.errors import Conflict
from tools.stores.graph_protocol import (
    GraphChange,
    GraphDocument,
    GraphStore,
)

ANN = document(
    "d1", chunk(1, "ann", "person", 0.8), mention(1, "acme", "organization"), says(1, "ann", "works_for", "acme")
)
BO = document(
    "d2", chunk(2, "bo", "person", 0.8), mention(2, "acme", "organization"), says(2, "bo", "works_for", "acme")
)


def unused() -> str:
    """A tenant that no other test has."""
    return f"t-{secrets.token_hex(6)}"


async def fill(graphs: GraphStore, tenant: str, *documents: GraphDocument, dataset: str = "d") -> int:
    """Apply the documents to the graph as it is."""
    version = await graphs.version(tenant, dataset)
    return await graphs.apply(tenant, dataset, GraphChange(version, documents))


async def fill_after_all(graphs: GraphStore, tenant: str) -> int:
    """Make an empty change; one that was given up may still come before it."""
    while True:
        try:
            return await fill(graphs, tenant)
        except Conflict:
            continue


async def remove(graphs: GraphStore, tenant: str, *ids: str, dataset: str = "d") -> int:
    """Remove documents from the graph as it is."""
    version = await graphs.version(tenant, dataset)
    return await graphs.apply(tenant, dataset, GraphChange(version, removed=ids))


async def everything(graphs: GraphStore, tenant: str, dataset: str = "d") -> Mapping[str, object]:
    """All that can be asked of a graph; versions apart, equal graphs give equal answers."""
    rows = await graphs.read(tenant, dataset)
    norms = [entity.norm for entity in rows.entities]
    pairs = [(norm, position) for norm in norms for position in rows.positions.tolist()]
    around = await graphs.neighbourhood(tenant, dataset, (), 0, 1000)
    return {
        **plain(replace(rows, version=0)),
        "names": await graphs.known_names(tenant, dataset),
        "named by": [await graphs.names_of(tenant, dataset, [id_]) for id_ in rows.documents],
        "evidence": await graphs.evidence(tenant, dataset, [(a, b) for a in norms for b in norms if a <= b], 1000),
        "mention rows": await graphs.mentions(tenant, dataset, pairs),
        "around": replace(around, version=0),
        "counts": await graphs.counts(tenant, dataset),
        "communities": await graphs.communities(tenant, dataset),
    }
