"""PDF page by page, its lines as they come out, its outline as headings."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.knowledge.parsed import HeadingSpan, PageSpan, ParsedDocument, ParseError, TextBuilder, one_line

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

TAIL_BYTES = 4_096
MAX_OUTLINE_ITEMS = 2_000
_PRODUCER_TITLES = re.compile(r"(?i)^(untitled|microsoft (word|powerpoint)\b.*|.*\.(docx?|pptx?|tex|dvi|indd|pdf))?$")


def read_pdf(path: Path) -> ParsedDocument:
    """All pages; one that cannot be read is left empty, and named in the metadata's `unreadable_pages`.

    Raises:
        ParseError: `encrypted_pdf` when it opens only with a password, `broken_file` when it is cut short,
            is no PDF, or no page of it can be read; `empty_document` when it holds pictures only.
    """
    from pypdf import PdfReader  # half a second of imports that only PDFs need
    from pypdf.errors import PyPdfError

    _check_whole(path)
    try:
        with path.open("rb") as file:
            reader = PdfReader(file)
            _open(reader)
            return _document(reader)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        if isinstance(error, ParseError):
            raise
        raise ParseError("broken_file", "The PDF is damaged and cannot be read.") from error


def _check_whole(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        tail = file.read()
    if b"%PDF-" not in head:
        raise ParseError("broken_file", "The file is not a PDF.")
    if b"startxref" not in tail:
        raise ParseError("broken_file", "The PDF ends too early: a part of it is missing.")


def _open(reader: PdfReader) -> None:
    """Unlock a PDF whose password only guards editing; readers open those without asking."""
    if reader.is_encrypted and not reader.decrypt(""):
        raise ParseError("encrypted_pdf", "The PDF is encrypted. Upload it without a password.")


def _document(reader: PdfReader) -> ParsedDocument:
    builder, unreadable = TextBuilder(), []
    with _complaints() as complaints:
        for number, page in enumerate(reader.pages, 1):
            complaints.clear()
            words = _words(page, complaints)
            if complaints and not words:
                unreadable.append(str(number))
            builder.page(number, words)
    if not builder.pages or len(unreadable) == len(builder.pages):
        raise ParseError("broken_file", "No page of the PDF can be read.")
    text = builder.text
    if not text.strip():
        raise ParseError("empty_document", "The PDF holds no text, only pictures of it perhaps.")
    metadata = _metadata(reader)
    if unreadable:
        metadata["unreadable_pages"] = ",".join(unreadable)
    headings = _headings(reader, text, builder.pages)
    return ParsedDocument(metadata.pop("title", ""), text, builder.pages, headings, metadata)


def _words(page: PageObject, complaints: list[str]) -> str:
    try:
        return page.extract_text().strip()
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged font or stream makes of it, the other pages still count
        complaints.append(type(error).__name__)
        return ""


@contextlib.contextmanager
def _complaints() -> Generator[list[str]]:
    """What pypdf says of damage that it passes over; it only tells its log."""
    heard: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.levelname)
    logger = logging.getLogger("pypdf")
    logger.addHandler(handler)
    try:
        yield heard
    finally:
        logger.removeHandler(handler)


def _metadata(reader: PdfReader) -> dict[str, str]:
    """`title`, `author` and `date`; a title that only names the program or the file is none."""
    try:
        information = reader.metadata
        if information is None:
            return {}
        created = information.creation_date
        found = {
            "title": one_line(str(information.title or "")),
            "author": one_line(str(information.author or "")),
            "date": created.isoformat() if created else "",
        }
    except Exception:  # the dictionary is decoration: damage there costs nothing
        return {}
    if _PRODUCER_TITLES.match(found["title"]):
        found["title"] = ""
    return {key: value for key, value in found.items() if value}


def _headings(reader: PdfReader, text: str, pages: list[PageSpan]) -> list[HeadingSpan]:
    """The outline's entries whose words stand on the page they point at."""
    found: list[HeadingSpan] = []
    try:
        for destination, level in _outline(reader.outline, 1):
            number = reader.get_destination_page_number(destination)
            if number is None or not 0 <= number < len(pages):
                continue
            title = one_line(str(destination.title or ""))
            page = pages[number]
            pattern = r"\s*".join(re.escape(word) for word in title.split())
            match = re.compile(pattern).search(text, page.start, page.end) if title else None
            if match:
                found.append(HeadingSpan(match.start(), match.end(), level, title))
    except Exception:  # an outline is decoration too, and often broken
        return []
    return _in_order(found)


def _outline(items: list[Any], level: int) -> Iterator[tuple[Any, int]]:
    """The outline's tree (lists in lists) flattened, with levels from 1."""
    pending = [(item, level) for item in reversed(items)]
    for _ in range(MAX_OUTLINE_ITEMS):
        if not pending:
            return
        item, depth = pending.pop()
        if isinstance(item, list):
            pending.extend((child, depth + 1) for child in reversed(item))
        else:
            yield item, depth


def _in_order(headings: list[HeadingSpan]) -> list[HeadingSpan]:
    """Headings by place, without those that overlap an earlier one."""
    kept: list[HeadingSpan] = []
    for heading in sorted(headings, key=lambda heading: heading.start):
        if not kept or heading.start >= kept[-1].end:
            kept.append(heading)
    return kept
