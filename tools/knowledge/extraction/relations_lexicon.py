"""Which wordings speak of which relation: phrases and patterns from `relations_{en,zh}.yaml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from tools.knowledge.extraction.relations_words import chinese_signs, english_words, stem
from tools.models.yaml_file import shipped_yaml

Language = Literal["en", "zh"]
FOLDER = Path(__file__).parent
_DIRECTIONS = {"forward": ">", "backward": "<", "both": "="}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrases by their first token, longest first, each with its kinds (`causes>`: the earlier entity is HEAD)."""

    language: Language
    phrases: Mapping[str, Sequence[tuple[tuple[str, ...], Sequence[str]]]]
    pattern: re.Pattern[str]
    pattern_kinds: Sequence[str]

    def triggers(self, tokens: Sequence[str]) -> list[tuple[int, str]]:
        """The kinds of wording in `tokens` and where they begin; of phrases from one place the longest counts."""
        found: list[tuple[int, str]] = []
        reached = 0
        for at, token in enumerate(tokens):
            if at < reached or (known := self.phrases.get(token)) is None:
                continue
            for phrase, kinds in known:
                if len(phrase) == 1 or tuple(tokens[at : at + len(phrase)]) == phrase:
                    found.extend((at, kind) for kind in kinds)
                    reached = at + len(phrase)
                    break
        return found

    def fired(self, whole: str) -> str:
        """The kind of the first pattern that matches all the words between two entities; empty when none does."""
        match = self.pattern.fullmatch(whole)
        return self.pattern_kinds[match.lastindex - 1] if match and match.lastindex else ""


@lru_cache(maxsize=2)
def open_lexicon(language: Language) -> Lexicon:
    """The lexicon of a language, read once."""
    written: dict[str, Any] = shipped_yaml(FOLDER / f"relations_{language}.yaml")
    patterns: list[list[str]] = written["patterns"]
    whole = "|".join(f"({pattern})" for _, _, pattern in patterns)
    kinds = [kind + way for kind, way, _ in patterns]
    return Lexicon(language, _phrases(written["triggers"], _cutter(language)), re.compile(whole), kinds)


def _cutter(language: Language) -> Callable[[str], Sequence[str]]:
    return chinese_signs if language == "zh" else lambda phrase: [stem(word) for word in english_words(phrase)]


def _phrases(
    triggers: Mapping[str, Mapping[str, Sequence[str]]], cut: Callable[[str], Sequence[str]]
) -> dict[str, Sequence[tuple[tuple[str, ...], Sequence[str]]]]:
    kinds: dict[tuple[str, ...], list[str]] = {}
    for relation, ways in triggers.items():
        for way, phrases in ways.items():
            for phrase in phrases:
                named = kinds.setdefault(tuple(cut(phrase)), [])
                if (kind := relation + _DIRECTIONS[way]) not in named:
                    named.append(kind)
    by_first: dict[str, list[tuple[tuple[str, ...], Sequence[str]]]] = {}
    for phrase in sorted(kinds, key=len, reverse=True):
        by_first.setdefault(phrase[0], []).append((phrase, kinds[phrase]))
    return dict(by_first)
