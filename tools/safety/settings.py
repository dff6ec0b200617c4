"""Whom people are pointed to when a program is not enough."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class HandoverSettings(BaseSettings):
    """Who takes over from the app; help lines for a crisis stand in `help_lines.yaml` in the data folder."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    handover_contact: str | None = Field(default=None, max_length=300)
    """A person or team to turn to when a user's distress lasts, as users are told it (name, number, hours)."""

    @field_validator("handover_contact", mode="before")
    @classmethod
    def _on_one_line(cls, value: object) -> object:
        return (" ".join(value.split()) or None) if isinstance(value, str) else value
