"""Fits a `LinearTextClassifier` by L-BFGS: numpy and scipy alone, so that the app can train while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from tools.models.text_classifier.classifier import LinearTextClassifier, Link, VectorBlock, sigmoid
from tools.models.text_classifier.ngrams import Ngrams
from tools.models.text_classifier.vocabulary import Floats, Vocabulary, vocabulary_of

LEAST_STD = 0.01
"""Floor of a dimension's standard deviation. Quantised encoders have dimensions that never change; of 384-d vectors
of unit length the others spread about .05."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a classifier is made.

    `l2` is the penalty per weight on the mean loss; `least` how many texts an n-gram must stand in; `most` how many
    n-grams are kept; `vector_weight` the length of an average vector beside the two n-gram blocks of length 1;
    `smoothing` the share of each text's label that is spread over all labels; `rounds` the most steps of L-BFGS.
    """

    ngrams: Ngrams
    link: Link = "softmax"
    l2: float = 1e-5
    least: int = 2
    most: int = 100_000
    vector_weight: float = 1.5
    smoothing: float = 0.0
    rounds: int = 150


def train(
    texts: Sequence[str],
    targets: Floats,
    labels: Sequence[str],
    recipe: Recipe,
    vectors: Floats | None = None,
    weights: Floats | None = None,
    card: Mapping[str, Any] | None = None,
) -> LinearTextClassifier:
    """A classifier of `texts` by `targets` (n, labels), 0-1, and for `softmax` adding up to 1 per text.

    `vectors` (n, dimension) are the texts' sentence vectors, `weights` (n,) what each text counts (1 by default).
    The same input gives the same classifier. What it returns is quantised already: what is measured is what is kept.
    """
    vocabulary = vocabulary_of(texts, recipe.ngrams, recipe.least, recipe.most)
    sparse = weighed(texts, vocabulary)
    dense, block = _standardised(vectors, recipe.vector_weight)
    smoothed = targets * (1 - recipe.smoothing) + recipe.smoothing / len(labels)
    counts = np.ones(len(texts), dtype=np.float32) if weights is None else weights
    matrix, bias = _fit(sparse, dense, smoothed.astype(np.float32), counts, recipe, len(vocabulary.hashes))
    ours, theirs = matrix[: len(vocabulary.hashes)], matrix[len(vocabulary.hashes) :]
    scales = np.maximum(np.abs(ours).max(axis=0, initial=0), 1e-6) / 127
    return LinearTextClassifier(
        tuple(labels),
        recipe.link,
        vocabulary,
        np.rint(ours / scales).astype(np.int8),
        scales.astype(np.float32),
        bias,
        None if block is None else replace(block, matrix=theirs),
        dict(card or {}),
    )


def one_hot(numbers: Sequence[int], labels: int) -> Floats:
    """Targets of texts that have one label each: (n, labels)."""
    return np.eye(labels, dtype=np.float32)[np.asarray(numbers, dtype=np.int64)]


def weighed(texts: Sequence[str], vocabulary: Vocabulary) -> csr_matrix:
    """tf-idf of the texts as one sparse matrix, (n, features)."""
    found = [vocabulary.weigh(text) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows, _ in found], dtype=np.int64)])
    rows = np.concatenate([rows for rows, _ in found]) if found else np.empty(0, dtype=np.int64)
    values = np.concatenate([values for _, values in found]) if found else np.empty(0, dtype=np.float32)
    return csr_matrix((values, rows.astype(np.int32), starts), shape=(len(texts), len(vocabulary.hashes)))


def _standardised(vectors: Floats | None, weight: float) -> tuple[Floats, VectorBlock | None]:
    if vectors is None:
        return np.empty((0, 0), dtype=np.float32), None
    mean, std = vectors.mean(axis=0), vectors.std(axis=0)
    scale = weight / (np.maximum(std, LEAST_STD) * np.sqrt(vectors.shape[1]))
    block = VectorBlock(mean, scale.astype(np.float32), np.empty((0, 0), dtype=np.float32))
    return (vectors - mean) * block.scale, block


def _fit(
    sparse: csr_matrix, dense: Floats, targets: Floats, counts: Floats, recipe: Recipe, features: int
) -> tuple[Floats, Floats]:
    """Weights (features + dimension, labels) and bias (labels,) of least penalised loss; the bias is not penalised."""
    size, labels = dense.shape[1], targets.shape[1]
    turned = csr_matrix(sparse.T)
    shares = (counts / counts.sum())[:, np.newaxis]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(-1, labels).astype(np.float32)
        scores = sparse @ table[:features] + table[-1]
        if size:
            scores += dense @ table[features:-1]
        value, slope = _softmax_loss(scores, targets) if recipe.link == "softmax" else _sigmoid_loss(scores, targets)
        slope *= shares
        gradient = np.empty_like(table)
        gradient[:features] = turned @ slope
        if size:
            gradient[features:-1] = dense.T @ slope
        gradient[:-1] += recipe.l2 * table[:-1]
        gradient[-1] = slope.sum(axis=0)
        penalty = 0.5 * recipe.l2 * float(np.square(table[:-1], dtype=np.float64).sum())
        return float(value @ shares[:, 0]) + penalty, gradient.ravel().astype(np.float64)

    start = np.zeros((features + size + 1) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": recipe.rounds, "maxcor": 6})
    table = found.x.reshape(-1, labels).astype(np.float32)
    return table[:-1], table[-1]


def _softmax_loss(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Cross-entropy per text, and its slope over the scores."""
    scores = scores - scores.max(axis=1, keepdims=True)
    total = np.exp(scores).sum(axis=1, keepdims=True)
    logs = scores - np.log(total)
    return -(targets * logs).sum(axis=1), np.exp(logs) - targets


def _sigmoid_loss(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Binary cross-entropy per text, summed over the labels, and its slope over the scores."""
    value = (np.logaddexp(0, scores) - targets * scores).sum(axis=1)
    return value, sigmoid(scores) - targets
