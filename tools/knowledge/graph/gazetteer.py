"""Finds known names in text: all of them at once, wherever they stand, in one pass (Aho and Corasick 1975).

Names and text are compared in normal form, so case, width and accents make no difference; what is found
is given by its place in the text as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import ahocorasick
import numpy as np

from tools.knowledge.extraction.names import HAN, sign_in_names

MIN_CHARACTERS = 2
"""A shorter name is looked for nowhere: it stands inside too many words."""

MAX_KNOWN_SIGNS = 32_768
"""Characters remembered in the form that names have them in; after that it starts anew."""


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
        folded = f" {fold(text)} "
        places: Sequence[int] = ()
        for last, norm in self._automaton.iter(folded):
            first = last + 1 - len(norm)
            places = places or places_of(text)
            begin = first - folded.count(" ", 0, first)
            end = begin + len(norm) - norm.count(" ")
            if _joined(folded, first, places, begin) or _joined(folded, last + 1, places, end):
                continue
            start = places[begin]
            if _is_name(norm, text[start]):
                yield Found(norm, start, places[end - 1] + 1)


def findable(norm: str) -> bool:
    """Whether a name says enough to be looked for: two characters, not all of them digits."""
    return len(norm) >= MIN_CHARACTERS and not norm.isdecimal()


def first_of_each(found: Iterable[Found]) -> dict[str, Found]:
    """For each name where it is found first."""
    firsts: dict[str, Found] = {}
    for one in found:
        firsts.setdefault(one.norm, one)
    return firsts


def fold(text: str) -> str:
    """`text` as names are in normal form.

    Punctuation is one space or nothing, initials stand together, and no space stands beside a Han character.
    """
    plain = _BETWEEN_INITIALS.sub("", f" {' '.join(text.translate(_SIGNS).split())} ")[1:-1]
    return plain if plain.isascii() else _BESIDE_HAN.sub("", plain)


def places_of(text: str) -> Sequence[int]:
    """For each character that `fold` gives, spaces apart, the place in `text` that it comes from."""
    kept = np.frombuffer(text.translate(_NUMBERS_KEPT).encode("latin-1"), dtype=np.uint8)
    return np.repeat(np.arange(len(kept)), kept).tolist()


class _Signs(dict[int, str]):
    """What the characters of a text are in names: themselves, several others, a space or nothing."""

    def __missing__(self, code: int) -> str:
        if len(self) >= MAX_KNOWN_SIGNS:
            self.clear()
        decomposed = unicodedata.normalize("NFKD", chr(code).casefold())
        bare = unicodedata.normalize("NFKC", "".join(part for part in decomposed if not unicodedata.combining(part)))
        found = self[code] = "".join(map(sign_in_names, bare))
        return found


class _NumbersKept(dict[int, str]):
    """For each character a sign whose code says of how many characters, spaces apart, it is made in names."""

    def __missing__(self, code: int) -> str:
        if len(self) >= MAX_KNOWN_SIGNS:
            self.clear()
        found = self[code] = chr(len(_SIGNS[code].replace(" ", "")))
        return found


_SIGNS = _Signs()
_NUMBERS_KEPT = _NumbersKept()
_INITIAL = "A-Za-zªµº\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_BETWEEN_INITIALS = re.compile(rf"(?<= [{_INITIAL}]) (?=[{_INITIAL}] )")
_BESIDE_HAN = re.compile(rf"(?<=[{HAN}]) | (?=[{HAN}])")


def _joined(folded: str, at: int, places: Sequence[int], place: int) -> bool:
    """Whether a word goes on across `at`, which is `place` without spaces; one that an apostrophe parts ends there."""
    return (
        folded[at - 1] != " " != folded[at]
        and _joins(folded[at - 1])
        and _joins(folded[at])
        and places[place] - places[place - 1] <= 1
    )


def _joins(character: str) -> bool:
    """Whether this character and one like it beside it are one word; Han characters are not."""
    return character.isalnum() and character < "\u2e80"


def _is_name(norm: str, first_written: str) -> bool:
    if " " in norm or not norm.isascii() or not norm.isalpha():
        return True
    return not first_written.islower()
