"""A relation classifier: its weights, its file, and how it scores pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.packed import load_packed, packed_words, save_packed, unpacked_words

NONE = "none"
"""The class of a pair that is not related."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """`matrix` (features, classes) and `bias` (classes,); `vocabulary` gives features their rows.

    A class is `none`, or a relation with `>` (the earlier entity is HEAD), `<` (the later one) or `=` (symmetric).
    `card` says what it was trained on and how its confidence is calibrated. `remembered` is for whoever makes
    features, who keeps rows there that come back.
    """

    classes: tuple[str, ...]
    vocabulary: Mapping[str, int]
    matrix: Floats
    bias: Floats
    card: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remembered: dict[Hashable, list[int]] = field(default_factory=dict[Hashable, list[int]], compare=False, repr=False)

    def rows(self, features: Iterable[str]) -> list[int]:
        """The rows of those features that are known."""
        known = self.vocabulary.get
        return [row for name in features if (row := known(name)) is not None]

    def probabilities(self, pairs: Sequence[Iterable[int]]) -> Floats:
        """Probability of each class for each pair of feature rows, (pairs, classes); a row counts once."""
        if not pairs:
            return np.zeros((0, len(self.classes)), dtype=np.float32)
        rows: list[int] = []
        starts: list[int] = []
        for pair in pairs:
            starts.append(len(rows))
            rows.extend(set(pair) or (0,))
        scores = np.add.reduceat(self.matrix.take(rows, axis=0), starts, axis=0) + self.bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        return scores / scores.sum(axis=1, keepdims=True)


def save_weights(folder: Path, weights: Weights) -> None:
    """Write `weights.npz` (int8, a scale per class) and `card.json`; equal weights give equal bytes."""
    scales = np.maximum(np.abs(weights.matrix).max(axis=0), 1e-6) / 127
    names = sorted(weights.vocabulary, key=weights.vocabulary.__getitem__)
    arrays = {
        "matrix": np.rint(weights.matrix / scales).astype(np.int8),
        "scales": scales.astype(np.float32),
        "bias": weights.bias.astype(np.float32),
        "vocabulary": packed_words("\n".join(names)),
    }
    save_packed(folder, arrays, {**weights.card, "classes": list(weights.classes)})


def load_weights(folder: Path) -> Weights:
    """Read and check the files of a classifier.

    Raises:
        NotAvailable: a file is missing, or is not the one that the card names.
    """
    arrays, card = load_packed(folder, "relation classifier")
    matrix = arrays["matrix"].astype(np.float32) * arrays["scales"]
    vocabulary = {name: row for row, name in enumerate(unpacked_words(arrays["vocabulary"]).split("\n"))}
    return Weights(tuple(card["classes"]), vocabulary, matrix, arrays["bias"], card)
