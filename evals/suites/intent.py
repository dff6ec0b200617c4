"""Intents: the router's own on messages written for it, and the same training on public sets."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from evals.data import questions_of, rows
from evals.intent_sets import auroc, ece, threshold_losing
from evals.report import Metric, Report, proportion
from tools.intent.ml import open_intent_detector
from tools.intent.model import IntentModel
from tools.intent.protocol import Intent, IntentDetector, IntentLabel
from tools.intent.rules import RuleIntentDetector
from tools.models.embedders.onnx import OnnxEmbedder
from tools.models.protocol import Vectors
from tools.models.text_classifier.ngrams import ENGLISH
from tools.models.text_classifier.training import Recipe, one_hot, train
from tools.models.text_classifier.vocabulary import Floats

LABELLED = Path(__file__).parent.parent / "labelled"
LANGUAGES = ("en", "zh")
OUT_OF_SCOPE = "oos"
"""The label of CLINC150 for what none of its intents covers."""
RECIPE = Recipe(ENGLISH, l2=1e-5, least=3, most=30_000, vector_weight=2, rounds=50)
"""Chosen on the dev part of BANKING77's train set and on CLINC150's dev set."""
LOST_TO_THRESHOLD = 0.01
"""In-scope accuracy that the threshold may cost on dev: it is the highest one that costs no more."""
REPEATS = 20


async def labelled_intents(folder: Path, engine: str) -> Report:
    """The router's intents on the 400 messages of evals/labelled, half of them Chinese; needs no public set."""
    report = Report("intents", str(LABELLED), engine)
    embedder = OnnxEmbedder()
    with tempfile.TemporaryDirectory() as data_dir:
        detector = open_intent_detector(embedder, Path(data_dir))
        try:
            await detector.warm_up()
            for name, by in (("", detector), ("rules.", RuleIntentDetector())):
                await _labelled(report, name, by)
        finally:
            await detector.close()
            await embedder.close()
    report.notes.append(
        "CPU is milliseconds per message with its sentence vector known already. The messages were written before the "
        "model, by the hand that wrote its examples, and never trained or tuned on."
    )
    return report


async def _labelled(report: Report, name: str, detector: IntentDetector) -> None:
    everything: list[tuple[Intent, str]] = []
    for language in LANGUAGES:
        messages = rows(LABELLED, f"intents_{language}")
        found = [(await _detected(detector, message, language), message["intent"]) for message in messages]
        begun = time.process_time()
        for message in messages * (0 if name else REPEATS):
            # The encoder keeps so many texts that a second round finds all vectors again.
            await _detected(detector, message, language)
        if not name:
            spent = 1000 * (time.process_time() - begun) / (REPEATS * len(messages))
            report.metrics[f"{language}.cpu_ms"] = Metric(spent, spent, spent, REPEATS * len(messages))
        report.metrics[f"{name}{language}.accuracy"] = _right(found)
        everything += found
    report.metrics[f"{name}accuracy"] = _right(everything)
    if name:
        return
    report.metrics["ece"] = ece([(intent.confidence, intent.label == gold) for intent, gold in everything])
    for label in get_args(IntentLabel):
        report.metrics[f"recall.{label}"] = _right([pair for pair in everything if pair[1] == label])
        report.metrics[f"precision.{label}"] = _right([pair for pair in everything if pair[0].label == label])


async def _detected(detector: IntentDetector, message: dict[str, Any], language: str) -> Intent:
    return await detector.detect(message["message"], language, message.get("history", ()))


def _right(found: Sequence[tuple[Intent, str]]) -> Metric:
    return proportion(sum(intent.label == gold for intent, gold in found), len(found))


async def clinc150(folder: Path, engine: str) -> Report:
    """CLINC150, trained on its `train`: in-scope accuracy and out-of-scope recall at one threshold, chosen on `dev`."""
    report = Report(folder.name, str(folder), engine)
    train_rows, dev, test = rows(folder, "train"), rows(folder, "dev"), questions_of(folder)
    vectors = await _vectors(train_rows, dev, test)
    model = await asyncio.to_thread(_trained, train_rows, vectors[0])
    told, sure, gold = _read(model, dev, vectors[1])
    inside = gold != OUT_OF_SCOPE
    threshold = threshold_losing(LOST_TO_THRESHOLD, (told == gold)[inside], sure[inside])
    told, sure, gold = _read(model, test, vectors[2])
    inside = gold != OUT_OF_SCOPE
    kept = (sure >= threshold) & (told != OUT_OF_SCOPE)
    report.metrics["accuracy"] = _share((told == gold)[inside] & kept[inside])
    report.metrics["oos_recall"] = _share(~kept[~inside])
    report.metrics["oos_precision"] = _share(~inside[~kept])
    report.metrics["oos_auroc"] = auroc(sure[inside], sure[~inside])
    report.metrics["accuracy_without_threshold"] = _share((told == gold)[inside])
    report.notes.append(f"`accuracy` is that of in-scope messages, those below the threshold {threshold:.3f} wrong.")
    return report


async def banking77(folder: Path, engine: str) -> Report:
    """BANKING77, trained on its `train`: accuracy, beside the same classifier over n-grams alone."""
    report = Report(folder.name, str(folder), engine)
    train_rows, test = rows(folder, "train"), questions_of(folder)
    vectors = await _vectors(train_rows, test)
    gold = np.array([row["intent"] for row in test])
    for name, known, asked in (("accuracy", vectors[0], vectors[1]), ("ngrams_alone.accuracy", None, None)):
        model = await asyncio.to_thread(_trained, train_rows, known)
        told, _, _ = _read(model, test, asked)
        report.metrics[name] = _share(told == gold)
    return report


async def _vectors(*parts: Sequence[dict[str, Any]]) -> list[Vectors]:
    embedder = OnnxEmbedder()
    try:
        return [await embedder.embed([row["text"] for row in part]) for part in parts]
    finally:
        await embedder.close()


def _trained(train_rows: Sequence[dict[str, Any]], vectors: Vectors | None) -> IntentModel:
    labels = sorted({row["intent"] for row in train_rows})
    targets = one_hot([labels.index(row["intent"]) for row in train_rows], len(labels))
    return IntentModel(train([row["text"] for row in train_rows], targets, labels, RECIPE, vectors), vectors)


def _read(
    model: IntentModel, asked: Sequence[dict[str, Any]], vectors: Vectors | None
) -> tuple[NDArray[np.str_], Floats, NDArray[np.str_]]:
    """Of each message: the likeliest label, its familiarity (of in-scope labels alone), and the right label."""
    labels = np.array(model.classifier.labels)
    probabilities = model.probabilities([row["text"] for row in asked], vectors)
    nearness = 1.0 if vectors is None else model.nearness(vectors)
    sure = probabilities[:, labels != OUT_OF_SCOPE].max(axis=1) * nearness
    return labels[probabilities.argmax(axis=1)], sure, np.array([row["intent"] for row in asked])


def _share(hits: NDArray[np.bool_]) -> Metric:
    return proportion(int(hits.sum()), len(hits))
