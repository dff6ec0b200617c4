"""Fits the weights of a relation classifier. Needs scikit-learn (the `ml` extra); nothing at run time imports it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.extraction.relations_model import Weights

SYMMETRIC = frozenset({"compared_with", "related_to"})


def class_of(kind: str, way: str) -> str:
    """The class of a relation: `>` when the earlier entity is its head, `<` when the later one is."""
    return kind + ("=" if kind in SYMMETRIC else way)


@dataclass(frozen=True, slots=True)
class Example:
    """A pair as its features, its class, and how much it counts."""

    features: Sequence[str]
    label: str
    weight: float = 1.0


def fit(
    examples: Sequence[Example],
    classes: Sequence[str],
    strength: float = 1.0,
    least: int = 2,
    lightest: float = 0.0,
    rounds: int = 120,
) -> Weights:
    """Multinomial logistic regression with an L2 penalty of `1 / strength`.

    Features met less than `least` times, and those that weigh less than `lightest` for every class, fall out.
    """
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    vocabulary = vocabulary_of(examples, least)
    rows = rows_of([example.features for example in examples], vocabulary)
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers[example.label] for example in examples])
    indices, starts = np.concatenate(rows), np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    data = np.ones(len(indices), dtype=np.float32)
    matrix = csr_matrix((data, indices, starts), shape=(len(rows), len(vocabulary)))
    model = LogisticRegression(C=strength, max_iter=rounds, tol=1e-3)
    model.fit(matrix, labels, sample_weight=np.array([example.weight for example in examples]))
    weights = np.zeros((len(vocabulary), len(classes)), dtype=np.float32)
    weights[:, model.classes_] = model.coef_.T
    bias = np.full(len(classes), -30.0, dtype=np.float32)
    bias[model.classes_] = model.intercept_
    return lightened(Weights(tuple(classes), vocabulary, weights, bias), lightest)


def lightened(weights: Weights, lightest: float) -> Weights:
    """Only the features that weigh at least `lightest` for some class."""
    kept = np.flatnonzero(np.abs(weights.matrix).max(axis=1) >= lightest)
    names = sorted(weights.vocabulary, key=weights.vocabulary.__getitem__)
    vocabulary = {names[row]: number for number, row in enumerate(kept.tolist())}
    return Weights(weights.classes, vocabulary, weights.matrix[kept], weights.bias)


def vocabulary_of(examples: Sequence[Example], least: int) -> dict[str, int]:
    """Features met in at least `least` examples, numbered."""
    counts: Counter[str] = Counter()
    for example in examples:
        counts.update(set(example.features))
    kept = sorted(name for name, count in counts.items() if count >= least)
    return {name: number for number, name in enumerate(kept)}


def rows_of(features: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> list[NDArray[np.int32]]:
    """Numbers of each example's features, each once, in order."""
    return [
        np.array(sorted({vocabulary[name] for name in names if name in vocabulary}), dtype=np.int32)
        for names in features
    ]
