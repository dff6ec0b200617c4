"""How a classifier lies in a folder: the arrays and the card of `tools.models.packed`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.errors import NotAvailable
from tools.models.packed import load_packed, save_packed
from tools.models.text_classifier.classifier import LinearTextClassifier, VectorBlock
from tools.models.text_classifier.ngrams import Ngrams
from tools.models.text_classifier.vocabulary import Vocabulary

FORMAT = 1
"""Raised whenever n-grams are hashed or weighed otherwise: weights of another format mean nothing here."""


def arrays_of(classifier: LinearTextClassifier) -> dict[str, NDArray[Any]]:
    """Its arrays by name, for a file that holds more than the classifier."""
    arrays: dict[str, NDArray[Any]] = {
        # Sorted hashes are stored by their steps, which compress a little better.
        "hash_steps": np.diff(classifier.vocabulary.hashes, prepend=np.uint64(0)),
        "idf": classifier.vocabulary.idf.astype(np.float16),
        "matrix": classifier.matrix,
        "scales": classifier.scales,
        "bias": classifier.bias,
    }
    if (block := classifier.vectors) is not None:
        arrays |= {"vector_mean": block.mean, "vector_scale": block.scale}
        arrays["vector_matrix"] = block.matrix.astype(np.float16)
    return arrays


def card_of(classifier: LinearTextClassifier) -> dict[str, Any]:
    """What stands in its card besides what it was trained on."""
    ngrams = classifier.vocabulary.ngrams
    return {
        **classifier.card,
        "format": FORMAT,
        "labels": list(classifier.labels),
        "link": classifier.link,
        "ngrams": {"chars": ngrams.chars, "words": ngrams.words, "within_words": ngrams.within_words},
    }


def save_classifier(folder: Path, classifier: LinearTextClassifier) -> None:
    """Write `weights.npz` and `card.json`; equal classifiers give equal bytes."""
    save_packed(folder, arrays_of(classifier), card_of(classifier))


def load_classifier(folder: Path, what: str = "text classifier") -> LinearTextClassifier:
    """Read and check the files of a classifier; `what` is what messages call it.

    Raises:
        NotAvailable: a file is missing, is not the one that the card names, or holds something else.
    """
    arrays, card = load_packed(folder, what)
    return classifier_of(arrays, card, what)


def classifier_of(arrays: dict[str, NDArray[Any]], card: dict[str, Any], what: str) -> LinearTextClassifier:
    """The classifier among `arrays`, as `arrays_of` and `card_of` named its parts.

    Raises:
        NotAvailable: they are those of something else.
    """
    try:
        if card["format"] != FORMAT or card["link"] not in ("softmax", "sigmoid"):
            raise ValueError("another format")
        ngrams = card["ngrams"]
        vocabulary = Vocabulary(
            Ngrams(tuple(ngrams["chars"]), tuple(ngrams["words"]), ngrams["within_words"]),
            np.cumsum(arrays["hash_steps"], dtype=np.uint64),
            arrays["idf"].astype(np.float32),
        )
        block = None
        if "vector_matrix" in arrays:
            matrix = arrays["vector_matrix"].astype(np.float32)
            block = VectorBlock(arrays["vector_mean"], arrays["vector_scale"], matrix)
        labels = tuple(card["labels"])
        if arrays["matrix"].shape != (len(vocabulary.hashes), len(labels)):
            raise ValueError("another shape")
        return LinearTextClassifier(
            labels, card["link"], vocabulary, arrays["matrix"], arrays["scales"], arrays["bias"], block, card
        )
    except (LookupError, TypeError, ValueError):
        raise NotAvailable(f"The {what} is of a kind that this version cannot read.") from None
