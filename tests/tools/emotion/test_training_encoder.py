from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tools.emotion.tiny import make_bert, make_sets
from tools.emotion.labels import LABELS
from tools.emotion.training_data import Labelled, goemotions

torch = pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
transformers = pytest.importorskip("transformers", reason="needs the ml extra: pip install 'zhiyin[ml]'")

from safetensors.torch import load_file  # noqa: E402

from tools.emotion import training_encoder  # noqa: E402
from tools.emotion.training_encoder import Recipe, batches, fine_tune  # noqa: E402

RECIPE = Recipe(epochs=10, batch=4, rate=4e-3, head_rate=3e-2)


class _Killed(Exception):
    pass


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("base") / "tiny-bert")


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    return goemotions(make_sets(tmp_path_factory.mktemp("data")), "train")


@pytest.fixture(scope="module")
def trained(base: Path, train: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fine_tune(base, train, RECIPE, tmp_path_factory.mktemp("work"), "cpu")


def test_it_learns_the_labels_and_any_transformers_code_can_load_it(trained: Path, train: Labelled) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(trained).eval()
    assert tuple(model.config.id2label.values()) == LABELS
    assert model.config.problem_type == "multi_label_classification"
    with torch.inference_mode():
        logits = model(**tokenizer(list(train.texts), padding=True, return_tensors="pt")).logits
    right = train.targets[np.arange(len(train.texts)), logits.argmax(1).numpy()]
    assert right.mean() > 0.9


def test_the_embedding_tables_stay_as_they_were(base: Path, trained: Path) -> None:
    before, after = load_file(base / "model.safetensors"), load_file(trained / "model.safetensors")
    for name, weight in before.items():
        if name.startswith("embeddings."):
            torch.testing.assert_close(after[f"bert.{name}"], weight, rtol=0, atol=0)
    name = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(after[f"bert.{name}"], before[name])


def test_a_run_that_is_killed_ends_where_an_unbroken_one_does(
    base: Path, train: Labelled, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_encoder, "CHECKPOINT_STEPS", 7)
    save = training_encoder._Run._save

    def save_and_die(run: training_encoder._Run) -> None:
        save(run)
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(training_encoder._Run, "_save", save_and_die)
        for _ in range(3):
            with pytest.raises(_Killed):
                fine_tune(base, train, RECIPE, tmp_path, "cpu")
    again = load_file(fine_tune(base, train, RECIPE, tmp_path, "cpu") / "model.safetensors")
    for name, weight in load_file(trained / "model.safetensors").items():
        torch.testing.assert_close(again[name], weight, rtol=1e-4, atol=1e-5)
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_of_other_data_is_not_taken_up(
    base: Path, train: Labelled, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_encoder, "CHECKPOINT_STEPS", 7)
    with monkeypatch.context() as patched:
        patched.setattr(training_encoder.Path, "rename", _refuse)
        with pytest.raises(_Killed):
            fine_tune(base, Labelled(train.texts[::-1], train.targets), RECIPE, tmp_path, "cpu")
    found = load_file(fine_tune(base, train, RECIPE, tmp_path, "cpu") / "model.safetensors")
    torch.testing.assert_close(found, load_file(trained / "model.safetensors"), rtol=1e-4, atol=1e-5)


def _refuse(path: Path, target: Path) -> None:
    raise _Killed


def test_an_epoch_holds_each_example_once_in_batches_of_like_length() -> None:
    lengths = [3 + place % 17 for place in range(1000)]
    found = batches(lengths, 8, seed=1)
    assert sorted(place for batch in found for place in batch) == list(range(1000))
    spread = [max(lengths[place] for place in batch) - min(lengths[place] for place in batch) for batch in found]
    assert sorted(spread)[len(spread) // 2] <= 1
    assert found != batches(lengths, 8, seed=2)
    assert found == batches(lengths, 8, seed=1)
