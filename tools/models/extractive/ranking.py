"""How well each sentence of the passages answers a question, from words alone.

The constants were found on the trial set of CMRC 2018, with and without titles; they are flat optima.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools.models.extractive.cues import cue_share
from tools.models.extractive.questions import Question
from tools.models.extractive.sentences import Sentence, split_sentences
from tools.models.extractive.terms import is_word, language_of, terms
from tools.models.protocol import Evidence, Language

TOPIC, BEFORE, AFTER, ELSEWHERE = 1.0, 0.5, 0.2, 0.05
"""What a question term is worth that stands not in the sentence but in its title or heading, in the sentence
before it, in the one after, or anywhere else in the passage."""
COMMON = 0.6
"""What a term weighs that every sentence has."""
TOPIC_GAIN = 0.3
"""What a passage gains whose whole title is in the question."""
RANK_LOSS = 0.04
"""Share of the score that each place down the list of passages costs, for the first eight."""
QUESTION_SHARE = 0.6
"""What remains of the score of a question."""
STRANGER_SHARE = 0.6
"""What remains of a passage's scores that knows none of the names and numbers in the question."""


@dataclass(slots=True)
class Candidate:
    """A sentence that may be quoted as `[label]`.

    `words` are its terms, `topic` those of its title and heading, `news` its words that the question lacks;
    `score` is its relevance: about the share (0-1) of the question that it and its surroundings cover, up to
    1.3 where the title names the topic.
    """

    text: str
    label: str
    passage: int
    position: int
    is_heading: bool
    language: Language
    words: frozenset[str]
    topic: frozenset[str]
    news: frozenset[str] = frozenset()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """A passage cut into candidates, with the terms of its title and of all its text."""

    title: frozenset[str]
    words: frozenset[str]
    sentences: list[Candidate]


def read_passage(index: int, evidence: Evidence) -> PassageTerms:
    """Cut the passage that was found at place `index` (0 is best) into candidates without a score."""
    found = split_sentences(evidence.text)
    title = frozenset(terms(evidence.title))
    topic = title | (frozenset(terms(_head(found[0]))) if found else frozenset())
    heading = topic
    sentences: list[Candidate] = []
    for position, sentence in enumerate(found):
        words = frozenset(terms(sentence.text))
        heading = topic | words if sentence.is_heading else heading
        sentences.append(
            Candidate(
                text=sentence.text,
                label=evidence.label,
                passage=index,
                position=position,
                is_heading=sentence.is_heading,
                language=language_of(sentence.text),
                words=words,
                topic=heading,
            )
        )
    return PassageTerms(title, frozenset().union(*(s.words for s in sentences)), sentences)


def _head(first: Sentence) -> str:
    """A passage often begins with the name of what it is about."""
    text = first.text
    if first.is_heading:
        return text
    return text[:6] if "\u3400" <= text[0] <= "\u9fff" else " ".join(text.split()[:4])


def rank_sentences(question: Question, passages: Sequence[PassageTerms]) -> list[Candidate]:
    """All sentences of `passages` but headings, with their score, best first."""
    weights = _rarity_weights(question, passages)
    total = sum(weights.values()) or 1.0
    for index, passage in enumerate(passages):
        named = sum(term in weights for term in passage.title) / (len(passage.title) or 1)
        share = (1 + TOPIC_GAIN * named) * (1 - RANK_LOSS * min(index, 8))
        if question.names and question.names.isdisjoint(passage.words | passage.title):
            share *= STRANGER_SHARE
        for sentence in passage.sentences:
            sentence.news = frozenset(term for term in sentence.words - weights.keys() if is_word(term))
            known = sum(weight * _nearness(term, sentence, passage) for term, weight in weights.items()) / total
            sentence.score = known * share * _fitness(sentence, question)
    everything = [s for p in passages for s in p.sentences if not s.is_heading]
    return sorted(everything, key=lambda s: (-s.score, s.passage, s.position))


def _rarity_weights(question: Question, passages: Sequence[PassageTerms]) -> dict[str, float]:
    """Question terms weighed by their rarity among the sentences (BM25's inverse document frequency) and a constant.

    Uncertain terms (weight below 1) that occur nowhere are left out: they are no sign of a missing answer.
    """
    count = sum(len(passage.sentences) for passage in passages)
    seen = Counter(term for p in passages for s in p.sentences for term in s.words if term in question.weights)
    return {
        term: weight * (COMMON + math.log(1 + (count - seen[term] + 0.5) / (seen[term] + 0.5)))
        for term, weight in question.weights.items()
        if weight >= 1 or seen[term]
    }


def _nearness(term: str, sentence: Candidate, passage: PassageTerms) -> float:
    if term in sentence.words or term in sentence.topic:
        return TOPIC
    at = sentence.position
    if at and term in passage.sentences[at - 1].words:
        return BEFORE
    if at + 1 < len(passage.sentences) and term in passage.sentences[at + 1].words:
        return AFTER
    return ELSEWHERE if term in passage.words else 0.0


def _fitness(sentence: Candidate, question: Question) -> float:
    share = cue_share(sentence.text, question.kinds)
    if sentence.text.endswith(("?", "？")):
        share *= QUESTION_SHARE
    return share
