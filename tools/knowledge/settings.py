"""What an operator may set about uploads, indexing and what a language model adds to the graph."""

from __future__ import annotations

from typing import Literal

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


class EnrichmentSettings(BaseSettings):
    """What a language model may add to knowledge graphs, and what that may cost. Days are UTC's."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    graph_enrichment: Literal["off", "on"] = "off"
    """Whether a chat model reads documents for their graph; the built-in one never does. It costs tokens."""
    graph_enrichment_model: str = ""
    """The model asked for at the chat model's server; empty for the one that answers."""
    graph_enrichment_daily_tokens: int = Field(default=1_000_000, ge=0)
    """Tokens in and out that may be spent in a day, all data sets together; then it goes on the next day."""
    graph_enrichment_dataset_tokens: int = Field(default=300_000, ge=0)
    """Tokens that may be spent on one data set in a day."""
    graph_enrichment_batch: int = Field(default=4, ge=1, le=20)
    """Chunks in one request."""
    graph_enrichment_concurrency: int = Field(default=2, ge=1, le=16)
    """Requests at a time."""
