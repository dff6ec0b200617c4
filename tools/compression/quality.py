"""How well a classifier does, in all and for each label, with thresholds tuned on other data than is reported on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID = np.arange(2, 99) / 100
"""Thresholds that tuning tries. A grid, not every probability: fewer ways to fit a label with a dozen examples."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """One label: F1 (0-1) as its scores are (0.5, or the highest wins) and at its own threshold; examples it has."""

    label: str
    f1: float
    f1_tuned: float
    threshold: float
    support: int


@dataclass(frozen=True, slots=True)
class Quality:
    """`headline` is what a bound holds: tuned macro-F1 where several labels may hold, else accuracy. All are 0-1."""

    multi_label: bool
    macro_f1: float
    """At 0.5, or of the highest-scored label."""
    macro_f1_tuned: float
    micro_f1_tuned: float
    accuracy: float
    """Share of examples whose labels are all right: at 0.5, or of the highest-scored label."""
    per_label: tuple[LabelQuality, ...]

    @property
    def headline(self) -> float:
        """The figure that must not fall past the bound."""
        return self.macro_f1_tuned if self.multi_label else self.accuracy

    @property
    def headline_name(self) -> str:
        """What it is called."""
        return "macro-F1 (tuned)" if self.multi_label else "accuracy"


def probabilities(logits: NDArray[np.float32], multi_label: bool) -> Scores:
    """Sigmoid of each, or softmax over each row: (n, labels)."""
    wide = logits.astype(np.float64)
    if multi_label:
        return 1.0 / (1.0 + np.exp(-np.clip(wide, -60, 60)))
    raised = np.exp(wide - wide.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def tuned_thresholds(scores: Scores, targets: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each label the threshold with the best F1; the one nearest to 0.5 of equals, 0.5 for a label never seen."""
    best = np.full(scores.shape[1], -1.0)
    found = np.full(scores.shape[1], 0.5)
    for threshold in GRID[np.argsort(np.abs(GRID - 0.5), kind="stable")]:
        f1 = _f1(scores >= threshold, targets)
        better = f1 > best + 1e-12
        best[better], found[better] = f1[better], threshold
    found[targets.sum(axis=0) == 0] = 0.5
    return found


def quality_of(
    scores: Scores, targets: NDArray[np.float32], thresholds: NDArray[np.float64], labels: Sequence[str], multi: bool
) -> Quality:
    """Judge `scores` (n, labels) against `targets`; with one label per example thresholds play no part."""
    plain = scores >= 0.5 if multi else scores.argmax(axis=1)[:, None] == np.arange(scores.shape[1])
    tuned = scores >= thresholds if multi else plain
    f1, f1_tuned = _f1(plain, targets), _f1(tuned, targets)
    hits = float((tuned * targets).sum())
    return Quality(
        multi_label=multi,
        macro_f1=float(f1.mean()),
        macro_f1_tuned=float(f1_tuned.mean()),
        micro_f1_tuned=2 * hits / max(1.0, float(tuned.sum() + targets.sum())),
        accuracy=float((plain == (targets > 0)).all(axis=1).mean()),
        per_label=tuple(
            LabelQuality(label, float(f1[at]), float(f1_tuned[at]), float(thresholds[at]), int(targets[:, at].sum()))
            for at, label in enumerate(labels)
        ),
    )


def _f1(told: NDArray[np.bool_], targets: NDArray[np.float32]) -> NDArray[np.float64]:
    """F1 of each label; 0 where a label neither occurs nor is told."""
    hits = (told * targets).sum(axis=0)
    return np.asarray(2 * hits / np.maximum(1.0, told.sum(axis=0) + targets.sum(axis=0)), dtype=np.float64)
