"""Finds known names in text: all of them at once, wherever they stand, in one pass (Aho and Corasick 1975).

Names and text are compared in normal form, so case, width and accents make no difference; what is found
is given by its place in the text as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import ahocorasick

from tools.knowledge.extraction.names import HAN, is_initial, sign_in_names

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
            if _stands_alone(folded, places, first, last + 1):
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
    """`text` as names are in normal form, and for each of its characters the place it comes from.

    Punctuation is one space or nothing, initials stand together, and no space stands beside a Han character.
    """
    if text.isascii():
        plain, places = text.translate(_ASCII), range(len(text))
    else:
        plain, places = _plain(text)
    folded: list[str] = []
    origins: list[int] = []
    last = ""
    for found in _WORD.finditer(plain):
        first, word = found.start(), found.group()
        kept = places[first : found.end()]
        if _NO_GAP in word:
            kept = [place for place, sign in zip(kept, word, strict=True) if sign != _NO_GAP]
            word = word.replace(_NO_GAP, "")
            if not word:
                continue
        if last and not _meet(last, word):
            folded.append(" ")
            origins.append(places[first - 1])
        folded.append(word)
        origins.extend(kept)
        last = word
    return "".join(folded), origins


_NO_GAP = "\0"
"""Stands where a character is left out, so that each keeps its place."""
_ASCII = {code: sign_in_names(chr(code).lower()) or _NO_GAP for code in range(128)}
_WORD = re.compile(r"[^ ]+")
_BESIDE_HAN = re.compile(rf"[{HAN}]")


def _meet(before: str, after: str) -> bool:
    """Whether two words that stand apart in the text stand together in a name."""
    if is_initial(before) and is_initial(after):
        return True
    return not (before.isascii() and after.isascii()) and _BESIDE_HAN.search(before[-1] + after[0]) is not None


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Each character as it is in names, with `_NO_GAP` for nothing, and the place it comes from."""
    signs: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for part in _signs(character):
            signs.append(part)
            places.append(place)
    return "".join(signs), places


@lru_cache(maxsize=32_768)
def _signs(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character.casefold())
    bare = unicodedata.normalize("NFKC", "".join(part for part in decomposed if not unicodedata.combining(part)))
    return "".join(sign_in_names(part) or _NO_GAP for part in bare)


def _stands_alone(folded: str, places: Sequence[int], first: int, end: int) -> bool:
    """Whether no word goes on across either end; one that an apostrophe parts (`Paris's`) ends there."""
    return not (_is_within_word(folded, places, first) or _is_within_word(folded, places, end))


def _is_within_word(folded: str, places: Sequence[int], place: int) -> bool:
    return (
        0 < place < len(folded)
        and places[place] - places[place - 1] <= 1
        and _joins(folded[place - 1])
        and _joins(folded[place])
    )


def _joins(character: str) -> bool:
    """Whether this character and one like it beside it are one word; Han characters are not."""
    return character.isalnum() and character < "\u2e80"


def _is_name(norm: str, first_written: str) -> bool:
    if " " in norm or not norm.isascii() or not norm.isalpha():
        return True
    return not first_written.islower()
