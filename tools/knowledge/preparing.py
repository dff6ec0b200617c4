"""From a file to everything about it that needs no model: text, chunks, languages, search terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.knowledge.chunking import Chunk, chunk, unwrapped
from tools.knowledge.extraction.protocol import Extractor
from tools.knowledge.language import detect_language
from tools.knowledge.parsed import ParsedDocument
from tools.knowledge.parsing import FileType, parse


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A chunk's place in the document's text, and the words it is found by (`terms`, one space between two).

    `extraction` is what was read out of it, as JSON; None where nothing was looked for.
    """

    heading: str
    page: int | None
    start: int
    end: int
    language: str
    terms: str
    extraction: str | None = None


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


def prepare(path: Path, kind: FileType, name: str, size: int, overlap: int, extract: bool = False) -> Prepared:
    """Parse the file at `path` and cut it into chunks of `size` columns with up to `overlap` in common.

    `extract` reads entities and relations out of the chunks too.

    Raises:
        ParseError: see its codes.
    """
    from tools.knowledge.terms import terms  # brings a stemmer along, which the parent process leaves out

    document = parse(path, kind, name)
    extracted = _extracting(document.title) if extract else None
    chunks = []
    for piece in chunk(document, size, overlap):
        language = detect_language(piece.text)
        words = " ".join(terms(indexed_text(document.title, piece.heading, piece.text), language))
        extraction = extracted(piece, language) if extracted else None
        chunks.append(PreparedChunk(piece.heading, piece.page, piece.start, piece.end, language, words, extraction))
    return Prepared(document, chunks)


@cache
def _extractor() -> Extractor:
    """The process's own: its weights take memory and 60 ms to read, so they are read once, where they are needed."""
    from tools.knowledge.extraction.extractor import open_extractor

    return open_extractor()


def _extracting(title: str) -> Callable[[Chunk, str], str]:
    """What reads entities and relations out of a document's chunks, as JSON."""
    from tools.knowledge.extraction.stored import to_json

    extractor = _extractor()
    return lambda piece, language: to_json(extractor.extract(piece.text, title, piece.heading, language))
