from __future__ import annotations

import numpy as np
import pytest

from tools.emotion.calibration import Calibration, log_odds
from tools.emotion.labels import AROUSAL, LABELS, NEUTRAL, VALENCE
from tools.emotion.tuning import (
    best_thresholds,
    calibration_error,
    f1_scores,
    fitted_confidence,
    fitted_feeling,
    primary_and_rival,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_f1_is_that_of_the_textbook() -> None:
    found = np.array([[True, False], [True, False], [False, False]])
    true = np.array([[True, False], [False, False], [True, False]])
    assert f1_scores(found, true).tolist() == [0.5, 0.0]


def test_a_threshold_is_found_where_the_label_begins(rng: np.random.Generator) -> None:
    rows = rng.random((4000, 2)).astype(np.float32)
    true = rows > np.array([0.15, 0.6])
    low, high = best_thresholds(rows, true)
    assert low == pytest.approx(0.15, abs=0.02)
    assert high == pytest.approx(0.6, abs=0.03)


def test_a_confidence_is_as_often_right_as_it_says(rng: np.random.Generator) -> None:
    primary, rival = rng.uniform(0.2, 0.95, 20_000), rng.uniform(0.01, 0.5, 20_000)
    chance = 1 / (1 + np.exp(-(0.8 * log_odds(primary) - 0.4 * log_odds(rival) - 0.5)))
    right = rng.random(20_000) < chance
    weights = fitted_confidence(primary, rival, right)
    assert weights == pytest.approx((0.8, -0.4, -0.5), abs=0.1)
    calibration = Calibration(thresholds=(0.3,) * len(LABELS), confidence=weights)
    said = np.array([calibration.confidence_of(p, r) for p, r in zip(primary, rival, strict=True)])
    assert calibration_error(said, right) < 0.02
    assert calibration_error(primary, right) > calibration_error(said, right)


def test_the_error_of_a_braggart_is_what_he_brags() -> None:
    right = np.array([True, False] * 50)
    assert calibration_error(np.full(100, 0.9), right) == pytest.approx(0.4)
    assert calibration_error(np.full(100, 0.5), right) == pytest.approx(0.0)


def test_the_rival_is_the_highest_of_the_others() -> None:
    rows = np.array([[0.1, 0.6, 0.5], [0.4, 0.3, 0.2]], dtype=np.float32)
    primary, score, rival = primary_and_rival(rows, (0.05, 0.5, 0.5))
    assert primary.tolist() == [0, 0]
    np.testing.assert_allclose(score, [0.1, 0.4])
    np.testing.assert_allclose(rival, [0.6, 0.3])


def test_valence_and_arousal_follow_the_ratings_on_the_scale_of_the_labels(rng: np.random.Generator) -> None:
    rows = rng.beta(0.3, 3, (3000, len(LABELS))).astype(np.float32)
    rows[:1000, NEUTRAL] = 0.99
    valence = np.sqrt(rows) @ VALENCE / 10 + 3.0
    arousal = np.sqrt(rows) @ AROUSAL / 10 + 3.0
    fitted = fitted_feeling(rows, valence, arousal, rows, l2=1e-6)
    calibration = Calibration(thresholds=(0.3,) * len(LABELS), confidence=(1, 0, 0), feeling=fitted)
    said = np.array([calibration.feeling_of(row) for row in rows])
    assert np.corrcoef(said[:, 0], valence)[0, 1] > 0.98
    assert np.corrcoef(said[:, 1], arousal)[0, 1] > 0.9
    meant = rows @ VALENCE / rows.sum(axis=1)
    assert said[:, 0].std() == pytest.approx(meant.std(), rel=0.1)
