"""Cuts a document into passages that retrieve well and can be cited.

Sizes are in columns, the width a text takes in a fixed-pitch font (Unicode TR 11): a Latin letter is one
column, a Chinese character two. So one number is fair to both languages: 512 columns are about 85 English
words or 256 Chinese characters, which is inside the 50-150 words that retrieve best. See
docs/decisions/0003-chunks.md.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tools.knowledge.parsed import HeadingSpan, ParsedDocument

DEFAULT_SIZE = 512
DEFAULT_OVERLAP = 50
SMALL_SECTION = 0.25
"""A section below this share of a chunk's size does not end a chunk: its neighbour joins it."""

_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
    "\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*")
_CLOSING = "\"'”’」』）)\\]】》"
_SENTENCE_END = re.compile(rf"(?:[。！？…]+[{_CLOSING}]*|(?<![.!?])[.!?]++[{_CLOSING}]*+(?=\s)|\n)\s*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|Fig|Figs|Eq|No|Vol|pp|cf|al|Inc|Ltd|Co|Corp|approx"
    r"|e\.g|i\.e|U\.S|U\.K|a\.m|p\.m)|\b[A-Z]|(?m:^)[ \t]*\d{1,3})\.\Z"
)
_LIST_ITEM = re.compile(r"\s*(?:[-*+•·|#>]|\(?\d{1,3}[.)、]|[(（]?[一二三四五六七八九十]{1,3}[)）、])")
_LINE_OF_ITS_OWN = re.compile(rf"[.!?:;。！？：；…][{_CLOSING}]*\s*$")
_BREAKS = (re.compile(r"\n"), re.compile(r"[,;:](?=\s)|[，；：、]"), re.compile(r"\s"))
"""Where a sentence that is too long may be cut, best first: line ends, clauses, spaces."""
_WRAPPED_HAN = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t]*\n[ \t]*(?=[\u3000-\u9fff\uff00-\uffef])")
_LINE_TAIL = 20
_WRAP_COLUMNS = 40
"""A shorter line was ended on purpose; a longer one without a full stop was wrapped by an editor."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: `text` is the document's `text[start:end]`.

    `heading` is the path of headings it stands under, outermost first, joined by ` > `; `page` counts from
    1, None where there are no pages. A chunk never crosses pages.
    """

    heading: str
    page: int | None
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or a heading's line, with what begins at its start."""

    start: int
    end: int
    columns: int
    page: int | None
    opens_section: bool
    opens_paragraph: bool
    is_heading: bool


def columns(text: str) -> int:
    """The width of `text`: wide (East Asian) characters count two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def chunk(document: ParsedDocument, size: int = DEFAULT_SIZE, overlap: int = DEFAULT_OVERLAP) -> list[Chunk]:
    """The document's passages in order, each at most `size` columns, breaks not counted.

    Chunks end where a page or a section ends, else at the paragraph or sentence that still fits. Only a
    sentence longer than `size` is cut, at a clause where it has one. Within a section the last whole
    sentences of a chunk, up to `overlap` columns, open the next one too.
    """
    pieces = _fitting(document.text, list(_pieces(document)), size)
    paths = _Headings(document.headings)
    chunks: list[Chunk] = []
    for group in _groups(pieces, size, overlap):
        body = _without_leading_headings(group)
        start, end = body[0].start, body[-1].end
        chunks.append(Chunk(paths.at(start), body[0].page, start, end, document.text[start:end]))
    return chunks


def unwrapped(text: str) -> str:
    """`text` on one line, as search and encoders should read it: line wraps inside Chinese leave no gap."""
    return " ".join(_WRAPPED_HAN.sub("", text).split())


class _Headings:
    """Looks up the path of headings in force at a place."""

    def __init__(self, headings: Sequence[HeadingSpan]) -> None:
        self._starts = [heading.start for heading in headings]
        self._paths: list[str] = []
        open_: list[HeadingSpan] = []
        for heading in headings:
            open_ = [above for above in open_ if above.level < heading.level] + [heading]
            self._paths.append(" > ".join(above.title for above in open_))

    def at(self, place: int) -> str:
        """The path at `place`; empty before the first heading."""
        index = bisect_right(self._starts, place)
        return self._paths[index - 1] if index else ""


def _pieces(document: ParsedDocument) -> Iterator[_Piece]:
    """All sentences and heading lines in order; headings without anything under them count as sentences."""
    text = document.text
    bare = _bare_headings(document)
    edges = {0, len(text)}
    edges.update(place for page in document.pages for place in (page.start, page.end))
    edges.update(place for heading in document.headings for place in (heading.start, heading.end))
    heading_starts = {heading.start for heading in document.headings}
    page_starts = [page.start for page in document.pages]
    opens_section = False
    ordered = sorted(edges)
    for start, end in pairwise(ordered):
        if start in heading_starts:
            opens_section = True
        page = bisect_right(page_starts, start) or None
        for at, until, opens_paragraph in _sentences(text, start, end):
            is_heading = start in heading_starts and start not in bare
            width = columns(text[at:until])
            yield _Piece(at, until, width, page, opens_section, opens_paragraph, is_heading)
            opens_section = False


def _bare_headings(document: ParsedDocument) -> set[int]:
    """Starts of headings whose section is empty and has no subsections: their words stand nowhere else."""
    headings = document.headings
    bare: set[int] = set()
    for number, heading in enumerate(headings):
        after = headings[number + 1] if number + 1 < len(headings) else None
        body = document.text[heading.end : after.start if after else len(document.text)]
        if not body.strip() and (after is None or after.level <= heading.level):
            bare.add(heading.start)
    return bare


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Sentences between two places, trimmed; the flag says whether one opens a paragraph."""
    at = start
    for boundary in _PARAGRAPH_END.finditer(text, start, end):
        yield from _sentences_of_paragraph(text, at, boundary.start())
        at = boundary.end()
    yield from _sentences_of_paragraph(text, at, end)


def _sentences_of_paragraph(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    at, first = start, True
    for boundary in _SENTENCE_END.finditer(text, start, end):
        if not _ends_sentence(text, at, boundary, end):
            continue
        if trimmed := _trimmed(text, at, boundary.end()):
            yield *trimmed, first
            first = False
        at = boundary.end()
    if trimmed := _trimmed(text, at, end):
        yield *trimmed, first


def _ends_sentence(text: str, at: int, boundary: re.Match[str], end: int) -> bool:
    mark = boundary.group()
    if mark[0] == ".":
        return not _ABBREVIATION.search(text, max(at, boundary.start() - 8), boundary.start() + 1)
    if mark[0] == "\n":
        line = text[max(text.rfind("\n", 0, boundary.start()) + 1, at) : boundary.start()]
        return (
            columns(line) < _WRAP_COLUMNS
            or bool(_LINE_OF_ITS_OWN.search(line[-_LINE_TAIL:]))
            or bool(_LIST_ITEM.match(text, boundary.end(), end))
        )
    return True


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    start += len(piece) - len(piece.lstrip())
    return start, start + len(stripped)


def _fitting(text: str, pieces: list[_Piece], size: int) -> Iterator[_Piece]:
    """The pieces, those wider than `size` cut into parts that fit."""
    for piece in pieces:
        if piece.columns <= size:
            yield piece
            continue
        for number, (start, end) in enumerate(_parts(text, piece.start, piece.end, size)):
            first = number == 0
            yield _Piece(
                start,
                end,
                columns(text[start:end]),
                piece.page,
                first and piece.opens_section,
                first and piece.opens_paragraph,
                piece.is_heading,
            )


def _parts(text: str, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut at the last of the best breaks in the second half of what fits; without any, anywhere."""
    while start < end:
        stop = start + _characters_within(text[start : min(end, start + size)], size)
        if stop < end:
            stop = _last_break(text, start + (stop - start) // 2, stop) or stop
        if trimmed := _trimmed(text, start, stop):
            yield trimmed
        start = stop


def _last_break(text: str, start: int, end: int) -> int | None:
    for pattern in _BREAKS:
        if places := [match.end() for match in pattern.finditer(text, start, end)]:
            return places[-1]
    return None


def _characters_within(text: str, size: int) -> int:
    """How many characters of `text` fit into `size` columns; at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if columns(text[:middle]) <= size else (low, middle - 1)
    return low


def _groups(pieces: Iterator[_Piece], size: int, overlap: int) -> Iterator[list[_Piece]]:
    """Pieces packed into chunks; a document that fits into one is one."""
    ahead = list(pieces)
    if ahead and ahead[0].page == ahead[-1].page and sum(piece.columns for piece in ahead) <= size:
        yield ahead
        return
    group: list[_Piece] = []
    width = 0
    paragraph_widths = _paragraph_widths(ahead)
    for number, piece in enumerate(ahead):
        if group and _breaks(group, width, piece, paragraph_widths[number], size):
            yield group
            group = [] if _is_hard_break(group, piece) else _tail(group, overlap, size - piece.columns)
            width = sum(kept.columns for kept in group)
        group.append(piece)
        width += piece.columns
    if group:
        yield group


def _paragraph_widths(pieces: list[_Piece]) -> list[int]:
    """For each piece that opens a paragraph, the width of the whole paragraph; 0 for the others."""
    widths = [0] * len(pieces)
    opener = 0
    for number, piece in enumerate(pieces):
        if piece.opens_paragraph:
            opener = number
        widths[opener] += piece.columns
    return widths


def _breaks(group: list[_Piece], width: int, piece: _Piece, paragraph: int, size: int) -> bool:
    """Whether a chunk ends before `piece`.

    A page always ends it, a section when the chunk is not tiny, and a paragraph that would not fit when
    the chunk is at least half full.
    """
    if piece.page != group[-1].page or width + piece.columns > size:
        return True
    if piece.opens_section:
        return not all(kept.is_heading for kept in group) and width >= size * SMALL_SECTION
    return piece.opens_paragraph and width >= size / 2 and width + paragraph > size


def _is_hard_break(group: list[_Piece], piece: _Piece) -> bool:
    return piece.opens_section or piece.page != group[-1].page


def _tail(group: list[_Piece], overlap: int, room: int) -> list[_Piece]:
    """The last whole sentences of a chunk that fit into `overlap`; never all of it, and no headings."""
    kept: list[_Piece] = []
    left = min(overlap, room)
    for piece in reversed(group[1:]):
        if piece.is_heading or piece.columns > left:
            break
        kept.insert(0, piece)
        left -= piece.columns
    return kept


def _without_leading_headings(group: list[_Piece]) -> list[_Piece]:
    """The group from its first sentence on: the headings above it are in its path already."""
    body = next((number for number, piece in enumerate(group) if not piece.is_heading), 0)
    return group[body:]
