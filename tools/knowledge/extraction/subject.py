"""What a passage is about: its heading or title, else the first name in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.extraction.protocol import EntityType, Mention, Subject
from tools.models.yaml_file import shipped_yaml

PATH_SEPARATOR = " > "
FROM_TITLE = 0.9
FROM_FIRST_NAME = 0.5
LONGEST_HEADING = 120
"""Characters; a longer heading is a sentence, and names nothing."""

_NUMBERING = re.compile(
    r"^\s*(?:(?:chapter|section|part|appendix|article)\s+(?:\d+|[ivxlc]+|[a-z])\b[.:)\s-]*"
    r"|第[一二三四五六七八九十百\d]+[章节条部分篇回]+[、.:：\s]*|\d+(?:\.\d+)*[.)、\s]\s*|[一二三四五六七八九十]+[、.]\s*"
    r"|[(（][一二三四五六七八九十\d]+[)）]\s*|[ivxlc]+\.\s+|#+\s*)",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(
    r"[^\s]+\.(?:pdf|docx?|txt|md|markdown|html?|csv|tsv|xlsx?|pptx?|jsonl?|rtf|odt|epub|xml|ya?ml|log|tex)$",
    re.IGNORECASE,
)
_MACHINE_NAME = re.compile(
    r"(?:untitled|document|scan|img|image|file|doc|page|copy|draft|new|final|微信图片|新建文档|新建文件|新建|未命名|文档|文件|扫描件?)[\s_\-]*[\d_\-().]*"
    r"|[\d\s_\-./:]+|[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|\w*_\w*(?:_\w*)*|[^\w]*",
    re.IGNORECASE,
)
_IS_A = re.compile(r"\b(?:is|was|are|were)\s+(?:an?|the|one of the)\s+([^.;:()]{3,120})")
_PHRASE_ENDS = re.compile(
    r"\b(?:who|that|which|of|in|by|from|at|for|on|to|with|set|based|directed|written|released)\b|,"
)
_IS_A_ZH = re.compile(r"(?:是|为)[^。；，]{2,60}")
_LONGEST_NOUN_ZH = 4
_IN_PARENTHESES = re.compile(r"[(（]([^()（）]*)[)）]\s*$")
_FIRST_SENTENCE = 300


class _Words(NamedTuple):
    generic: frozenset[str]
    nouns: dict[str, EntityType]


@cache
def _words() -> _Words:
    told = shipped_yaml(Path(__file__).parent / "subject_words.yaml")
    headings = f"{told['generic_en']}; {told['generic_zh']}".split("; ")
    nouns: dict[str, EntityType] = {noun: kind for kind, listed in told["nouns"].items() for noun in listed.split()}
    return _Words(frozenset(normal_form(heading) for heading in headings), nouns)


def named_subject(title: str, heading: str) -> str:
    """The last informative one of title and headings, without its number; empty when none is."""
    for candidate in reversed([title, *heading.split(PATH_SEPARATOR)]):
        if name := informative(candidate):
            return name
    return ""


def informative(heading: str) -> str:
    """The heading without its number, or empty: a file's name, `Introduction` and `概述` say nothing."""
    name = " ".join(_NUMBERING.sub("", heading[: 2 * LONGEST_HEADING]).split()).strip("：:·-–— ")
    if not name or len(name) > LONGEST_HEADING or _FILE_NAME.fullmatch(name) or _MACHINE_NAME.fullmatch(name):
        return ""
    norm = normal_form(name)
    return "" if norm in _words().generic or not any(sign.isalnum() for sign in norm) else name


def find_subject(text: str, title: str, heading: str, mentions: Sequence[Mention]) -> Subject | None:
    """The subject of the passage; None when nothing names one."""
    name = named_subject(title, heading)
    if not name:
        return _first_name(mentions)
    norm = normal_form(name)
    return Subject(name, norm, _type_of(name, norm, text, mentions), FROM_TITLE)


def _first_name(mentions: Sequence[Mention]) -> Subject | None:
    named = [mention for mention in mentions if mention.type not in ("time", "metric")]
    if not named:
        return None
    first = named[0]
    return Subject(first.text, first.norm, first.type, FROM_FIRST_NAME * (0.5 + first.confidence / 2))


def _type_of(name: str, norm: str, text: str, mentions: Sequence[Mention]) -> EntityType | None:
    if (hint := _IN_PARENTHESES.search(name)) and (kind := noun_type(hint[1])):
        return kind
    opening = text[:_FIRST_SENTENCE]
    if _opens_with(norm, opening) and (kind := defined_type(opening)):
        return kind
    sure = [mention for mention in mentions if mention.norm == norm]
    return max(sure, key=lambda mention: mention.confidence).type if sure else None


def defined_type(sentence: str) -> EntityType | None:
    """What a definition makes its subject: `X was a Welsh film director` a person, `X是一部电影` a work."""
    if found := _IS_A.search(sentence):
        return noun_type(_PHRASE_ENDS.split(found[1], maxsplit=1)[0])
    return noun_type(found.group()) if (found := _IS_A_ZH.search(sentence)) else None


def noun_type(phrase: str) -> EntityType | None:
    """The type that the last noun we know in the phrase stands for."""
    nouns = _words().nouns
    for word in reversed(phrase.lower().replace("-", " ").split()):
        if kind := nouns.get(word) or nouns.get(word.removesuffix("s")):
            return kind
    for end in range(len(phrase), 0, -1):
        for length in range(_LONGEST_NOUN_ZH, 0, -1):
            if kind := nouns.get(phrase[max(0, end - length) : end]):
                return kind
    return None


def _opens_with(norm: str, opening: str) -> bool:
    """Whether the text begins with the subject's name, or its first word, as a definition does."""
    beginning = normal_form(opening[:80])
    return beginning.startswith(norm) or beginning.split(" ", 1)[0] == norm.split(" ", 1)[0]
