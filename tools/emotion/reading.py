"""From the probabilities of 28 labels to one reading of a message: what it comes to, how strong, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tools.emotion.calibration import Calibration, log_odds
from tools.emotion.intensity import intensity_of
from tools.emotion.labels import (
    DYADS,
    EKMAN,
    LABELS,
    NEUTRAL,
    OF_EKMAN,
    OF_PLUTCHIK,
    OF_SENTIMENT,
    PLUTCHIK,
    SENTIMENTS,
    VALENCE,
)
from tools.emotion.protocol import Emotion, Probabilities

SARCASTIC = 0.5
"""Probability from which a message is said to be sarcastic."""
SARCASM_DOUBT = 0.4
"""Share of the confidence that a certain sarcasm takes away."""
DYAD_BALANCE = 0.6
"""How strong the weaker part of a dyad is beside the stronger at least."""
MIXED_BALANCE = 0.5
"""How strong the weaker of two mixed labels is beside the stronger at least, each over its threshold."""
PLEASANT = 0.1
"""Valence from which a label counts as pleasant, and below whose negative as unpleasant."""


def read_emotion(
    text: str,
    probabilities: Probabilities,
    calibration: Calibration,
    *,
    earlier: Probabilities | None = None,
    sarcasm: float = 0.0,
    decided_by: Literal["ml", "lexicon"] = "ml",
) -> Emotion:
    """Read `text`, whose labels have `probabilities` (28,).

    `earlier` are those of the user's message before it, where the conversation counts; `sarcasm` (0-1) is how likely
    the words mean their opposite.
    """
    row = in_context(probabilities, earlier, calibration)
    strength = row / np.asarray(calibration.thresholds, dtype=np.float32)
    primary = int(strength.argmax())
    rival = float(np.delete(row, primary).max())
    families = grouped(row, OF_PLUTCHIK)
    sentiments, ekman = grouped(row, OF_SENTIMENT), grouped(row, OF_EKMAN)
    confidence = calibration.confidence_of(float(row[primary]), rival)
    valence, arousal = calibration.feeling_of(row)
    is_sarcastic = sarcasm >= SARCASTIC
    return Emotion(
        primary_emotion=LABELS[primary],
        primary_score=_rounded(row[primary]),
        valence=_rounded(valence),
        arousal=_rounded(arousal),
        intensity=_rounded(intensity_of(text, row)),
        confidence=_rounded(confidence * (1 - SARCASM_DOUBT * sarcasm) if is_sarcastic else confidence),
        decided_by=decided_by,
        sentiment=SENTIMENTS[int(sentiments.argmax())],
        ekman=EKMAN[int(ekman.argmax())],
        plutchik=_plutchik(families),
        all_emotions=_named(LABELS, row),
        sentiment_scores=_named(SENTIMENTS, sentiments),
        ekman_scores=_named(EKMAN, ekman),
        plutchik_scores=_named(PLUTCHIK, families),
        mixed_emotions=_mixed(strength),
        is_sarcastic=is_sarcastic,
        sarcasm_confidence=_rounded(sarcasm),
    )


def in_context(row: Probabilities, earlier: Probabilities | None, calibration: Calibration) -> Probabilities:
    """`row` a little nearer to the message before it, as far as the calibration found that to help."""
    if earlier is None or not calibration.context_weight:
        return row
    moved = log_odds(row) + calibration.context_weight * (log_odds(earlier) - log_odds(row))
    return np.asarray(1 / (1 + np.exp(-moved)), dtype=np.float32)


def grouped(rows: Probabilities, members: NDArray[np.bool_]) -> Probabilities:
    """How likely each group holds: (…, 28) by (28, groups) to (…, groups), the odds of any of its labels.

    Labels are taken for independent given the text, as the models' losses do.
    """
    none = np.log1p(-np.clip(rows, 0.0, 1 - 1e-6)) @ members
    return np.asarray(1 - np.exp(none), dtype=np.float32)


def _plutchik(families: Probabilities) -> str:
    """The strongest primary emotion, or the dyad that it forms with the second where that is nearly as strong."""
    order = np.argsort(-families)
    first, second = (PLUTCHIK[place] for place in order[:2])
    if families[order[1]] >= DYAD_BALANCE * families[order[0]]:
        for dyad, parts in DYADS.items():
            if {first, second} == set(parts):
                return dyad
    return first


def _mixed(strength: Probabilities) -> tuple[str, ...]:
    """The labels that are there and near the strongest, if some are pleasant and some are not."""
    least = max(1.0, MIXED_BALANCE * float(strength[:NEUTRAL].max()))
    there = [place for place in np.argsort(-strength) if place != NEUTRAL and strength[place] >= least]
    if any(VALENCE[place] >= PLEASANT for place in there) and any(VALENCE[place] <= -PLEASANT for place in there):
        return tuple(LABELS[place] for place in there)
    return ()


def _named(names: Sequence[str], row: Probabilities) -> dict[str, float]:
    return {name: _rounded(value) for name, value in zip(names, row, strict=True)}


def _rounded(value: float) -> float:
    return round(float(value), 4)
