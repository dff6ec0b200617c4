"""Emotion: what the shipped English reader makes of public sets, with the thresholds that stand on its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from evals.data import questions_of, rows
from evals.report import Metric, Report, proportion
from tools.emotion.encoder import ENGLISH, WHAT, EmotionCard
from tools.emotion.labels import EKMAN, LABELS, OF_EKMAN, OF_SENTIMENT, SENTIMENTS
from tools.emotion.open import open_emotion_reader
from tools.emotion.protocol import Emotion, Probabilities
from tools.emotion.reading import grouped
from tools.emotion.settings import EmotionSettings
from tools.emotion.tuning import best_thresholds, calibration_error, f1_scores
from tools.models.onnx_artefact import read_card

RESAMPLES = 300
LABEL_SARCASTIC_FROM = 0.25
"""The share of sarcastic tweets in iSarcasmEval's `train`: from here on a tweet is more sarcastic than most there."""
CHAT = {
    "happy": ("joy", "amusement", "excitement", "love", "gratitude", "admiration", "optimism", "relief", "pride"),
    "sad": ("sadness", "grief", "disappointment", "remorse"),
    "angry": ("anger", "annoyance", "disgust"),
}
"""The labels of ours that EmoContext's three take in."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


async def goemotions(folder: Path, engine: str) -> Report:
    """GoEmotions: macro-F1 at 0.5 and at the card's thresholds, roll-ups tuned on `dev`, plain accuracy, ECE."""
    report = Report(folder.name, str(folder), engine)
    dev, test = rows(folder, "dev"), questions_of(folder)
    readings, on_dev = await _read([row["text"] for row in test]), await _read([row["text"] for row in dev])
    gold, found = _gold(test), _matrix(readings, LABELS, lambda its: its.all_emotions)
    thresholds = np.array(read_card(ENGLISH, EmotionCard, WHAT).calibration.thresholds)
    n = len(test)
    for name, scores in (
        ("macro_f1_at_0.5", found >= 0.5),
        ("macro_f1", found >= thresholds),
    ):
        report.metrics[name] = _resampled(lambda its, scores=scores: f1_scores(scores[its], gold[its]).mean(), n)
    report.metrics["micro_f1"] = _resampled(lambda its: _micro(found[its] >= thresholds, gold[its]), n)
    for name, groups, members, of in (
        ("ekman", EKMAN, OF_EKMAN, lambda its: its.ekman_scores),
        ("sentiment", SENTIMENTS, OF_SENTIMENT, lambda its: its.sentiment_scores),
    ):
        tuned = best_thresholds(_matrix(on_dev, groups, of).astype(np.float32), _gold(dev) @ members)
        there, wanted = _matrix(readings, groups, of) >= np.array(tuned), gold @ members
        report.metrics[f"{name}_f1"] = _resampled(
            lambda its, there=there, wanted=wanted: f1_scores(there[its], wanted[its]).mean(), n
        )
        first = [groups.index(getattr(reading, name)) for reading in readings]
        report.metrics[f"{name}_accuracy"] = proportion(int(wanted[np.arange(n), first].sum()), n)
    primary = np.array([LABELS.index(reading.primary_emotion) for reading in readings])
    right = gold[np.arange(n), primary]
    confidence = np.array([reading.confidence for reading in readings])
    report.metrics["primary_accuracy"] = proportion(int(right.sum()), n)
    error = calibration_error(confidence, right)
    report.metrics["ece"] = Metric(error, error, error, n)
    report.notes.append(
        "Accuracy: the one label, family or sentiment that the reading names is among those of the message's raters. "
        "ECE is that of the primary label's confidence, in fifteen bins; "
        "resampling would only widen its gaps, so it has no interval."
    )
    return report


async def emobank(folder: Path, engine: str) -> Report:
    """EmoBank: Pearson's r of valence and arousal with what readers felt."""
    report = Report(folder.name, str(folder), engine)
    test = questions_of(folder)
    readings = await _read([row["text"] for row in test])
    for name in ("valence", "arousal"):
        said = np.array([getattr(reading, name) for reading in readings])
        felt = np.array([row[name] for row in test])
        report.metrics[f"{name}_r"] = _resampled(
            lambda its, said=said, felt=felt: float(np.corrcoef(said[its], felt[its])[0, 1]), len(test)
        )
    return report


async def meld(folder: Path, engine: str) -> Report:
    """MELD without its train: Ekman's families and sentiment of each line, with the speaker's line before it."""
    report = Report(folder.name, str(folder), engine)
    lines = [line for dialogue in questions_of(folder) for line in _with_history(dialogue["turns"])]
    readings = await _read_turns([(line["text"], history) for line, history in lines])
    for name, told in (("emotion", [its.ekman for its in readings]), ("sentiment", [_polar(its) for its in readings])):
        gold = np.array([line[name] for line, _ in lines])
        found = np.array(told)
        report.metrics[f"{name}_weighted_f1"] = _resampled(
            lambda its, gold=gold, found=found: _weighted_f1(found[its], gold[its]), len(lines)
        )
        report.metrics[f"{name}_accuracy"] = proportion(int((found == gold).sum()), len(lines))
    report.notes.append("Nothing is learnt from MELD; an ambiguous sentiment counts by its valence.")
    return report


async def emocontext(folder: Path, engine: str) -> Report:
    """EmoContext without its train: micro-F1 of happy, sad and angry, with and without the user's first turn."""
    report = Report(folder.name, str(folder), engine)
    dev, test = rows(folder, "dev"), questions_of(folder)
    for name, in_context in (("micro_f1", True), ("micro_f1_without_context", False)):
        scores = [
            _chat_scores(await _read_turns([(row["turns"][2], row["turns"][:1] * in_context) for row in part]))
            for part in (dev, test)
        ]
        tuned = _chat_thresholds(scores[0], _chat_gold(dev))
        found, gold = _chosen(scores[1], tuned), _chat_gold(test)
        report.metrics[name] = _resampled(lambda its, found=found, gold=gold: _micro(found[its], gold[its]), len(test))
    report.notes.append("Only the three thresholds are taken from `dev`; the shares of the labels are those of chat.")
    return report


async def isarcasm(folder: Path, engine: str) -> Report:
    """iSarcasmEval, English task A: F1 of the sarcastic, where the reader says so and from the base rate on; AUROC."""
    report = Report(folder.name, str(folder), engine)
    test = questions_of(folder)
    readings = await _read([row["text"] for row in test])
    gold = np.array([bool(row["sarcastic"]) for row in test])
    likely = np.array([reading.sarcasm_confidence for reading in readings])
    said = np.array([reading.is_sarcastic for reading in readings])
    for name, found in (("f1_sarcastic", said), ("f1_sarcastic_from_base_rate", likely >= LABEL_SARCASTIC_FROM)):
        report.metrics[name] = _resampled(
            lambda its, found=found: float(f1_scores(found[its, None], gold[its, None])[0]), len(test)
        )
    report.metrics["auroc"] = _resampled(lambda its: _auroc(likely[its], gold[its]), len(test))
    report.metrics["said_sarcastic"] = proportion(int(said.sum()), len(test))
    return report


async def _read(texts: Sequence[str]) -> Sequence[Emotion]:
    reader = open_emotion_reader(EmotionSettings())
    try:
        return await reader.read_many(texts)
    finally:
        await reader.close()


async def _read_turns(turns: Sequence[tuple[str, Sequence[str]]]) -> Sequence[Emotion]:
    """Each message with what the same person said before it."""
    reader = open_emotion_reader(EmotionSettings())
    try:
        return [await reader.read(text, "en", history) for text, history in turns]
    finally:
        await reader.close()


def _gold(found: Sequence[Mapping[str, Any]]) -> Bools:
    return np.array([[label in row["labels"] for label in LABELS] for row in found])


def _matrix(readings: Sequence[Emotion], names: Sequence[str], of: Callable[[Emotion], Mapping[str, float]]) -> Floats:
    return np.array([[of(reading)[name] for name in names] for reading in readings])


def _micro(found: Bools, gold: Bools) -> float:
    return 2 * int((found & gold).sum()) / max(1, int(found.sum() + gold.sum()))


def _weighted_f1(found: NDArray[np.str_], gold: NDArray[np.str_]) -> float:
    """F1 of each label, weighed by how often it is there."""
    names, counts = np.unique(gold, return_counts=True)
    scores = f1_scores(found[:, None] == names, gold[:, None] == names)
    return float(scores @ counts / counts.sum())


def _auroc(scores: Floats, gold: Bools) -> float:
    """How often a positive stands above a negative; ties count half."""
    above = scores[gold][:, None] - scores[~gold][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean()) if above.size else 0.5


def _with_history(turns: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Sequence[str]]]:
    """Each line with what its speaker said before."""
    said = dict[str, list[str]]()
    found = list[tuple[Mapping[str, Any], Sequence[str]]]()
    for line in turns:
        before = said.setdefault(line["speaker"], [])
        found.append((line, list(before)))
        before.append(line["text"])
    return found


def _polar(reading: Emotion) -> str:
    if reading.sentiment == "ambiguous":
        return "positive" if reading.valence > 0 else "negative"
    return reading.sentiment


def _chat_scores(readings: Sequence[Emotion]) -> Probabilities:
    """How likely each of `CHAT` is: (n, 3)."""
    members = np.array([[label in of for of in CHAT.values()] for label in LABELS])
    return grouped(_matrix(readings, LABELS, lambda its: its.all_emotions).astype(np.float32), members)


def _chat_gold(found: Sequence[Mapping[str, Any]]) -> Bools:
    return np.array([[row["label"] == name for name in CHAT] for row in found])


def _chat_thresholds(scores: Probabilities, gold: Bools) -> Floats:
    """The thresholds of best micro-F1 on `dev`, one label after another."""
    chosen = np.full(len(CHAT), 0.5)
    for place in range(len(CHAT)):
        tried = [(*chosen[:place], value, *chosen[place + 1 :]) for value in np.linspace(0.1, 0.98, 45)]
        best = max(tried, key=lambda its: _micro(_chosen(scores, np.array(its)), gold))
        chosen = np.array(best)
    return chosen


def _chosen(scores: Probabilities, thresholds: Floats) -> Bools:
    """The label that passes its threshold by most, if one does."""
    over = scores / thresholds
    return cast(Bools, (over >= 1) & (over == over.max(axis=1, keepdims=True)))


def _resampled(figure: Callable[[NDArray[np.intp]], float], n: int) -> Metric:
    """A figure over examples with its percentile-bootstrap interval, seeded."""
    rng = np.random.default_rng(0)
    found = sorted(float(figure(rng.integers(0, n, n))) for _ in range(RESAMPLES))
    low, high = found[int(0.025 * RESAMPLES)], found[int(0.975 * RESAMPLES) - 1]
    return Metric(float(figure(np.arange(n))), low, high, n)
