"""What tells the labels of a Chinese text: a linear model over n-grams and words that feel, and character networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.emotion.chinese_network import WIDTHS, Alphabet, CharacterNetwork, Floats
from tools.emotion.labels import LABELS
from tools.emotion.lexicon_words import open_lexicon
from tools.errors import NotAvailable
from tools.models.packed import load_packed, save_packed
from tools.models.text_classifier.classifier import LinearTextClassifier
from tools.models.text_classifier.stored import arrays_of, card_of, classifier_of

WHAT = "Chinese emotion model"


@dataclass(frozen=True, slots=True)
class ChineseClassifier:
    """Labels Chinese texts; safe to use from many threads. `card` says what it was trained on."""

    linear: LinearTextClassifier
    alphabet: Alphabet
    networks: tuple[CharacterNetwork, ...]
    card: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def labels(self) -> tuple[str, ...]:
        """The order of every row."""
        return self.linear.labels

    def log_probabilities(self, texts: Sequence[str], signs: Floats | None = None) -> Floats:
        """Log of how likely each text is of each label, (n, labels); any text will do.

        `signs` are those of `signs_of`, where they are known. The linear model counts as much as the networks together.
        """
        found = log_softmax(self.linear.scores(texts, signs_of(texts) if signs is None else signs))
        if self.networks and texts:
            rows = [self.alphabet.rows(text) for text in texts]
            told = [log_softmax(np.array([network.scores(row) for row in rows])) for network in self.networks]
            found = log_softmax((found + np.mean(told, axis=0)) / 2)
        return np.asarray(found, dtype=np.float32)


def signs_of(texts: Sequence[str]) -> Floats:
    """What the lexicon says of each text, which the linear model weighs beside the n-grams: (n, 28)."""
    lexicon = open_lexicon()
    return np.array([lexicon.probabilities(text) for text in texts], dtype=np.float32).reshape(len(texts), len(LABELS))


def log_softmax(scores: Floats) -> Floats:
    """Log probabilities of rows of scores, of which one holds: (n, labels) to the same."""
    scores = scores - scores.max(axis=1, keepdims=True, initial=-np.inf)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def save_chinese(folder: Path, classifier: ChineseClassifier) -> None:
    """Write `weights.npz` and `card.json`; equal classifiers give equal bytes."""
    arrays: dict[str, NDArray[Any]] = {**arrays_of(classifier.linear), "characters": classifier.alphabet.codes}
    for number, network in enumerate(classifier.networks):
        of_one = {
            "table": network.table,
            "scale": np.float32(network.scale),
            "bias": network.bias,
            "out": network.out,
            "out_bias": network.out_bias,
            **{f"filters_{width}": weights for width, weights in zip(WIDTHS, network.filters, strict=True)},
        }
        arrays |= {f"network_{number}_{name}": _halved(array) for name, array in of_one.items()}
    card = {**card_of(classifier.linear), **classifier.card, "networks": len(classifier.networks)}
    save_packed(folder, arrays, card)


def load_chinese(folder: Path) -> ChineseClassifier:
    """Read and check what `save_chinese` wrote.

    Raises:
        NotAvailable: a file is missing, is not the one that the card names, or holds something else.
    """
    arrays, card = load_packed(folder, WHAT)
    linear = classifier_of(arrays, card, WHAT)
    try:
        networks = tuple(_network(arrays, f"network_{number}_") for number in range(card["networks"]))
        return ChineseClassifier(linear, Alphabet(arrays["characters"]), networks, card)
    except (LookupError, TypeError, ValueError):
        raise NotAvailable(f"The {WHAT} is of a kind that this version cannot read.") from None


def _network(arrays: Mapping[str, NDArray[Any]], prefix: str) -> CharacterNetwork:
    def floats(name: str) -> Floats:
        return arrays[prefix + name].astype(np.float32)

    filters = tuple(floats(f"filters_{width}") for width in WIDTHS)
    scale = float(arrays[prefix + "scale"])
    return CharacterNetwork(arrays[prefix + "table"], scale, filters, floats("bias"), floats("out"), floats("out_bias"))


def _halved(array: NDArray[Any]) -> NDArray[Any]:
    """Matrices of floats take half the room; nothing is lost that would change a reading."""
    return array.astype(np.float16) if array.dtype == np.float32 and array.ndim else array
