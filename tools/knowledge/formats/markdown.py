"""Markdown, kept as its source so that a quote stands in the file; only headings are looked up."""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from tools.knowledge.formats.plain import bounded, decode
from tools.knowledge.parsed import HeadingSpan, ParsedDocument, clean, one_line

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def read_markdown(path: Path) -> ParsedDocument:
    """The source without its YAML front matter, which gives `title`, `date` and `author`."""
    text = bounded(clean(decode(path.read_bytes())))
    matter = _FRONT_MATTER.match(text)
    fields = _fields(matter.group(1)) if matter else {}
    if matter and fields:
        text = text[matter.end() :].lstrip("\n")
    metadata = {key: fields[key] for key in ("date", "author") if key in fields}
    return ParsedDocument(fields.get("title", ""), text, headings=_headings(text), metadata=metadata)


def _fields(source: str) -> dict[str, str]:
    import yaml  # few files have front matter

    try:
        found: Any = yaml.safe_load(source)
    except yaml.YAMLError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(key): one_line(str(value)) for key, value in found.items() if not isinstance(value, dict | list)}


def _headings(text: str) -> list[HeadingSpan]:
    from markdown_it import MarkdownIt  # here to keep the import of the format table light

    tokens = MarkdownIt("commonmark").parse(text)
    line_starts = list(accumulate((len(line) for line in text.split("\n")), lambda at, size: at + size + 1, initial=0))
    found: list[HeadingSpan] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.map:
            first, after = opening.map
            words = "".join(part.content for part in inline.children or () if part.type in ("text", "code_inline"))
            start, end = line_starts[first], min(line_starts[after], len(text) + 1) - 1
            found.append(HeadingSpan(start, end, int(opening.tag[1:]), one_line(words)))
    return [heading for heading in found if heading.title]
