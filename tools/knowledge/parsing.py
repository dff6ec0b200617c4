"""Reads an uploaded file into one text, whatever its format.

The text keeps the file's own words in the file's order: plain text and Markdown stand as they are in
the file, PDF as its lines come out, HTML and Word block by block, CSV and JSON one record per block.
What is read here may be hostile, so the server calls this through `tools.knowledge.sandbox` only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path, PurePath
from typing import Literal

from tools.knowledge.parsed import HeadingSpan, PageSpan, ParsedDocument, ParseError, one_line

__all__ = ["FileType", "HeadingSpan", "PageSpan", "ParseError", "ParsedDocument", "file_type", "media_type", "parse"]

FileType = Literal["txt", "md", "html", "pdf", "docx", "csv", "json"]

_MEDIA_TYPES: dict[FileType, str] = {
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv",
    "json": "application/json",
}
_TYPES_OF_MEDIA: dict[str, FileType] = {media: kind for kind, media in _MEDIA_TYPES.items()}
_TYPES_OF_SUFFIX: dict[str, FileType] = {
    **{kind: kind for kind in _MEDIA_TYPES},
    "markdown": "md",
    "htm": "html",
    "text": "txt",
}


def file_type(name: str, content_type: str = "") -> FileType | None:
    """The format that a file's suffix names; without a suffix, the one its content type names."""
    suffix = PurePath(name).suffix[1:].lower()
    if not suffix:
        return _TYPES_OF_MEDIA.get(content_type.partition(";")[0].strip().lower())
    return _TYPES_OF_SUFFIX.get(suffix)


def media_type(kind: FileType) -> str:
    """The IANA media type of a format."""
    return _MEDIA_TYPES[kind]


def file_type_of_media(media: str) -> FileType:
    """The format behind a media type that `media_type` gave.

    Raises:
        ParseError: it gave no such type (`unsupported_type`).
    """
    if media not in _TYPES_OF_MEDIA:
        raise ParseError("unsupported_type", "Files of this type are not read here.")
    return _TYPES_OF_MEDIA[media]


def parse(path: Path, kind: FileType, name: str) -> ParsedDocument:
    """Read the file at `path`; `name` is what its owner calls it, for want of a better title.

    Raises:
        ParseError: see its codes.
    """
    document = _read(path, kind)
    if not document.text.strip():
        raise ParseError("empty_document", "There is no text in the file.")
    title = one_line(document.title) or _heading_title(document, kind) or PurePath(name).stem
    return replace(document, title=title, metadata=_with_plain_date(document.metadata))


def _heading_title(document: ParsedDocument, kind: FileType) -> str:
    """The first outermost heading; of several in a PDF or Word file each is a chapter's, and none the title."""
    level = min((heading.level for heading in document.headings), default=0)
    titles = [heading.title for heading in document.headings if heading.level == level]
    chapters = kind in ("pdf", "docx") and len(titles) > 1
    return titles[0] if titles and not chapters else ""


def _with_plain_date(metadata: dict[str, str]) -> dict[str, str]:
    """Dates sort and compare as text, so one that is not ISO 8601 is left out, and the others lose their time."""
    try:
        day = date.fromisoformat(metadata.get("date", "")[:10]).isoformat()
    except ValueError:
        return {key: value for key, value in metadata.items() if key != "date"}
    return {**metadata, "date": day}


def _read(path: Path, kind: FileType) -> ParsedDocument:
    # Each reader brings its own library along, and most uploads need only one of them.
    match kind:
        case "txt":
            from tools.knowledge.formats.plain import read_text as read
        case "md":
            from tools.knowledge.formats.markdown import read_markdown as read
        case "html":
            from tools.knowledge.formats.html import read_html as read
        case "pdf":
            from tools.knowledge.formats.pdf import read_pdf as read
        case "docx":
            from tools.knowledge.formats.docx import read_docx as read
        case "csv":
            from tools.knowledge.formats.records import read_csv as read
        case "json":
            from tools.knowledge.formats.records import read_json as read
    return read(path)
