from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
transformers = pytest.importorskip("transformers", reason="needs the ml extra: pip install 'zhiyin[ml]'")

from tools.models.mean_pooled_bert import (  # noqa: E402
    MeanPooledBertConfig,
    MeanPooledBertForSequenceClassification,
)


@pytest.fixture
def model() -> MeanPooledBertForSequenceClassification:
    torch.manual_seed(3)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    return MeanPooledBertForSequenceClassification(MeanPooledBertConfig(vocab_size=50, num_labels=3, **sizes)).eval()


def test_padding_counts_for_nothing(model: MeanPooledBertForSequenceClassification) -> None:
    short = torch.tensor([[5, 6, 7]])
    filled = torch.tensor([[5, 6, 7, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 0, 0]])
    with torch.inference_mode():
        torch.testing.assert_close(model(filled, mask).logits, model(short).logits, rtol=1e-5, atol=1e-5)


def test_every_token_counts(model: MeanPooledBertForSequenceClassification) -> None:
    hidden = model.bert(input_ids=torch.tensor([[5, 6, 7]])).last_hidden_state
    expected = model.classifier(hidden.mean(1))
    torch.testing.assert_close(model(torch.tensor([[5, 6, 7]])).logits, expected, rtol=1e-5, atol=1e-5)


def test_the_loss_is_that_of_labels_that_hold_each_for_itself(model: MeanPooledBertForSequenceClassification) -> None:
    labels = torch.tensor([[1.0, 0.0, 1.0]])
    found = model(torch.tensor([[5, 6, 7]]), labels=labels)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(found.logits, labels)
    torch.testing.assert_close(found.loss, expected)


def test_the_auto_classes_load_it_as_what_it_is(model: MeanPooledBertForSequenceClassification, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    loaded = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert isinstance(loaded, MeanPooledBertForSequenceClassification)
    torch.testing.assert_close(loaded.classifier.weight, model.classifier.weight)
