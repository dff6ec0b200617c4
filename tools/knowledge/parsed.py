"""A document once its file has been read: one text, and where its pages and headings stand in it.

All offsets count characters of `text`, ends exclusive. Nothing after this module changes the text, so
a quote cut out of it stands verbatim wherever the document is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tools.errors import InvalidInput

MAX_CHARACTERS = 20_000_000
MAX_TITLE_CHARACTERS = 300

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class ParseError(InvalidInput):
    """A file that cannot become a document; `code` says why, in words a client can switch on.

    Codes: `encrypted_pdf`, `broken_file`, `empty_document`, `unsupported_type`, `archive_too_large`,
    `not_text`, `parse_timeout`, `too_large`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


@dataclass(frozen=True, slots=True)
class PageSpan:
    """A page's place in the text; `number` counts from 1."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class HeadingSpan:
    """A heading's own line in the text; `title` is without markup.

    `level` 1 is a chapter, higher ones stand under it; 0 is the title where the format tells it apart.
    """

    start: int
    end: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a file says. `metadata` holds `date` and `author` where the file names them."""

    title: str
    text: str
    pages: list[PageSpan] = field(default_factory=list)
    headings: list[HeadingSpan] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


def clean(text: str) -> str:
    """Text that every store and client can carry: `\\n` line ends, no control characters, no lone surrogates."""
    text = _LINE_ENDS.sub("\n", text)
    text = _CONTROLS.sub(" ", text)
    return _SURROGATES.sub("\ufffd", text)


def one_line(text: str, limit: int = MAX_TITLE_CHARACTERS) -> str:
    """Text as a title: white space collapsed, at most `limit` characters."""
    return " ".join(clean(text).split())[:limit].rstrip()


class TextBuilder:
    """Grows a document's text block by block and notes where headings and pages fall."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.pages: list[PageSpan] = []
        self.headings: list[HeadingSpan] = []

    @property
    def text(self) -> str:
        """Everything added so far."""
        return "".join(self._parts)

    def add(self, block: str, gap: str = "\n\n") -> tuple[int, int]:
        """Append `block`, set off from what stands before by `gap`; gives its start and end.

        Raises:
            ParseError: the text passes 20 million characters (`too_large`).
        """
        block = clean(block)
        lead = gap if self._length and block else ""
        start = self._length + len(lead)
        self._parts += (lead, block)
        self._length = start + len(block)
        if self._length > MAX_CHARACTERS:
            raise ParseError("too_large", f"The document has more than {MAX_CHARACTERS} characters of text.")
        return start, self._length

    def heading(self, title: str, level: int) -> None:
        """Append a heading on a line of its own."""
        title = one_line(title)
        if title:
            start, end = self.add(title)
            self.headings.append(HeadingSpan(start, end, level, title))

    def page(self, number: int, block: str) -> PageSpan:
        """Append a page."""
        span = PageSpan(number, *self.add(block))
        self.pages.append(span)
        return span
