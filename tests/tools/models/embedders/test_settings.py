from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tools.models.embedders.settings import EmbedderSettings


def test_languages_are_read_from_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDER_LANGUAGES", "zh, en")
    assert EmbedderSettings().embedder_languages == ("zh", "en")


def test_a_strange_language_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDER_LANGUAGES", "fr")
    with pytest.raises(ValidationError):
        EmbedderSettings()


def test_an_empty_path_is_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDER_PATH", "")
    assert EmbedderSettings().embedder_path is None


def test_transformers_without_a_folder_is_refused() -> None:
    with pytest.raises(ValidationError, match="EMBEDDER_PATH"):
        EmbedderSettings(embedder_backend="transformers")


def test_a_folder_that_would_not_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="EMBEDDER_BACKEND"):
        EmbedderSettings(embedder_backend="onnx", embedder_path=tmp_path)
