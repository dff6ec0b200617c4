"""Tells a misspelt setting from a stranger, so that a typo is never silently a default.

A `.env` is ours, so it is read strictly; the process environment is everybody's, so only names that
nobody else uses are looked for there, and more narrowly.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

SHORTEST_KNOWN = 8
SHORTEST_IN_ENVIRONMENT = 10
MOST_EDITS_IN_ENVIRONMENT = 2
OWN_SUFFIX = re.compile(r"\d+|_.*")
"""`OPENAI_API_KEY_2` is somebody's second key, not a slip of the finger."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Every name we understand, in capitals: those only we use, and those we share with other programs."""

    ours: frozenset[str]
    shared: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return name.upper() in self.ours or name.upper() in self.shared

    def misspelt(self, name: str) -> str | None:
        """The known name that a line of `.env` must have meant; None for known names and strangers."""
        if name in self:
            return None
        known = (known for known in self.ours | self.shared if len(known) >= SHORTEST_KNOWN)
        return _nearest(name.upper(), ((known, _tolerance(known)) for known in known))

    def misspelt_in_environment(self, name: str) -> str | None:
        """The name of ours that a variable of the process must have meant."""
        if name in self:
            return None
        known = (known for known in self.ours if len(known) >= SHORTEST_IN_ENVIRONMENT)
        return _nearest(name.upper(), ((known, MOST_EDITS_IN_ENVIRONMENT) for known in known))


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that looks most like `word`, if any does."""
    return next(iter(difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=0.5)), None)


def edits(left: str, right: str, most: int) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two names; `most + 1` for more.

    Optimal string alignment distance; it stops at the first row that is past `most`.
    """
    if abs(len(left) - len(right)) > most:
        return most + 1
    before: list[int] = []
    above = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, above = above, row
    return above[-1]


def _tolerance(known: str) -> int:
    """Edits up to which a name counts as misspelt: short names have innocent neighbours (`REDIS_TTL`)."""
    return 1 if len(known) < 12 else 2 if len(known) < 16 else 3


def _nearest(name: str, known: Iterable[tuple[str, int]]) -> str | None:
    near = [
        (count, candidate)
        for candidate, most in known
        if (count := edits(name, candidate, most)) <= most and not _extends(name, candidate)
    ]
    return min(near)[1] if near else None


def _extends(name: str, known: str) -> bool:
    return name.startswith(known) and OWN_SUFFIX.fullmatch(name, len(known)) is not None
