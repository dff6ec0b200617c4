"""A batch of chunks made searchable: postings, vectors and what filters ask for, in arrays that never change.

Arrays that never change need no lock: a search keeps the segments it began with while others are
made. `n` below is the number of chunks of a segment; a row is a chunk's place in it, 0 to n - 1.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.dates import day_of
from tools.knowledge.language import detect_language
from tools.knowledge.terms import terms
from tools.stores.knowledge_protocol import SearchableChunk

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]
Mask = NDArray[np.bool_]

TITLE_WEIGHT = 2
"""What an occurrence in the document's title counts for, in occurrences in the text.

Chosen on the dev questions of CMRC 2018: recall@1 97.7 without titles, 98.2 at 1, 98.5 at 2, 98.4 at 3.
"""
NO_VECTOR = -1.0
"""The cosine of a chunk that has no vector to compare."""
_INDEXED_ALREADY = 1
"""How often a chunk's stored terms hold those of its title."""
_BYTES_PER_WORD = 150
"""Memory of a vocabulary entry: the string, its number, its slot in the dict."""


@dataclass(frozen=True)
class Postings:
    """Which word stands how often in which row: those of word `w` are at `starts[w]` to `starts[w + 1]`.

    `vocabulary` gives words their numbers, in order. `lengths` (n,) counts each row's words.
    """

    vocabulary: Mapping[str, int]
    starts: Integers
    rows: Integers
    counts: Floats
    lengths: Floats

    def span(self, word: str) -> tuple[int, int]:
        """Where the postings of `word` begin and end; empty when it is not there."""
        number = self.vocabulary.get(word)
        return (0, 0) if number is None else (int(self.starts[number]), int(self.starts[number + 1]))

    def at(self, spans: Sequence[tuple[int, int]]) -> tuple[Integers, Floats]:
        """Rows and counts of the postings in the spans, one after the other."""
        if not spans:
            return self.rows[:0], self.counts[:0]
        rows = np.concatenate([self.rows[start:end] for start, end in spans])
        return rows, np.concatenate([self.counts[start:end] for start, end in spans])

    def words(self) -> Integers:
        """The word number of each posting."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))


@dataclass(frozen=True)
class Segment:
    """Some chunks of one tenant. `vectors` (m, dimension) belong to the rows `vector_rows`, in order."""

    positions: NDArray[np.int64]
    dataset_names: tuple[str, ...]
    datasets: Integers
    days: Integers
    """Each chunk's date as a proleptic Gregorian ordinal."""
    postings: Postings
    vector_rows: Integers
    vectors: Floats

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def size_bytes(self) -> int:
        """Memory taken, within a tenth or so."""
        arrays = (self.positions, self.datasets, self.days, self.vector_rows, self.vectors)
        posted = (self.postings.starts, self.postings.rows, self.postings.counts, self.postings.lengths)
        return sum(part.nbytes for part in (*arrays, *posted)) + _BYTES_PER_WORD * len(self.postings.vocabulary)

    def cosines(self, vector: Floats) -> Floats:
        """Cosine of `vector` with each row, (n,); `NO_VECTOR` where it has none."""
        if len(self.vector_rows) == len(self):
            return self.vectors @ vector
        found = np.full(len(self), NO_VECTOR, dtype=np.float32)
        if len(self.vector_rows):
            found[self.vector_rows] = self.vectors @ vector
        return found

    def mask(self, dataset_ids: Sequence[str] | None, first_day: int, last_day: int) -> Mask:
        """Which rows belong to one of the data sets (None: any) and bear a date within the days."""
        allowed = (self.days >= first_day) & (self.days <= last_day)
        if dataset_ids is not None:
            wanted = [number for number, name in enumerate(self.dataset_names) if name in set(dataset_ids)]
            allowed &= np.isin(self.datasets, wanted)
        return allowed


def build(chunks: Sequence[SearchableChunk], dimension: int) -> Segment:
    """A segment of chunks given in the order of their positions; vectors have `dimension` numbers."""
    names: dict[str, int] = {}
    with_vector = [row for row, chunk in enumerate(chunks) if _fits(chunk.vector, dimension)]
    packed = b"".join(chunks[row].vector or b"" for row in with_vector)
    datasets = [names.setdefault(chunk.dataset_id, len(names)) for chunk in chunks]
    return Segment(
        np.array([chunk.position for chunk in chunks], dtype=np.int64),
        tuple(names),
        np.array(datasets, dtype=np.int32),
        np.array([day_of(chunk.date) for chunk in chunks], dtype=np.int32),
        _count(chunks),
        np.array(with_vector, dtype=np.int32),
        np.frombuffer(packed, dtype="<f4").astype(np.float32, copy=False).reshape(-1, dimension),
    )


def merge(first: Segment, second: Segment) -> Segment:
    """One segment of both, the rows of `second` after those of `first`."""
    names = {name: number for number, name in enumerate(first.dataset_names)}
    renamed = np.array([names.setdefault(name, len(names)) for name in second.dataset_names], dtype=np.int32)
    return Segment(
        np.concatenate([first.positions, second.positions]),
        tuple(names),
        np.concatenate([first.datasets, renamed[second.datasets]]),
        np.concatenate([first.days, second.days]),
        _merge_postings(first.postings, second.postings, len(first)),
        np.concatenate([first.vector_rows, second.vector_rows + np.int32(len(first))]),
        np.concatenate([first.vectors, second.vectors]),
    )


def keep(segment: Segment, kept: Mask) -> Segment:
    """The segment with only the rows for which `kept` (n,) holds, as if the others had never been."""
    row_of = np.cumsum(kept, dtype=np.int32) - 1
    with_vector = kept[segment.vector_rows]
    return Segment(
        segment.positions[kept],
        segment.dataset_names,
        segment.datasets[kept],
        segment.days[kept],
        _keep_postings(segment.postings, kept, row_of),
        row_of[segment.vector_rows[with_vector]],
        segment.vectors[with_vector],
    )


def _fits(vector: bytes | None, dimension: int) -> bool:
    return vector is not None and len(vector) == 4 * dimension


def _count(chunks: Sequence[SearchableChunk]) -> Postings:
    """Count the words of each chunk, those of its title `TITLE_WEIGHT` times."""
    vocabulary: dict[str, int] = {}
    words, counts, distinct, lengths = array("i"), array("f"), array("i"), array("f")
    titles: dict[str, list[str]] = {}
    for chunk in chunks:
        if chunk.title not in titles:
            titles[chunk.title] = terms(chunk.title, detect_language(chunk.title))
        found = Counter(chunk.terms.split())
        for word in titles[chunk.title]:
            found[word] += TITLE_WEIGHT - _INDEXED_ALREADY
        for word in found:
            number = vocabulary.get(word)
            if number is None:
                number = vocabulary[word] = len(vocabulary)
            words.append(number)
        counts.extend(found.values())
        distinct.append(len(found))
        lengths.append(found.total())
    rows = np.repeat(np.arange(len(chunks), dtype=np.int32), np.frombuffer(distinct, dtype=np.int32))
    return _by_word(vocabulary, np.array(words), rows, np.array(counts), np.array(lengths))


def _by_word(
    vocabulary: Mapping[str, int], words: Integers, rows: Integers, counts: Floats, lengths: Floats
) -> Postings:
    order = np.argsort(words, kind="stable")
    starts = np.zeros(len(vocabulary) + 1, dtype=np.int32)
    np.cumsum(np.bincount(words, minlength=len(vocabulary)), out=starts[1:])
    return Postings(vocabulary, starts, rows[order], counts[order], lengths)


def _merge_postings(first: Postings, second: Postings, offset: int) -> Postings:
    vocabulary = dict(first.vocabulary)
    renumbered = np.array([vocabulary.setdefault(word, len(vocabulary)) for word in second.vocabulary], dtype=np.int32)
    return _by_word(
        vocabulary,
        np.concatenate([first.words(), renumbered[second.words()]]),
        np.concatenate([first.rows, second.rows + np.int32(offset)]),
        np.concatenate([first.counts, second.counts]),
        np.concatenate([first.lengths, second.lengths]),
    )


def _keep_postings(postings: Postings, kept: Mask, row_of: Integers) -> Postings:
    left = kept[postings.rows]
    words = postings.words()[left]
    used = np.bincount(words, minlength=len(postings.vocabulary)) > 0
    number_of = np.cumsum(used, dtype=np.int32) - 1
    vocabulary = {word: int(number_of[number]) for word, number in postings.vocabulary.items() if used[number]}
    return _by_word(
        vocabulary, number_of[words], row_of[postings.rows[left]], postings.counts[left], postings.lengths[kept]
    )
