from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.contracts.embedder import EmbedderContract
from tools.errors import NotAvailable
from tools.models.embedders.onnx import MINILM, OnnxEmbedder


@pytest.fixture
def embedder() -> Iterator[OnnxEmbedder]:
    opened = OnnxEmbedder()
    yield opened
    asyncio.run(opened.close())


class TestOnnxEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, embedder: OnnxEmbedder) -> OnnxEmbedder:
        return embedder


@pytest.fixture
def copied_artefact(tmp_path: Path) -> Path:
    folder = tmp_path / "all-MiniLM-L6-v2"
    shutil.copytree(MINILM, folder)
    return folder


async def _refusal(folder: Path) -> str:
    embedder = OnnxEmbedder(folder)
    try:
        with pytest.raises(NotAvailable) as refused:
            await embedder.embed(["a", "b"])
        return refused.value.message
    finally:
        await embedder.close()


def test_the_committed_files_are_those_of_the_card() -> None:
    card = json.loads((MINILM / "card.json").read_text())
    for name, expected in card["files"].items():
        assert hashlib.sha256((MINILM / name).read_bytes()).hexdigest() == expected["sha256"]
    assert card["mean_cosine_to_fp32"] >= 0.99


async def test_a_paraphrase_is_nearer_than_a_stranger(embedder: OnnxEmbedder) -> None:
    question, answer, stranger = await embedder.embed(
        ["How long is the guarantee?", "The warranty lasts two years.", "The committee met on Tuesday."]
    )
    assert question @ answer > question @ stranger + 0.2


async def test_a_text_has_one_vector_whoever_else_asks(embedder: OnnxEmbedder) -> None:
    texts = [f"What is clause {number} about?" for number in range(20)]
    together = await embedder.embed(texts)
    alone = np.concatenate([await embedder.embed([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


async def test_a_text_is_read_up_to_256_tokens(embedder: OnnxEmbedder) -> None:
    long, longer, other = await embedder.embed(["word " * 254, "word " * 254 + "lamp", "word " * 253 + "lamp"])
    np.testing.assert_array_equal(long, longer)
    assert not np.array_equal(long, other)


async def test_a_pointer_file_names_its_cure(copied_artefact: Path) -> None:
    (copied_artefact / "model.int8.onnx").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    )
    assert "git lfs pull" in await _refusal(copied_artefact)


async def test_a_damaged_model_is_refused(copied_artefact: Path) -> None:
    with (copied_artefact / "model.int8.onnx").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0\1\2\3")
    assert "broken" in await _refusal(copied_artefact)


async def test_a_missing_file_is_named(copied_artefact: Path) -> None:
    (copied_artefact / "tokenizer.json").unlink()
    assert "tokenizer.json is missing" in await _refusal(copied_artefact)


def test_a_folder_without_a_card_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable):
        OnnxEmbedder(tmp_path)


async def test_it_serves_again_when_the_file_is_mended(copied_artefact: Path) -> None:
    model = copied_artefact / "model.int8.onnx"
    content = model.read_bytes()
    model.write_bytes(content[:-1])
    embedder = OnnxEmbedder(copied_artefact)
    with pytest.raises(NotAvailable):
        await embedder.embed(["a"])
    model.write_bytes(content)
    assert (await embedder.embed(["a"])).shape == (1, 384)
    await embedder.close()


def test_opening_it_imports_no_runtime() -> None:
    code = (
        "import sys; from tools.models.embedders.open import open_embedder;"
        "from tools.models.embedders.settings import EmbedderSettings; open_embedder(EmbedderSettings());"
        "print([name for name in ('torch', 'transformers', 'onnxruntime') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")
