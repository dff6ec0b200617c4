"""Choose the sentences to quote: relevant, unlike each other, as many as the question is broad."""

from __future__ import annotations

from collections.abc import Sequence

from tools.models.extractive.ranking import Candidate

RELEVANT = 0.36
"""Score under which a best sentence is taken to speak of something else (found on CMRC 2018 trial)."""
SPECIFIC_MOST, BROAD_LEAST, BROAD_MOST = 3, 4, 6
SPECIFIC_KEEP, BROAD_KEEP = 0.6, 0.3
"""A further sentence must score this share of the best one."""
REPEAT = 0.85
"""Likeness from which on a sentence says nothing new."""
REDUNDANCY_LOSS = 0.25
"""Maximal marginal relevance (Carbonell and Goldstein 1998): what a full repeat costs, as a share of the best score."""


def select_sentences(ranked: Sequence[Candidate], *, broad: bool) -> list[Candidate]:
    """Sentences to quote, in reading order; none when the best of `ranked` (best first) is not relevant."""
    if not ranked or ranked[0].score < RELEVANT:
        return []
    best, chosen = ranked[0], [ranked[0]]
    pool = [candidate for candidate in ranked[1:40] if _likeness(candidate, chosen) < REPEAT]
    most, keep = (BROAD_MOST, BROAD_KEEP) if broad else (SPECIFIC_MOST, SPECIFIC_KEEP)
    while pool and len(chosen) < most:
        worth = {id(c): c.score - REDUNDANCY_LOSS * best.score * _likeness(c, chosen) for c in pool}
        following = max(pool, key=lambda c: worth[id(c)])
        if worth[id(following)] < keep * best.score and (not broad or len(chosen) >= BROAD_LEAST):
            break
        chosen.append(following)
        pool = [c for c in pool if c is not following and _likeness(c, [following]) < REPEAT]
    return _in_reading_order(chosen)


def _likeness(candidate: Candidate, chosen: Sequence[Candidate]) -> float:
    """Greatest overlap (0-1) with what a chosen sentence says, the question's own words aside."""
    return max(_overlap(candidate.news or candidate.words, other.news or other.words) for other in chosen)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (min(len(one), len(other)) or 1)


def _in_reading_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    """The best sentence's passage first, then the others as they were ranked; each in its own order."""
    order: dict[int, int] = {}
    for candidate in chosen:
        order.setdefault(candidate.passage, len(order))
    return sorted(chosen, key=lambda c: (order[c.passage], c.position))
