"""All settings, composed of the sections that stand beside the code they are for.

Settings say where things are and how much is allowed; they are read once, at the start. From weak to
strong: defaults, `.env` in the working folder, the process environment, the command line. Nothing else
reads the process environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from app.environment import NamedValues, names_of, problems_of
from app.sections import SECRET_BYTES, AuthSettings, ServerSettings
from flags.env_file import read_env
from flags.errors import ConfigurationError, Problems
from flags.names import KnownNames
from flags.settled_file import SettledFile
from flags.source import FlagSource, read_layers
from flags.values import FLAG_NAMES
from tools.emotion.settings import EmotionSettings
from tools.knowledge.settings import EnrichmentSettings, KnowledgeSettings
from tools.models.embedders.settings import EmbedderSettings
from tools.models.rerankers.settings import RerankerSettings
from tools.models.settings import ChatModelSettings
from tools.safety.settings import HandoverSettings
from tools.stores.settings import MilvusSettings, Neo4jSettings, StoreSettings

NOT_USED_YET: Mapping[str, tuple[str, ...]] = {
    "PostgreSQL": (
        "DATABASE_URL",
        "POSTGRES_HOST",
        "POSTGRES_PORT",
        "POSTGRES_DB",
        "POSTGRES_USER",
        "POSTGRES_PASSWORD",
    ),
    "Redis": ("REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB"),
    "models": ("ARK_API_KEY", "MODEL_ROUTER_STRATEGY"),
    "encryption": ("ENCRYPTION_KEY",),
    "monitoring": ("PROMETHEUS_ENDPOINT", "GRAFANA_ENDPOINT", "SENTRY_DSN"),
}
"""Names that operators' files hold for parts that are not built: taken without complaint, without effect."""
OF_OTHERS = ("EVAL_DATA",)
"""Names that other programs of this project read."""
SHARED_PREFIXES = ("OPENAI_", "HF_")
"""Our settings that other programs on the machine read too, under names of the same family."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the settings were read: kept for the flags, which are read again from the same places."""

    env_file: Path = Path(os.devnull)
    environ: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name in capitals -> `.env`, `environment` or `command line`, for the names that are set."""


class Settings(
    ServerSettings,
    AuthSettings,
    StoreSettings,
    MilvusSettings,
    Neo4jSettings,
    KnowledgeSettings,
    EnrichmentSettings,
    ChatModelSettings,
    EmbedderSettings,
    RerankerSettings,
    EmotionSettings,
    HandoverSettings,
):
    """Everything that is set; each section that it inherits can be handed this object.

    `Settings(data_dir=...)` takes what it is given and looks nowhere else; `Settings.load()` reads the world.
    """

    model_config = SettingsConfigDict(extra="ignore", env_file=None, frozen=True)

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @classmethod
    def load(
        cls, env_file: Path = Path(".env"), environ: Mapping[str, str] | None = None, **command_line: object
    ) -> Self:
        """Read `.env`, the environment (the process's own by default) and options that are not None.

        Raises:
            ConfigurationError: with every problem, of flags too, that forbids the start.
        """
        environ = dict(os.environ if environ is None else environ)  # noqa: TID251
        env_file = env_file.absolute()
        problems, content, from_file = Problems(), None, dict[str, str]()
        with problems.collect():
            content = SettledFile(env_file).content
            from_file = dict(read_env(content, KNOWN_NAMES).values)
        layers: dict[str, Mapping[str, str]] = {
            ".env": from_file,
            "environment": {name.upper(): value for name, value in environ.items() if value},
            "command line": {name.upper(): str(value) for name, value in command_line.items() if value is not None},
        }
        values = {name: value for layer in layers.values() for name, value in layer.items()}
        sources = {name: layer for layer, named in layers.items() for name in named.keys() & KNOWN_SETTINGS}
        settings: Self | None = None
        with problems.collect():
            settings = cls._of(values, sources)
            settings._origin = Origin(env_file, environ, sources)
        with problems.collect():
            overrides = SettledFile(settings.flags_file).content if settings else None
            read_layers(content, environ, overrides, KNOWN_NAMES)
        problems.check()
        assert settings is not None  # noqa: S101
        return settings

    @property
    def flags_file(self) -> Path:
        """The override file of the flags, shared by all processes of one data folder."""
        return self.data_dir / "flags.json"

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each setting that is set was set, by name in capitals."""
        return self._origin.sources

    def open_flags(self) -> FlagSource:
        """The flags, read from where these settings were read. Raises ConfigurationError."""
        return FlagSource(self._origin.env_file, self.flags_file, self._origin.environ, KNOWN_NAMES)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The constructor's arguments alone: `load` is the one way to the environment."""
        return (init_settings,)

    @model_validator(mode="after")
    def _closed_to_strangers(self) -> Self:
        if not self.is_loopback and not self.has_real_secret:
            raise ValueError(
                "HOST is not loopback, so JWT_SECRET must be set to a real secret of at least "
                f"{SECRET_BYTES} bytes (openssl rand -base64 48); or listen on 127.0.0.1"
            )
        return self

    @classmethod
    def _of(cls, values: Mapping[str, str], sources: Mapping[str, str]) -> Self:
        try:
            return cls(**NamedValues(cls, values)())
        except ValidationError as error:
            raise ConfigurationError(list(problems_of(error, cls.model_fields, sources))) from None
        except SettingsError as error:
            raise ConfigurationError([f"{error}."]) from None


KNOWN_SETTINGS = frozenset(name for key, info in Settings.model_fields.items() for name in names_of(key, info))
KNOWN_NAMES = KnownNames(
    ours=frozenset(FLAG_NAMES) | {name for name in KNOWN_SETTINGS if not name.startswith(SHARED_PREFIXES)},
    shared=KNOWN_SETTINGS.union(OF_OTHERS, *NOT_USED_YET.values()),
)
