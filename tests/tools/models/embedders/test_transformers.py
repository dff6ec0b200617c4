from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contracts.embedder import SENTENCES, EmbedderContract
from tools.errors import NotAvailable
from tools.models.embedders.layout import read_layout
from tools.models.embedders.onnx import OnnxEmbedder
from tools.models.embedders.open import open_embedder
from tools.models.embedders.settings import EmbedderSettings
from tools.models.embedders.transformers import TransformersEmbedder

torch = pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
transformers = pytest.importorskip("transformers", reason="needs the ml extra: pip install 'zhiyin[ml]'")


def _train_tokenizer(folder: Path) -> int:
    """A WordPiece tokenizer of the contract's own sentences; gives the size of its vocabulary."""
    from tokenizers import BertWordPieceTokenizer

    trained = BertWordPieceTokenizer()
    trained.train_from_iterator(list(SENTENCES) * 4, vocab_size=300, min_frequency=1, show_progress=False)
    transformers.BertTokenizer(vocab=trained.get_vocab()).save_pretrained(folder)
    return trained.get_vocab_size()


@pytest.fixture(scope="module")
def made_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers in the sentence-transformers layout, with `cls` pooling as BGE-M3 has."""
    folder = tmp_path_factory.mktemp("encoders") / "tiny-bert"
    folder.mkdir()
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=_train_tokenizer(folder),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=66,
    )
    transformers.BertModel(config).save_pretrained(folder)
    parts = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for kind, path in parts.items()]
    (folder / "modules.json").write_text(json.dumps(modules))
    _set_pooling(folder, pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    return folder


@pytest.fixture
def folder(made_encoder: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(made_encoder, tmp_path / "tiny-bert")
    return tmp_path / "tiny-bert"


def _set_pooling(folder: Path, **options: Any) -> None:
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 32, **options}))


async def _embed(folder: Path, *texts: str) -> np.ndarray:
    embedder = TransformersEmbedder(folder)
    try:
        return await embedder.embed(texts)
    finally:
        await embedder.close()


def _hidden(folder: Path, text: str) -> torch.Tensor:
    """The last layer by transformers alone: (tokens, 32)."""
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        return transformers.AutoModel.from_pretrained(folder)(**tokens).last_hidden_state[0]


class TestTransformersEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, made_encoder: Path) -> Iterator[TransformersEmbedder]:
        opened = TransformersEmbedder(made_encoder)
        yield opened
        asyncio.run(opened.close())


async def test_cls_pooling_takes_the_first_token(folder: Path) -> None:
    expected = torch.nn.functional.normalize(_hidden(folder, SENTENCES[0])[0], dim=0).numpy()
    np.testing.assert_allclose((await _embed(folder, *SENTENCES))[0], expected, atol=1e-5)


async def test_mean_pooling_leaves_the_padding_out(folder: Path) -> None:
    _set_pooling(folder, pooling_mode_cls_token=False, pooling_mode_mean_tokens=True)
    expected = torch.nn.functional.normalize(_hidden(folder, SENTENCES[0]).mean(0), dim=0).numpy()
    np.testing.assert_allclose((await _embed(folder, *SENTENCES))[0], expected, atol=1e-5)


async def test_a_bare_transformer_is_mean_pooled(folder: Path) -> None:
    (folder / "modules.json").unlink()
    expected = torch.nn.functional.normalize(_hidden(folder, SENTENCES[1]).mean(0), dim=0).numpy()
    np.testing.assert_allclose((await _embed(folder, SENTENCES[1]))[0], expected, atol=1e-5)


def test_the_newer_name_of_the_pooling_is_understood(folder: Path) -> None:
    _set_pooling(folder, pooling_mode="cls")
    assert read_layout(folder).pooling == "cls"


@pytest.mark.parametrize("mode", ["max_tokens", "lasttoken"])
def test_another_pooling_is_refused_by_name(folder: Path, mode: str) -> None:
    _set_pooling(folder, **{f"pooling_mode_{mode}": True})
    with pytest.raises(NotAvailable, match=mode):
        TransformersEmbedder(folder)


def test_a_part_we_do_not_run_is_refused_by_name(folder: Path) -> None:
    parts = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(
        json.dumps([*parts, {"path": "3_Dense", "type": "sentence_transformers.Dense"}])
    )
    with pytest.raises(NotAvailable, match="Dense"):
        TransformersEmbedder(folder)


def test_texts_are_cut_where_the_positions_end(folder: Path) -> None:
    assert read_layout(folder).max_tokens == 64
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 20}')
    assert read_layout(folder).max_tokens == 20


def test_other_weights_have_another_name(folder: Path) -> None:
    before = read_layout(folder).name
    assert before.startswith("tiny-bert-")
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert read_layout(folder).name != before


@pytest.mark.parametrize("kind", ["absent", "empty", "broken config"])
def test_a_folder_without_an_encoder_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "encoder"
    if kind != "absent":
        folder.mkdir()
    if kind == "broken config":
        (folder / "config.json").write_text("{")
    with pytest.raises(NotAvailable):
        TransformersEmbedder(folder)


async def test_missing_weights_are_not_available(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(NotAvailable):
        await _embed(folder, "a")


async def test_without_the_extra_the_cure_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NotAvailable, match=r"zhiyin\[ml\]"):
        TransformersEmbedder(folder)


async def test_the_settings_pick_the_encoder(folder: Path) -> None:
    built_in = open_embedder(EmbedderSettings())
    own = open_embedder(EmbedderSettings(embedder_path=folder, embedder_languages=("zh",)))
    assert isinstance(built_in, OnnxEmbedder)
    assert isinstance(own, TransformersEmbedder)
    assert (built_in.languages, own.languages) == ({"en"}, {"zh"})
    assert (built_in.dimension, own.dimension) == (384, 32)
    await built_in.close()
    await own.close()
