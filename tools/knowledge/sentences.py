"""Where sentences begin and end, in English, Chinese and text that mixes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NEVER_LAST = frozenset(
    """
    mr mrs ms dr prof st mt rev hon gen col capt lt sgt gov sen rep vs cf fig figs eq no nos vol pp p ch sec art
    approx ca est e.g i.e viz al
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
"""Abbreviations that something follows: the point after them ends nothing."""
_MAYBE_LAST = frozenset("inc ltd co corp jr sr etc dept jan feb mar apr jun jul aug sep sept oct nov dec".split())  # noqa: SIM905
"""Abbreviations that may stand at the end: a sentence ends there if the next one begins with a capital."""

_CANDIDATE = re.compile("[.!?。！？…\n]")
_BOUNDARY = re.compile(
    r"""(?:[。！？…]+|[.!?]+(?=[\s"'”’)\]\[（(\u3000-\u9fff]|$))  # full stops; a point only where a word has ended
        ["'”’」』）)\]]*                                          # and the quotes and brackets that close there
        (?:[ \t]*\[\d{1,3}\])*                                   # and the citations of the sentence
      |\n(?=[ \t]*(?:\n|[-*•\#>|]|\d{1,2}[.)、]))                 # a blank line, or a line that opens a list item
    """,
    re.VERBOSE,
)
_MARKER = re.compile(r"[ \t]*\[(\d{1,3})\]")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘]*$")
_ITEM_NUMBER = re.compile(r"(?:^|\n)[ \t]*\d{1,2}$")
_DOTTED = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")
_LOOK_BACK = 24


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its place: `text` is what stands at characters `start`-`end` (end exclusive)."""

    text: str
    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """The sentences in order, without the white space around them; closing quotes and citations belong to them.

    A line break alone ends none, for it may be a wrap; a blank line, a list item or a heading does.
    """
    sentences: list[Sentence] = []
    start = 0
    for end in _ends(text):
        part = text[start:end]
        if stripped := part.strip():
            begin = start + len(part) - len(part.lstrip())
            sentences.append(Sentence(stripped, begin, begin + len(stripped)))
        start = end
    return sentences


def markers(sentence: str) -> tuple[str, ...]:
    """Labels of the citations in it (`[1]` gives `1`), each once, in order."""
    return tuple(dict.fromkeys(_MARKER.findall(sentence)))


def without_markers(sentence: str) -> str:
    """The sentence as it would stand without its citations."""
    return _MARKER.sub("", sentence)


def _ends(text: str) -> Iterator[int]:
    reached = 0
    for candidate in _CANDIDATE.finditer(text):
        at = candidate.start()
        if at < reached or (found := _BOUNDARY.match(text, at)) is None:
            continue
        reached = found.end()
        if text[at] != "." or _ends_with_point(text, at, reached):
            yield reached
    yield len(text)


def _ends_with_point(text: str, point: int, after: int) -> bool:
    """Whether the point ends a sentence, and not an abbreviation, an initial or an item's number."""
    following = text[after : after + _LOOK_BACK].lstrip()[:1]
    if not following:
        return True
    if following.islower():
        return False
    before = text[max(0, point - _LOOK_BACK) : point]
    word = _LAST_WORD.search(before)
    last = word.group() if word else ""
    if last.lower() in _NEVER_LAST or (_DOTTED.fullmatch(last) and last != "I") or _ITEM_NUMBER.search(before):
        return False
    return last.lower() not in _MAYBE_LAST or following.isupper()
