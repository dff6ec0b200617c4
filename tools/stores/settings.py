"""Where the stores are: the embedded ones' file, and the servers."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_SCHEMES = {"http": "http", "https": "https", "tcp": "http", "grpc": "http", "grpcs": "https"}
"""How an address may begin, and what pymilvus calls it."""
_BAD_ADDRESS = "must be an address such as http://127.0.0.1:19530, or the path of a folder that ends in .db"


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


class MilvusSettings(BaseSettings):
    """Milvus, where vectors are searched instead of in memory; without an address it is not used."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    milvus_uri: str | None = None
    """A server (`http://host:19530`) or, for small sets, the path of a Milvus Lite folder (`var/vectors.db`)."""
    milvus_host: str | None = None
    """The server's host, instead of `MILVUS_URI`."""
    milvus_port: int = Field(default=19_530, ge=1, le=65_535)
    """Its port there."""
    milvus_token: SecretStr | None = None
    """API key, or `user:password`."""
    milvus_user: str | None = None
    """User, instead of `MILVUS_TOKEN`."""
    milvus_password: SecretStr | None = None
    """The user's password."""
    milvus_collection_prefix: str = Field(default="zhiyin", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")
    """What the names of collections begin with; installations that share a server need one each."""
    milvus_timeout_seconds: float = Field(default=5.0, gt=0, le=600)
    """Seconds for one request to it; then search goes on without vectors."""

    @field_validator("milvus_uri", "milvus_host", "milvus_token", "milvus_user", "milvus_password", mode="before")
    @classmethod
    def _blank_milvus_setting_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("milvus_uri")
    @classmethod
    def _is_a_server_or_a_path(cls, value: str | None) -> str | None:
        if value is None or ("://" not in value and value.endswith(".db")):
            return value
        try:
            parts = urlsplit(value.strip())
            sound = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
        except ValueError:
            raise ValueError(_BAD_ADDRESS) from None
        if not sound or parts.query or parts.fragment:
            raise ValueError(_BAD_ADDRESS)
        if parts.username or parts.password:
            raise ValueError("must hold no user and password; set MILVUS_USER and MILVUS_PASSWORD")
        return parts._replace(scheme=_SCHEMES[parts.scheme]).geturl()

    @property
    def milvus_address(self) -> str | None:
        """What `MILVUS_URI`, or else `MILVUS_HOST` with `MILVUS_PORT`, says; None when neither is set."""
        host = self.milvus_host and (f"[{self.milvus_host}]" if ":" in self.milvus_host else self.milvus_host)
        return self.milvus_uri or (f"http://{host}:{self.milvus_port}" if host else None)

    @property
    def milvus_credentials(self) -> str:
        """The token, or user and password joined; empty where none are set."""
        if self.milvus_token is not None:
            return self.milvus_token.get_secret_value()
        if self.milvus_user is None or self.milvus_password is None:
            return ""
        return f"{self.milvus_user}:{self.milvus_password.get_secret_value()}"


_NEO4J_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_BAD_GRAPH_ADDRESS = "must be an address such as bolt://127.0.0.1:7687 or neo4j+s://graph.example.org"


class Neo4jSettings(BaseSettings):
    """Neo4j, where knowledge graphs are kept instead of in the database file; without an address it is not used."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    neo4j_uri: str | None = None
    """A server (`bolt://host:7687`; `neo4j+s://host` for a cluster behind TLS)."""
    neo4j_user: str = Field(
        default="neo4j", min_length=1, validation_alias=AliasChoices("neo4j_user", "neo4j_username")
    )
    """User there."""
    neo4j_password: SecretStr | None = None
    """The user's password; servers without authentication want none."""
    neo4j_database: str | None = None
    """Database on the server; without one, the user's own."""
    neo4j_timeout_seconds: float = Field(default=10.0, gt=0, le=600)
    """Seconds that one question to it may take; then search goes on without the graph."""

    @field_validator("neo4j_uri", "neo4j_password", "neo4j_database", mode="before")
    @classmethod
    def _blank_neo4j_setting_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("neo4j_uri")
    @classmethod
    def _is_a_graph_server(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value.strip())
            sound = parts.scheme in _NEO4J_SCHEMES and parts.hostname and parts.port != 0
        except ValueError:
            raise ValueError(_BAD_GRAPH_ADDRESS) from None
        if not sound or parts.fragment or parts.path not in ("", "/"):
            raise ValueError(_BAD_GRAPH_ADDRESS)
        if parts.username or parts.password:
            raise ValueError("must hold no user and password; set NEO4J_USER and NEO4J_PASSWORD")
        return value.strip()
