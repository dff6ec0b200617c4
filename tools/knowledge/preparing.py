"""From a file to everything about it that needs no model: text, chunks, languages, search terms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.knowledge.chunking import chunk, unwrapped
from tools.knowledge.language import detect_language
from tools.knowledge.parsed import ParsedDocument
from tools.knowledge.parsing import FileType, parse


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A chunk's place in the document's text, and the words it is found by (`terms`, one space between two)."""

    heading: str
    page: int | None
    start: int
    end: int
    language: str
    terms: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A parsed document and its chunks in order."""

    document: ParsedDocument
    chunks: list[PreparedChunk]


def indexed_text(title: str, heading: str, text: str) -> str:
    """What search sees of a chunk: title, heading path and text, each on a line, wraps undone.

    A passage rarely repeats what its document is about; without the title above it, it is not found.
    """
    lines = [title, "" if heading == title else heading.removeprefix(f"{title} > "), unwrapped(text)]
    return "\n".join(line for line in lines if line)


def prepare(path: Path, kind: FileType, name: str, size: int, overlap: int) -> Prepared:
    """Parse the file at `path` and cut it into chunks of `size` columns with up to `overlap` in common.

    Raises:
        ParseError: see its codes.
    """
    from tools.knowledge.terms import terms  # brings a stemmer along, which the parent process leaves out

    document = parse(path, kind, name)
    chunks = []
    for piece in chunk(document, size, overlap):
        language = detect_language(piece.text)
        words = terms(indexed_text(document.title, piece.heading, piece.text), language)
        chunks.append(PreparedChunk(piece.heading, piece.page, piece.start, piece.end, language, " ".join(words)))
    return Prepared(document, chunks)
