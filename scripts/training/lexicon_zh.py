"""The lexicon of the Chinese tagger: jieba's dictionary by part of speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.knowledge.extraction.lexicon import LONGEST, Lexicon, build_lexicon
from tools.knowledge.extraction.protocol import ENTITY_TYPES, EntityType

_KIND_OF_TAG = {
    "nr": 1, "nrfg": 1, "ns": 2, "nt": 3, "nz": 4, "t": 5, "tg": 5, "vn": 6, "v": 7, "vd": 7, "vg": 7, "a": 8, "an": 8,
    "ad": 8, "n": 9, "ng": 9, "m": 10, "q": 10, "mq": 10, "i": 11, "l": 11, "nrt": 13, "j": 14, "s": 14, "f": 14,
}  # fmt: skip
_OTHER_KIND = 12
_FIRST_TERM = 16
"""The kind of listed terms of the first entity type."""


def chinese_lexicon(jieba: Path, terms: Mapping[EntityType, Sequence[str]]) -> Lexicon:
    """The words of jieba's dictionary of 2 to `LONGEST` characters, by part of speech."""
    words: dict[str, int] = {}
    for line in (jieba / "dict.txt").open(encoding="utf-8"):
        word, count, tag = line.split()
        if 2 <= len(word) <= LONGEST and all(sign > "\u2e80" for sign in word) and _counts(int(count), tag):
            words[word] = _KIND_OF_TAG.get(tag, _OTHER_KIND)
    for kind, listed in terms.items():
        for word in listed:
            if 2 <= len(word) <= LONGEST and all(sign > "\u2e80" for sign in word):
                words[word] = _FIRST_TERM + ENTITY_TYPES.index(kind)
    return build_lexicon(words)


def _counts(count: int, tag: str) -> bool:
    """Rare words help only where they are names; single marks and unsorted characters never do."""
    return tag not in ("zg", "z", "x", "nrfg") and (count >= 3 or tag in ("ns", "nt", "nz"))
