from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.emotion import open as opening
from tools.emotion.open import open_emotion_reader
from tools.emotion.protocol import EmotionReader
from tools.emotion.settings import EmotionSettings
from tools.errors import NotAvailable


async def _decided_by(reader: EmotionReader, message: str = "I am so happy for you!") -> tuple[str, str]:
    try:
        reading = await reader.read(message, "en")
        return reading.decided_by, reading.sentiment
    finally:
        await reader.close()


async def test_the_built_in_model_reads_by_default() -> None:
    assert await _decided_by(open_emotion_reader(EmotionSettings())) == ("ml", "positive")


async def test_words_alone_read_where_the_operator_wants_it() -> None:
    assert await _decided_by(open_emotion_reader(EmotionSettings(emotion_backend="lexicon"))) == (
        "lexicon",
        "positive",
    )


async def test_a_missing_model_leaves_reading_to_words_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(**_options: object) -> None:
        raise NotAvailable("The emotion model has no readable card.json in en.")

    monkeypatch.setattr(opening, "OnnxEmotions", missing)
    assert await _decided_by(open_emotion_reader(EmotionSettings())) == ("lexicon", "positive")


def test_a_folder_that_the_operator_names_must_hold_a_model(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
    with pytest.raises(NotAvailable, match="EMOTION_PATH"):
        open_emotion_reader(EmotionSettings(emotion_path=tmp_path))


@pytest.mark.parametrize("backend", ["onnx", "lexicon"])
def test_a_path_is_for_transformers_alone(backend: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EMOTION_PATH is for"):
        EmotionSettings(emotion_backend=backend, emotion_path=tmp_path)  # pyright: ignore


def test_transformers_needs_a_path() -> None:
    with pytest.raises(ValueError, match="needs EMOTION_PATH"):
        EmotionSettings(emotion_backend="transformers")
    assert EmotionSettings.model_validate({"emotion_path": ""}).emotion_path is None


def test_opening_it_imports_no_runtime() -> None:
    code = (
        "import sys; from tools.emotion.open import open_emotion_reader;"
        "from tools.emotion.settings import EmotionSettings; open_emotion_reader(EmotionSettings());"
        "print([name for name in ('torch', 'transformers', 'onnxruntime', 'sklearn') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
