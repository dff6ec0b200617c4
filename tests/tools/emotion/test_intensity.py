from __future__ import annotations

import numpy as np
import pytest

from tools.emotion.intensity import emphasis, intensity_of
from tools.emotion.labels import LABELS
from tools.emotion.protocol import Probabilities


def row(**probabilities: float) -> Probabilities:
    return np.array([probabilities.get(label, 0.01) for label in LABELS], dtype=np.float32)


def test_a_stronger_label_is_more_intense() -> None:
    plain = "that is how it is"
    levels = [intensity_of(plain, row(**{label: 0.8})) for label in ("neutral", "annoyance", "anger")]
    assert levels == sorted(levels)
    assert levels[-1] - levels[0] > 0.3


@pytest.mark.parametrize(
    ("plain", "loud"),
    [
        ("I am happy.", "I am happy!"),
        ("I am happy!", "I am happy!!!"),
        ("I am happy.", "I am HAPPY."),
        ("I am happy.", "I am very happy."),
        ("I am happy.", "I am happyyyy."),
        ("I am happy.", "I am happy. 🎉"),
        ("我很高興。", "我很高興！"),
        ("我高兴。", "我非常高兴。"),
        ("哈", "哈哈哈"),
    ],
)
def test_loud_writing_is_more_intense(plain: str, loud: str) -> None:
    felt = row(joy=0.6)
    assert intensity_of(loud, felt) > intensity_of(plain, felt)


@pytest.mark.parametrize(("plain", "quiet"), [("I am happy.", "I am slightly happy."), ("我难过。", "我有点难过。")])
def test_toned_down_writing_is_less_intense(plain: str, quiet: str) -> None:
    assert intensity_of(quiet, row(joy=0.6)) < intensity_of(plain, row(joy=0.6))


def test_signs_of_one_kind_add_only_so_much() -> None:
    assert emphasis("!" * 1000) == emphasis("!!!")
    assert emphasis("") == emphasis("   ") == emphasis("\u200b") == 0.0


def test_words_that_hold_an_intensifier_are_none() -> None:
    assert emphasis("a sober quitter") == 0.0


def test_a_hundred_thousand_characters_are_no_trouble() -> None:
    assert 0 <= intensity_of("WOW! " * 20_000, row(joy=0.9)) <= 1
