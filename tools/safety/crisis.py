"""Finds messages that speak of suicide, self-harm or abuse, and answers them with help lines before any model runs.

Patterns can't tell what somebody means. They are made to miss little of what is said plainly, and to leave idioms,
questions about the subject, fiction and denials alone; what they take wrongly costs the user one kind answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tools.models.protocol import Language
from tools.models.yaml_file import shipped_yaml
from tools.safety.crisis_lines import Help, HelpLine, HelpLines

PATTERNS = Path(__file__).with_name("crisis.yaml")
MAX_CHARS = 4000
"""Characters of a message that are looked at, half of them at each end: what is longer is pasted."""
CUT = " ¦ "
"""Stands for what was cut out; no pattern reaches across it."""

Crisis = Literal["self_harm", "someone_else", "abuse"]
_LINES_FOR: dict[Crisis, Help] = {"self_harm": "self_harm", "someone_else": "self_harm", "abuse": "abuse"}
_PART = re.compile(r"\{([^\W\d]+)\}")


class HelpLineAnswers:
    """`CrisisAnswers` by patterns, with the given help lines."""

    def __init__(self, lines: HelpLines) -> None:
        self._lines = lines
        _patterns()

    def answer_to(self, message: str, language: Language) -> str | None:
        """See `CrisisAnswers`."""
        crisis = crisis_in(message)
        return None if crisis is None else self._answer(crisis, language)

    def _answer(self, crisis: Crisis, language: Language) -> str:
        words = _wording()
        return "\n\n".join(
            [
                words["answers"][crisis][language],
                _listed(words["ask_danger"][language], self._lines.of(language, "danger"), language),
                _listed(words["ask_lines"][language], self._lines.of(language, _LINES_FOR[crisis]), language),
                words["go_on"][language],
            ]
        )


def crisis_in(message: str) -> Crisis | None:
    """What kind of crisis the message speaks of: the writer's own before somebody else's; None for none."""
    patterns = _patterns()
    text = patterns["harmless"].sub(CUT, _plain(message))
    without_others = patterns["someone_else"].sub(CUT, text)
    if patterns["self_harm"].search(without_others):
        return "self_harm"
    if patterns["abuse"].search(text):
        return "abuse"
    return "someone_else" if without_others != text else None


def _plain(message: str) -> str:
    """Small letters, straight apostrophes, single spaces; a message too long by its beginning and end."""
    if len(message) > MAX_CHARS:
        message = f"{message[: MAX_CHARS // 2]}\n{message[-MAX_CHARS // 2 :]}"
    return re.sub(r"[^\S\n]+", " ", message.casefold().replace("’", "'").replace("‘", "'")).strip()


@cache
def _wording() -> Mapping[str, Any]:
    return shipped_yaml(PATTERNS)


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """One expression for `harmless` and for each kind of crisis."""
    content = _wording()
    groups: dict[str, Sequence[str]] = {"harmless": content["harmless"], **content["signs"]}
    return {name: _compiled(sources, content["parts"]) for name, sources in groups.items()}


def _compiled(sources: Sequence[str], parts: Mapping[str, str]) -> re.Pattern[str]:
    whole = "|".join(f"(?:{_PART.sub(lambda found: parts[found.group(1)], source)})" for source in sources)
    return re.compile(whole)


def _listed(heading: str, lines: Sequence[HelpLine], language: Language) -> str:
    return "\n".join([heading, *(f"- {_told(line, language)}" for line in lines)])


def _told(line: HelpLine, language: Language) -> str:
    if language == "zh":
        return f"{line.where}：{line.name} {line.contact}" + (f"（{line.hours}）" if line.hours else "")
    return f"{line.where}: {line.name}, {line.contact}" + (f" ({line.hours})" if line.hours else "")
