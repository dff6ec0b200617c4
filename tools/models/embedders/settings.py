"""Which sentence encoder turns texts into vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tools.models.protocol import Language


class EmbedderSettings(BaseSettings):
    """The built-in English encoder, or one from a folder."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    embedder_backend: Literal["auto", "onnx", "transformers"] = "auto"
    """`onnx` is the built-in English encoder, `transformers` the one in `EMBEDDER_PATH`; `auto` takes the latter where
    a path is set."""
    embedder_path: Path | None = None
    """Folder of a sentence encoder in the sentence-transformers layout, such as BGE-M3; needs the `ml` extra."""
    embedder_languages: Annotated[tuple[Language, ...], NoDecode] = ("en", "zh")
    """Languages that the encoder in `EMBEDDER_PATH` knows, separated by commas (the built-in one knows `en`)."""
    embedder_threads: int = Field(1, ge=1, le=256)
    """CPU threads of the encoder; more than one pays only for large encoders on idle cores."""

    @field_validator("embedder_languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("embedder_path", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _has_its_folder(self) -> EmbedderSettings:
        if self.embedder_backend == "transformers" and self.embedder_path is None:
            raise ValueError("EMBEDDER_BACKEND=transformers needs EMBEDDER_PATH, the folder of the encoder")
        if self.embedder_backend == "onnx" and self.embedder_path is not None:
            raise ValueError("EMBEDDER_PATH is for EMBEDDER_BACKEND=transformers; leave one of the two out")
        return self
