"""A data set's graph made ready for questions: who is who, which chunk speaks of whom, and where a walk may go.

`E` below is the number of entities, `n` the number of chunks and `e` twice the number of edges. Nodes of the walk
count through entities and chunks: entity `i` is node `i`, chunk `c` is node `E + c`. Entities that are one by
their aliases stand in one row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.graph.name_table import NameTable, table_of
from tools.knowledge.graph.rows import Integers, Rows, rows_of
from tools.stores.graph_protocol import GraphEntity, GraphRows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float32]

TO_SUBJECT = 0.3
"""What the step from a chunk to its subject weighs, where that to an entity it mentions weighs 1."""
FROM_SUBJECT = 32.0
"""What the step from an entity to a chunk about it weighs, where that to a chunk that mentions it weighs 1.

On made-up questions over the passages of MuSiQue and HotpotQA, with titles and without, recall of the walk alone (mean
of @2, @5 and @10) is 71.2 at 1, 75.2 at 4, 76.7 at 16, 77.2 at 32, 77.1 at 100.
"""
TO_NUMBER = 0.05
"""What the step from a chunk to an entity that is a mere number (a year) weighs: it joins what is unrelated."""
TO_BYWAY = 0.1
"""What the step from a chunk to an entity weighs that no chunk is about: from there it goes on at random.

On the same questions, recall of the walk is 74.0 at 1, 77.1 at .3, 78.0 at .1, 78.2 at .03.
"""
RELATION_WEIGHT = 0.3
"""What the step along a relation weighs when it is certain."""
_BYTES_PER_ENTITY = 250


@dataclass(frozen=True)
class Edges:
    """Relations from both their ends: `others` lists the entities at the far end of each entity's.

    `relations` (e,) are places in `names`, `confidences` (e,) 0-1; `forward` (e,) says that the owner is the head.
    """

    names: Sequence[str]
    others: Rows
    relations: Integers
    confidences: Floats
    forward: NDArray[np.bool_]


@dataclass(frozen=True)
class GraphIndex:
    """One data set's graph at one version.

    `names`, `norms` and `types` (E,) describe entities; `df` (E,) counts the chunks about or mentioning one.
    `positions` (n,) are ascending, `subjects` (n,) is the entity a chunk is about, -1 without. `mentions` lists the
    distinct entities of each chunk, its subject among them; `holders` the chunks of each entity.
    """

    dataset_id: str
    version: int
    names: Sequence[str]
    norms: Sequence[str]
    types: Sequence[str]
    df: Integers
    table: NameTable
    positions: NDArray[np.int64]
    subjects: Integers
    mentions: Rows
    holders: Rows
    edges: Edges
    also: Mapping[int, Sequence[str]]
    """The norms of what was merged into an entity, by its row."""
    walk: csr_array
    """(E + n, E + n) float32: row `i` holds the probabilities of the next step from node `i`."""

    @property
    def entities(self) -> int:
        """How many entities there are."""
        return len(self.names)

    @cached_property
    def size_bytes(self) -> int:
        """Memory taken, within a quarter or so; never 0."""
        arrays = (self.df, self.positions, self.subjects, self.edges.relations, self.walk.data, self.walk.indices)
        listed = (self.mentions, self.holders, self.edges.others)
        total = sum(array.nbytes for array in arrays) + sum(rows.size_bytes for rows in listed)
        total += self.edges.confidences.nbytes + self.edges.forward.nbytes
        return 1024 + total + _BYTES_PER_ENTITY * self.entities + self.table.size_bytes

    def chunks_at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The chunk at each of the positions; -1 where there is none in this graph."""
        if not len(self.positions):
            return np.full(len(positions), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.positions, positions), len(self.positions) - 1)
        return np.where(self.positions[places] == positions, places, -1)

    def positions_with(self, types: Collection[str]) -> NDArray[np.int64]:
        """Positions of the chunks that mention an entity of one of the types."""
        wanted = np.array([kind in types for kind in self.types], dtype=np.bool_)
        owners = np.repeat(np.arange(len(self.positions)), np.diff(self.mentions.starts))
        return self.positions[np.unique(owners[wanted[self.mentions.values]])]


def index_of(rows: GraphRows, dataset_id: str = "") -> GraphIndex:
    """Make a graph ready: some seconds for a hundred thousand chunks."""
    row_of, kept = _merged(rows.entities)
    entities = [rows.entities[place] for place in kept]
    subjects = np.where(rows.subjects < 0, -1, row_of[rows.subjects]).astype(np.int32)
    chunks, mentioned = _pairs(rows, row_of, subjects, len(entities))
    mentions, _ = rows_of(chunks, mentioned, len(rows.positions))
    holders, _ = rows_of(mentioned, chunks, len(entities))
    edges = _edges(rows, row_of, len(entities))
    numbers = np.array([entity.norm.isdigit() for entity in entities], dtype=np.bool_)
    return GraphIndex(
        dataset_id=dataset_id,
        version=rows.version,
        names=[entity.name for entity in entities],
        norms=[entity.norm for entity in entities],
        types=[entity.type for entity in entities],
        df=np.diff(holders.starts).astype(np.int32),
        table=_table(rows.entities, row_of),
        positions=rows.positions,
        subjects=subjects,
        mentions=mentions,
        holders=holders,
        edges=edges,
        also=_also(rows.entities, row_of, kept),
        walk=_walk(chunks, mentioned, subjects, edges, numbers),
    )


def _merged(entities: Sequence[GraphEntity]) -> tuple[Integers, list[int]]:
    """The row of each entity, merged ones in that of what they are another name of; and the place of each row."""
    place_of = {entity.norm: place for place, entity in enumerate(entities)}
    kept = [place for place, entity in enumerate(entities) if place_of.get(entity.merged_into, place) == place]
    row_of = np.full(len(entities), -1, dtype=np.int32)
    row_of[kept] = np.arange(len(kept), dtype=np.int32)
    for place, entity in enumerate(entities):
        if row_of[place] < 0:
            row_of[place] = row_of[place_of[entity.merged_into]]
    return row_of, kept


def _also(entities: Sequence[GraphEntity], row_of: Integers, kept: Sequence[int]) -> dict[int, list[str]]:
    also: dict[int, list[str]] = {}
    for place in sorted(set(range(len(entities))).difference(kept)):
        also.setdefault(int(row_of[place]), []).append(entities[place].norm)
    return also


def _table(entities: Sequence[GraphEntity], row_of: Integers) -> NameTable:
    return table_of((entity.norm, int(row)) for entity, row in zip(entities, row_of, strict=True))


def _pairs(rows: GraphRows, row_of: Integers, subjects: Integers, number: int) -> tuple[Integers, Integers]:
    """Chunks and the entities they are about or mention, each pair once, in order."""
    about = np.flatnonzero(subjects >= 0)
    chunks = np.concatenate([rows.mention_chunks, about]).astype(np.int64)
    mentioned = np.concatenate([row_of[rows.mention_entities], subjects[about]])
    keys = np.unique(chunks * max(number, 1) + mentioned)
    return (keys // max(number, 1)).astype(np.int32), (keys % max(number, 1)).astype(np.int32)


def _edges(rows: GraphRows, row_of: Integers, number: int) -> Edges:
    heads, tails = row_of[rows.edge_heads], row_of[rows.edge_tails]
    apart = heads != tails
    heads, tails = heads[apart], tails[apart]
    relations, confidences = rows.edge_relations[apart], rows.edge_confidences[apart]
    others, order = rows_of(np.concatenate([heads, tails]), np.concatenate([tails, heads]), number)
    forward = np.repeat([True, False], len(heads))
    doubled = np.concatenate([relations, relations])[order].astype(np.int32)
    return Edges(rows.relations, others, doubled, np.concatenate([confidences, confidences])[order], forward[order])


def _walk(
    chunks: Integers, mentioned: Integers, subjects: Integers, edges: Edges, numbers: NDArray[np.bool_]
) -> csr_array:
    """Steps between chunks and their entities and along relations, each node's adding up to one."""
    from scipy.sparse import coo_array, csr_array  # half a second that a start without graphs does without

    entities, about = len(numbers), subjects[chunks] == mentioned
    known = np.bincount(subjects[subjects >= 0], minlength=entities)[mentioned] > 0
    to_entity = np.where(numbers[mentioned], TO_NUMBER, 1.0) * np.where(known, 1.0, TO_BYWAY)
    to_entity[about] = TO_SUBJECT
    to_chunk = np.where(about, FROM_SUBJECT, 1.0)
    owners = np.repeat(np.arange(entities), np.diff(edges.others.starts))
    start = np.concatenate([chunks + entities, mentioned, owners]).astype(np.int32)
    end = np.concatenate([mentioned, chunks + entities, edges.others.values]).astype(np.int32)
    share = np.concatenate([to_entity, to_chunk, RELATION_WEIGHT * edges.confidences])
    nodes = entities + len(subjects)
    share /= np.maximum(np.bincount(start, share, minlength=nodes), 1e-12)[start]
    return csr_array(coo_array((share.astype(np.float32), (start, end)), shape=(nodes, nodes)))
