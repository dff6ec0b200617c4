"""What is learned from examples: how likely each label is, and how familiar a message is.

A classifier always has an answer, even for what none of its examples is like. Familiarity asks the examples
themselves: the highest probability times the cosine to the nearest example, which is low where either is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.errors import NotAvailable
from tools.models.packed import load_packed, save_packed
from tools.models.protocol import Vectors
from tools.models.text_classifier.classifier import LinearTextClassifier
from tools.models.text_classifier.stored import arrays_of, card_of, classifier_of
from tools.models.text_classifier.vocabulary import Floats

WHAT = "intent model"


@dataclass(frozen=True, slots=True)
class IntentModel:
    """A classifier with the sentence vectors of its examples, (examples, dimension), of unit length.

    Where no encoder knows the language there are no vectors, and a message is as familiar as it is likely: cosines
    over n-grams say less than the classifier does. Safe to use from many threads.
    """

    classifier: LinearTextClassifier
    examples: Vectors | None = None

    @property
    def name(self) -> str:
        """What `name_of_model` gave for what it was trained on."""
        return str(self.classifier.card.get("name", ""))

    def probabilities(self, texts: Sequence[str], vectors: Vectors | None = None) -> Floats:
        """Of each label for each message, (n, labels). Raises ValueError unless `vectors` are given as in training."""
        return self.classifier.probabilities(texts, vectors)

    def nearness(self, vectors: Vectors) -> Floats:
        """Cosine of each message to the example nearest to it, (n,), 0-1; 1 where the examples have no vectors."""
        if self.examples is None:
            return np.ones(len(vectors), dtype=np.float32)
        return (vectors @ self.examples.T).max(axis=1).clip(0, 1)


def save_model(folder: Path, model: IntentModel) -> None:
    """Write `weights.npz` and `card.json`; equal models give equal bytes."""
    arrays = arrays_of(model.classifier)
    if model.examples is not None:
        # Half precision moves a cosine by less than .001.
        arrays["examples"] = model.examples.astype(np.float16)
    save_packed(folder, arrays, card_of(model.classifier))


def load_model(folder: Path) -> IntentModel:
    """Read and check a stored model.

    Raises:
        NotAvailable: a file is missing, is not the one that the card names, or holds something else.
    """
    arrays, card = load_packed(folder, WHAT)
    classifier = classifier_of(arrays, card, WHAT)
    examples = arrays.get("examples")
    if (examples is None) != (classifier.vectors is None):
        raise NotAvailable(f"The {WHAT} is of a kind that this version cannot read.")
    return IntentModel(classifier, None if examples is None else examples.astype(np.float32))
