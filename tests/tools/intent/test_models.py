"""Which model is used: stored, trained, renewed, or left as it was."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from flags.errors import ConfigurationError
from tools.errors import NotAvailable, StoreUnavailable
from tools.intent.examples import read_examples
from tools.intent.model import load_model
from tools.intent.models import ARTEFACTS, IntentModels
from tools.intent.training import name_of_model
from tools.models.embedders.onnx import OnnxEmbedder
from tools.models.packed import CARD, WEIGHTS
from tools.models.protocol import Embedder, Language, Vectors

OWN = "only_these: true\nintents:\n  task: [fold it, seal it, stamp it]\n  meta: [who are you, your name, your age]\n"


class Clock:
    """Says what time it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Unavailable:
    """An encoder that cannot be loaded."""

    name, dimension, languages = "none", 4, frozenset({"en"})

    async def embed(self, texts: Sequence[str]) -> Vectors:
        raise NotAvailable("There is no encoder here.")

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    made = OnnxEmbedder()
    yield made
    asyncio.run(made.close())


def write(data_dir: Path, content: str, language: str = "zh") -> Path:
    path = data_dir / "intents" / f"{language}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


async def opened(embedder: Embedder, data_dir: Path, clock: Clock | None = None, **more: Path) -> IntentModels:
    models = IntentModels(embedder, data_dir, clock=clock or Clock(), **more)
    await models.warm_up()
    return models


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_shipped_model_is_that_of_the_shipped_examples(embedder: Embedder, language: Language) -> None:
    expected = name_of_model(read_examples(language), language, embedder)
    assert load_model(ARTEFACTS / language).name == expected, "run `python -m app train intent`"


async def test_the_shipped_models_are_used_without_training(embedder: Embedder, tmp_path: Path) -> None:
    models = await opened(embedder, tmp_path)
    assert models.current("en") is not None
    assert models.current("zh") is not None
    assert not (tmp_path / "intents").exists()


async def test_an_operator_s_examples_are_trained_once_and_kept(embedder: Embedder, tmp_path: Path) -> None:
    write(tmp_path, OWN)
    first = (await opened(embedder, tmp_path)).current("zh")
    assert first is not None
    assert first.classifier.labels == ("task", "meta")
    kept = tmp_path / "intents" / "models" / "zh"
    stamp = (kept / WEIGHTS).stat().st_mtime_ns
    again = (await opened(embedder, tmp_path)).current("zh")
    assert again is not None
    assert again.name == first.name
    assert (kept / WEIGHTS).stat().st_mtime_ns == stamp


@pytest.mark.parametrize("broken", [WEIGHTS, CARD])
async def test_a_broken_model_is_trained_anew(embedder: Embedder, tmp_path: Path, broken: str) -> None:
    write(tmp_path, OWN)
    await opened(embedder, tmp_path)
    kept = tmp_path / "intents" / "models" / "zh" / broken
    kept.write_bytes(b"nothing of the kind")
    assert (await opened(embedder, tmp_path)).current("zh") is not None
    assert load_model(kept.parent).classifier.labels == ("task", "meta")


async def test_a_foreign_model_is_not_taken(embedder: Embedder, tmp_path: Path) -> None:
    shutil.copytree(ARTEFACTS / "en", tmp_path / "shipped" / "zh")
    write(tmp_path, OWN)
    model = (await opened(embedder, tmp_path, shipped=tmp_path / "shipped")).current("zh")
    assert model is not None
    assert model.classifier.labels == ("task", "meta")


async def test_a_changed_file_is_taken_up_while_running(embedder: Embedder, tmp_path: Path) -> None:
    clock = Clock()
    models = await opened(embedder, tmp_path, clock)
    write(tmp_path, OWN)
    assert models.current("zh") is not None
    clock.now += 2
    await models.warm_up()
    model = models.current("zh")
    assert model is not None
    assert model.classifier.labels == ("task", "meta")
    await models.close()


@pytest.mark.parametrize("content", ["intents: [", "intents:\n  task: [one]\n"])
async def test_a_file_that_went_bad_keeps_the_last_good_model(embedder: Embedder, tmp_path: Path, content: str) -> None:
    clock = Clock()
    write(tmp_path, OWN)
    models = await opened(embedder, tmp_path, clock)
    good = models.current("zh")
    write(tmp_path, content)
    clock.now += 2
    await models.warm_up()
    assert models.current("zh") is good
    await models.close()


def test_a_file_that_is_bad_at_the_start_stops_it(tmp_path: Path) -> None:
    write(tmp_path, "intents:\n  task: [one]\n", "en")
    with pytest.raises(ConfigurationError, match="at least 3"):
        IntentModels(Unavailable(), tmp_path)


async def test_without_an_encoder_there_is_no_english_model_until_it_is_back(tmp_path: Path) -> None:
    clock = Clock()
    encoder = Unavailable()
    write(tmp_path, OWN, "en")
    models = await opened(encoder, tmp_path, clock)
    assert models.current("en") is None
    assert models.current("zh") is not None

    async def embed(texts: Sequence[str]) -> Vectors:
        return np.eye(4, dtype=np.float32)[[len(text) % 4 for text in texts]]

    encoder.embed = embed  # type: ignore[method-assign]
    await models.warm_up()
    assert models.current("en") is None
    clock.now += 61
    await models.warm_up()
    assert models.current("en") is not None


async def test_a_busy_encoder_is_no_error(tmp_path: Path) -> None:
    encoder = Unavailable()

    async def embed(texts: Sequence[str]) -> Vectors:
        raise StoreUnavailable("Too many texts wait.")

    encoder.embed = embed  # type: ignore[method-assign]
    models = await opened(encoder, tmp_path)
    assert models.current("en") is None
