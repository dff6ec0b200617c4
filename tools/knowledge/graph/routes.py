"""The cheapest ways from a question's entities to a passage, looked for from both ends.

A hop goes along a relation, or from what a chunk is about to an entity it mentions, or back. It costs -log(confidence)
plus a share of the logarithm of how often its far end is mentioned: by way of a country one gets anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.graph.walking import Explored

Places = NDArray[np.int64]
Costs = NDArray[np.float64]

MENTION_CONFIDENCE = 0.5
"""What a hop from a subject to a mention counts for beside relations, which know more."""
SPREAD_COST = 0.3
"""Cost of a logarithm of mentions at the far end."""
BEAM = 48
"""Entities that a side goes on from, the cheapest ones."""
FAN = 200
"""Chunks of one entity that are looked at, those the walk came to most."""
ROUTES = 3
"""Ways to one passage that are kept, the cheapest first."""
NO_CHUNK = -1


class Hop(NamedTuple):
    """From one entity (row) to the next: by a relation (`chunk` -1), or by a chunk about one that mentions the other.

    `forward` says that a chunk is about `start`; of a relation its evidence tells.
    """

    start: int
    end: int
    chunk: int
    forward: bool

    def turned(self) -> Hop:
        """The same from the other end."""
        return Hop(self.end, self.start, self.chunk, not self.forward)


class Route(NamedTuple):
    """Hops end to end, at least one, and what they cost together."""

    hops: tuple[Hop, ...]
    cost: float


@dataclass(frozen=True)
class _Level:
    """Entities (l,) reached after a number of hops, ascending, at what cost, and the last hop of each.

    `parents` are places in the level before, `chunks` and `forward` describe the hop.
    """

    entities: Places
    costs: Costs
    parents: Places
    chunks: Places
    forward: NDArray[np.bool_]


def routes(explored: Explored, chunks: Sequence[int], max_hops: int) -> list[list[Route]]:
    """Up to `ROUTES` ways of at most `max_hops` hops to each of the chunks, none for one that is about a linked entity
    and mentions no other."""
    graph = explored.graph
    starts = _start(np.unique(explored.seeds))
    ahead = _levels(explored, starts, (max_hops + 1) // 2)
    found: list[list[Route]] = []
    for chunk in chunks:
        subject = int(graph.subjects[chunk])
        if subject in explored.seeds:
            found.append(_within(explored, chunk, subject))
            continue
        goals = np.array([subject]) if subject >= 0 else np.unique(graph.mentions.of(chunk)).astype(np.int64)
        behind = _levels(explored, _start(goals), max_hops // 2)
        found.append(_meet(ahead, behind))
    return found


def _within(explored: Explored, chunk: int, subject: int) -> list[Route]:
    """A chunk about a linked entity leads to the other linked ones that it mentions."""
    others = np.setdiff1d(np.intersect1d(explored.seeds, explored.graph.mentions.of(chunk)), [subject])
    return [Route((Hop(subject, int(other), chunk, True),), 0.0) for other in others[:ROUTES]]


def _start(entities: Places) -> _Level:
    nothing = np.full(len(entities), -1, dtype=np.int64)
    return _Level(entities, np.zeros(len(entities)), nothing, nothing, np.zeros(len(entities), dtype=np.bool_))


def _levels(explored: Explored, start: _Level, hops: int) -> list[_Level]:
    levels = [start]
    for _ in range(hops):
        levels.append(_further(explored, levels[-1]))
    return levels


def _further(explored: Explored, level: _Level) -> _Level:
    """One hop on from the cheapest entities of a level."""
    begins = np.argsort(level.costs, kind="stable")[:BEAM]
    parts = [_hops(explored, int(level.entities[place])) for place in begins]
    ends = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    parents = np.repeat(begins, [len(part[0]) for part in parts])
    costs = np.concatenate([np.zeros(0), *(part[1] for part in parts)]) + level.costs[parents]
    chunks = np.concatenate([np.zeros(0, dtype=np.int64), *(part[2] for part in parts)])
    forward = np.concatenate([np.zeros(0, dtype=np.bool_), *(part[3] for part in parts)])
    order = np.lexsort((costs, ends))
    first = order[np.r_[True, ends[order][1:] != ends[order][:-1]]] if len(order) else order
    return _Level(ends[first], costs[first], parents[first], chunks[first], forward[first])


def _hops(explored: Explored, entity: int) -> tuple[Places, Costs, Places, NDArray[np.bool_]]:
    """All hops from an entity: where they end, at what cost, by which chunk, and whether that is about the start."""
    graph = explored.graph
    span = slice(graph.edges.others.starts[entity], graph.edges.others.starts[entity + 1])
    related = graph.edges.others.values[span].astype(np.int64)
    holders = graph.holders.of(entity).astype(np.int64)
    if len(holders) > FAN:
        holders = holders[np.argpartition(-explored.chunks[holders], FAN)[:FAN]]
    about = graph.subjects[holders]
    places, owners = graph.mentions.places(holders[about == entity])
    mentioned, by = graph.mentions.values[places].astype(np.int64), holders[about == entity][owners]
    back = (about >= 0) & (about != entity)
    ends = np.concatenate([related, mentioned, about[back].astype(np.int64)])
    sure = np.concatenate([graph.edges.confidences[span], np.full(len(ends) - len(related), MENTION_CONFIDENCE)])
    chunks = np.concatenate([np.full(len(related), NO_CHUNK), by, holders[back]])
    forward = np.concatenate([graph.edges.forward[span], np.full(len(mentioned), True), np.full(back.sum(), False)])
    costs = -np.log(np.maximum(sure, 0.01)) + SPREAD_COST * np.log(np.maximum(graph.df[ends], 1))
    other = ends != entity
    return ends[other], costs[other], chunks[other], forward[other]


def _meet(ahead: Sequence[_Level], behind: Sequence[_Level]) -> list[Route]:
    """The cheapest ways through an entity that both sides reach; no way goes through an entity twice."""
    found: list[tuple[float, int, int, int, int]] = []
    for i, front in enumerate(ahead):
        for j, back in enumerate(behind):
            _, here, there = np.intersect1d(front.entities, back.entities, assume_unique=True, return_indices=True)
            costs = front.costs[here] + back.costs[there]
            cheapest = np.argsort(costs, kind="stable")[:ROUTES]
            found += [(float(costs[place]), i, j, int(here[place]), int(there[place])) for place in cheapest]
    kept: dict[tuple[int, ...], Route] = {}
    for cost, i, j, here, there in sorted(found):
        hops = (*_trace(ahead, i, here), *(hop.turned() for hop in reversed(_trace(behind, j, there))))
        stops = tuple(hop.end for hop in hops)
        if hops and len({hops[0].start, *stops}) == len(hops) + 1:
            kept.setdefault((hops[0].start, *stops), Route(hops, cost))
    return list(kept.values())[:ROUTES]


def _trace(levels: Sequence[_Level], depth: int, place: int) -> list[Hop]:
    """The hops that led to a place of a level, from the start on."""
    hops: list[Hop] = []
    while depth:
        level = levels[depth]
        parent = int(level.parents[place])
        start = int(levels[depth - 1].entities[parent])
        hops.append(Hop(start, int(level.entities[place]), int(level.chunks[place]), bool(level.forward[place])))
        depth, place = depth - 1, parent
    return hops[::-1]
