from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from tests.tools.compression.parts import LABELS, logits_of_network, some_tokens
from tools.compression.folder import load_classifier, save_classifier
from tools.errors import InvalidInput


def changed(model: Path, folder: Path, **entries: Any) -> Path:
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | entries))
    return folder


def test_what_is_saved_is_read_again(model: Path, tmp_path: Path) -> None:
    classifier, tokens = some_tokens(model)
    save_classifier(classifier, tmp_path)
    again = load_classifier(tmp_path)
    assert again.labels == LABELS
    assert again.multi_label is True
    assert np.array_equal(logits_of_network(again.network, tokens), logits_of_network(classifier.network, tokens))
    assert (
        Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode("the night").ids
        == again.tokens(["the night"], 64)[0]
    )


def test_texts_are_cut_at_the_limit_and_at_the_models_own(model: Path) -> None:
    classifier, _ = some_tokens(model)
    long = "the night " * 100
    assert len(classifier.tokens([long], 10)[0]) == 10
    assert len(classifier.tokens([long], 1000)[0]) == 62


def test_a_config_that_does_not_say_how_many_labels_hold_leaves_it_open(model: Path, tmp_path: Path) -> None:
    assert load_classifier(changed(model, tmp_path / "m", problem_type=None)).multi_label is None


def break_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\0" * 64)


def only_pickles(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def no_head(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def no_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


@pytest.mark.parametrize(
    ("entries", "breaking", "told"),
    [
        ({}, lambda folder: (folder / "config.json").unlink(), "no config.json"),
        ({}, lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
        ({"model_type": "unheard-of"}, lambda _: None, "cannot be read"),
        ({"problem_type": "regression"}, lambda _: None, "does not choose among labels"),
        ({}, break_weights, "cannot be loaded"),
        ({"intermediate_size": 32}, lambda _: None, "cannot be loaded"),
        ({"kept_attention_heads": 2}, lambda _: None, "cannot be loaded"),
        ({}, only_pickles, "no safetensors"),
        ({}, no_head, "lacks trained weights, such as 'classifier"),
        ({}, no_tokenizer, "no tokenizer"),
    ],
)
def test_what_is_no_trained_classifier_is_refused(
    entries: dict[str, Any], breaking: Callable[[Path], object], told: str, model: Path, tmp_path: Path
) -> None:
    folder = changed(model, tmp_path / "m", **entries)
    breaking(folder)
    with pytest.raises(InvalidInput, match=told):
        load_classifier(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a model folder"):
        load_classifier(tmp_path / "none")
