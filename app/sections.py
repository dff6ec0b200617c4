"""The server's own settings: where it listens, what it lets in, whom it believes."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECTION = SettingsConfigDict(extra="ignore", env_file=None)
SECRET_BYTES = 32
"""RFC 7518, 3.2: a key for HS256 is at least as long as its hash."""
PLACEHOLDER = re.compile(r"change.?me|your.{0,5}secret|placeholder", re.IGNORECASE)
ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.\-\[\]:]+")
LOG_LEVELS = {"warn": "warning", "fatal": "critical"}


class ServerSettings(BaseSettings):
    """Where the server listens, and how much it takes at once."""

    model_config = SECTION

    host: str = "127.0.0.1"
    """Address to listen on. Any other than loopback needs `JWT_SECRET`."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    env: str = Field("development", max_length=200)
    """Name of this deployment (`development`, `staging`, `production`), for logs."""
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    """Least severe log lines that are written. Message texts appear at `debug` only."""
    log_dir: Path = Path("logs")
    """Folder for rotated logs and metrics snapshots."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of other sites whose pages may call the API, separated by commas."""
    max_body_bytes: int = Field(2**20, ge=1024)
    """The largest JSON body, in bytes; a larger one gets 413 before it is read."""
    max_upload_request_bytes: int = Field(512 * 2**20, ge=1024)
    """The largest upload, all files together, in bytes."""
    turn_deadline_seconds: float = Field(120.0, gt=0, le=3600)
    """Seconds after which a turn that is not done ends in an `error` event."""
    heartbeat_seconds: float = Field(15.0, gt=0, le=60)
    """Seconds between the comments that keep a silent stream open."""

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_lower_case(cls, level: str) -> str:
        return LOG_LEVELS.get(level.lower(), level.lower())

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _separated_by_commas(cls, origins: str | tuple[str, ...]) -> tuple[str, ...]:
        parts = origins.split(",") if isinstance(origins, str) else origins
        found = tuple(part.strip().rstrip("/") for part in parts if part.strip())
        if not all(ORIGIN.fullmatch(origin) for origin in found):
            raise ValueError("must be origins such as https://chat.example.org, separated by commas")
        return found

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class AuthSettings(BaseSettings):
    """Whose tokens are believed."""

    model_config = SECTION

    jwt_secret: SecretStr | None = None
    """Key of the HS256 tokens, 32 bytes or more. Without it everybody on loopback is one local user."""
    jwt_audience: str | None = None
    """The `aud` that tokens must have."""
    jwt_issuer: str | None = None
    """The `iss` that tokens must have."""

    @property
    def has_real_secret(self) -> bool:
        """Whether the secret can keep strangers out: long enough, and nobody's example."""
        secret = self.jwt_secret.get_secret_value() if self.jwt_secret else ""
        return len(secret.encode()) >= SECRET_BYTES and len(set(secret)) > 7 and not PLACEHOLDER.search(secret)
