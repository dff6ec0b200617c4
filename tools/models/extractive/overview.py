"""An overview of passages when the question names nothing to look for: what each says, in its most central sentence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from tools.models.extractive.ranking import Candidate, PassageTerms
from tools.models.extractive.terms import is_word
from tools.models.protocol import Language

MOST, MOST_OF_PASSAGE = 6, 4
"""Sentences in an overview, and of one passage where there are few passages."""
LEAST_WORDS = 4
ROOMY_CHARS: dict[Language, int] = {"en": 180, "zh": 70}
"""A longer sentence loses as the square root of its length: a list, more often than a statement."""
LEAD_GAIN = 2.0
"""What the first full sentence of a passage gains."""
UNFINISHED_SHARE, QUESTION_SHARE, LEANING_SHARE = 0.6, 0.4, 0.6
"""What remains of the score of a line that ends nowhere, of a question, of what leans on the sentence before it."""
LENGTH_POWER = 0.6
REPEAT = 0.7
"""Overlap of words from which on a sentence says nothing new."""
_LEANS = re.compile(
    r"(?:he|she|it|they|his|her|its|their|this|these|that|those|however|but|and|also|then|thus|so|such)\b"
    r"|他|她|它|其|该|此|这|那|另外|此外|但|而|因此|所以|同时|然后|之后|后来|最终",
    re.IGNORECASE,
)
_TERMINAL = re.compile(r"[。！!….][」』”’）)\]\"']*$")


def overview(passages: Sequence[PassageTerms]) -> list[Candidate]:
    """Up to six sentences: the most central of each passage, then the second most, in reading order."""
    shared = Counter(word for passage in passages for s in passage.sentences for word in s.words if is_word(word))
    ranked = [_ranked(passage, shared) for passage in passages]
    chosen: list[Candidate] = []
    for turn in range(MOST_OF_PASSAGE):
        for candidates in ranked:
            if len(chosen) < MOST and (following := _next(candidates, turn, chosen)) is not None:
                chosen.append(following)
    return sorted(chosen, key=lambda c: (c.passage, c.position))


def _ranked(passage: PassageTerms, shared: Counter[str]) -> list[Candidate]:
    """The passage's full sentences, best first; all there is where none is full."""
    said = [s for s in passage.sentences if not s.is_heading]
    full = [s for s in said if len(s.words) >= LEAST_WORDS] or said or passage.sentences
    for place, sentence in enumerate(full):
        words = [word for word in sentence.words if is_word(word)]
        central = sum(math.log1p(shared[word]) for word in sorted(words)) / (len(words) or 1) ** LENGTH_POWER
        sentence.score = central * _form(sentence) * (1.0 if place else LEAD_GAIN)
    return sorted(full, key=lambda s: (-s.score, s.position))


def _form(sentence: Candidate) -> float:
    share = min(1.0, math.sqrt(ROOMY_CHARS[sentence.language] / max(len(sentence.text), 1)))
    share *= LEANING_SHARE if _LEANS.match(sentence.text) else 1.0
    if sentence.text.endswith(("?", "？")):
        return share * QUESTION_SHARE
    return share if _TERMINAL.search(sentence.text) else share * UNFINISHED_SHARE


def _next(candidates: Sequence[Candidate], turn: int, chosen: Sequence[Candidate]) -> Candidate | None:
    """The passage's best sentence that says something new; None when it has had its turns."""
    mine = sum(any(c is one for one in candidates) for c in chosen)
    if mine > turn:
        return None
    fresh = (c for c in candidates if all(_overlap(c.words, one.words) < REPEAT for one in chosen))
    return next(fresh, None)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (min(len(one), len(other)) or 1)
