"""Where the embedded stores keep their file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """The data folder and how patient its database is."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    data_dir: Path = Path("var")
    """Folder for everything the app keeps: the database `zhiyin.db` and the `owners` of running turns."""

    sqlite_busy_timeout_ms: int = Field(default=5_000, ge=1, le=600_000)
    """Milliseconds a write waits for another process's write before the request is refused with 503."""

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "zhiyin.db"

    @property
    def owners_dir(self) -> Path:
        """The lock files of the processes that share the data folder."""
        return self.data_dir / "owners"
