"""Tells questions about documents as a whole from those about something in them, in English and Chinese.

A broad question consists of nothing but words that any collection could be asked with; one word more (a name, a
number, a subject) and it asks for something, which search finds better. Beside that it shows a sign of being broad, or
somebody who knows the conversation says that it is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tools.models.yaml_file import shipped_yaml

VOCABULARY = Path(__file__).with_name("broad_questions.yaml")
LONGEST = 200
"""A longer message has more to say than a broad question."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class _Vocabulary:
    trimmings: re.Pattern[str]
    signs: re.Pattern[str]
    english: frozenset[str]
    chinese: re.Pattern[str]


def is_broad(question: str, *, asked_broadly: bool = False) -> bool:
    """Whether the question asks what documents say as a whole and names nothing in particular.

    `asked_broadly` stands for the sign, where an intent was read: what names something stays specific all the same.
    """
    text = unicodedata.normalize("NFKC", question).casefold().replace("’", "'").strip()
    if not text or len(text) > LONGEST:
        return False
    known = _vocabulary()
    if not _WORD.search(text) or not (asked_broadly or known.signs.search(text)):
        return False
    return not _left_over(text, known)


def _left_over(text: str, known: _Vocabulary) -> list[str]:
    """Words that a broad question does not have."""
    bare = known.chinese.sub(" ", known.trimmings.sub(" ", text))
    return [word for word in _WORD.findall(bare) if word not in known.english]


@lru_cache(maxsize=1)
def _vocabulary() -> _Vocabulary:
    found = shipped_yaml(VOCABULARY)
    chinese = sorted(found["words"]["zh"].split(), key=len, reverse=True)
    return _Vocabulary(
        re.compile("|".join(found["trimmings"])),
        re.compile("|".join(found["signs"])),
        frozenset(found["words"]["en"].split()),
        re.compile("|".join(map(re.escape, chinese))),
    )
