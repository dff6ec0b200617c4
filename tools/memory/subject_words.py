"""The words of a user's messages that say what they are about: Latin words by stem, runs of Han characters.

Nothing segments Chinese here: what comes back in several messages is a word, and the longest that does is the one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from tools.models.extractive.terms import FUNCTION_CHARACTERS, fold, terms

OFTEN = 2
"""Messages that a word stands in, at least: one may hold anything."""
LONGEST_HAN = 6
READ_CHARS = 2_000
"""A message is read this far: longer ones are pasted texts."""
_LATIN = re.compile(r"[a-z][a-z'’\-]{2,}")
_HAN_RUN = re.compile(f"[^\\W{''.join(sorted(FUNCTION_CHARACTERS))}]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{2,}")


def subject_words(messages: Sequence[str]) -> Sequence[Mapping[str, str]]:
    """For each message its words as `{key: spelling}`, those that stand in fewer than two messages left out."""
    read = [{**_latin(text), **_han(text)} for text in (fold(message[:READ_CHARS]) for message in messages)]
    counts = Counter(key for words in read for key in words)
    kept = {key for key, count in counts.items() if count >= OFTEN}
    parts = {part for key in kept for part in _parts(key) if counts[part] <= counts[key]}
    return [{key: word for key, word in words.items() if key in kept - parts} for words in read]


def _latin(text: str) -> dict[str, str]:
    return {stem: word for word in _LATIN.findall(text) for stem in terms(word)}


def _han(text: str) -> dict[str, str]:
    runs = [run for part in _HAN_RUN.findall(text) for run in _HAN.findall(part)]
    grams = {
        run[start : start + size]
        for run in runs
        for size in range(2, min(LONGEST_HAN, len(run)) + 1)
        for start in range(len(run) - size + 1)
    }
    return {gram: gram for gram in grams}


def _parts(word: str) -> set[str]:
    """All shorter runs within a run of Han characters."""
    if not _HAN.fullmatch(word):
        return set()
    return {word[a:b] for a in range(len(word)) for b in range(a + 2, len(word) + 1)} - {word}
