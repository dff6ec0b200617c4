"""How the entities of a passage relate: pairs in one sentence, weighed by a linear classifier over their wording."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np

from tools.knowledge.extraction.artefact import FOLDER
from tools.knowledge.extraction.protocol import Mention, Relation, RelationType
from tools.knowledge.extraction.relations_features import PairFeatures
from tools.knowledge.extraction.relations_lexicon import Language, Lexicon, open_lexicon
from tools.knowledge.extraction.relations_model import NONE, Floats, Weights, load_weights
from tools.knowledge.extraction.relations_sentence import SentenceView, Spot, view_sentence
from tools.knowledge.sentences import split_sentences

NAME = "zhiyin-relations-1"
MAX_MENTIONS = 8
"""In a sentence of at most so many entities all pairs are read; of more, only those `FARTHEST` places apart."""
FARTHEST = 4
TYPED_FROM = 0.35
"""Calibrated probability, both ends given, from which a pair bears its own type.

F1 in five folds, en / zh: .655 / .571 from .3, .656 / .565 from .35, .631 / .539 from .5.
"""
RELATED_FROM = 0.5
"""Probability of any relation from which a pair in one clause that bears no type of its own is `related_to`."""
COUNTED_FROM = 0.2
"""From this confidence on a relation counts as found; below, it is a link worth following."""
_CERTAIN = 1e-4
_CLAUSE_ENDS = frozenset(";；。.!?！？:：…")


class Pair(NamedTuple):
    """Mentions by place, `one` before `other`, in the sentence at `start`-`end`."""

    one: int
    other: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """The candidate pairs of a passage, the rows of their features, and their sentences with its first mention."""

    pairs: Sequence[Pair]
    features: Sequence[list[int]]
    views: Sequence[tuple[SentenceView, int]]

    def one_clause(self, row: int) -> bool:
        """Whether words stand between the two of a pair, and no sign that ends a clause."""
        (view, first), pair = self.views[row], self.pairs[row]
        gaps = view.gaps[pair.one - first + 1 : pair.other - first + 1]
        between = [token for gap in gaps for token in gap.tokens]
        return any(token.isalpha() for token in between) and _CLAUSE_ENDS.isdisjoint(between)


def find_relations(text: str, mentions: Sequence[Mention], language: str) -> Sequence[Relation]:
    """Relations between `mentions` (in the order of the text, without overlap) that stand in one sentence.

    Any language but `zh` is read as English. At most one relation for a pair; the symmetric ones have the
    earlier mention as head.
    """
    if len(mentions) < 2:
        return ()
    weights, lexicon = _open("zh" if language.startswith("zh") else "en")
    spots = [Spot(mention.start, mention.end, mention.type) for mention in mentions]
    found = candidates(text, spots, weights, lexicon)
    if not found.pairs:
        return ()
    probabilities = weights.probabilities(found.features)
    return list(_relations(found, probabilities, mentions, weights))


def candidates(text: str, spots: Sequence[Spot], weights: Weights, lexicon: Lexicon) -> Pairs:
    """The pairs that are weighed, with their features' rows in `weights`."""
    pairs: list[Pair] = []
    features: list[list[int]] = []
    views: list[tuple[SentenceView, int]] = []
    for first, view, start, end in sentence_views(text, spots, lexicon):
        made = PairFeatures(view, lexicon, weights.rows, weights.remembered)
        for one, other in pairs_of(len(view.spots)):
            pairs.append(Pair(first + one, first + other, start, end))
            features.append(made.of(one, other))
            views.append((view, first))
    return Pairs(pairs, features, views)


def sentence_views(text: str, spots: Sequence[Spot], lexicon: Lexicon) -> Iterator[tuple[int, SentenceView, int, int]]:
    """Sentences with at least two entities: the place of the first one, the view, where the sentence is."""
    for first, last, start, end in _sentences(text, spots):
        if last - first > 1:
            yield first, view_sentence(text, start, end, spots[first:last], lexicon), start, end


def pairs_of(count: int) -> Iterator[tuple[int, int]]:
    """Places of the pairs that are read in a sentence of `count` entities."""
    reach = count if count <= MAX_MENTIONS else FARTHEST + 1
    for one in range(count):
        for other in range(one + 1, min(count, one + reach)):
            yield one, other


def confidence_of(probability: float, sureness: float, calibration: Sequence[float]) -> float:
    """The calibrated probability that typed relation and both ends are right.

    `probability` is the classifier's, `sureness` the product of the mentions' confidences. `calibration` holds
    intercept and slope for the first, on the logit scale, and the power by which the second counts.
    """
    base, slope, power = calibration
    kept = min(max(probability, _CERTAIN), 1 - _CERTAIN)
    logit = base + slope * math.log(kept / (1 - kept))
    return sureness**power / (1 + math.exp(-logit))


@lru_cache(maxsize=2)
def _open(language: Language) -> tuple[Weights, Lexicon]:
    return load_weights(FOLDER / f"relations-{language}"), open_lexicon(language)


def _sentences(text: str, spots: Sequence[Spot]) -> Iterator[tuple[int, int, int, int]]:
    """First and one-past-last entity of each sentence and its place; an entity never ends a sentence within itself."""
    place = 0
    begun = -1
    for sentence in split_sentences(text):
        begun = sentence.start if begun < 0 else begun
        last = place
        while last < len(spots) and spots[last].start < sentence.end:
            last += 1
        if last > place and spots[last - 1].end > sentence.end:
            continue
        yield place, last, min(begun, spots[place].start) if last > place else begun, sentence.end
        place, begun = last, -1
    if begun >= 0 and place < len(spots):
        yield place, len(spots), begun, len(text)


def _relations(
    found: Pairs, probabilities: Floats, mentions: Sequence[Mention], weights: Weights
) -> Iterator[Relation]:
    nothing, related = weights.classes.index(NONE), weights.classes.index("related_to=")
    calibration: Sequence[float] = weights.card["calibration"]
    unrelated = probabilities[:, nothing].copy()
    probabilities[:, nothing] = 0
    best = probabilities.argmax(axis=1)
    for row in np.flatnonzero(unrelated < weights.card["skip_from"]).tolist():
        pair, chosen = found.pairs[row], int(best[row])
        if confidence_of(float(probabilities[row, chosen]), 1.0, calibration) < TYPED_FROM:
            if unrelated[row] > 1 - RELATED_FROM or not found.one_clause(row):
                continue
            chosen = related
        sureness = mentions[pair.one].confidence * mentions[pair.other].confidence
        confidence = confidence_of(float(probabilities[row, chosen]), sureness, calibration)
        yield _relation(pair, weights.classes[chosen], confidence)


def _relation(pair: Pair, name: str, confidence: float) -> Relation:
    kind, way = cast("RelationType", name[:-1]), name[-1]
    head, tail = (pair.other, pair.one) if way == "<" else (pair.one, pair.other)
    return Relation(head, tail, kind, confidence, pair.start, pair.end, NAME)
