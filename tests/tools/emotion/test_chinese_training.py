"""Training of the Chinese classifier, on a task that a few hundred made-up texts settle."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the ml extra is not installed")
pytest.importorskip("jieba", reason="the ml extra is not installed")

from tools.emotion.chinese_classifier import ChineseClassifier, load_chinese, save_chinese
from tools.emotion.chinese_network import MAX_CHARS, UNKNOWN, Alphabet
from tools.emotion.chinese_training import LINEAR, Recipe, alphabet_of, balanced, train_chinese

SMALL = Recipe(linear=replace(LINEAR, least=1), filters=16, epochs=6, seeds=(0,))
FILLERS = "山水火木金土日月天地人风雨云雪花草虫鱼鸟"
LABELS = ("glad", "sorry", "plain")


def _texts(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts whose label is a pair of characters somewhere in them: 甲乙 is glad, 乙甲 is sorry, neither is plain."""
    rng = random.Random(seed)
    texts, rows = list[str](), list[int]()
    for number in range(count):
        filler = [rng.choice(FILLERS) for _ in range(rng.randint(3, 12))]
        filler.insert(rng.randrange(len(filler)), ("甲乙", "乙甲", "甲山乙")[number % 3])
        texts.append("".join(filler))
        rows.append(number % 3)
    return texts, np.eye(3, dtype=np.float32)[rows]


@pytest.fixture(scope="module")
def classifier() -> ChineseClassifier:
    return train_chinese(*_texts(600, 1), LABELS, SMALL)


def test_what_characters_say_together_is_learnt(classifier: ChineseClassifier) -> None:
    texts, targets = _texts(150, 2)
    right = classifier.log_probabilities(texts).argmax(axis=1) == targets.argmax(axis=1)
    assert right.mean() > 0.9


def test_the_network_learns_it_by_itself(classifier: ChineseClassifier) -> None:
    texts, targets = _texts(150, 2)
    scores = [classifier.networks[0].scores(classifier.alphabet.rows(text)) for text in texts]
    assert (np.argmax(scores, axis=1) == targets.argmax(axis=1)).mean() > 0.9


def test_the_same_texts_give_the_same_files(classifier: ChineseClassifier, tmp_path: Path) -> None:
    save_chinese(tmp_path / "one", classifier)
    save_chinese(tmp_path / "other", train_chinese(*_texts(600, 1), LABELS, SMALL))
    for name in ("weights.npz", "card.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_what_is_loaded_says_what_was_stored(classifier: ChineseClassifier, tmp_path: Path) -> None:
    save_chinese(tmp_path, classifier)
    texts, _ = _texts(30, 3)
    loaded = load_chinese(tmp_path)
    assert loaded.labels == LABELS
    np.testing.assert_allclose(loaded.log_probabilities(texts), classifier.log_probabilities(texts), atol=1e-2)


def test_probabilities_add_up_to_one(classifier: ChineseClassifier) -> None:
    texts = ["", "甲乙", "nothing known", "\ud83d", "乙甲" * 5000]
    np.testing.assert_allclose(np.exp(classifier.log_probabilities(texts)).sum(axis=1), 1, rtol=1e-4)
    assert classifier.log_probabilities([]).shape == (0, 3)


def test_rare_labels_count_more_the_more_balance_is_asked_for() -> None:
    targets = np.eye(2, dtype=np.float32)[[0] * 90 + [1] * 10]
    even, half, full = (balanced(targets, replace(SMALL, balance=balance)) for balance in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(even, 1)
    assert half[-1] / half[0] == pytest.approx(3)
    assert full[-1] / full[0] == pytest.approx(9)


def test_unknown_characters_have_a_row_of_their_own_and_long_texts_keep_both_ends() -> None:
    alphabet = alphabet_of(["甲乙甲乙丙"], 10)
    assert alphabet.rows("甲丙乙").tolist() == [alphabet.rows("甲")[0], UNKNOWN, alphabet.rows("乙")[0]]
    long = alphabet.rows("甲" + "丙" * 900 + "乙")
    assert len(long) <= MAX_CHARS
    assert (long[0], long[-1]) == (alphabet.rows("甲")[0], alphabet.rows("乙")[0])
    assert Alphabet(np.empty(0, dtype=np.uint32)).rows("甲").tolist() == [UNKNOWN]
