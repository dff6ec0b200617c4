"""The network means in numpy what it meant where it was trained, and its files are checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tools.errors import NotAvailable
from tools.knowledge.extraction.artefact import Artefact, load, save
from tools.knowledge.extraction.features import Layout, chinese_ids, english_ids
from tools.knowledge.extraction.lexicon import build_lexicon
from tools.knowledge.extraction.network import Network
from tools.knowledge.extraction.protocol import ENTITY_TYPES
from tools.knowledge.extraction.student import Recipe, Student, joined, smoothed, train_student
from tools.knowledge.extraction.tagger import Tagger, open_tagger
from tools.knowledge.extraction.tagset import LABELS
from tools.knowledge.extraction.tokens import tokenise

NAMES = ["Anna", "Berta", "Clara", "Dora", "Emma", "Frida"]
PLACES = ["Rome", "Paris", "Oslo", "Lima", "Kyiv", "Bern"]
LAYOUT = Layout("en", {word.lower(): row for row, word in enumerate([*NAMES, *PLACES, "met", "in"], 1)})


def small_student(epochs: int = 6) -> Student:
    """Knows that who is met is a person and that `in` is followed by a place."""
    examples = []
    for one, other, place in zip(NAMES, NAMES[1:] + NAMES[:1], PLACES, strict=True):
        words = [one, "met", other, "in", place, "."]
        ids = np.array([[*english_ids(word, LAYOUT), 0] for word in words])
        examples.append((ids, smoothed([1, 0, 1, 0, 5, 0], len(LABELS))))
    recipe = Recipe(width=16, hidden=24, epochs=epochs, batch=2, drop=0.0, rate=1e-2, average_from=0.9)
    return train_student(Student(LAYOUT.rows, len(LABELS), recipe), lambda epoch: examples * 5)


def artefact_of(student: Student) -> Artefact:
    table = student.table.weight.detach().numpy()
    scale = float(np.abs(table).max() / 127)
    layers = [*student.layers, student.out]
    network = Network(
        [layer.weight.detach().numpy().T.copy() for layer in layers], [layer.bias.detach().numpy() for layer in layers]
    )
    card = {"types": list(ENTITY_TYPES), "calibration": {"slope": 1.0, "offsets": [0.0] * 10}}
    return Artefact(LAYOUT, build_lexicon({}), np.round(table / scale).astype(np.int8), scale, network, card)


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    return artefact_of(small_student())


def test_it_finds_what_it_was_taught(artefact: Artefact) -> None:
    text = "Emma met Anna in Lima."
    tokens = tokenise(text, "en")
    found = [(tokens[tag.first].text, tag.type) for tag in Tagger(artefact).tag(tokens, text)]
    assert found == [("Emma", "person"), ("Anna", "person"), ("Lima", "location")]


def test_numpy_and_torch_give_the_same_scores() -> None:
    student = small_student(epochs=1)
    sentences = [["Anna", "met", "Rome", "."], ["in"], ["Oslo", "in", "met"]]
    rows = [np.array([[*english_ids(word, LAYOUT), 0] for word in words]) for words in sentences]
    ids, mask, _ = joined([(part, np.zeros((len(part), len(LABELS)), dtype=np.float32)) for part in rows])
    with torch.inference_mode():
        expected = torch.log_softmax(student(ids, mask), dim=1).numpy()[mask[:, 0].numpy() > 0]
        vectors = student.table(torch.from_numpy(np.concatenate(rows))).sum(1).numpy()
    found = artefact_of(student).network.scores(vectors, [len(words) for words in sentences])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_stands_in_another_sentence_changes_nothing(artefact: Artefact) -> None:
    tagger = Tagger(artefact)
    first, second = tokenise("Anna met Berta.", "en"), tokenise("Clara met Dora in Bern.", "en")
    together = tagger.scores([first, second])
    np.testing.assert_allclose(together[: len(first)], tagger.scores([first]), atol=1e-4)
    np.testing.assert_allclose(together[len(first) :], tagger.scores([second]), atol=1e-4)


def test_an_artefact_is_read_as_it_was_written(artefact: Artefact, tmp_path: Path) -> None:
    save(tmp_path, artefact)
    first = (tmp_path / "weights.npz").read_bytes()
    text = "Dora met Frida in Oslo."
    tokens = tokenise(text, "en")
    assert open_tagger(tmp_path).tag(tokens, text)[0][:3] == Tagger(artefact).tag(tokens, text)[0][:3]
    save(tmp_path, load(tmp_path))
    assert (tmp_path / "weights.npz").read_bytes() == first


@pytest.mark.parametrize("harm", ["weights.npz", "card.json"])
def test_changed_or_missing_files_are_refused(artefact: Artefact, tmp_path: Path, harm: str) -> None:
    save(tmp_path, artefact)
    if harm == "card.json":
        (tmp_path / harm).unlink()
    else:
        (tmp_path / harm).write_bytes((tmp_path / harm).read_bytes() + b"x")
    with pytest.raises(NotAvailable):
        open_tagger(tmp_path)
    assert "pickle" not in json.dumps(artefact.card)


def test_chinese_features_of_a_passage_are_those_of_its_sentences() -> None:
    layout, lexicon = Layout("zh", {"北": 1, "京": 2}), build_lexicon({"北京": 2})
    first, second = tokenise("他在北京。", "zh"), tokenise("IBM在北京。", "zh")
    together = chinese_ids([*first, *second], layout, lexicon, [0, len(first)])
    apart = [chinese_ids(first, layout, lexicon), chinese_ids(second, layout, lexicon)]
    np.testing.assert_array_equal(together, np.concatenate(apart))
