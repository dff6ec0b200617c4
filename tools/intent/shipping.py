"""Makes the models of the shipped examples, and says how well they do on lines they were not trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from tools.intent.cues import Cues
from tools.intent.decision import decide
from tools.intent.examples import Example, read_examples
from tools.intent.model import IntentModel, save_model
from tools.intent.protocol import IntentLabel
from tools.intent.training import name_of_model, train_intents, vectors_of
from tools.models.protocol import Embedder, Language, Vectors

FOLDS = 8


async def train_shipped(out: Path, embedder: Embedder) -> Mapping[Language, float]:
    """Write a folder per language into `out`; gives the accuracies over the folds, which stand in the cards too.

    Raises:
        NotAvailable: the encoder cannot be loaded.
    """
    accuracies: dict[Language, float] = {}
    for language in get_args(Language):
        examples = read_examples(language)
        vectors = await vectors_of(examples, language, embedder)
        accuracies[language] = folds_accuracy(examples, language, vectors)
        model = train_intents(examples, language, vectors, name_of_model(examples, language, embedder))
        metrics: dict[str, Any] = {f"accuracy over {FOLDS} folds of lines": round(accuracies[language], 4)}
        card = {**model.classifier.card, "metrics": metrics}
        save_model(out / language, IntentModel(replace(model.classifier, card=card), model.examples))
    return accuracies


def folds_accuracy(examples: Sequence[Example], language: Language, vectors: Vectors | None) -> float:
    """Share (0-1) of lines without choices that get their intent from a model of the other folds' lines."""
    cues = Cues()
    hits = [hit for fold in range(FOLDS) for hit in _hits(examples, language, vectors, fold, cues)]
    return sum(hits) / len(hits) if hits else 0.0


def _hits(
    examples: Sequence[Example], language: Language, vectors: Vectors | None, fold: int, cues: Cues
) -> Iterator[bool]:
    inside = np.array([example.line % FOLDS == fold for example in examples])
    alone = np.array([example.weight == 1.0 for example in examples])
    known, asked = np.flatnonzero(~inside).tolist(), np.flatnonzero(inside & alone).tolist()
    model = train_intents([examples[place] for place in known], language, None if vectors is None else vectors[known])
    labels = cast("tuple[IntentLabel, ...]", model.classifier.labels)
    for place in asked:
        text, vector = examples[place].text, None if vectors is None else vectors[place : place + 1]
        nearness = 1.0 if vector is None else float(model.nearness(vector)[0])
        shares = decide(labels, model.probabilities([text], vector)[0], nearness, cues.scores(text), language)
        yield next(iter(shares)) == examples[place].label
