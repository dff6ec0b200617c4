"""The entities that a question names: longest names first, then the nearly right ones among what is left."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.graph.name_table import MAX_CHARACTERS, MAX_WORDS, MIN_FUZZY, NameTable
from tools.knowledge.terms import STOP_WORDS

MAX_TOKENS = 128
"""A question is looked at this far: longer ones are pasted texts."""
MAX_LINKS = 16
"""Entities taken from a question; more would be a list, and no question."""
FUZZY_SECONDS = 0.004
"""Time for guessing; what has not been looked at by then stays unlinked."""
FUZZY_SCORE = 88.0
"""Least likeness, 0-100 (normalised InDel), of a guessed name."""
MAX_MEANT = 3
"""Names that share all the words left over; if more do, none is meant."""
How = Literal["exact", "loose", "part", "fuzzy"]
HOW_SURE: Mapping[How, float] = {"exact": 1.0, "loose": 0.3, "part": 0.5, "fuzzy": 0.5}
"""What a link counts for by how it was found, in exact ones. A loose one is a name that the question does not write
as one (`place of birth`), or a mere number.
"""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_JOINS = frozenset("'`&+#%@$\u2019\u2018\u00b4\u02bc")
"""Signs behind which a name may go on as one word (`O'Brien`, `AT&T`)."""
_SIGNS = re.compile(r"[+#]+")
_TOKEN = re.compile(f"[{_CJK}]|[^\\W_{_CJK}]+")


class Link(NamedTuple):
    """An entity (its row) that characters `start`-`end` of the question name, how it was found, how sure, 0-1."""

    entity: int
    start: int
    end: int
    how: How
    weight: float


class _Token(NamedTuple):
    text: str
    start: int
    end: int

    @property
    def is_character(self) -> bool:
        """Whether it is one Han, kana or Hangul character."""
        return len(self.text) == 1 and _TOKEN.match(self.text) is not None and ord(self.text) > 0x3000

    @property
    def stands_out(self) -> bool:
        """Whether it is written as names are: with a capital or a figure."""
        return self.text[0].isupper() or self.text[0].isdigit() or self.is_character


def link(question: str, table: NameTable) -> list[Link]:
    """The entities named in `question`, in the order of their places; each once."""
    tokens = [_Token(m.group(), *m.span()) for m in islice(_TOKEN.finditer(question), MAX_TOKENS)]
    links, left = _exact(question, tokens, table)
    links += _guessed(question, left, table)
    known: dict[int, Link] = {}
    for found in sorted(links, key=lambda found: (-found.weight, found.start)):
        known.setdefault(found.entity, found)
    return sorted(known.values(), key=lambda found: found.start)[:MAX_LINKS]


def _exact(question: str, tokens: Sequence[_Token], table: NameTable) -> tuple[list[Link], list[list[_Token]]]:
    """Links by longest match from the left, and the runs of tokens between them."""
    links: list[Link] = []
    left: list[list[_Token]] = [[]]
    all_lower = not any(token.text[0].isupper() for token in tokens[1:])
    at = 0
    while at < len(tokens):
        size, entity, end = _longest(question, tokens, at, table, all_lower)
        if size:
            how = _how(tokens[at : at + size], all_lower)
            links.append(Link(entity, tokens[at].start, end, how, HOW_SURE[how]))
            left.append([])
        else:
            left[-1].append(tokens[at])
        at += max(size, 1)
    return links, [run for run in left if run]


def _longest(
    question: str, tokens: Sequence[_Token], at: int, table: NameTable, all_lower: bool
) -> tuple[int, int, int]:
    """How many tokens from `at` the longest name there takes, its entity, and where it ends; 0 tokens without one."""
    if not _may_open(question, tokens[at], table):
        return 0, -1, 0
    limit = MAX_CHARACTERS if tokens[at].is_character else MAX_WORDS
    for size in range(min(limit, len(tokens) - at), 0, -1):
        first, last = tokens[at], tokens[at + size - 1]
        if not _may_be_a_name(tokens[at : at + size], all_lower):
            continue
        for end in _ends(question, last.end):
            name = normal_form(question[first.start : end])
            entity = table.rows.get(name) if len(name) > 1 else None
            if entity is not None:
                return size, entity, end
    return 0, -1, 0


def _may_open(question: str, token: _Token, table: NameTable) -> bool:
    """Whether some name opens with the token; articles, initials and what a sign joins on to are let through."""
    if (len(token.text) == 1 and not token.is_character) or token.text.casefold() == "the":
        return True
    return question[token.end : token.end + 1] in _JOINS or normal_form(token.text) in table.openings


def _ends(question: str, end: int) -> Iterator[int]:
    """Where a name may end: with the signs behind the last token (`C++`), or with the token."""
    signs = _SIGNS.match(question, end)
    if signs:
        yield signs.end()
    yield end


def _may_be_a_name(tokens: Sequence[_Token], all_lower: bool) -> bool:
    """A single word has to be written as a name, unless the whole question is in small letters."""
    bare = tokens[1:] if tokens[0].text.casefold() == "the" else tokens
    if len(bare) != 1:
        return len(bare) > 1
    (token,) = bare
    if token.is_character or token.text.casefold() in STOP_WORDS:
        return False
    return token.stands_out or (all_lower and len(token.text) > 2)


def _how(tokens: Sequence[_Token], all_lower: bool) -> How:
    """Whether the question writes these tokens as a name, as far as its writer troubles with capitals."""
    if all(token.text.isdigit() for token in tokens if token.text.casefold() != "the"):
        return "loose"
    if all_lower and len(tokens) > 1:
        return "exact"
    return "exact" if any(token.stands_out for token in tokens) else "loose"


def _guessed(question: str, left: Sequence[Sequence[_Token]], table: NameTable) -> list[Link]:
    """Links of what is written as a name and is none as it stands."""
    until = time.monotonic() + FUZZY_SECONDS
    links: list[Link] = []
    for span in (span for run in left for span in _spans(run)):
        if time.monotonic() > until:
            break
        start, end = span[0].start, span[-1].end
        name = normal_form(question[start:end])
        found = _by_part(name, table) or _by_likeness(name, table)
        links += [Link(entity, start, end, how, HOW_SURE[how] / len(found)) for entity, how in found]
    return links


def _spans(run: Sequence[_Token]) -> Iterator[list[_Token]]:
    """Runs of neighbouring tokens that stand out, Han characters apart, which nothing marks as a name."""
    span: list[_Token] = []
    for token in run:
        if token.stands_out and not token.is_character and token.text.casefold() not in STOP_WORDS:
            span.append(token)
            continue
        if span:
            yield span
        span = []
    if span:
        yield span


def _by_part(name: str, table: NameTable) -> list[tuple[int, How]]:
    """The entities of the few names that hold all words of `name`."""
    words = name.split()
    lists = [table.by_word.get(word) for word in words]
    if not words or not all(lists):
        return []
    shared = set.intersection(*(set(names or ()) for names in lists))
    meant = sorted({table.rows[other] for other in shared})
    return [(entity, "part") for entity in meant] if len(meant) <= MAX_MEANT else []


def _by_likeness(name: str, table: NameTable) -> list[tuple[int, How]]:
    """The entity whose name differs from `name` by a letter or two."""
    from rapidfuzz import fuzz, process

    if len(name) < MIN_FUZZY:
        return []
    sharing = [other for word in name.split() for other in table.by_word.get(word, ())]
    shaped = [other for size in range(-2, 3) for other in table.by_shape.get((name[0], len(name) + size), ())]
    best = process.extractOne(name, [*sharing, *shaped], scorer=fuzz.ratio, score_cutoff=FUZZY_SCORE)
    return [] if best is None else [(table.rows[best[0]], "fuzzy")]
