"""Cut a passage into sentences that stand in it to the letter, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_END = re.compile(
    r"[。！？!?…]+[」』”’）)\]\"']*"
    r"|\.+[”’)\]\"']*(?=\s+[\"“‘'(\[]?[A-Z0-9\u4e00-\u9fff]|\s*$|(?<=[\u4e00-\u9fff]\.))"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|e\.g|i\.e|cf|fig|no|vol|approx|inc|ltd|co|corp|dept|gen|col|capt|rev"
    r"|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)|\b[A-Z]|\b(?:[A-Z]\.)+[A-Z])\.$",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 12
_MARKER = re.compile(r"^\s*(?:[-*+•·●○▪◦>]\s+|#{1,6}\s+|\(?\d{1,3}[.)、]\s*(?=\D)|[一二三四五六七八九十]+、|\|)")
_TERMINAL = re.compile(r"[。！？!?….;；][」』”’）)\]\"']*\s*$")
_SEPARATOR = re.compile(r"[,;](?=[^\s\d])|[,;](?=\d+(?:[,;]|$))")
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORDY = re.compile(r"[^\W_]", re.UNICODE)
_WRAPPED_LATIN, _WRAPPED_HAN = 50, 20
"""A line at least this long that ends without punctuation was wrapped, not finished."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verbatim slice of a passage. `is_heading`: it names what the lines after it are about."""

    text: str
    is_heading: bool = False


def split_sentences(text: str) -> list[Sentence]:
    """Sentences of `text` in order, without the list marks at their start.

    A line that was merely wrapped goes on in the next one (the slice then holds the line break); headings,
    list items and table rows stand alone. Slices without a letter or digit are left out.
    """
    found: list[Sentence] = []
    for start, end in _blocks(text):
        heading = _is_heading(text[start:end], text[end:])
        for first, last in _ends(text, start, end):
            sentence = _MARKER.sub("", text[first:last].strip(), count=1).strip()
            if _WORDY.search(sentence):
                found.append(Sentence(sentence, heading))
    return found


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Runs of lines that belong together."""
    start = position = 0
    lines = text.splitlines(keepends=True)
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        position += len(line)
        if not _goes_on(line.rstrip(), following.rstrip()):
            yield start, position
            start = position


def _goes_on(line: str, following: str) -> bool:
    if not line.strip() or not following.strip() or _MARKER.match(following) or _is_record(line):
        return False
    if line.lstrip().startswith("#") or _TERMINAL.search(line):
        return False
    if following.lstrip()[0].islower():
        return True
    return len(line) >= (_WRAPPED_HAN if _HAN.search(line) else _WRAPPED_LATIN)


def _is_record(line: str) -> bool:
    return "\t" in line or " | " in line or len(_SEPARATOR.findall(line)) >= 2


def _is_heading(block: str, rest: str) -> bool:
    line = block.strip()
    if line.startswith("#"):
        return True
    plain = len(line) <= 60 and len(line.split()) <= 8 and not _MARKER.match(line) and not _is_record(line)
    return plain and bool(rest.strip()) and not _TERMINAL.search(line) and not re.search(r"[:：]\s*\S", line)


def _ends(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first = start
    for match in _END.finditer(text, start, end):
        if match.group().startswith(".") and _ABBREVIATION.search(
            text[max(first, match.end() - _LONGEST_ABBREVIATION) : match.end()]
        ):
            continue
        yield first, match.end()
        first = match.end()
    if first < end:
        yield first, end
