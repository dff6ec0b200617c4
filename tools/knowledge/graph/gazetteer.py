"""Finds known names in text: all of them at once, wherever they stand, in one pass (Aho and Corasick 1975).

Names and text are compared in normal form, so case, width and accents make no difference; what is found
is given by its place in the text as it was.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import ahocorasick

MIN_CHARACTERS = 2
"""A shorter name is looked for nowhere: it stands inside too many words."""


class Found(NamedTuple):
    """A known name at characters `start`-`end` of a text."""

    norm: str
    start: int
    end: int


class Gazetteer:
    """A set of normal forms, and where they stand in texts.

    Different names never get in each other's way: `new york` is found inside `new york city`, whoever else is
    known. So one more name, or one fewer, changes nothing about the others.
    """

    def __init__(self, norms: Iterable[str] = ()) -> None:
        """Know these names, those that are not `findable` apart."""
        self._norms = frozenset(filter(findable, norms))
        self._automaton = ahocorasick.Automaton()
        for norm in self._norms:
            self._automaton.add_word(norm, norm)
        if self._norms:
            self._automaton.make_automaton()

    def __len__(self) -> int:
        return len(self._norms)

    def __contains__(self, norm: str) -> bool:
        return norm in self._norms

    def changed(self, gained: Iterable[str], lost: Iterable[str]) -> Gazetteer:
        """One that knows more names, and fewer; itself where that makes no difference."""
        norms = (self._norms - set(lost)) | set(filter(findable, gained))
        return self if norms == self._norms else Gazetteer(norms)

    def find(self, text: str) -> Iterator[Found]:
        """All known names in `text`, by where they end.

        Latin names stand between word boundaries; a single Latin word is a name only where it begins with a
        capital or a digit, or where it mixes letters and digits.
        """
        if not self._norms:
            return
        folded, places = fold(text)
        for last, norm in self._automaton.iter(folded):
            first = last + 1 - len(norm)
            if _stands_alone(folded, first, last + 1):
                start, end = places[first], places[last] + 1
                if _is_name(norm, text[start]):
                    yield Found(norm, start, end)


def findable(norm: str) -> bool:
    """Whether a name says enough to be looked for: two characters, not all of them digits."""
    return len(norm) >= MIN_CHARACTERS and not norm.isdecimal()


def first_of_each(found: Iterable[Found]) -> dict[str, Found]:
    """For each name where it is found first."""
    firsts: dict[str, Found] = {}
    for one in found:
        firsts.setdefault(one.norm, one)
    return firsts


def fold(text: str) -> tuple[str, Sequence[int]]:
    """`text` in normal form character by character, and for each of its characters the place it comes from.

    White space of any length becomes one space; combining accents are dropped.
    """
    if text.isascii() and "\n" not in text and "\t" not in text and "  " not in text:
        return text.lower(), range(len(text))
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            if folded and folded[-1] != " ":
                folded.append(" ")
                places.append(place)
            continue
        for part in _folded(character):
            folded.append(part)
            places.append(place)
    return "".join(folded), places


_KNOWN: dict[str, str] = {}


def _folded(character: str) -> str:
    known = _KNOWN.get(character)
    if known is None:
        decomposed = unicodedata.normalize("NFKD", character.casefold())
        known = "".join(part for part in decomposed if not unicodedata.combining(part))
        known = _KNOWN[character] = unicodedata.normalize("NFKC", known)
    return known


def _stands_alone(folded: str, first: int, end: int) -> bool:
    return not (
        (first and _joins(folded[first - 1]) and _joins(folded[first]))
        or (end < len(folded) and _joins(folded[end]) and _joins(folded[end - 1]))
    )


def _joins(character: str) -> bool:
    """Whether this character and one like it beside it are one word; Han characters are not."""
    return character.isalnum() and character < "\u2e80"


def _is_name(norm: str, first_written: str) -> bool:
    if " " in norm or not norm.isascii() or not norm.isalpha():
        return True
    return not first_written.islower()
