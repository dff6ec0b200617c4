"""What the taggers see of a token: the rows of one table of vectors whose sum stands for it.

Row 0 is always zero. A `Layout` says where in the table each family of features begins; hashed families
share their rows among whatever falls on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.extraction.lexicon import LONGEST, Lexicon
from tools.knowledge.extraction.tokens import Token

Ids = NDArray[np.int32]
Sign = tuple[int, int, int]
"""What a Chinese token gives alone: the rows of itself and of its shape, and its code in hashes."""
ENGLISH_SLOTS = 9
CHINESE_SLOTS = 4 + 3 * (LONGEST - 1) + 2
AFFIX_ROWS = 12_288
SHAPE_ROWS = 512
PAIR_ROWS = 16_384
WORD_ROWS = 12_288
LEXICON_KINDS = 32
LEXICON_ROWS = (LONGEST + 1) * 3 * LEXICON_KINDS
_RUNS = re.compile(r"(.)\1+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True)
class Layout:
    """`vocabulary` gives words (English, lower case) or characters (Chinese) their rows, from 1."""

    language: str
    vocabulary: Mapping[str, int]

    @property
    def unknown(self) -> int:
        """The row of a word that is not in the vocabulary."""
        return len(self.vocabulary) + 1

    @property
    def affixes(self) -> int:
        """First row of prefixes and suffixes (English), of neighbouring pairs (Chinese)."""
        return self.unknown + 1

    @property
    def shapes(self) -> int:
        """First row of the shapes of words."""
        return self.affixes + (AFFIX_ROWS if self.language == "en" else PAIR_ROWS)

    @property
    def kinds(self) -> int:
        """First row of places inside words of the lexicon."""
        return self.shapes + SHAPE_ROWS

    @property
    def words(self) -> int:
        """First row of the lexicon's words themselves."""
        return self.kinds + LEXICON_ROWS

    @property
    def rows(self) -> int:
        """Rows of the whole table."""
        return self.words + WORD_ROWS if self.language == "zh" else self.kinds + LEXICON_ROWS


def english_ids(word: str, layout: Layout) -> list[int]:
    """The rows of a word whatever stands around it, `ENGLISH_SLOTS - 1` of them."""
    lower = word.lower()
    shape = shape_of(word)
    affixes = [f"<{lower[:2]}", f"<{lower[:3]}", f"{lower[-2:]}>", f"{lower[-3:]}>", f"{lower[-4:]}>"]
    rows = [layout.vocabulary.get(lower, layout.unknown)]
    rows += [layout.affixes + crc32(affix.encode()) % AFFIX_ROWS for affix in affixes]
    rows.append(layout.shapes + crc32(shape.encode()) % SHAPE_ROWS)
    rows.append(layout.shapes + crc32(f"{shape[:1]}{min(len(word), 12)}".encode()) % SHAPE_ROWS)
    return rows


def first_row(layout: Layout) -> int:
    """The row that says a sentence begins."""
    return layout.shapes + crc32(b"^") % SHAPE_ROWS


@lru_cache(maxsize=8192)
def shape_of(word: str) -> str:
    """`Xx` for Anna, `XX` for WHO, `d` for 1987, `x-d` for covid-19."""
    marks = "".join(
        "X" if sign.isupper() else "x" if sign.isalpha() else "d" if sign.isdigit() else sign for sign in word[:24]
    )
    return _RUNS.sub(r"\1\1" if marks[:2] == "XX" else r"\1", marks)


def chinese_ids(
    tokens: Sequence[Token],
    layout: Layout,
    lexicon: Lexicon,
    starts: Sequence[int] | Ids = (0,),
    known: dict[str, Sign] | None = None,
) -> Ids:
    """The rows of each token, (tokens, CHINESE_SLOTS), 0 where a slot is empty; sentences begin at `starts`.

    `known` remembers what single tokens give from one call to the next.
    """
    count = len(tokens)
    ids = np.zeros((count, CHINESE_SLOTS), dtype=np.int32)
    if not count:
        return ids
    remembered = {} if known is None else known
    signs: list[Sign] = []
    for token in tokens:
        sign = remembered.get(token.text)
        if sign is None:
            sign = remembered[token.text] = _sign(token.text, layout)
        signs.append(sign)
    rows_and_codes = np.array(signs, dtype=np.int64)
    codes = rows_and_codes[:, 2].astype(np.uint64)
    ids[:, :2] = rows_and_codes[:, :2]
    pairs = ((codes[:-1] * np.uint64(0x9E3779B1) + codes[1:] * np.uint64(0x85EBCA77)) >> np.uint64(7)) % np.uint64(
        PAIR_ROWS
    )
    rows = pairs.astype(np.int32) + layout.affixes
    ids[1:, 2] = rows
    ids[:-1, 3] = rows
    opening = np.asarray(starts)
    ids[opening, 2] = 0
    ids[opening - 1, 3] = 0
    _add_words(ids, codes, layout, lexicon)
    return ids


def _add_words(ids: Ids, codes: NDArray[np.uint64], layout: Layout, lexicon: Lexicon) -> None:
    """Where each token stands in the words of the lexicon that cover it: first, inside, last."""
    slot = 4
    for length in range(2, LONGEST + 1):
        kinds, hashes = lexicon.matches(codes, length)
        starts = np.flatnonzero(kinds)
        if len(starts):
            row = layout.kinds + length * 3 * LEXICON_KINDS + kinds[starts].astype(np.int32)
            word = (hashes[starts] % np.uint64(WORD_ROWS)).astype(np.int32) + layout.words
            ids[starts, slot] = row
            for inside in range(1, length - 1):
                ids[starts + inside, slot + 1] = row + LEXICON_KINDS
            ids[starts + length - 1, slot + 2] = row + 2 * LEXICON_KINDS
            ids[starts, CHINESE_SLOTS - 2] = word
            ids[starts + length - 1, CHINESE_SLOTS - 1] = word
        slot += 3


def _sign(text: str, layout: Layout) -> Sign:
    return layout.vocabulary.get(text, layout.unknown), _shape_row(text, layout), _code(text)


def _code(text: str) -> int:
    return ord(text) if len(text) == 1 else 0x200000 + crc32(text.lower().encode())


def _shape_row(text: str, layout: Layout) -> int:
    if len(text) == 1 and text >= "\u3400":
        return 0
    shape = shape_of(text) if len(text) < 40 else "long"
    return layout.shapes + crc32(shape.encode()) % SHAPE_ROWS
