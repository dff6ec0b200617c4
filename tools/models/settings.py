"""Which language model answers, and how patient we are with its server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ChatModelSettings(BaseSettings):
    """The chat model: an OpenAI-compatible server, a local folder, or the built-in extractive model."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    openai_base_url: str | None = None
    """Address of any server that speaks OpenAI's protocol (`https://…/v1`); with a key alone it is OpenAI's own."""
    openai_api_key: SecretStr | None = None
    """Its key; servers that want none are sent `none`."""
    openai_model: str = Field(default="gpt-4o-mini", min_length=1)
    """The model asked for there."""
    local_model_path: Path | None = None
    """Folder of a transformers model that answers on this machine (needs the `ml` extra)."""
    local_max_tokens: int = Field(default=512, ge=1, le=32_768)
    """Tokens a local model may answer with."""
    local_threads: int = Field(default=0, ge=0, le=256)
    """CPU threads of a local model; 0 takes half the cores. More threads than idle cores make it much slower."""
    local_queue: int = Field(default=4, ge=0, le=1000)
    """Requests that may wait for a local model, which answers one at a time; one more is turned away."""
    upstream_connect_seconds: float = Field(default=5.0, gt=0, le=600)
    """Seconds to reach the model's server."""
    upstream_first_token_seconds: float = Field(default=10.0, gt=0, le=3600)
    """Seconds until the first word, all tries together, after which a request counts as failed."""
    upstream_idle_seconds: float = Field(default=30.0, gt=0, le=3600)
    """Seconds of silence in mid-answer after which it counts as broken off."""
    upstream_total_seconds: float = Field(default=110.0, gt=0, le=3600)
    """Seconds for one answer, all tries together; of a local model too."""
    upstream_retries: int = Field(default=2, ge=0, le=10)
    """How often a request that failed before its first word is sent again."""
    upstream_max_chars: int = Field(default=200_000, ge=1)
    """Characters after which an answer is cut (`finish_reason` `length`)."""

    @field_validator("openai_base_url", "openai_api_key", "local_model_path", mode="before")
    @classmethod
    def _blank_model_setting_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("openai_base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value.strip())
            sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            sound, parts = False, None
        if not sound or parts is None or parts.query or parts.fragment:
            raise ValueError("must be an address such as https://host/v1 or http://127.0.0.1:11434/v1")
        if parts.username or parts.password:
            raise ValueError("must hold no user and password; set OPENAI_API_KEY")
        return value.strip().rstrip("/")

    @field_validator("openai_api_key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        key = value.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise ValueError("must be plain characters without spaces")
        return SecretStr(key)
