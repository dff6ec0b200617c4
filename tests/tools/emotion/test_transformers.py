from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tools.emotion.tiny import SENTENCES, make_bert
from tools.emotion.labels import LABELS
from tools.emotion.transformers import TransformersEmotions
from tools.errors import NotAvailable

torch = pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
transformers = pytest.importorskip("transformers", reason="needs the ml extra: pip install 'zhiyin[ml]'")


@pytest.fixture(scope="module")
def made_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random classifier of the 28 labels, which it has in an order of its own and in capitals."""
    folder = make_bert(tmp_path_factory.mktemp("models") / "tiny-bert")
    names = {place: label.upper() for place, label in enumerate(reversed(LABELS))}
    torch.manual_seed(1)
    config = transformers.BertConfig.from_pretrained(folder, id2label=names)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(made_classifier: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made_classifier, tmp_path / "model"))


async def _probabilities(folder: Path, *texts: str) -> np.ndarray:
    model = TransformersEmotions(folder)
    try:
        return await model.probabilities(texts)
    finally:
        await model.close()


async def test_its_rows_are_in_the_order_of_our_labels(folder: Path) -> None:
    text = SENTENCES["joy"][0]
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        logits = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()(**tokens).logits[0]
    (row,) = await _probabilities(folder, text)
    np.testing.assert_allclose(row, torch.sigmoid(logits).numpy()[::-1], atol=1e-5)


async def test_texts_of_any_length_share_a_run(folder: Path) -> None:
    texts = ["", "happy", SENTENCES["joy"][1], "sea " * 50_000, "\ud800 \u200b 🎉"]
    rows = await _probabilities(folder, *texts)
    assert rows.shape == (5, 28)
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows[1], (await _probabilities(folder, "happy"))[0], atol=1e-5)


def test_a_model_with_other_labels_is_refused_by_name(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["id2label"]["3"] = "boredom"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(NotAvailable, match=LABELS[24]):
        TransformersEmotions(folder)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"id2label": 3}'])
def test_a_folder_without_a_classifier_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(NotAvailable):
        TransformersEmotions(tmp_path)


async def test_missing_weights_are_not_available(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(NotAvailable):
        await _probabilities(folder, "a")


def test_without_the_extra_the_cure_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NotAvailable, match=r"zhiyin\[ml\]"):
        TransformersEmotions(folder)
