"""Text cut into the units the taggers label: words in English, characters and Latin runs in Chinese."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_TOKEN_CHARS = 60
"""A longer run without a space is cut: no name is that long, and no single token may cost more than a page."""
_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_ENGLISH = re.compile(
    rf"""[{_HAN}]+                                              # a run of Han
      |(?:[A-Za-z]\.){{2,}}                                     # U.S., J.R.R.
      |\d+(?:[.,:]\d+)*(?:st|nd|rd|th|s|[a-zA-Z]{{1,3}})?(?!\w) # 1,200  9.1  14:30  1990s  3rd  5GHz
      |[^\W_]+(?:['’](?!s\b)[^\W_]+)*                           # words; O'Neill in one, Anna's in two
      |['’]s\b
      |[^\w\s]|_+""",
    re.VERBOSE,
)
_CHINESE = re.compile(
    rf"[{_HAN}]|[A-Za-z\u00c0-\u024f]+(?:['’\-][A-Za-z\u00c0-\u024f]+)*|\d+(?:[.,:]\d+)*|[^\s]", re.VERBOSE
)


class Token(NamedTuple):
    """What stands at characters `start`-`end` (end exclusive)."""

    text: str
    start: int
    end: int


def tokenise(text: str, language: str) -> list[Token]:
    """The tokens in order; white space is none."""
    pattern = _CHINESE if language == "zh" else _ENGLISH
    tokens: list[Token] = []
    for found in pattern.finditer(text):
        start, end = found.span()
        while end - start > MAX_TOKEN_CHARS:
            tokens.append(Token(text[start : start + MAX_TOKEN_CHARS], start, start + MAX_TOKEN_CHARS))
            start += MAX_TOKEN_CHARS
        tokens.append(Token(text[start:end], start, end))
    return tokens


def sentence_ranges(tokens: list[Token], text: str) -> list[tuple[int, int]]:
    """First and one-past-last token of each sentence; cut at `MAX_SENTENCE` tokens where none ends.

    Coarser than `sentences.split_sentences`, and fast: only what a tagger needs.
    """
    ranges: list[tuple[int, int]] = []
    start = 0
    for place, token in enumerate(tokens):
        if place + 1 - start >= MAX_SENTENCE or (token.text in _ENDS and _ends(tokens, place, text)):
            ranges.append((start, place + 1))
            start = place + 1
    if start < len(tokens):
        ranges.append((start, len(tokens)))
    return ranges


MAX_SENTENCE = 120
_ENDS = frozenset(".!?。！？…;；\n")
_ABBREVIATIONS = frozenset("mr mrs ms dr st prof no vs mt jr sr gen col lt sgt rev hon inc ltd co corp".split())  # noqa: SIM905


def _ends(tokens: list[Token], place: int, text: str) -> bool:
    token = tokens[place]
    if token.text != ".":
        return True
    if place + 1 == len(tokens) or text[token.end : token.end + 1].strip():
        return place + 1 == len(tokens)
    before = tokens[place - 1].text if place else ""
    return not (len(before) == 1 and before.isupper()) and before.lower() not in _ABBREVIATIONS
