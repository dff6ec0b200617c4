"""Which spans of a passage are entities: what the tagger found, and what rules find without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from tools.knowledge.extraction.capitals import find_capitals
from tools.knowledge.extraction.dates import find_dates
from tools.knowledge.extraction.guess import GUESSED, guess_type
from tools.knowledge.extraction.protocol import EntityType
from tools.knowledge.extraction.tagger import Tagged, Tagger
from tools.knowledge.extraction.tokens import Token, tokenise

BOOK_TITLE = 0.9
DATED = 0.7
_BOOK_TITLE = re.compile(r"《([^《》\n]{1,60})》")
_LATIN_NAME = re.compile(r"[A-Z][A-Za-z0-9.+#&\-]*(?: [A-Z0-9][A-Za-z0-9.+#&\-]*)*")


class Span(NamedTuple):
    """An entity at characters `start`-`end` (end exclusive), and what found it."""

    start: int
    end: int
    type: EntityType
    confidence: float
    extractor: str


class SpanFinder:
    """Finds entities in both languages. Threads may share it."""

    def __init__(self, taggers: Mapping[str, Tagger]) -> None:
        """`taggers` by language (`en`, `zh`); without one, rules alone speak."""
        self._taggers = taggers

    def find(self, text: str, language: str) -> list[Span]:
        """The entities of the passage in order, without overlap."""
        tokens = tokenise(text, language)
        found = [Span(*match.span(1), "work", BOOK_TITLE, "rule") for match in _BOOK_TITLE.finditer(text)]
        tagger = self._taggers.get(language)
        if tagger is not None:
            found = _add(found, (_tagged(tag, tokens) for tag in tagger.tag(tokens, text)))
        found = _add(found, (Span(start, end, "time", DATED, "rule") for start, end in find_dates(text, language)))
        return _add(found, _named(text, tokens, language))


def _tagged(tag: Tagged, tokens: Sequence[Token]) -> Span:
    return Span(
        tokens[tag.first].start, tokens[tag.last - 1].end, cast("EntityType", tag.type), tag.confidence, "tagger"
    )


def _named(text: str, tokens: Sequence[Token], language: str) -> Iterable[Span]:
    latin = (match.span() for match in _LATIN_NAME.finditer(text))
    spans = latin if language == "zh" else find_capitals(tokens, text)
    return (Span(start, end, guess_type(text[start:end]), GUESSED, "capitals") for start, end in spans)


def _add(found: list[Span], more: Iterable[Span]) -> list[Span]:
    """Both in order; of overlapping spans those of `found` stay."""
    taken = iter([*found, None])
    current = next(taken)
    merged: list[Span] = []
    for span in more:
        while current is not None and current.end <= span.start:
            merged.append(current)
            current = next(taken)
        if current is None or span.end <= current.start:
            merged.append(span)
    if current is not None:
        merged.append(current)
    merged.extend(span for span in taken if span is not None)
    return merged
