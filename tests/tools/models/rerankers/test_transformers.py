"""A cross-encoder from a folder, on a tiny model made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.errors import NotAvailable, StoreUnavailable
from tools.models.rerankers.open import open_reranker
from tools.models.rerankers.settings import RerankerSettings
from tools.models.rerankers.transformers import TransformersReranker

torch = pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
transformers = pytest.importorskip("transformers", reason="needs the ml extra: pip install 'zhiyin[ml]'")

WORDS = ("who", "built", "the", "harbour", "ada", "merrow", "tea", "is", "green", "龙", "井", "茶")


def _model(outputs: int) -> Any:
    config = transformers.BertConfig(
        vocab_size=len(WORDS) + 5, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=66, num_labels=outputs,
    )  # fmt: skip
    torch.manual_seed(3)
    return transformers.BertForSequenceClassification(config).eval()


@pytest.fixture(params=[1, 2])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A random BERT with one output, and one with two."""
    vocabulary = {word: number for number, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS))}
    transformers.BertTokenizer(vocab=vocabulary).save_pretrained(tmp_path)
    _model(request.param).save_pretrained(tmp_path)
    return tmp_path


def _by_hand(folder: Path, question: str, text: str) -> float:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    pair = transformers.AutoTokenizer.from_pretrained(folder)(question, text, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**pair).logits[0]
    return float(torch.sigmoid(logits[0] if len(logits) == 1 else logits[1] - logits[0]))


async def test_scores_are_the_models_own_whatever_stands_beside_a_text(folder: Path) -> None:
    reranker = TransformersReranker(folder)
    texts = ["ada merrow built the harbour", "tea", "龙井茶 is green tea"] * 5
    scores = await reranker.score("who built the harbour", texts)
    assert scores == pytest.approx(
        [_by_hand(folder, "who built the harbour", text) for text in texts[:3]] * 5, abs=1e-5
    )
    assert all(0 < score < 1 for score in scores)
    assert await reranker.score("who", []) == []
    await reranker.close()


async def test_a_text_longer_than_the_model_takes_is_cut(folder: Path) -> None:
    reranker = TransformersReranker(folder)
    (score,) = await reranker.score("who built the harbour", ["the harbour " * 100_000])
    assert 0 < score < 1
    await reranker.close()


async def test_a_closed_reranker_says_so(folder: Path) -> None:
    reranker = TransformersReranker(folder)
    await reranker.close()
    with pytest.raises(StoreUnavailable):
        await reranker.score("who", ["ada"])


async def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable):
        open_reranker(RerankerSettings(reranker_path=tmp_path))
    (tmp_path / "config.json").write_text("{}")
    reranker = open_reranker(RerankerSettings(reranker_path=tmp_path))
    assert reranker is not None
    with pytest.raises(NotAvailable):
        await reranker.score("who", ["ada"])
    await reranker.close()


def test_without_a_path_there_is_no_reranker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_reranker(RerankerSettings()) is None
    monkeypatch.setenv("RERANKER_PATH", " ")
    assert open_reranker(RerankerSettings()) is None
