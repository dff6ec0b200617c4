"""Which entities belong together, and which chunks stand for them: Louvain (Blondel et al. 2008), level by level.

Below, `E` is the number of entities, `g` of groups (entities that are one by their aliases), `n` of chunks, `m` of
mentions, `e` of edges, `c` of communities and `l` of levels. Everything follows from names and counts, never from
the order in which documents came.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]
Places = NDArray[np.int64]

SEED = 7
MOST_LEVELS = 3
LEAST_MEMBERS = 2
SPLIT_FROM = 12
"""Smaller communities are not split further."""
MOST_COMMUNITIES = 3_000
"""The largest are kept."""
MOST_SUMMARISED = 300
"""Communities, the largest, that get sentences."""
CHUNKS_EACH = 16
"""Chunks that a community's sentences are looked for in."""
CHUNKS_OF_DOCUMENT = 4
SUBJECT_GAIN = 2.0
"""What a chunk's subject counts for when chunks are weighed; a mention counts 1."""


@dataclass(frozen=True)
class Linked:
    """A graph as it is partitioned.

    `group_of` (E,) is the group, 0 to g - 1, of each entity; `subjects` (n,) entities, -1 without; `chunk_documents`
    (n,); `mention_chunks`, `mention_entities` (m,); `edge_heads`, `edge_tails` (e,) entities and `edge_confidences`
    (e,) 0-1.
    """

    group_of: Integers
    chunk_documents: Integers
    subjects: Integers
    mention_chunks: Integers
    mention_entities: Integers
    edge_heads: Integers
    edge_tails: Integers
    edge_confidences: NDArray[np.float32]


@dataclass(frozen=True)
class Partition:
    """`members` (l, g): the community of each group at each level, -1 without one.

    `levels`, `parents`, `centres` (c,) describe communities, the coarsest first: level, the community one level up
    (-1 at level 0) and the best connected group. `chunk_owners`, `chunks` (k,) are pairs of a community and a chunk
    that stands for it, the best first.
    """

    members: Integers
    levels: Integers
    parents: Integers
    centres: Integers
    chunk_owners: Integers
    chunks: Integers


@dataclass(frozen=True)
class _Ties:
    """Undirected weighted edges between groups, `left` < `right`; `degrees` (g,) their sums."""

    left: Places
    right: Places
    weights: NDArray[np.float64]
    degrees: NDArray[np.float64]


def partition(linked: Linked) -> Partition:
    """Communities of at least two groups on up to three levels, and the chunks that stand for the largest."""
    number = int(linked.group_of.max()) + 1 if len(linked.group_of) else 0
    ties = _ties(linked, number)
    members, levels, parents = _levels(ties, number)
    members, levels, parents = _largest(members, levels, parents)
    centres = _centres(members, levels, ties.degrees)
    owners, chunks = _standing_chunks(linked, members, levels, ties.degrees)
    return Partition(members, levels, parents, centres, owners, chunks)


def _ties(linked: Linked, number: int) -> _Ties:
    """A chunk's subject with all it mentions, mentions of a chunk without one in a chain, and the relations."""
    groups, subjects = _grouped(linked)
    about = subjects[linked.mention_chunks]
    named = about >= 0
    order = np.lexsort((groups, linked.mention_chunks))
    order = order[~named[order]]
    follows = linked.mention_chunks[order][1:] == linked.mention_chunks[order][:-1]
    heads = [about[named], groups[order][:-1][follows], linked.group_of[linked.edge_heads]]
    tails = [groups[named], groups[order][1:][follows], linked.group_of[linked.edge_tails]]
    counted = int(named.sum() + follows.sum())
    weights = np.concatenate([np.ones(counted), linked.edge_confidences.astype(np.float64)])
    one, other = np.concatenate(heads).astype(np.int64), np.concatenate(tails).astype(np.int64)
    apart = one != other
    keys = (np.minimum(one, other) * number + np.maximum(one, other))[apart]
    unique, places = np.unique(keys, return_inverse=True)
    # Rounded, so that the order in which they were added leaves no trace.
    sums = np.round(np.bincount(places, weights[apart], minlength=len(unique)), 4).astype(np.float64)
    left, right = unique // max(number, 1), unique % max(number, 1)
    degrees = np.bincount(left, sums, minlength=number) + np.bincount(right, sums, minlength=number)
    return _Ties(left, right, sums, degrees.astype(np.float64))


def _grouped(linked: Linked) -> tuple[Places, Places]:
    """The group of each mention (m,) and of each chunk's subject (n,), -1 without."""
    groups = linked.group_of[linked.mention_entities].astype(np.int64)
    if not len(linked.group_of):
        return groups, np.full(len(linked.subjects), -1, dtype=np.int64)
    return groups, np.where(linked.subjects < 0, -1, linked.group_of[linked.subjects]).astype(np.int64)


def _levels(ties: _Ties, number: int) -> tuple[Integers, Integers, Integers]:
    """`members`, `levels` and `parents` of all communities: each level splits the large ones of the level above."""
    members = [_numbered(louvain(number, ties.left, ties.right, ties.weights), 0)]
    levels = [0] * (int(members[0].max(initial=-1)) + 1)
    parents = [-1] * len(levels)
    for level in range(1, MOST_LEVELS):
        finer = np.full(number, -1, dtype=np.int32)
        for parent, parts in _splits(members[-1], ties):
            part_of = _numbered(parts[1], len(levels))
            finer[parts[0]] = part_of
            made = int(part_of.max(initial=-1)) + 1 - len(levels)
            levels += [level] * max(made, 0)
            parents += [parent] * max(made, 0)
        if not (finer >= 0).any():
            break
        members.append(finer)
    return np.stack(members), np.array(levels, dtype=np.int32), np.array(parents, dtype=np.int32)


def _splits(members: Integers, ties: _Ties) -> Iterator[tuple[int, tuple[Places, Places]]]:
    """For each large community that falls into parts, its groups and the part of each."""
    sizes = np.bincount(members[members >= 0])
    inside = np.flatnonzero((members[ties.left] == members[ties.right]) & (members[ties.left] >= 0))
    inside = inside[np.argsort(members[ties.left[inside]], kind="stable")]
    owners = members[ties.left[inside]]
    ordered = np.argsort(members, kind="stable")
    for community in np.flatnonzero(sizes >= SPLIT_FROM):
        groups = ordered[slice(*np.searchsorted(members[ordered], [community, community + 1]))]
        edges = inside[slice(*np.searchsorted(owners, [community, community + 1]))]
        left, right = np.searchsorted(groups, ties.left[edges]), np.searchsorted(groups, ties.right[edges])
        parts = louvain(len(groups), left, right, ties.weights[edges])
        if (np.bincount(parts) >= LEAST_MEMBERS).sum() > 1:
            yield int(community), (groups, parts)


def louvain(number: int, left: Places, right: Places, weights: NDArray[np.float64]) -> Places:
    """The part (number,) of each node by modularity, counted from 0; the same every time."""
    import igraph

    if not len(left):
        return np.arange(number)
    igraph.set_random_number_generator(random.Random(SEED))  # noqa: S311 - the order in which nodes are visited
    graph = igraph.Graph(n=number, edges=np.stack([left, right], axis=1))
    found: Any = graph.community_multilevel(weights=weights)
    return np.asarray(found.membership, dtype=np.int64)


def _numbered(parts: Places, first: int) -> Integers:
    """Parts renumbered from `first`, by size, then by their first node; -1 for those of too few members."""
    sizes = np.bincount(parts) if len(parts) else np.zeros(0, dtype=np.int64)
    firsts = np.full(len(sizes), len(parts))
    np.minimum.at(firsts, parts, np.arange(len(parts)))
    order = np.lexsort((firsts, -sizes))
    order = order[sizes[order] >= LEAST_MEMBERS]
    numbers = np.full(len(sizes), -1, dtype=np.int32)
    numbers[order] = np.arange(first, first + len(order))
    return numbers[parts] if len(parts) else np.zeros(0, dtype=np.int32)


def _largest(members: Integers, levels: Integers, parents: Integers) -> tuple[Integers, Integers, Integers]:
    """The largest communities, in the order they had; a parent is larger than its children, so none is orphaned."""
    if len(levels) <= MOST_COMMUNITIES:
        return members, levels, parents
    sizes = np.bincount(members[members >= 0], minlength=len(levels))
    kept = np.sort(np.lexsort((np.arange(len(levels)), -sizes))[:MOST_COMMUNITIES])
    numbers = np.full(len(levels) + 1, -1, dtype=np.int32)  # the last is what -1 leads to
    numbers[kept] = np.arange(len(kept))
    return numbers[members], levels[kept], numbers[parents[kept]]


def _centres(members: Integers, levels: Integers, degrees: NDArray[np.float64]) -> Integers:
    """The group of the highest degree in each community, the first of equals."""
    centres = np.full(len(levels), -1, dtype=np.int32)
    by_degree = np.lexsort((np.arange(len(degrees)), -degrees))[::-1]
    for row in members:
        inside = by_degree[row[by_degree] >= 0]
        centres[row[inside]] = inside  # of several, the last one stays: the highest
    return centres


def _standing_chunks(
    linked: Linked, members: Integers, levels: Integers, degrees: NDArray[np.float64]
) -> tuple[Integers, Integers]:
    """Chunks that speak of much of a community and of little else, spread over documents."""
    chunks, groups, worth = _chunk_groups(linked, degrees)
    sizes = np.bincount(members[members >= 0], minlength=len(levels))
    wanted = np.zeros(len(levels) + 1, dtype=bool)
    wanted[np.lexsort((np.arange(len(levels)), levels, -sizes))[:MOST_SUMMARISED]] = True
    totals = np.bincount(chunks, worth, minlength=len(linked.subjects))
    owners: list[int] = []
    standing: list[int] = []
    for row in members:
        inside = np.flatnonzero(wanted[row[groups]] & (row[groups] >= 0))
        keys = row[groups[inside]].astype(np.int64) * len(linked.subjects) + chunks[inside]
        unique, places = np.unique(keys, return_inverse=True)
        sums = np.bincount(places, worth[inside], minlength=len(unique))
        of_chunk = unique % max(len(linked.subjects), 1)
        scores = np.round(sums * sums / np.maximum(totals[of_chunk], 1e-9), 6)
        order = np.lexsort((of_chunk, -scores, unique // max(len(linked.subjects), 1)))
        for owner, chunk in _spread(linked, (unique // max(len(linked.subjects), 1))[order], of_chunk[order]):
            owners.append(owner)
            standing.append(chunk)
    return np.array(owners, dtype=np.int32), np.array(standing, dtype=np.int32)


def _chunk_groups(linked: Linked, degrees: NDArray[np.float64]) -> tuple[Places, Places, NDArray[np.float64]]:
    """Chunks, the groups in them, each pair once, and what the pair is worth: more for the well connected."""
    groups, subjects = _grouped(linked)
    about = np.flatnonzero(subjects >= 0)
    number = max(len(degrees), 1)
    keys = np.unique(
        np.concatenate([linked.mention_chunks * np.int64(number) + groups, about * number + subjects[about]])
    )
    chunks, found = keys // number, keys % number
    return chunks, found, np.log1p(degrees[found]) * np.where(subjects[chunks] == found, SUBJECT_GAIN, 1.0)


def _spread(linked: Linked, owners: Places, chunks: Places) -> Iterator[tuple[int, int]]:
    """The first chunks of each owner, few of one document; a single document gives as many as there may be."""
    for owner in np.unique(owners):
        of_owner = chunks[slice(*np.searchsorted(owners, [owner, owner + 1]))][: 8 * CHUNKS_EACH]
        taken: dict[int, int] = {}
        kept: list[int] = []
        rest: list[int] = []
        for chunk in of_owner.tolist():
            document = int(linked.chunk_documents[chunk])
            taken[document] = taken.get(document, 0) + 1
            (kept if taken[document] <= CHUNKS_OF_DOCUMENT else rest).append(chunk)
        yield from ((int(owner), chunk) for chunk in [*kept, *rest][:CHUNKS_EACH])
