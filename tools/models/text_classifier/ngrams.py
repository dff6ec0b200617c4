"""A text as the hashes of its n-grams: which there are, and how often each.

All n-grams of a text are hashed at once. With `c` its code points and `P` an odd number, prefix sums of
`c[j] * P**j` modulo 2**64 give the polynomial hash of any substring as a difference times a power of the inverse
of `P`, so that a message costs some twenty numpy calls, however many n-grams it has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.models.protocol import Language

Hashes = NDArray[np.uint64]

MAX_CHARS = 1000
"""Characters of a text that are looked at, half of these at each end."""
CHARS, WORDS = 0, 1
"""The two blocks: n-grams of characters and of words, each of which a text fills to unit length."""

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")
_DIGIT = re.compile(r"\d")
_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)
_SALT, _SALT_OF_WORDS = np.uint64(0x2545F4914F6CDD1D), np.uint64(0x3DE5F10A8A4802FC)
_HALF = np.uint64(32)
_SPACE = 32
_NONE = np.empty(0, dtype=np.int64)


def _powers(base: int) -> Hashes:
    # One more than a text between two spaces has prefixes.
    steps = np.full(2 * MAX_CHARS + 4, base, dtype=np.uint64)
    steps[0] = 1
    return np.cumprod(steps, dtype=np.uint64)


_POWERS = _powers(_BASE)
_INVERSES = _powers(pow(_BASE, -1, 2**64))


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Which n-grams are counted: lengths (least, most) in characters and in words, (0, 0) for none.

    `within_words`: n-grams of characters do not reach over a gap between words, and signs stand apart from words.
    """

    chars: tuple[int, int]
    words: tuple[int, int] = (0, 0)
    within_words: bool = False

    def hashes(self, text: str) -> tuple[Hashes, NDArray[np.int64]]:
        """Different n-grams of `text`, sorted by hash, and how often each is there; none of an empty text.

        The lowest bit of a hash says which block it is of.
        """
        text = self.normal_form(text)
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
        if len(codes) <= 2:
            return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
        prefixes = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum((codes + np.uint64(1)) * _POWERS[: len(codes)], out=prefixes[1:])
        gaps = codes == _SPACE
        chars, words = [*self._chars(gaps)], [*self._words(gaps)]
        starts = np.concatenate([_NONE, *(first for first, _ in chars + words)])
        ends = np.concatenate([_NONE, *(last for _, last in chars + words)])
        blocks = np.full(len(starts), WORDS, dtype=np.uint64)
        blocks[: sum(len(first) for first, _ in chars)] = CHARS
        return np.unique(_hashed(prefixes, starts, ends, blocks), return_counts=True)

    def normal_form(self, text: str) -> str:
        """Small letters of one width, every digit as 0, invisible signs left out, a space at both ends."""
        text = unicodedata.normalize("NFKC", _ends(text)).lower().replace("\u2019", "'")
        text = _DIGIT.sub("0", "".join(sign for sign in _ends(text) if sign.isprintable() or sign.isspace()))
        words = _TOKEN.findall(text) if self.within_words else text.split()
        return f" {' '.join(words)} "[: 2 * MAX_CHARS]

    def _chars(self, gaps: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        inner = np.concatenate([[0], np.cumsum(gaps)])
        for length in range(max(1, self.chars[0]), min(self.chars[1], len(gaps)) + 1):
            starts = np.arange(len(gaps) - length + 1)
            if length == 1:
                starts = starts[~gaps]
            elif self.within_words:
                starts = starts[inner[starts + length - 1] == inner[starts + 1]]
            yield starts, starts + length

    def _words(self, gaps: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        edges = np.flatnonzero(gaps)
        for length in range(max(1, self.words[0]), min(self.words[1], len(edges) - 1) + 1):
            yield edges[:-length], edges[length:] + 1


def _hashed(prefixes: Hashes, starts: NDArray[np.int64], ends: NDArray[np.int64], blocks: Hashes) -> Hashes:
    hashes = (prefixes[ends] - prefixes[starts]) * _INVERSES[starts] + (_SALT + _SALT_OF_WORDS * blocks)
    hashes = (hashes ^ (hashes >> _HALF)) * _MIX
    return ((hashes ^ (hashes >> _HALF)) & ~np.uint64(1)) | blocks


def _ends(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS // 2]} {text[-MAX_CHARS // 2 :]}"


ENGLISH = Ngrams(chars=(2, 5), words=(1, 2), within_words=True)
"""Characters 2-5 within words, words 1-2."""
CHINESE = Ngrams(chars=(1, 4))
"""Characters 1-4, over everything: Chinese shows no gaps, and what else is in such a text is short."""

NGRAMS: dict[Language, Ngrams] = {"en": ENGLISH, "zh": CHINESE}
