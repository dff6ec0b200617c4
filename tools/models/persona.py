"""Who answers: name, tone and rules, from a `persona.yaml` that a tenant may have of its own."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from flags.errors import ConfigurationError
from tools.models.yaml_file import read_yaml_file

_logger = logging.getLogger(__name__)
_SHIPPED = Path(__file__).with_name("persona.yaml")
_LANGUAGES = ("en", "zh")
_SAFE_TENANT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class Persona(BaseModel):
    """The voice of all engines. Texts are per language (`en`, `zh`); a single text stands for both."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: dict[str, str] = Field(default={"en": "Zhiyin", "zh": "知音"})
    tone: dict[str, str] = Field(default={"en": "Warm, clear and brief.", "zh": "温和、清楚、简短。"})
    rules: dict[str, list[str]] = Field(default={"en": [], "zh": []})
    opening: dict[str, str] = Field(default={"en": "", "zh": ""})
    """A line that the extractive model says before an answer; empty for none."""

    @field_validator("*", mode="before")
    @classmethod
    def _one_text_for_all(cls, value: Any) -> Any:
        if isinstance(value, str | list):
            return dict.fromkeys(_LANGUAGES, value)
        return {} if value is None else value

    @field_validator("*")
    @classmethod
    def _known_languages(cls, value: dict[str, Any]) -> dict[str, Any]:
        strange = sorted(set(value) - set(_LANGUAGES))
        if strange:
            raise ValueError(f"languages are {' and '.join(_LANGUAGES)}, not {', '.join(strange)}")
        return value

    def name_in(self, language: str) -> str:
        """The name in `language`, else in the other one, else the default name."""
        return _text(self.name, language) or _text(_DEFAULT.name, language)

    def tone_in(self, language: str) -> str:
        """The tone in `language`, else in the other one; may be empty."""
        return _text(self.tone, language)

    def rules_in(self, language: str) -> list[str]:
        """The rules in `language`, else in the other one; may be empty."""
        return self.rules.get(language) or next(filter(None, self.rules.values()), [])

    def opening_in(self, language: str) -> str:
        """The opening in `language` and no other; may be empty."""
        return self.opening.get(language, "")


def _text(texts: dict[str, str], language: str) -> str:
    return texts.get(language) or next(filter(None, texts.values()), "")


_DEFAULT = Persona()


class PersonaSource(Protocol):
    """Finds the persona of a tenant."""

    def of(self, tenant_id: str) -> Persona:
        """The tenant's persona, or the default one."""
        ...


@dataclass(slots=True)
class _Loaded:
    """A file's last good persona (None where there is no file) and what tells whether the file changed."""

    persona: Persona | None = None
    signature: tuple[int, int, int] | None = None
    checked_at: float = float("-inf")


class FilePersonaSource:
    """Personas in files: the tenant's, else the operator's, else the shipped one.

    A file is looked at once a second at most and read again when it changed. A file that went bad keeps its last
    good persona and is logged once; tenants whose id is not safe as a file name have the default persona.
    """

    def __init__(self, data_dir: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the operator's `persona.yaml` in `data_dir`, if there is one.

        Raises:
            ConfigurationError: the operator's file cannot be used.
        """
        self._operators = data_dir / "persona.yaml"
        self._tenants = data_dir / "personas"
        self._clock = clock
        self._shipped = read_yaml_file(_SHIPPED, Persona)
        self._loaded: dict[Path, _Loaded] = {}
        if self._operators.exists():
            read_yaml_file(self._operators, Persona)

    def of(self, tenant_id: str) -> Persona:
        """The tenant's persona, or the default one."""
        own = self._current(self._tenants / f"{tenant_id}.yaml") if _SAFE_TENANT.fullmatch(tenant_id) else None
        return own or self._current(self._operators) or self._shipped

    def _current(self, path: Path) -> Persona | None:
        known = self._loaded.setdefault(path, _Loaded())
        now = self._clock()
        if now - known.checked_at >= 1.0:
            known.checked_at = now
            self._refresh(path, known)
        return known.persona

    def _refresh(self, path: Path, known: _Loaded) -> None:
        # Blocks for one stat, a few microseconds, and for one small read after a change.
        try:
            status = path.stat()
            signature = (status.st_mtime_ns, status.st_size, status.st_ino)
            if signature != known.signature:
                known.signature = signature
                known.persona = read_yaml_file(path, Persona)
        except FileNotFoundError:
            known.persona, known.signature = None, None
        except (ConfigurationError, OSError) as error:
            _logger.error("persona kept as it was: %s", error)
