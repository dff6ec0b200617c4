"""Training, scoring and storing a linear text classifier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tools.errors import NotAvailable
from tools.models.packed import load_packed, save_packed
from tools.models.text_classifier.classifier import LinearTextClassifier
from tools.models.text_classifier.ngrams import CHINESE, ENGLISH
from tools.models.text_classifier.stored import load_classifier, save_classifier
from tools.models.text_classifier.training import Recipe, one_hot, train
from tools.models.text_classifier.vocabulary import vocabulary_of

TEXTS = [
    f"{verb} the {thing}{end}"
    for verb in ("open", "close", "paint")
    for thing in ("door", "window", "gate", "lid", "box")
    for end in ("", " now", " please")
]
LABELS = ("open", "close", "paint")
NUMBERS = [LABELS.index(text.split()[0]) for text in TEXTS]  # type: ignore[arg-type]
RECIPE = Recipe(ENGLISH, l2=1e-4)


@pytest.fixture(scope="module")
def trained() -> LinearTextClassifier:
    return train(TEXTS, one_hot(NUMBERS, 3), LABELS, RECIPE, card={"what": "a test"})


def told(classifier: LinearTextClassifier, text: str) -> str:
    return classifier.labels[int(classifier.probabilities([text]).argmax())]


def test_what_tells_the_labels_apart_is_learned(trained: LinearTextClassifier) -> None:
    assert told(trained, "would you close that cupboard?") == "close"
    assert told(trained, "PAINT") == "paint"


def test_softmax_probabilities_add_up_to_one(trained: LinearTextClassifier) -> None:
    found = trained.probabilities(["open it", "", "😀", "x" * 100_000, "\ud83d"])
    assert found.shape == (5, 3)
    assert found.sum(axis=1) == pytest.approx(1)
    assert trained.probabilities([]).shape == (0, 3)


def test_a_text_of_unknown_ngrams_gets_the_prior(trained: LinearTextClassifier) -> None:
    assert trained.probabilities(["好"])[0] == pytest.approx(1 / 3, abs=0.05)


def test_labels_that_hold_for_themselves_are_told_together() -> None:
    texts = ["要茶", "要咖啡", "要茶和咖啡", "什么都不要"] * 5
    targets = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 5, dtype=np.float32)
    both = train(texts, targets, ("tea", "coffee"), Recipe(CHINESE, link="sigmoid", l2=1e-4))
    found = both.probabilities(["要茶和咖啡！", "都不要"]) > 0.5
    assert found.tolist() == [[True, True], [False, False]]


def test_the_same_input_gives_the_same_weights(trained: LinearTextClassifier) -> None:
    again = train(TEXTS, one_hot(NUMBERS, 3), LABELS, RECIPE)
    assert (again.matrix == trained.matrix).all()
    assert (again.bias == trained.bias).all()


def test_the_gradient_leads_to_the_least_loss() -> None:
    # With equal texts the best probabilities are the shares of the labels, whatever the start.
    texts, targets = ["same"] * 4, one_hot([0, 0, 0, 1], 2)
    found = train(texts, targets, ("a", "b"), Recipe(ENGLISH, l2=1e-6)).probabilities(["same"])
    assert found[0] == pytest.approx([0.75, 0.25], abs=0.01)


def test_weights_of_texts_count_like_repetitions() -> None:
    weights = np.array([3, 1], dtype=np.float32)
    found = train(["same", "same"], one_hot([0, 1], 2), ("a", "b"), Recipe(ENGLISH, l2=1e-6), weights=weights)
    assert found.probabilities(["same"])[0] == pytest.approx([0.75, 0.25], abs=0.01)


def test_vectors_tell_what_words_do_not() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    vectors[:, 5] = 0.25  # a dimension that never changes
    numbers = (vectors[:, 2] > 0).astype(int).tolist()
    found = train(["same"] * 60, one_hot(numbers, 2), ("a", "b"), Recipe(ENGLISH, l2=1e-4), vectors)
    assert (found.probabilities(["same"] * 60, vectors).argmax(axis=1) == numbers).mean() > 0.95
    with pytest.raises(ValueError, match="vectors"):
        found.probabilities(["same"])


def test_a_classifier_without_vectors_takes_none(trained: LinearTextClassifier) -> None:
    with pytest.raises(ValueError, match="vectors"):
        trained.probabilities(["open"], np.zeros((1, 8), dtype=np.float32))


def test_eight_bits_change_no_probability_by_more_than_a_hundredth(trained: LinearTextClassifier) -> None:
    coarse = replace(trained, scales=trained.scales * 1.004)
    assert np.abs(coarse.probabilities(TEXTS) - trained.probabilities(TEXTS)).max() < 0.01
    assert np.abs(trained.matrix).max() == 127


def test_a_stored_classifier_says_the_same(trained: LinearTextClassifier, tmp_path: Path) -> None:
    save_classifier(tmp_path, trained)
    loaded = load_classifier(tmp_path)
    assert loaded.probabilities(TEXTS) == pytest.approx(trained.probabilities(TEXTS), abs=0.002)
    assert loaded.card["what"] == "a test"
    assert loaded.labels == LABELS


def test_one_with_vectors_is_stored_too(tmp_path: Path) -> None:
    vectors = np.eye(2, dtype=np.float32)[[0, 1] * 5]
    made = train(["same"] * 10, one_hot([0, 1] * 5, 2), ("a", "b"), Recipe(ENGLISH), vectors)
    save_classifier(tmp_path, made)
    again = load_classifier(tmp_path)
    assert again.probabilities(["same"] * 10, vectors) == pytest.approx(
        made.probabilities(["same"] * 10, vectors), abs=0.002
    )


@pytest.mark.parametrize("change", [{"format": 0}, {"link": "other"}, {"ngrams": 3}, {"labels": ["one"]}])
def test_a_foreign_file_is_not_available(
    trained: LinearTextClassifier, tmp_path: Path, change: dict[str, object]
) -> None:
    save_classifier(tmp_path, trained)
    arrays, card = load_packed(tmp_path, "test")
    save_packed(tmp_path, arrays, {**card, **change})
    with pytest.raises(NotAvailable, match="cannot read"):
        load_classifier(tmp_path)


def test_weights_of_something_else_are_not_available(tmp_path: Path) -> None:
    save_packed(tmp_path, {"table": np.zeros(3)}, {"what": "a tagger"})
    with pytest.raises(NotAvailable):
        load_classifier(tmp_path)


def test_rare_ngrams_fall_out_and_the_frequent_are_kept() -> None:
    everything = vocabulary_of([*TEXTS, "seldom said"], ENGLISH, least=1)
    shared = vocabulary_of(TEXTS, ENGLISH, least=2)
    few = vocabulary_of(TEXTS, ENGLISH, least=1, most=20)
    assert len(everything.hashes) > len(shared.hashes) > len(few.hashes) > 0
    assert set(few.hashes.tolist()) <= set(shared.hashes.tolist())


def test_each_block_of_a_text_has_unit_length() -> None:
    vocabulary = vocabulary_of(TEXTS, ENGLISH)
    rows, values = vocabulary.weigh(TEXTS[0])
    words = (vocabulary.hashes[rows] & np.uint64(1)) == 1
    assert np.linalg.norm(values[words]) == pytest.approx(1)
    assert np.linalg.norm(values[~words]) == pytest.approx(1)
