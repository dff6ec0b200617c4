"""From a question to the chunks its entities lead to: linking, seeds and the walk, over one or several graphs.

Several data sets are blocks of one large graph without edges between them. A walk is linear in its seeds, so each
block is walked alone with its share of the mass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.graph.graph_index import GraphIndex
from tools.knowledge.graph.linking import Link, link
from tools.knowledge.graph.pagerank import visits

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

CHUNK_SHARE = 0.1
"""Mass that begins at the chunks which the words rank highest, in that of the entities."""
CHUNK_SEEDS = 5
"""How many chunks that are."""
SPREAD_POWER = 0.5
"""A linked entity begins with 1 / df to this power: a country says less than a person."""


@dataclass(frozen=True)
class Explored:
    """What a question reached in one graph.

    `seeds` (l,) are the linked entities and `weights` (l,) their mass at the start, 1 over all graphs together;
    `chunks` (n,) is the mass that ended at each chunk, `nodes` how many entities and chunks any came to.
    """

    graph: GraphIndex
    links: Sequence[Link]
    seeds: Places
    weights: Floats
    chunks: Floats
    nodes: int


def linked(question: str, graphs: Sequence[GraphIndex]) -> list[list[Link]]:
    """The links of the question in each of the graphs.

    Loose ones alone are few people's names: they count only where a chunk is about the entity.
    """
    found = [link(question, graph.table) for graph in graphs]
    if any(one.how != "loose" for links in found for one in links):
        return found
    return [
        [one for one in links if bool((graph.subjects == one.entity).any())]
        for graph, links in zip(graphs, found, strict=True)
    ]


def explore(
    graphs: Sequence[GraphIndex], links: Sequence[Sequence[Link]], positions: Places, relevance: Floats
) -> list[Explored]:
    """Walk from the linked entities and the best chunks by words.

    `positions` and `relevance` (b,) are those of the best chunks, best first. Graphs in which nothing is linked
    are left out.
    """
    masses = [_masses(graph, found) for graph, found in zip(graphs, links, strict=True)]
    total = sum(float(mass.sum()) for mass in masses) or 1.0
    share = CHUNK_SHARE * relevance[:CHUNK_SEEDS] / max(float(relevance[:CHUNK_SEEDS].sum()), 1e-9)
    explored: list[Explored] = []
    for graph, found, mass in zip(graphs, links, masses, strict=True):
        if not found:
            continue
        seeds = np.array([one.entity for one in found], dtype=np.int64)
        chunks = graph.chunks_at(positions[:CHUNK_SEEDS])
        there = chunks >= 0
        nodes = np.concatenate([seeds, chunks[there] + graph.entities])
        reached = visits(graph.walk, nodes, np.concatenate([mass / total, share[there]]))
        arrived = reached[graph.entities :]
        explored.append(Explored(graph, found, seeds, mass / total, arrived, int(np.count_nonzero(reached))))
    return explored


def _masses(graph: GraphIndex, links: Sequence[Link]) -> Floats:
    spread = [max(int(graph.df[one.entity]), 1) for one in links]
    weights = np.array([one.weight for one in links], dtype=np.float32)
    return (weights / np.array(spread, dtype=np.float32) ** SPREAD_POWER).astype(np.float32)
