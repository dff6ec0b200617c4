from __future__ import annotations

import numpy as np
import pytest

from tools.emotion.calibration import Calibration
from tools.emotion.labels import EKMAN, LABELS, OF_EKMAN
from tools.emotion.protocol import Emotion, Probabilities
from tools.emotion.reading import grouped, read_emotion

CALIBRATION = Calibration(thresholds=(0.3,) * 28, confidence=(1.0, -0.3, 0.0))


def row(**probabilities: float) -> Probabilities:
    return np.array([probabilities.get(label, 0.01) for label in LABELS], dtype=np.float32)


def read(text: str = "it is so", **probabilities: float) -> Emotion:
    return read_emotion(text, row(**probabilities), CALIBRATION)


def test_the_primary_label_is_the_one_furthest_over_its_threshold() -> None:
    thresholds = [0.3] * 28
    thresholds[LABELS.index("grief")] = 0.1
    strict = CALIBRATION.model_copy(update={"thresholds": tuple(thresholds)})
    probabilities = row(grief=0.2, sadness=0.4)
    assert read_emotion("", probabilities, CALIBRATION).primary_emotion == "sadness"
    assert read_emotion("", probabilities, strict).primary_emotion == "grief"


def test_all_taxonomies_follow_from_the_labels() -> None:
    reading = read(anger=0.8, annoyance=0.5)
    assert (reading.primary_emotion, reading.ekman, reading.plutchik, reading.sentiment) == (
        "anger",
        "anger",
        "anger",
        "negative",
    )
    assert reading.valence < -0.3
    assert set(reading.all_emotions) == set(LABELS)


def test_a_family_is_as_likely_as_any_of_its_labels() -> None:
    scores = grouped(row(anger=0.5, annoyance=0.5), OF_EKMAN)
    assert scores[EKMAN.index("anger")] == pytest.approx(1 - 0.5 * 0.5 * 0.99, abs=1e-4)
    assert scores[EKMAN.index("neutral")] == pytest.approx(0.01, abs=1e-4)
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"love": 0.8}, "love"),
        ({"remorse": 0.7}, "remorse"),
        ({"joy": 0.6, "desire": 0.5}, "optimism"),
        ({"joy": 0.8, "desire": 0.2}, "joy"),
        ({"joy": 0.6, "anger": 0.55}, "joy"),
        ({"neutral": 0.9}, "neutral"),
    ],
)
def test_two_neighbours_of_like_strength_are_a_dyad(labels: dict[str, float], name: str) -> None:
    assert read(**labels).plutchik == name


def test_mixed_means_both_are_there_and_opposite() -> None:
    assert read(joy=0.6, sadness=0.5).mixed_emotions == ("joy", "sadness")
    assert read(joy=0.6, love=0.5).mixed_emotions == ()
    assert read(joy=0.9, sadness=0.1).mixed_emotions == ()
    assert read(joy=0.9, sadness=0.35).mixed_emotions == ()


def test_a_near_rival_costs_confidence() -> None:
    assert read(joy=0.8).confidence > read(joy=0.8, sadness=0.7).confidence


def test_sarcasm_lowers_the_confidence_and_flips_nothing() -> None:
    plain = read(joy=0.8)
    sarcastic = read_emotion("it is so", row(joy=0.8), CALIBRATION, sarcasm=0.9)
    assert (sarcastic.primary_emotion, sarcastic.sentiment, sarcastic.valence) == (
        plain.primary_emotion,
        plain.sentiment,
        plain.valence,
    )
    assert sarcastic.is_sarcastic
    assert sarcastic.sarcasm_confidence == pytest.approx(0.9)
    assert sarcastic.confidence < plain.confidence
    doubtful = read_emotion("it is so", row(joy=0.8), CALIBRATION, sarcasm=0.3)
    assert not doubtful.is_sarcastic
    assert doubtful.confidence == plain.confidence


def test_the_message_before_counts_as_far_as_the_calibration_says() -> None:
    now, before = row(neutral=0.5, sadness=0.3), row(sadness=0.95)
    deaf = read_emotion("", now, CALIBRATION, earlier=before)
    hearing = read_emotion("", now, CALIBRATION.model_copy(update={"context_weight": 0.3}), earlier=before)
    assert deaf.primary_emotion == "neutral"
    assert hearing.primary_emotion == "sadness"
    assert hearing.all_emotions["sadness"] > deaf.all_emotions["sadness"]


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_certain_probabilities_are_no_trouble(probability: float) -> None:
    reading = read_emotion("!", np.full(28, probability, dtype=np.float32), CALIBRATION)
    assert -1 <= reading.valence <= 1
    assert 0 <= reading.intensity <= 1
    assert 0 <= reading.confidence <= 1
