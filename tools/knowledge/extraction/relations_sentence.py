"""A sentence as relations see it: the words in the gaps between its entities, and which entities form a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tools.knowledge.extraction.relations_lexicon import Lexicon
from tools.knowledge.extraction.relations_words import chinese_signs, english_words, stem

MAX_GAP_TOKENS = 16
"""Words read of a gap; of a longer one the first and the last eight, with a mark between."""
MAX_GAP_CHARS = 400
"""Characters read of a gap, from both its ends: no long line may hold up the others."""
_CUT = "…"
_JOINS_EN = frozenset(
    {",", "and", "or", ", and", ", or", "&", "/", "as well as", "and the", ", and the", "or the", "nor"}
)
_JOINS_ZH = frozenset("、 和 及 与 或 以及 》、《 》和《 》与《 》及《 以及《 跟 还有 或者 ， / 、以及 》《".split())  # noqa: SIM905


class Spot(NamedTuple):
    """An entity at characters `start`-`end`; `type` is its type, or `?` where none is known."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands before, between or after entities.

    `tokens` are stems (en) or characters (zh); `whole` all words as they stand, lower case; `triggers` the
    kinds of wording in it with the place of their first token; `joins` says that it only lists;
    `opening` and `closing` are the first and last token, empty when there is none.
    """

    tokens: Sequence[str]
    whole: str
    triggers: Sequence[tuple[int, str]]
    joins: bool
    opening: str
    closing: str


@dataclass(frozen=True, slots=True)
class SentenceView:
    """`gaps[k]` stands before entity `k`, the last one after the last entity.

    `first` and `last` give for each entity where the list it belongs to begins and ends (itself when in none);
    `names` are the entities' own words, lower case.
    """

    spots: Sequence[Spot]
    gaps: Sequence[Gap]
    first: Sequence[int]
    last: Sequence[int]
    names: Sequence[str]


def view_sentence(text: str, start: int, end: int, spots: Sequence[Spot], lexicon: Lexicon) -> SentenceView:
    """The sentence at `start`-`end` of `text` with its entities, in order and without overlap."""
    edges = [start, *(edge for spot in spots for edge in (spot.start, spot.end)), end]
    make = _gap_zh if lexicon.language == "zh" else _gap_en
    gaps = [make(_ends(text, edges[at], edges[at + 1]), lexicon) for at in range(0, len(edges), 2)]
    first, last = _lists(spots, gaps)
    return SentenceView(spots, gaps, first, last, [text[spot.start : spot.end] for spot in spots])


def _ends(text: str, start: int, end: int) -> str:
    if end - start <= MAX_GAP_CHARS:
        return text[start:end]
    half = MAX_GAP_CHARS // 2
    return f"{text[start : start + half]} {text[end - half : end]}"


def _gap_en(text: str, lexicon: Lexicon) -> Gap:
    words = english_words(text)
    whole = " ".join(words)
    stems = _shortened([stem(word) for word in words])
    return _gap(stems, whole, lexicon, whole in _JOINS_EN)


def _gap_zh(text: str, lexicon: Lexicon) -> Gap:
    signs = chinese_signs(text)
    whole = "".join(signs)
    signs = _shortened(signs)
    return _gap(signs, whole, lexicon, whole in _JOINS_ZH)


def _gap(tokens: list[str], whole: str, lexicon: Lexicon, joins: bool) -> Gap:
    if not tokens:
        return Gap((), whole, (), joins, "", "")
    return Gap(tokens, whole, lexicon.triggers(tokens), joins, tokens[0], tokens[-1])


def _shortened(tokens: list[str]) -> list[str]:
    if len(tokens) <= MAX_GAP_TOKENS:
        return tokens
    half = MAX_GAP_TOKENS // 2
    return [*tokens[:half], _CUT, *tokens[-half:]]


def _lists(spots: Sequence[Spot], gaps: Sequence[Gap]) -> tuple[list[int], list[int]]:
    """Entities of like type between which only commas and `and` stand are one list."""
    count = len(spots)
    first, last = list(range(count)), list(range(count))
    for place in range(1, count):
        if gaps[place].joins and like(spots[place - 1].type, spots[place].type):
            first[place] = first[place - 1]
    for place in range(count - 2, -1, -1):
        if first[place + 1] == first[place]:
            last[place] = last[place + 1]
    return first, last


_THINGS = frozenset({"concept", "process", "metric", "product", "work", "event"})


def like(one: str, other: str) -> bool:
    """Whether entities of the two types may stand in one list."""
    return one == other or "?" in (one, other) or (one in _THINGS and other in _THINGS)
