from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tools.emotion.encoder import ENGLISH, OnnxEmotions
from tools.emotion.labels import LABELS, NEUTRAL
from tools.errors import NotAvailable

CLEAR = {
    "Thank you so much for your help!": "gratitude",
    "I am so sorry, it was my fault.": "remorse",
    "This is hilarious, I can't stop laughing lol": "amusement",
    "I love you with all my heart.": "love",
    "I'm terrified of what will happen.": "fear",
    "I wonder how does that work?": "curiosity",
    "I'm so sad that he died.": "sadness",
    "This makes me so angry!": "anger",
    "The meeting is at nine on Tuesday.": "neutral",
}


@pytest.fixture
def model() -> Iterator[OnnxEmotions]:
    opened = OnnxEmotions()
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ENGLISH, tmp_path / "en"))


async def _refusal(folder: Path) -> str:
    model = OnnxEmotions(folder)
    try:
        with pytest.raises(NotAvailable) as refused:
            await model.probabilities(["a", "b"])
        return refused.value.message
    finally:
        await model.close()


def test_the_committed_files_are_those_of_the_card_and_small() -> None:
    card = json.loads((ENGLISH / "card.json").read_text())
    for name, expected in card["files"].items():
        assert hashlib.sha256((ENGLISH / name).read_bytes()).hexdigest() == expected["sha256"]
    assert sum(path.stat().st_size for path in ENGLISH.iterdir()) <= 25_000_000
    assert card["labels"] == list(LABELS)
    assert card["licence"]
    assert card["data"]


async def test_clear_messages_are_read_as_people_do(model: OnnxEmotions) -> None:
    rows = await model.probabilities(list(CLEAR))
    thresholds = np.array(model.calibration.thresholds)
    assert [LABELS[place] for place in (rows / thresholds).argmax(axis=1)] == list(CLEAR.values())


async def test_a_message_has_one_reading_whoever_else_is_read(model: OnnxEmotions) -> None:
    together = await model.probabilities(list(CLEAR))
    alone = np.concatenate([await model.probabilities([text]) for text in CLEAR])
    np.testing.assert_array_equal(together, alone)


async def test_any_text_is_taken(model: OnnxEmotions) -> None:
    texts = [
        "",
        "   ",
        "\u200b\u200d\ufeff",
        "😀😡😭",
        "a" * 100_000,
        "no " * 33_333,
        "我很开心 but sad",
        "\ud83d",
        "\0",
    ]
    rows = await model.probabilities(texts)
    assert rows.shape == (len(texts), len(LABELS))
    assert ((rows > 0) & (rows < 1)).all()
    assert rows[:3, NEUTRAL].min() > 0.3


async def test_no_texts_give_no_rows(model: OnnxEmotions) -> None:
    assert (await model.probabilities([])).shape == (0, len(LABELS))


async def test_a_damaged_model_is_refused(copied: Path) -> None:
    with (copied / "model.int8.weights").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0\1\2\3")
    assert "emotion model's model.int8.weights is broken" in await _refusal(copied)


async def test_a_foreign_model_is_refused(copied: Path) -> None:
    (copied / "model.int8.onnx").write_bytes(b"another model")
    assert "broken" in await _refusal(copied)


async def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    assert "tokenizer.json is missing" in await _refusal(copied)


@pytest.mark.parametrize("content", [None, "{", "{}", '{"name": "x", "calibration": 1}'])
def test_a_folder_without_a_sound_card_is_refused_at_once(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "card.json").write_text(content)
    with pytest.raises(NotAvailable, match=r"card\.json"):
        OnnxEmotions(tmp_path)
