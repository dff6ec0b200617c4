"""The words that relation features are made of: stems in English, characters in Chinese."""

from __future__ import annotations

import re
import threading

import snowballstemmer

MAX_KNOWN_WORDS = 32_768
"""Words whose stems are remembered; after that it starts anew."""
_ENGLISH = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|['’]s\b|\d+(?:[.,]\d+)*|[^\w\s]")
_CHINESE = re.compile(r"[a-z]+|\d+(?:[.,]\d+)*|\S")


def english_words(text: str) -> list[str]:
    """Words and signs in lower case; a number is `0`."""
    return ["0" if word[0].isdigit() else word for word in _ENGLISH.findall(text.lower())]


def chinese_signs(text: str) -> list[str]:
    """Characters, Latin words in lower case and signs; a number is `0`."""
    return ["0" if sign[0].isdigit() else sign for sign in _CHINESE.findall(text.lower())]


def stem(word: str) -> str:
    """The stem of an English word in lower case."""
    return _STEMS[word]


class _Stems(dict[str, str]):
    def __init__(self) -> None:
        super().__init__()
        self._stemmer = snowballstemmer.stemmer("english")
        self._stemming = threading.Lock()  # the stemmer keeps the word it works on in itself

    def __missing__(self, word: str) -> str:
        if len(self) >= MAX_KNOWN_WORDS:
            self.clear()
        with self._stemming:
            found = self[word] = self._stemmer.stemWord(word)
        return found


_STEMS = _Stems()
