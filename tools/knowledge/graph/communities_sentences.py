"""Sentences that stand for a set of chunks: central to what they say, and unlike each other.

A sentence is central as far as it is made of the words that come back in many of the chunks and are rare elsewhere
(centroid summaries, Radev et al. 2004); the next one counts by what it adds (maximal marginal relevance, Carbonell
and Goldstein 1998). Words are those of search, so English and Chinese go the same way.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.knowledge.language import detect_language
from tools.knowledge.sentences import split_sentences
from tools.knowledge.terms import terms, weight
from tools.stores.following_protocol import ChunkText
from tools.stores.graph_protocol import Sentence

SENTENCES = 5
LEAST_CHARS, MOST_CHARS = {"en": 30, "zh": 12}, {"en": 400, "zh": 200}
LEAST_TERMS = 4
REPEAT = 0.85
"""Overlap from which on a sentence says nothing new."""
LEAD_GAIN = 1.2
"""What the first sentence of a chunk gains: it says what the others go on about."""
OPENING_GAIN, OPENING_CHARS = 1.15, 200
"""What a chunk at the very beginning of its document gains."""
LEANING_SHARE = 0.6
"""What remains of the score of a sentence that leans on the one before it (`He …`, `其…`)."""
QUESTION_SHARE = 0.4
UNFINISHED_SHARE = 0.6
"""What remains of the score of a heading or of a line that ends nowhere."""
LENGTH_POWER = 0.6
"""How much of a long sentence's lead is taken back: 0 none, 1 all."""
ROOMY_CHARS = {"en": 160, "zh": 60}
"""A longer sentence loses as the square root of its length: it is a list more often than a statement."""
REPEAT_LOSS, CHUNK_LOSS, DOCUMENT_LOSS = 0.7, 0.3, 0.15
"""What a sentence loses, as a share of the best score, for a full repeat, a chunk and a document used before."""
_LEANS = re.compile(
    r"(?:he|she|it|they|his|her|its|their|this|these|that|those|however|but|and|also|then|thus|so|such)\b"
    r"|他|她|它|其|该|此|这|那|另外|此外|但|而|因此|所以|同时|然后|之后|后来|最终",
    re.IGNORECASE,
)
_ENDS = (".", "!", "。", "！", "”", '"', "）", ")", "」")


@dataclass(frozen=True)
class _Candidate:
    place: Sentence
    document_id: str
    words: frozenset[str]
    share: float


class SentencePicker:
    """Picks from a fixed set of chunks, whose words say what is rare."""

    def __init__(self, texts: Sequence[ChunkText]) -> None:
        self._candidates = {chunk.position: _candidates(chunk) for chunk in texts}
        self._chunks = len(texts)
        self._df = Counter(term for found in self._candidates.values() for term in _words_of(found))

    def pick(self, positions: Sequence[int], most: int = SENTENCES) -> list[Sentence]:
        """At most `most` sentences of the chunks at `positions`, the best first; unknown positions are left out."""
        chunks = [self._candidates[position] for position in positions if position in self._candidates]
        shared = Counter(term for found in chunks for term in _words_of(found))
        worth = {term: self._worth(term, count) for term, count in shared.items()}
        scored = [(_score(candidate, worth), candidate) for found in chunks for candidate in found]
        return _varied(scored, most)

    def _worth(self, term: str, count: int) -> float:
        rarity = math.log(1 + self._chunks / self._df[term])
        return weight(term) * math.log(1 + count) * rarity


def _candidates(chunk: ChunkText) -> list[_Candidate]:
    found: list[_Candidate] = []
    opening = OPENING_GAIN if chunk.start < OPENING_CHARS else 1.0
    for sentence in split_sentences(chunk.text):
        language = detect_language(sentence.text)
        words = frozenset(terms(sentence.text, language))
        if not LEAST_CHARS[language] <= len(sentence.text) <= MOST_CHARS[language] or len(words) < LEAST_TERMS:
            continue
        share = opening * _form(sentence.text) * (1.0 if found else LEAD_GAIN)
        share *= min(1.0, math.sqrt(ROOMY_CHARS[language] / len(sentence.text)))
        place = Sentence(chunk.position, chunk.start + sentence.start, chunk.start + sentence.end)
        found.append(_Candidate(place, chunk.document_id, words, share))
    return found


def _form(text: str) -> float:
    share = LEANING_SHARE if _LEANS.match(text) else 1.0
    if text.endswith(("?", "？")):
        return share * QUESTION_SHARE
    return share if text.endswith(_ENDS) else share * UNFINISHED_SHARE


def _words_of(candidates: Sequence[_Candidate]) -> frozenset[str]:
    return frozenset().union(*(candidate.words for candidate in candidates))


def _score(candidate: _Candidate, worth: Mapping[str, float]) -> float:
    return candidate.share * sum(worth[word] for word in sorted(candidate.words)) / len(candidate.words) ** LENGTH_POWER


def _varied(scored: list[tuple[float, _Candidate]], most: int) -> list[Sentence]:
    """The best, then again and again the one that adds most to those there are."""
    pool = sorted(scored, key=lambda pair: (-pair[0], pair[1].place.position, pair[1].place.start))[: 12 * most]
    best = pool[0][0] if pool else 0.0
    chosen: list[_Candidate] = []
    while pool and len(chosen) < most:
        following = max(pool, key=lambda pair: pair[0] - best * _loss(pair[1], chosen))
        chosen.append(following[1])
        pool = [pair for pair in pool if _overlap(pair[1].words, following[1].words) < REPEAT]
    return [candidate.place for candidate in chosen]


def _loss(candidate: _Candidate, chosen: Sequence[_Candidate]) -> float:
    repeat = max((_overlap(candidate.words, other.words) for other in chosen), default=0.0)
    same_chunk = any(other.place.position == candidate.place.position for other in chosen)
    same_document = sum(other.document_id == candidate.document_id for other in chosen)
    return REPEAT_LOSS * repeat + CHUNK_LOSS * same_chunk + DOCUMENT_LOSS * min(same_document, 3)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (min(len(one), len(other)) or 1)
