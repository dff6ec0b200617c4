"""What search holds in memory for a tenant: its chunks as segments, scored all at once.

A change of the tenant's documents makes a new index that shares most segments with the old one: new
chunks come as a segment of their own, and segments of like size are merged, so that there are few
and every chunk is copied a logarithmic number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.segment import Floats, Mask, Segment, build, keep, merge
from tools.knowledge.terms import is_character, weight
from tools.stores.knowledge_protocol import KnowledgeVersion, SearchableChunk

K1 = 1.2
B = 0.75
"""BM25's saturation and length normalisation, at their textbook values (Robertson and Zaragoza 2009)."""
BACKGROUND = 50
"""Imagined chunks without any of the words: in a corpus of three, a word of all three still says something.

On the dev questions of CMRC 2018 (256 passages) recall does not change with it up to 100.
"""
EXPECTED_WORDS = 12
"""A chunk with this many of the query's best words is as relevant as can be, however long the query."""
GROWTH = 4
"""A segment is merged with the one before it unless that is this many times larger."""


@dataclass(frozen=True)
class TenantIndex:
    """A tenant's chunks at one version. Rows count through all segments, in the order of positions.

    `last_position` is the highest position ever taken in, removed chunks included.
    """

    version: KnowledgeVersion = field(default_factory=KnowledgeVersion)
    segments: tuple[Segment, ...] = ()
    last_position: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.segments))

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The position of each row."""
        return _joined([segment.positions for segment in self.segments], np.int64)

    @cached_property
    def size_bytes(self) -> int:
        """Memory taken, within a tenth or so; never 0, so that empty indexes count too."""
        return 1024 + sum(segment.size_bytes + 12 * len(segment) for segment in self.segments)

    def at(self, version: KnowledgeVersion) -> TenantIndex:
        """The same chunks, said to be those of `version`."""
        return replace(self, version=version)

    def add(self, chunks: Sequence[SearchableChunk], dimension: int) -> TenantIndex:
        """The index with more chunks, whose positions are past `last_position` and in order."""
        segments = [*self.segments, build(chunks, dimension)]
        while len(segments) > 1 and len(segments[-2]) < GROWTH * len(segments[-1]):
            segments[-2:] = [merge(segments[-2], segments[-1])]
        return TenantIndex(self.version, tuple(segments), chunks[-1].position)

    def without_others(self, positions: Sequence[int]) -> TenantIndex:
        """The index with only those of its chunks that are at `positions`."""
        there = np.array(positions, dtype=np.int64)
        kept = [np.isin(segment.positions, there) for segment in self.segments]
        segments = [
            segment if mask.all() else keep(segment, mask)
            for segment, mask in zip(self.segments, kept, strict=True)
            if mask.any()
        ]
        return TenantIndex(self.version, tuple(segments), self.last_position)

    def relevance(self, words: Sequence[str]) -> Floats:
        """BM25 of each row as a share of what a chunk could reach, (n,): 0 without the words, at best about 1."""
        distinct = list(dict.fromkeys(words))
        if not distinct or not self.segments:
            return np.zeros(len(self), dtype=np.float32)
        if all(map(is_character, distinct)):
            return self._relevance_of_characters(distinct)
        spans = [[segment.postings.span(word) for word in distinct] for segment in self.segments]
        weights = self._idf(np.array([[end - start for start, end in row] for row in spans]).sum(axis=0))
        weights *= [weight(word) for word in distinct]
        weights /= np.sort(weights)[-EXPECTED_WORDS:].sum()
        parts = [
            _bm25(segment, norm, row, weights)
            for segment, norm, row in zip(self.segments, self._norms, spans, strict=True)
        ]
        return _joined(parts, np.float32)

    def cosines(self, vector: Floats) -> Floats:
        """Cosine of each row with a unit vector, (n,); `NO_VECTOR` where a chunk has none."""
        return _joined([segment.cosines(vector) for segment in self.segments], np.float32)

    def mask(self, dataset_ids: Sequence[str] | None, first_day: int, last_day: int) -> Mask:
        """Which rows are in one of the data sets (None: any) and dated within the days, both included."""
        return _joined([segment.mask(dataset_ids, first_day, last_day) for segment in self.segments], np.bool_)

    @cached_property
    def _norms(self) -> list[Floats]:
        """BM25's length normalisation of each row, by segment."""
        total = sum(float(segment.postings.lengths.sum()) for segment in self.segments)
        average = max(total / max(len(self), 1), 1.0)
        return [np.float32(K1) * (1 - B + B / average * segment.postings.lengths) for segment in self.segments]

    def _idf(self, found_in: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.log1p((len(self) + BACKGROUND - found_in + 0.5) / (found_in + 0.5))

    def _relevance_of_characters(self, characters: Sequence[str]) -> Floats:
        """Lone characters are looked for inside the pairs, all of which count as one word."""
        parts: list[Floats] = []
        for segment, norm in zip(self.segments, self._norms, strict=True):
            postings, wanted = segment.postings, set(characters)
            spans = [postings.span(word) for word in postings.vocabulary if not wanted.isdisjoint(word)]
            rows, counts = postings.at(spans)
            found = np.bincount(rows, counts, minlength=len(segment))
            parts.append((found / (found + norm)).astype(np.float32))
        return _joined(parts, np.float32)


def _bm25(segment: Segment, norm: Floats, spans: Sequence[tuple[int, int]], weights: NDArray[np.float64]) -> Floats:
    rows, counts = segment.postings.at(spans)
    each = np.repeat(weights, [end - start for start, end in spans])
    return np.bincount(rows, each * counts / (counts + norm[rows]), minlength=len(segment)).astype(np.float32)


def _joined(parts: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)
