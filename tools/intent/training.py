"""Trains intents from labelled messages: about a second for the router's own, in numpy and scipy alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tools.intent.examples import Example, intents_of
from tools.intent.model import IntentModel
from tools.models.protocol import Embedder, Language, Vectors
from tools.models.text_classifier.ngrams import NGRAMS
from tools.models.text_classifier.stored import FORMAT
from tools.models.text_classifier.training import Recipe, one_hot, train

RECIPES: dict[Language, Recipe] = {
    "en": Recipe(NGRAMS["en"], l2=3e-5, vector_weight=1.5, rounds=60),
    "zh": Recipe(NGRAMS["zh"], l2=3e-5, rounds=60),
}
"""Found by eight folds over the lines of the examples."""
NEIGHBOURS_PER_LINE = 2
"""Wordings of one line that a message is compared with: they are much alike, and each costs time."""


def train_intents(
    examples: Sequence[Example], language: Language, vectors: Vectors | None, name: str = ""
) -> IntentModel:
    """The model of `examples`; `vectors` (n, dimension) are theirs, or None where no encoder knows the language.

    The same examples and vectors give the same model; `name` is kept in its card.
    """
    labels = intents_of(examples)
    targets = one_hot([labels.index(example.label) for example in examples], len(labels))
    weights = np.array([example.weight for example in examples], dtype=np.float32)
    card = {
        "what": "the router's intents",
        "name": name,
        "language": language,
        "made_by": "python -m app train intent",
        "data": f"{len(examples)} messages written for it: tools/intent/examples/{language}.yaml, Apache-2.0",
    }
    texts = [example.text for example in examples]
    classifier = train(texts, targets, labels, RECIPES[language], vectors, weights, card)
    return IntentModel(classifier, None if vectors is None else vectors[_first_of_lines(examples)])


async def vectors_of(examples: Sequence[Example], language: Language, embedder: Embedder) -> Vectors | None:
    """Sentence vectors of the examples, (n, dimension); None where the encoder does not know the language.

    Raises:
        NotAvailable: the encoder cannot be loaded.
        StoreUnavailable: it is busy, or closed.
    """
    if language not in embedder.languages:
        return None
    return await embedder.embed([example.text for example in examples])


def name_of_model(examples: Sequence[Example], language: Language, embedder: Embedder) -> str:
    """The name under which a model is known: another one for other examples, another recipe, format or encoder."""
    encoder = embedder.name if language in embedder.languages else ""
    content: list[Any] = [
        FORMAT,
        NEIGHBOURS_PER_LINE,
        asdict(RECIPES[language]),
        encoder,
        [asdict(example) for example in examples],
    ]
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return f"{language}-{digest[:16]}"


def _first_of_lines(examples: Sequence[Example]) -> list[int]:
    counts: Counter[int] = Counter()
    kept: list[int] = []
    for place, example in enumerate(examples):
        counts[example.line] += 1
        if counts[example.line] <= NEIGHBOURS_PER_LINE:
            kept.append(place)
    return kept
