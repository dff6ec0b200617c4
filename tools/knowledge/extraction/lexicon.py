"""A large list of words kept as sorted hashes: which stretches of a text are words, and of which kind, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LONGEST = 6
"""Units in the longest word that is looked up."""
HASH_BITS = 40
"""Two words in 10^12 pairs fall together: one wrong match in some thousand pages."""
_MASK = np.uint64((1 << HASH_BITS) - 1)
_BUCKET_BITS = 21
_BUCKET_SHIFT = np.uint64(HASH_BITS - _BUCKET_BITS)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Lexicon:
    """`hashes` (n,) ascending; `kinds` (n,) from 1."""

    hashes: Hashes
    kinds: NDArray[np.uint8]

    def matches(self, codes: NDArray[np.uint64], length: int) -> tuple[NDArray[np.uint8], Hashes]:
        """For each place where `length` units fit: the kind of the word that begins there (0: none), and its hash."""
        hashed = hash_windows(codes, length)
        found = np.zeros(len(hashed), dtype=np.uint8)
        maybe = np.flatnonzero(self._buckets[hashed >> _BUCKET_SHIFT])
        if len(maybe):
            wanted = hashed[maybe]
            places = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
            found[maybe] = np.where(self.hashes[places] == wanted, self.kinds[places], 0)
        return found, hashed

    @cached_property
    def _buckets(self) -> NDArray[np.bool_]:
        """Which beginnings of hashes occur at all: 2 MB that turn most stretches away without a search."""
        buckets = np.zeros(1 << _BUCKET_BITS, dtype=np.bool_)
        buckets[self.hashes >> _BUCKET_SHIFT] = True
        return buckets


def build_lexicon(words: Mapping[str, int]) -> Lexicon:
    """A lexicon of `words`, each with its kind (1 to 255); of words that fall together the smaller kind stays."""
    hashed: dict[int, int] = {}
    for word, kind in words.items():
        key = int(hash_windows(codes_of(word), len(word))[0])
        hashed[key] = min(kind, hashed.get(key, kind))
    order = sorted(hashed)
    return Lexicon(np.array(order, dtype=np.uint64), np.array([hashed[key] for key in order], dtype=np.uint8))


def codes_of(units: Iterable[str]) -> NDArray[np.uint64]:
    """The code points of single characters."""
    return np.array([ord(unit) for unit in units], dtype=np.uint64)


def hash_windows(codes: NDArray[np.uint64], length: int) -> Hashes:
    """The hash of each stretch of `length` codes, in order: (n - length + 1,), or empty."""
    count = len(codes) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    total = np.full(count, length, dtype=np.uint64)
    for place in range(length):
        total = (total ^ codes[place : place + count]) * _BASE
        total ^= total >> np.uint64(29)
    return (total * _MIX) >> np.uint64(64 - HASH_BITS) & _MASK
