"""Which cross-encoder, if any, puts found passages in their last order."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class RerankerSettings(BaseSettings):
    """A cross-encoder from a folder; without one the retriever's own order stands."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    reranker_path: Path | None = None
    """Folder of a cross-encoder for transformers, such as BGE-reranker-v2-m3; needs the `ml` extra."""
    reranker_threads: int = Field(1, ge=1, le=256)
    """CPU threads of the cross-encoder."""

    @field_validator("reranker_path", mode="before")
    @classmethod
    def _blank_reranker_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value
