"""The names a question may use, looked up whole, by one of their words, or nearly right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

MAX_WORDS = 12
"""Longer names are not looked for in a question."""
MAX_CHARACTERS = 24
"""The same for names in scripts without spaces."""
MAX_SHARING = 200
"""A word in more names than this says nothing of which is meant."""
_BYTES_PER_NAME = 120


@dataclass(frozen=True)
class NameTable:
    """Normal forms and the entity each stands for."""

    rows: Mapping[str, int]

    @property
    def size_bytes(self) -> int:
        """Memory taken, within a quarter or so, once names have been looked up by their words."""
        return 3 * _BYTES_PER_NAME * len(self.rows)

    @cached_property
    def openings(self) -> frozenset[str]:
        """First words of names, and first characters: what no name opens with needs no look-up."""
        return frozenset(part for name in self.rows if name for part in (name.split(" ", 1)[0], name[0]))

    @cached_property
    def by_word(self) -> Mapping[str, Sequence[str]]:
        """Names of several words by each of these; words that too many share are left out."""
        found: dict[str, list[str]] = {}
        for name in self.rows:
            words = name.split()
            if 1 < len(words) <= MAX_WORDS:
                for word in set(words):
                    found.setdefault(word, []).append(name)
        return {word: names for word, names in found.items() if len(names) <= MAX_SHARING and len(word) > 1}

    @cached_property
    def by_shape(self) -> Mapping[tuple[str, int], Sequence[str]]:
        """Names by first character and length in characters: what a slip of the pen rarely changes much."""
        found: dict[tuple[str, int], list[str]] = {}
        for name in self.rows:
            if len(name) >= MIN_FUZZY:
                found.setdefault((name[0], len(name)), []).append(name)
        return found


MIN_FUZZY = 5
"""Shorter names are too like each other to be guessed."""


def table_of(names: Iterable[tuple[str, int]]) -> NameTable:
    """A table of normal forms and their entities; of one form, the first counts."""
    rows: dict[str, int] = {}
    for name, row in names:
        rows.setdefault(name, row)
    return NameTable(rows)
