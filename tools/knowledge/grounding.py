"""Does a passage say what a sentence of the answer says? By its words, numbers and names, and no model.

Out of scope, and to be said wherever a result is shown: negation, who did what to whom, and anything
else that the same words can turn around. `Support` means that the passage speaks of the same things.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import add

from tools.knowledge.facts import names, numbers, numbers_in_words
from tools.knowledge.language import detect_language
from tools.knowledge.protocol import Passage
from tools.knowledge.sentences import Sentence, split_sentences, without_markers
from tools.knowledge.terms import terms, weight

THRESHOLD = 0.6
"""Least share of a sentence's content words that its support must hold."""
SHORTEST_VERBATIM = 8
"""Characters of a sentence that may be looked for as it stands; less may stand anywhere by chance."""
LONGEST_QUOTE = 5
"""Sentences in a row that are tried as a quote; past it the whole passage is one."""
_FIRST_CJK = "\u3040"
_LATIN = re.compile(r"[^\W\u3040-\uffff][^\s\u3000-\uffff]*")
_ITEM = re.compile(r"^\s*(?:[-*•>#]+\s|\d{1,2}(?:[.)]\s|、))\s*")


@dataclass(frozen=True, slots=True)
class Support:
    """The passage (its place in the sequence) and the sentences of it that carry a claim.

    `quote` stands verbatim in the document at characters `start`-`end`; `coverage` (0-1) is the share of
    the claim's content words found in it.
    """

    passage: int
    start: int
    end: int
    quote: str
    coverage: float


def support(sentence: str, passages: Sequence[Passage]) -> Support | None:
    """The best support for one sentence; for many sentences on the same passages make one `Ground`."""
    return Ground(passages).support(sentence)


class Ground:
    """Passages that an answer may stand on, read once for all of its sentences."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._readings = [_Reading(passage) for passage in passages]

    def can_judge(self, sentence: str) -> bool:
        """Whether missing support means something: not for questions, phrases without content, or across languages.

        A Chinese sentence about English passages shares no words with them, true or not.
        """
        bare = _bare(sentence)
        claim, asks = _Claim.of(bare), bare.endswith(("?", "？"))
        return bool(claim.words) and not asks and any(reading.language == claim.language for reading in self._readings)

    def support(self, sentence: str, among: Collection[int] | None = None) -> Support | None:
        """The passage that has the sentence word for word, else the one that covers most of its content words.

        Of that passage the shortest run of sentences that does. Only passages at the places `among` count, all
        when it is None. None when each of them covers too few of the words, or lacks a number or name of the
        sentence. Title and heading count as said in each sentence below them.
        """
        bare = _bare(sentence)
        readings = [(place, reading) for place, reading in enumerate(self._readings) if among is None or place in among]
        verbatim = (reading.verbatim(bare, place) for place, reading in readings)
        return next(filter(None, verbatim), None) or self._paraphrased(_Claim.of(bare), readings)

    def _paraphrased(self, claim: _Claim, readings: Sequence[tuple[int, _Reading]]) -> Support | None:
        best: tuple[float, int, _Reading] | None = None
        for place, reading in readings:
            coverage = reading.coverage(claim)
            if coverage >= THRESHOLD and (best is None or coverage > best[0]) and reading.holds(claim):
                best = coverage, place, reading
        return best[2].quote(claim, best[1]) if best else None


def _bare(sentence: str) -> str:
    """The sentence without its citations and the sign of a list item."""
    return _ITEM.sub("", without_markers(sentence)).strip()


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a sentence says, as far as it can be checked; `essential` are those of its words that may not be missing."""

    words: frozenset[str]
    names: frozenset[str]
    numbers: frozenset[float]
    essential: frozenset[str]
    language: str

    @classmethod
    def of(cls, bare: str) -> _Claim:
        language = detect_language(bare)
        words = frozenset(terms(bare, language))
        content = frozenset(word for word in words if weight(word) == 1) or words
        named = names(bare, language)
        essential = frozenset(word for word in content if word in named or word[0].isdigit())
        return cls(content, named, numbers(bare) | numbers_in_words(words), essential, language)


class _Reading:
    """A passage as it is read against claims, each part on first use.

    What stands above it counts as said in each of its sentences.
    """

    def __init__(self, passage: Passage) -> None:
        self.language = passage.language
        self._passage = passage
        self._above = f"{passage.title}\n{passage.heading}\n"

    @cached_property
    def _whole(self) -> str:
        return (self._above + self._passage.text).lower() if self._sentences else ""

    @cached_property
    def _words(self) -> frozenset[str]:
        return _words_in(self._whole, self.language)

    @cached_property
    def _numbers(self) -> frozenset[float]:
        return numbers(self._whole, every=True) | numbers_in_words(self._words)

    @cached_property
    def _sentences(self) -> list[Sentence]:
        return split_sentences(self._passage.text)

    @cached_property
    def _words_of_sentences(self) -> list[frozenset[str]]:
        above = _words_in(self._above, self.language)
        return [above | _words_in(sentence.text, self.language) for sentence in self._sentences]

    def coverage(self, claim: _Claim) -> float:
        """The share of the claim's words found anywhere in the passage."""
        return len(claim.words & self._words) / max(len(claim.words), 1)

    def holds(self, claim: _Claim) -> bool:
        """Whether all numbers and names of the claim occur."""
        missing = claim.names - self._words
        named = all(name >= _FIRST_CJK and name in self._whole for name in missing)
        return named and (not claim.numbers or claim.numbers <= self._numbers)

    def verbatim(self, bare: str, place: int) -> Support | None:
        """The sentences in which the bare sentence stands word for word, cut nowhere inside a word or number."""
        text = self._passage.text
        begin = text.find(bare) if len(bare) >= SHORTEST_VERBATIM else -1
        end = begin + len(bare)
        if begin < 0 or _cuts(text, begin) or _cuts(text, end):
            return None
        touched = [at for at, s in enumerate(self._sentences) if s.start < end and begin < s.end]
        return self._support(place, touched[0], touched[-1] + 1, 1.0)

    def quote(self, claim: _Claim, place: int) -> Support:
        """The shortest run of sentences that covers enough and misses nothing essential that the passage has.

        Of several the best, then the first; where no run does, all sentences.
        """
        found = [claim.words & words for words in self._words_of_sentences]
        needed = claim.essential & self._words
        for length in range(1, min(len(found), LONGEST_QUOTE) + 1):
            runs = [frozenset[str]().union(*found[at : at + length]) for at in range(len(found) - length + 1)]
            at = max(range(len(runs)), key=lambda at: (runs[at] >= needed, len(runs[at]), -at))
            if runs[at] >= needed and len(runs[at]) >= THRESHOLD * len(claim.words):
                return self._support(place, at, at + length, len(runs[at]) / len(claim.words))
        return self._support(place, 0, len(found), self.coverage(claim))

    def _support(self, place: int, first: int, end: int, coverage: float) -> Support:
        begin, stop = self._sentences[first].start, self._sentences[end - 1].end
        offset = self._passage.start
        return Support(place, offset + begin, offset + stop, self._passage.text[begin:stop], coverage)


def _cuts(text: str, at: int) -> bool:
    """Whether a word or number of Latin letters and digits goes on across `at`."""
    around = text[max(0, at - 1) : at + 1]
    return len(around) == 2 and around.isascii() and around.isalnum()


def _words_in(text: str, language: str) -> frozenset[str]:
    """What claims may find in a text: its terms, with every Han character and every pair of neighbours."""
    if text.isascii():
        return frozenset(terms(text, language))
    folded = text.lower()
    latin = " ".join(_LATIN.findall(folded))
    return frozenset(terms(latin, language)).union(folded, map(add, folded, folded[1:]))
