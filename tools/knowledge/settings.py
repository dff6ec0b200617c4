"""What an operator may set about uploads and indexing."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class KnowledgeSettings(BaseSettings):
    """Limits on files and on the process that reads them."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    knowledge_max_file_bytes: int = Field(default=50 * 2**20, ge=1024)
    """The largest file an upload may hold, in bytes."""
    knowledge_max_files: int = Field(default=1000, ge=1)
    """The most files in one upload."""
    knowledge_parse_timeout_seconds: float = Field(default=120.0, gt=0)
    """Seconds after which a file that is still being read is given up."""
    knowledge_parse_memory_mb: int = Field(default=1024, ge=256)
    """Address space of the process that reads files, in MiB."""
    knowledge_parser_idle_seconds: float = Field(default=30.0, gt=0)
    """Seconds without work after which the process that reads files is ended."""
    knowledge_workers: int = Field(default=2, ge=1, le=16)
    """Documents that are indexed side by side."""
