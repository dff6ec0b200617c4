"""The n-grams that a classifier knows, and what each weighs in a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.models.text_classifier.ngrams import Hashes, Ngrams

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known n-grams by their sorted hashes, with their inverse document frequencies, both (features,)."""

    ngrams: Ngrams
    hashes: Hashes
    idf: Floats

    def weigh(self, text: str) -> tuple[Rows, Floats]:
        """Rows of the known n-grams in `text` and their tf-idf: (1 + log count) * idf, each block of unit length."""
        hashes, counts = self.ngrams.hashes(text)
        if not len(self.hashes):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        rows = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        known = self.hashes[rows] == hashes
        rows, counts = rows[known], counts[known]
        values = (1 + np.log(counts)) * self.idf[rows]
        blocks = (self.hashes[rows] & np.uint64(1)).astype(np.int64)
        lengths = np.sqrt(np.bincount(blocks, values * values, minlength=2))
        return rows, (values / lengths[blocks]).astype(np.float32)


def vocabulary_of(texts: Sequence[str], ngrams: Ngrams, least: int = 2, most: int = 100_000) -> Vocabulary:
    """The n-grams that stand in at least `least` of `texts`; of more than `most`, the most frequent.

    idf is log((1 + texts) / (1 + texts with it)) + 1, as if one more text held every n-gram.
    """
    if not texts:
        return Vocabulary(ngrams, np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.float32))
    hashes, counts = np.unique(np.concatenate([ngrams.hashes(text)[0] for text in texts]), return_counts=True)
    least = max(least, int(np.sort(counts)[-most]) if len(counts) > most else 1)
    kept = counts >= least
    idf = np.log((1 + len(texts)) / (1 + counts[kept])) + 1
    return Vocabulary(ngrams, hashes[kept], idf.astype(np.float32))
