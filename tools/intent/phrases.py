"""A small language of phrases over words and Han characters, and a table that finds them in a message.

`(a|b)` is a choice, an empty one being nothing; `~` a gap of up to eight units; `^` and `$` the
beginning and end of a clause. A unit is a word, a Han character, a number or an emoji, so that one
table serves English, Chinese and messages that mix them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

T = TypeVar("T")

_UNIT = re.compile(
    r"<sum>|[a-z]+\d*|\d+(?:[.,]\d+)*|[\u3400-\u9fff]|[\u2600-\u27bf\u2b50\U0001f300-\U0001faff]|[.!?;,:…。！？；，：\n]"
)
_BREAKS = frozenset(".!?;,:…。！？；，：\n")
_OPERATOR = (
    r"(?:\s*[+*×÷]\s*|\s+[-/x]\s+|\s+(?:times|plus|minus|divided by|multiplied by)\s+"
    r"|\s*(?:%|percent) (?:of|off) |\s*(?:乘以|乘|加上|加|减去|减|除以)\s*)"
)
_SUM = re.compile(rf"\d[\d.,]*(?:{_OPERATOR}\$?\d[\d.,]*)+")
_CONTRACTION = re.compile(r"(?<=[a-z])(?:'(s|re|m|ve|ll|d)|n't)\b")
_FULL = {"s": " is", "re": " are", "m": " am", "ve": " have", "ll": " will", "d": " would", None: " not"}
_SYNTAX = re.compile(r"[()|~^$]")
_GAP = r"(?:[^\s^$]+ ){0,8}?"
MAX_CHARS = 1000
"""Characters of a message that are looked at: what it asks stands at its beginning or end, half of these at each."""


def units_of(text: str) -> list[str]:
    """Words and characters of `text` in small letters, with `^` and `$` round each clause."""
    if len(text) > MAX_CHARS:
        text = f"{text[: MAX_CHARS // 2]}\n{text[-MAX_CHARS // 2 :]}"
    units = ["^"]
    for unit in _UNIT.findall(_SUM.sub(" <sum> ", _plain(text))):
        if unit not in _BREAKS:
            units.append(unit)
        elif units[-1] != "^":
            units += ("$", "^")
    if units[-1] == "^":
        units.pop()
    else:
        units.append("$")
    return units


def _plain(text: str) -> str:
    """Small letters, straight apostrophes, contractions in full."""
    text = text.lower().replace("’", "'")
    if "'" not in text:
        return text.replace("can not", "cannot")
    text = text.replace("can't", "cannot").replace("won't", "will not")
    return _CONTRACTION.sub(lambda found: _FULL[found.group(1)], text)


@dataclass
class Phrase(Generic[T]):
    """A phrase and what it speaks for. Its regex is made at first need: a table has hundreds, a message meets few."""

    source: str
    meaning: T

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches units that are each followed by a space."""
        return re.compile(_regex(self.source))

    def first_units(self) -> set[str]:
        """The units that it can begin with."""
        return _first_units(self.source)


def _tokens(source: str) -> Iterator[str]:
    """Signs of the language, and the units between them."""
    position = 0
    for sign in _SYNTAX.finditer(source):
        yield from _words(source[position : sign.start()])
        yield sign.group()
        position = sign.end()
    yield from _words(source[position:])


def _words(source: str) -> list[str]:
    return _UNIT.findall(_plain(source))


def _regex(source: str) -> str:
    parts = []
    for token in _tokens(source):
        match token:
            case "(":
                parts.append("(?:")
            case ")" | "|":
                parts.append(token)
            case "~":
                parts.append(_GAP)
            case _:
                parts.append(re.escape(token) + " ")
    return "".join(parts)


def _first_units(source: str) -> set[str]:
    """Walk the choices, keeping for each open one whether nothing has been read in it yet."""
    first: set[str] = set()
    # One entry per open bracket: can its present choice still be empty, and could an earlier one.
    open_groups: list[tuple[bool, bool]] = []
    untouched = True
    for token in _tokens(source):
        match token:
            case "(":
                open_groups.append((untouched, False))
            case "|":
                before, could = open_groups[-1]
                open_groups[-1] = (before, could or untouched)
                untouched = before
            case ")":
                _, could = open_groups.pop()
                untouched = untouched or could
            case "~":
                if untouched:
                    raise ValueError(f"A phrase must not begin with a gap: {source}")
            case _:
                if untouched:
                    first.add(token)
                untouched = False
    if untouched:
        raise ValueError(f"A phrase must not match nothing: {source}")
    return first


class PhraseTable(Generic[T]):
    """Finds the phrases of a message, by their first units."""

    def __init__(self, phrases: Iterable[Phrase[T]]) -> None:
        self._by_first: defaultdict[str, list[Phrase[T]]] = defaultdict(list)
        for phrase in phrases:
            for unit in phrase.first_units():
                self._by_first[unit].append(phrase)

    def find(self, units: list[str]) -> list[T]:
        """Meanings from left to right: the longest phrase at each place, unless an earlier one reaches past its end."""
        text = " ".join(units) + " "
        found: list[T] = []
        start = covered = 0
        for unit in units:
            best = self._longest(unit, text, start)
            if best is not None and best[0] >= covered:
                covered, meaning = best
                found.append(meaning)
            start += len(unit) + 1
        return found

    def _longest(self, unit: str, text: str, start: int) -> tuple[int, T] | None:
        best: tuple[int, T] | None = None
        for phrase in self._by_first.get(unit, ()):
            match = phrase.pattern.match(text, start)
            if match is not None and (best is None or match.end() > best[0]):
                best = match.end(), phrase.meaning
        return best
