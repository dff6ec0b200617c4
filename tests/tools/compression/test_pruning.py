from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, DistilBertConfig, DistilBertForSequenceClassification

from tests.tools.compression.parts import logits_of_network, small_network, some_tokens
from tools.compression.folder import Classifier, load_classifier, save_classifier
from tools.compression.layers import head_size, layers_of, layout_of
from tools.compression.pruning import Importance, importance_of, pruned, silence
from tools.errors import InvalidInput

TOKENS = [[1, 5, 9, 13, 2], [1, 7, 2], [1, 30, 31, 32, 33, 34, 35, 2]]


def random_importance(network: Any, seed: int = 0) -> Importance:
    torch.manual_seed(seed)
    layers, heads = network.config.num_hidden_layers, network.config.num_attention_heads
    return Importance(torch.rand(layers, heads), torch.rand(layers, 64))


@pytest.mark.parametrize(("heads", "ffn"), [(0.0, 0.5), (0.5, 0.0), (0.25, 0.75)])
def test_the_shrunk_model_is_the_model_with_those_units_silent(heads: float, ffn: float) -> None:
    network = small_network(multi=True)
    importance = random_importance(network)
    smaller = pruned(network, importance, heads=heads, ffn=ffn)
    layout = layout_of(network)
    for layer in range(2):
        for unit in importance.heads[layer].argsort()[: round(4 * heads)].tolist():
            silence(network, layout.heads, layer, unit, head_size(network))
        for unit in importance.neurons[layer].argsort()[: round(64 * ffn)].tolist():
            silence(network, layout.ffn, layer, unit, 1)
    assert np.allclose(logits_of_network(smaller, TOKENS), logits_of_network(network, TOKENS), atol=1e-5)


def test_weights_shrink_and_the_config_says_so() -> None:
    smaller = pruned(small_network(multi=True), random_importance(small_network(multi=True)), heads=0.5, ffn=0.75)
    for layer in layers_of(smaller):
        assert layer.get_submodule("attention.self.query").weight.shape == (16, 32)
        assert layer.get_submodule("attention.self.value").bias.shape == (16,)
        assert layer.get_submodule("attention.output.dense").weight.shape == (32, 16)
        assert layer.get_submodule("intermediate.dense").weight.shape == (16, 32)
        assert layer.get_submodule("output.dense").weight.shape == (32, 16)
    assert smaller.config.kept_attention_heads == 2
    assert smaller.config.intermediate_size == 16


def test_the_model_that_is_pruned_stays_as_it_was() -> None:
    network = small_network(multi=True)
    before = logits_of_network(network, TOKENS)
    pruned(network, random_importance(network), heads=0.5, ffn=0.5)
    assert np.array_equal(before, logits_of_network(network, TOKENS))


def test_a_pruned_model_is_stored_and_read_again(model: Path, tmp_path: Path) -> None:
    classifier, tokens = some_tokens(model)
    smaller = pruned(classifier.network, random_importance(classifier.network), heads=0.5, ffn=0.5)
    save_classifier(Classifier(smaller, classifier.tokenizer, classifier.labels, True), tmp_path / "smaller")
    again = load_classifier(tmp_path / "smaller")
    assert np.array_equal(logits_of_network(again.network, tokens), logits_of_network(smaller, tokens))


def test_without_neurons_alone_plain_transformers_reads_it(model: Path, tmp_path: Path) -> None:
    classifier, tokens = some_tokens(model)
    smaller = pruned(classifier.network, random_importance(classifier.network), heads=0.0, ffn=0.5)
    save_classifier(Classifier(smaller, classifier.tokenizer, classifier.labels, True), tmp_path)
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert np.allclose(logits_of_network(plain, tokens), logits_of_network(smaller, tokens), atol=1e-6)
    assert "kept_attention_heads" not in json.loads((tmp_path / "config.json").read_text())


def test_a_unit_that_does_nothing_matters_least() -> None:
    network = small_network(multi=True)
    layout = layout_of(network)
    silence(network, layout.heads, 1, 2, head_size(network))
    silence(network, layout.ffn, 0, 11, 1)

    def loss_of(judged: Any, chosen: Any) -> torch.Tensor:
        return judged(torch.tensor([TOKENS[chosen[0]]])).logits.square().sum()

    found = importance_of(network, loss_of, len(TOKENS))
    assert found.heads[1].argmin() == 2
    assert found.heads[1, 2] == 0
    assert found.neurons[0, 11] == 0
    assert (found.neurons[1] > 0).all()


def test_importance_foretells_what_a_small_change_does() -> None:
    network = small_network(multi=True)
    reader: Any = layers_of(network)[0].get_submodule("output.dense")

    def loss_of(judged: Any, _chosen: Any) -> torch.Tensor:
        return judged(torch.tensor([TOKENS[0]])).logits.square().sum()

    found = importance_of(network, loss_of, 1).neurons[0]
    with torch.no_grad():
        before = loss_of(network, [0]).item()
        unit = int(found.argmax())
        reader.weight[:, unit] *= 1 - 1e-3
        after = loss_of(network, [0]).item()
    assert abs(after - before) / 1e-3 == pytest.approx(found[unit].item(), rel=0.05)


def test_distilbert_is_taken_apart_as_well() -> None:
    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=200, dim=32, n_layers=2, n_heads=4, hidden_dim=64, num_labels=4)
    network = DistilBertForSequenceClassification(config).eval()
    smaller = pruned(network, random_importance(network), heads=0.5, ffn=0.5)
    assert smaller.config.hidden_dim == 32
    assert logits_of_network(smaller, TOKENS).shape == (3, 4)


def test_taking_everything_is_refused() -> None:
    network = small_network(multi=True)
    with pytest.raises(InvalidInput, match="heads"):
        pruned(network, random_importance(network), heads=0.9, ffn=0.0)


def test_a_share_too_small_to_take_anything_is_refused() -> None:
    network = small_network(multi=True)
    with pytest.raises(InvalidInput, match="heads"):
        pruned(network, random_importance(network), heads=0.05, ffn=0.0)
