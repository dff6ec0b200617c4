"""Which model reads emotion."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class EmotionSettings(BaseSettings):
    """The built-in models, one from a folder, or words alone."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    emotion_backend: Literal["auto", "onnx", "transformers", "lexicon"] = "auto"
    """`onnx` is the built-in English model, `transformers` the one in `EMOTION_PATH` (`auto` takes that where a path is
    set); `lexicon` reads by words alone."""
    emotion_path: Path | None = None
    """Folder of a transformers classifier with the 28 labels of GoEmotions, which then reads English; needs the `ml`
    extra."""
    emotion_threads: int = Field(default=1, ge=1, le=256)
    """CPU threads of the emotion model; more than one pays only for large models on idle cores."""

    @field_validator("emotion_path", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _has_its_folder(self) -> EmotionSettings:
        if self.emotion_backend == "transformers" and self.emotion_path is None:
            raise ValueError("EMOTION_BACKEND=transformers needs EMOTION_PATH, the folder of the model")
        if self.emotion_backend in {"onnx", "lexicon"} and self.emotion_path is not None:
            raise ValueError("EMOTION_PATH is for EMOTION_BACKEND=transformers; leave one of the two out")
        return self
