from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the `ml` extra")

from sklearn.metrics import f1_score

from tools.compression.quality import probabilities, quality_of, tuned_thresholds

LABELS = ("a", "b", "c")


def some(multi: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = (rng.random((300, 3)) < 0.2).astype(np.float32)
    if not multi:
        targets = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 300)]
    logits = (targets * 1.5 - 2 + rng.standard_normal((300, 3))).astype(np.float32)
    return probabilities(logits, multi), targets


def test_figures_are_those_of_scikit_learn() -> None:
    scores, targets = some(True)
    thresholds = np.array([0.3, 0.2, 0.4])
    found = quality_of(scores, targets, thresholds, LABELS, True)
    assert found.macro_f1 == pytest.approx(f1_score(targets, scores >= 0.5, average="macro"))
    assert found.macro_f1_tuned == pytest.approx(f1_score(targets, scores >= thresholds, average="macro"))
    assert found.micro_f1_tuned == pytest.approx(f1_score(targets, scores >= thresholds, average="micro"))
    each = f1_score(targets, scores >= thresholds, average=None)
    assert [label.f1_tuned for label in found.per_label] == pytest.approx(list(each))
    assert found.headline == found.macro_f1_tuned


def test_with_one_label_each_the_highest_wins() -> None:
    scores, targets = some(False)
    found = quality_of(scores, targets, np.full(3, 0.9), LABELS, False)
    told = scores.argmax(axis=1)
    assert found.accuracy == found.headline == pytest.approx((told == targets.argmax(axis=1)).mean())
    assert found.macro_f1 == found.macro_f1_tuned
    assert found.macro_f1 == pytest.approx(f1_score(targets.argmax(axis=1), told, average="macro"))
    assert np.allclose(scores.sum(axis=1), 1)


def test_tuned_thresholds_are_the_best_of_the_grid_on_what_they_were_tuned_on() -> None:
    scores, targets = some(True)
    best = quality_of(scores, targets, tuned_thresholds(scores, targets), LABELS, True).macro_f1_tuned
    for threshold in np.arange(0.05, 0.95, 0.05):
        assert quality_of(scores, targets, np.full(3, threshold), LABELS, True).macro_f1_tuned <= best + 1e-9


def test_a_label_without_examples_keeps_a_half() -> None:
    scores, targets = some(True)
    targets[:, 1] = 0
    assert tuned_thresholds(scores, targets)[1] == 0.5
    assert quality_of(scores, targets, np.full(3, 0.5), LABELS, True).per_label[1].support == 0


def test_huge_logits_do_not_overflow() -> None:
    rows = np.array([[1e4, -1e4, 0.0]], dtype=np.float32)
    assert np.allclose(probabilities(rows, True), [[1, 0, 0.5]])
    assert np.allclose(probabilities(rows, False), [[1, 0, 0]])
