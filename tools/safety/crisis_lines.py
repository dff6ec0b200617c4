"""The lines that a person in a crisis can call: the operator's own, else the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tools.models.protocol import Language
from tools.models.yaml_file import read_yaml_file

SHIPPED = Path(__file__).with_name("crisis_lines.yaml")
FILE_NAME = "help_lines.yaml"
"""The operator's file in the data folder."""

Help = Literal["self_harm", "abuse", "danger"]
HELPS: tuple[Help, ...] = get_args(Help)


class HelpLine(BaseModel):
    """Who to call: `contact` is a number or an address, `where` the country it serves."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    where: str = Field(min_length=1, max_length=80)
    name: str = Field(min_length=1, max_length=120)
    contact: str = Field(min_length=1, max_length=120)
    hours: str = Field("", max_length=80)
    helps: tuple[Help, ...] = Field(HELPS, min_length=1)

    @field_validator("contact", mode="before")
    @classmethod
    def _numbers_are_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class HelpLines(BaseModel):
    """Lines by the language in which they are told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: tuple[HelpLine, ...] = ()
    zh: tuple[HelpLine, ...] = ()

    @model_validator(mode="after")
    def _somebody_for_everything(self) -> HelpLines:
        told = [lines for lines in (self.en, self.zh) if lines]
        if not told:
            raise ValueError("there must be at least one line, under en or zh")
        for lines in told:
            missing = [kind for kind in HELPS if not any(kind in line.helps for line in lines)]
            if missing:
                raise ValueError(f"{'en' if lines is self.en else 'zh'} has no line for {' and '.join(missing)}")
        return self

    def of(self, language: Language, kind: Help) -> Sequence[HelpLine]:
        """Lines that help with `kind`, told in `language`, else in the other one."""
        lines = (self.en or self.zh) if language == "en" else (self.zh or self.en)
        return [line for line in lines if kind in line.helps]


def read_help_lines(data_dir: Path) -> HelpLines:
    """The lines in the data folder's `help_lines.yaml`, else the shipped ones.

    Raises:
        ConfigurationError: the file is not one of help lines, or leaves a kind of help without a line.
        OSError: it cannot be read.
    """
    own = data_dir / FILE_NAME
    return read_yaml_file(own if own.exists() else SHIPPED, HelpLines)
