"""HTML as a reader sees it: block by block, without scripts, navigation or hidden parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.knowledge.formats.plain import decode
from tools.knowledge.parsed import ParsedDocument, TextBuilder, one_line

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_SKIPPED = re.compile(
    "script|style|noscript|template|svg|math|select|button|textarea|iframe|object|canvas|nav|head",
)
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|"
    "h[1-6]|header|hr|html|li|main|ol|p|pre|section|summary|table|tbody|tfoot|thead|tr|ul"
)
_LINES = frozenset({"li", "tr", "dd", "dt"})
_HEADING = re.compile(r"h[1-6]")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_DATES = ("article:published_time", "date", "dc.date", "dcterms.date")


def read_html(path: Path) -> ParsedDocument:
    """The visible text; table cells are joined by ` | `, list items and rows stand on lines of their own."""
    from selectolax.lexbor import LexborHTMLParser  # a C library that only HTML needs

    data = path.read_bytes()
    declared = _CHARSET.search(data[:4096])
    tree = LexborHTMLParser(decode(data, declared.group(1).decode() if declared else None))
    title = tree.css_first("title")
    builder = _Blocks()
    if tree.root is not None:
        for node, entering in _walk(tree.root):
            builder.see(node, entering)
    builder.flush()
    return ParsedDocument(
        one_line(title.text()) if title else "", builder.text, headings=builder.headings, metadata=_metadata(tree)
    )


class _Blocks(TextBuilder):
    """Collects inline text until a block begins or ends."""

    def __init__(self) -> None:
        super().__init__()
        self._inline: list[str] = []
        self._gap = "\n\n"
        self._verbatim = 0

    def see(self, node: LexborNode, entering: bool) -> None:
        tag = node.tag or ""
        if node.is_text_node:
            self._inline.append(node.text_content or "")
        elif tag == "br" and entering:
            self._inline.append("\x00")
        elif tag in ("td", "th"):
            if not entering:
                self._inline.append(" | ")
        elif _BLOCK.fullmatch(tag):
            self._cross(tag, entering)

    def _cross(self, tag: str, entering: bool) -> None:
        if not entering and _HEADING.fullmatch(tag):
            title = "".join(self._inline).replace("\x00", " ")
            self._inline.clear()
            self.heading(title, int(tag[1]))
            return
        self.flush()
        self._verbatim += (1 if entering else -1) if tag == "pre" else 0
        if entering and tag in _LINES:
            self._gap = "\n"

    def flush(self) -> None:
        """End the block: collapse its white space, except inside `pre`."""
        raw = "".join(self._inline)
        self._inline.clear()
        if self._verbatim:
            block = raw.replace("\x00", "\n").strip("\n")
        else:
            block = "\n".join(" ".join(line.split()) for line in raw.split("\x00")).strip(" |\n")
        if block.strip():
            self.add(block, self._gap)
            self._gap = "\n\n"


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Every shown node on the way in and every element on the way out; no recursion, for pages nest deeply."""
    stack: list[tuple[LexborNode, bool]] = [(root, True)]
    while stack:
        node, entering = stack.pop()
        if entering and node.is_element_node and not _shown(node):
            continue
        yield node, entering
        if entering and node.is_element_node:
            stack.append((node, False))
            stack.extend((child, True) for child in reversed(list(node.iter(include_text=True))))


def _shown(node: LexborNode) -> bool:
    if _SKIPPED.fullmatch(node.tag or ""):
        return False
    attributes = node.attributes
    return "hidden" not in attributes and not _HIDDEN.search(attributes.get("style") or "")


def _metadata(tree: LexborHTMLParser) -> dict[str, str]:
    named = {
        (meta.attributes.get("name") or meta.attributes.get("property") or "").lower(): one_line(
            meta.attributes.get("content") or ""
        )
        for meta in tree.css("meta")
    }
    date = next((named[name] for name in _DATES if named.get(name)), "")
    found = {"date": date, "author": named.get("author", "")}
    return {key: value for key, value in found.items() if value}
