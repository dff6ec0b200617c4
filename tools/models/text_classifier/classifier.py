"""A linear classifier of texts over n-grams and, where there is one, a sentence vector: numpy alone, 0.1 ms a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tools.models.text_classifier.vocabulary import Floats, Vocabulary

Link = Literal["softmax", "sigmoid"]
"""`softmax`: one label holds, probabilities add up to 1; `sigmoid`: each label holds or not for itself."""


@dataclass(frozen=True, slots=True)
class VectorBlock:
    """What sentence vectors of one encoder add: `(vector - mean) * scale` times `matrix` (dimension, labels)."""

    mean: Floats
    scale: Floats
    matrix: Floats

    def scores(self, vectors: Floats) -> Floats:
        """(n, dimension) to (n, labels)."""
        return np.matmul((vectors - self.mean) * self.scale, self.matrix, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class LinearTextClassifier:
    """Labels texts by their n-grams and, with a `vectors` block, by their sentence vectors as well.

    `matrix` (features, labels) is int8, to be multiplied by `scales` (labels,); `bias` (labels,). `card` says what it
    was trained on. Safe to use from many threads.
    """

    labels: tuple[str, ...]
    link: Link
    vocabulary: Vocabulary
    matrix: NDArray[np.int8]
    scales: Floats
    bias: Floats
    vectors: VectorBlock | None = None
    card: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def probabilities(self, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """Probability of each label for each text: (n, labels). Any text will do, an empty one too.

        Raises:
            ValueError: it was trained with vectors and is given none, or the other way round.
        """
        scores = self.scores(texts, vectors)
        if self.link == "sigmoid":
            return sigmoid(scores)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def scores(self, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """What the link turns into probabilities: (n, labels), any number. Raises as `probabilities` does."""
        if (self.vectors is None) != (vectors is None):
            raise ValueError("a classifier takes vectors if, and only if, it was trained with them")
        scores = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for place, text in enumerate(texts):
            rows, values = self.vocabulary.weigh(text)
            scores[place] = values @ self.matrix.take(rows, axis=0).astype(np.float32)
        scores *= self.scales
        scores += self.bias
        if self.vectors is not None and vectors is not None:
            scores += self.vectors.scores(vectors)
        return scores


def sigmoid(scores: Floats) -> Floats:
    """Probabilities of labels that hold or not each for itself; scores so far out that they overflow are cut."""
    return (1 / (1 + np.exp(-scores.clip(-60, 60)))).astype(np.float32, copy=False)
