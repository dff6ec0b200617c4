"""Labels and spans are two views of one thing, and the best path is the best one allowed."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np

from tools.knowledge.extraction.labelled import parse_line
from tools.knowledge.extraction.tagset import LABELS, labels_of, spans_of, spans_of_labels, viterbi
from tools.knowledge.extraction.tokens import tokenise

TYPES = ("person", "location")


def allowed(labels: tuple[int, ...]) -> bool:
    return all(label == 0 or label % 2 == 1 or before in (label - 1, label) for before, label in pairwise((0, *labels)))


def test_spans_survive_labelling() -> None:
    sentence = parse_line("[Jack Ma|person] founded [Alibaba|organization] in [Hangzhou|location].")
    tokens = tokenise(sentence.text, "en")
    spans = spans_of_labels(labels_of(sentence, tokens))
    assert [(tokens[a].start, tokens[b - 1].end, kind) for a, b, kind in spans] == [
        (entity.start, entity.end, entity.type) for entity in sentence.entities
    ]


def test_neighbours_of_one_type_stay_two() -> None:
    assert spans_of_labels([1, 1, 2, 0, 3], TYPES) == [(0, 1, "person"), (1, 3, "person"), (4, 5, "location")]


def test_the_path_is_the_best_of_all_allowed_ones() -> None:
    rng = np.random.default_rng(7)
    sentences = [rng.normal(size=(length, 5)).astype(np.float32) for length in (1, 4, 3, 5)]
    for scores, labels in zip(sentences, viterbi(sentences), strict=True):
        paths = [path for path in product(range(5), repeat=len(scores)) if allowed(path)]
        best = max(paths, key=lambda path: sum(scores[place, label] for place, label in enumerate(path)))
        assert tuple(labels) == best


def test_nothing_gives_nothing() -> None:
    assert viterbi([]) == []
    assert len(LABELS) == 21
    assert spans_of(np.log(np.full((2, 5), 0.2, dtype=np.float32)), TYPES) == []
