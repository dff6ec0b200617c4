"""What is learnt from probabilities once a model stands: thresholds, confidence, valence and arousal; numpy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tools.emotion.calibration import FeelingMap, log_odds
from tools.emotion.labels import AROUSAL, NEUTRAL, VALENCE
from tools.emotion.protocol import Probabilities

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

GRID = np.concatenate([np.arange(0.02, 0.2, 0.01), np.arange(0.2, 0.81, 0.02)])
"""Thresholds that are tried."""
SMALL_L2 = 1e-3


def f1_scores(found: Bools, true: Bools) -> Floats:
    """F1 of each label: (n, labels) twice to (labels,); 0 for one that is neither found nor there."""
    hits = (found & true).sum(axis=0)
    return 2 * hits / np.maximum(1, found.sum(axis=0) + true.sum(axis=0))


def best_thresholds(rows: Probabilities, true: Bools) -> tuple[float, ...]:
    """The threshold of each label with the best F1 on (n, labels).

    Drawing those of rare labels towards a usual one, or one threshold for all, does worse on parts of `dev` kept apart.
    """
    chosen = list[float]()
    for place in range(rows.shape[1]):
        found, wanted = rows[:, place, None] >= GRID, true[:, place, None]
        hits = (found & wanted).sum(axis=0)
        chosen.append(float(GRID[np.argmax(2 * hits / np.maximum(1, found.sum(axis=0) + wanted.sum()))]))
    return tuple(round(value, 3) for value in chosen)


def primary_and_rival(rows: Probabilities, thresholds: Sequence[float]) -> tuple[NDArray[np.intp], Floats, Floats]:
    """The primary label of each row, its probability, and the highest of any other label."""
    primary = (rows / np.asarray(thresholds, dtype=np.float32)).argmax(axis=1)
    every = np.arange(len(rows))
    others = rows.copy()
    others[every, primary] = 0.0
    return primary, rows[every, primary].astype(np.float64), others.max(axis=1).astype(np.float64)


def fitted_confidence(primary: Floats, rival: Floats, right: Bools) -> tuple[float, float, float]:
    """Weights of the logistic map from both log odds and 1 to how often the primary label is right."""
    signs = np.stack([log_odds(primary), log_odds(rival), np.ones(len(primary))], axis=1)

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = signs @ weights
        value = np.logaddexp(0, scores) - right * scores
        slope = 1 / (1 + np.exp(-scores)) - right
        return value.mean() + SMALL_L2 * weights @ weights, signs.T @ slope / len(right) + 2 * SMALL_L2 * weights

    a, b, c = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B").x
    return round(float(a), 4), round(float(b), 4), round(float(c), 4)


def calibration_error(confidence: Floats, right: Bools, bins: int = 15) -> float:
    """ECE (Guo et al. 2017) over equally wide bins, 0-1."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[places == place].mean() - right[places == place].mean()) * (places == place).mean()
        for place in np.unique(places)
    ]
    return float(sum(gaps))


def fitted_feeling(
    rows: Probabilities, valence: Floats, arousal: Floats, usual: Probabilities, l2: float
) -> FeelingMap:
    """Ridge maps from roots of probabilities to rated valence and arousal (any scale), stretched to the labels' own.

    Raters of whole sentences keep near the middle of their scale. So each map is stretched and moved until, over
    `usual` messages, its mean and spread are those of the labels' own values; what correlates stays as it is.
    """
    maps = list[tuple[tuple[float, ...], float]]()
    for rated, own in ((valence, VALENCE), (arousal, AROUSAL)):
        weights, bias = _ridge(np.sqrt(rows, dtype=np.float64), rated, l2)
        said = np.sqrt(usual) @ weights + bias
        meant = usual @ own / usual.sum(axis=1)
        stretch = float(meant.std() / said.std())
        middle = _middle(usual)
        moved = float(meant[middle].mean() - stretch * said[middle].mean())
        maps.append((tuple(float(w) for w in (stretch * weights).round(5)), round(stretch * bias + moved, 5)))
    return FeelingMap(valence=maps[0][0], valence_bias=maps[0][1], arousal=maps[1][0], arousal_bias=maps[1][1])


def _middle(usual: Probabilities) -> Bools:
    """The tenth of the messages that are most surely neutral: where the scale has its zero."""
    return usual[:, NEUTRAL] >= np.quantile(usual[:, NEUTRAL], 0.9)


def _ridge(signs: Floats, targets: Floats, l2: float) -> tuple[Floats, float]:
    """Weights and bias of least squares with `l2` times the squared weights per example, on standardised signs."""
    mean, std = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    scaled = (signs - mean) / std
    gram = scaled.T @ scaled / len(scaled) + l2 * np.eye(scaled.shape[1])
    weights = np.linalg.solve(gram, scaled.T @ (targets - targets.mean()) / len(scaled)) / std
    return weights, float(targets.mean() - mean @ weights)
