"""Word documents: paragraphs, tables and headings in the order of the body."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.knowledge.parsed import ParsedDocument, ParseError, TextBuilder, one_line

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table
    from docx.text.paragraph import Paragraph

MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 256 * 2**20
MAX_RATIO = 100
RATIO_FREE_BYTES = 2**20
"""Members smaller than this may shrink as well as they like: empty styles do."""

_OLE_START = b"\xd0\xcf\x11\xe0"
_HEADING_STYLE = re.compile(r"(?:heading|标题|標題)\s*([1-9])", re.IGNORECASE)
_TEMPLATE_TITLES = frozenset({"word document"})


def read_docx(path: Path) -> ParsedDocument:
    """The body's text; a table row is one line with ` | ` between cells. Headers and footnotes are left out.

    Raises:
        ParseError: `archive_too_large` for a zip bomb, `broken_file` for anything that is no Word document.
    """
    import docx  # lxml and its friends, which only Word files need
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    try:
        _check_archive(path)
        with path.open("rb") as file:
            return _document(docx.Document(file))
    except ParseError:
        raise
    except (OpcError, LxmlError, zipfile.BadZipFile, KeyError, ValueError, AttributeError, OSError, EOFError) as error:
        raise ParseError("broken_file", "The file is not a readable Word document.") from error
    except (NotImplementedError, RuntimeError) as error:  # zipfile: odd compression; encrypted members
        raise ParseError("broken_file", "The Word document is encrypted or packed in an unknown way.") from error


def _check_archive(path: Path) -> None:
    """Measure every member by unpacking it in small pieces, before anything is read as a whole.

    What the directory declares is checked first; it may lie, so what comes out is counted too.
    """
    with path.open("rb") as file:
        if file.read(4) == _OLE_START:
            raise ParseError("broken_file", "The file is encrypted or an old .doc. Save it as .docx without password.")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        declared = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS or declared > MAX_UNPACKED_BYTES:
            raise _too_large()
        unpacked = 0
        for member in members:
            if member.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * member.compress_size):
                raise _too_large()
            unpacked += _unpacked_size(archive, member, MAX_UNPACKED_BYTES - unpacked)
            if member.filename.lower().endswith((".xml", ".rels")):
                _check_no_dtd(archive, member)


def _unpacked_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> int:
    size = 0
    with archive.open(member) as stream:
        while piece := stream.read(65_536):
            size += len(piece)
            if size > limit:
                raise _too_large()
    return size


def _check_no_dtd(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse a document type declaration, where entity bombs and external entities live; Word writes none."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError as XmlError
    from defusedxml.ElementTree import iterparse

    try:
        with archive.open(member) as stream:
            next(iter(iterparse(stream, events=("start",), forbid_dtd=True)), None)  # a DTD stands before the root
    except (DefusedXmlException, XmlError) as error:
        raise ParseError("broken_file", "The Word document holds XML that is not safe to read.") from error


def _too_large() -> ParseError:
    return ParseError("archive_too_large", "The file unpacks to far more than it may.")


def _document(document: Document) -> ParsedDocument:
    from docx.table import Table

    builder = TextBuilder()
    for item in document.iter_inner_content():
        if isinstance(item, Table):
            builder.add("\n".join(_rows(item)))
        else:
            _add_paragraph(builder, item)
    properties = document.core_properties
    title = one_line(properties.title or "")
    date = properties.modified or properties.created
    found = {"author": one_line(properties.author or ""), "date": date.isoformat() if date else ""}
    return ParsedDocument(
        "" if title.lower() in _TEMPLATE_TITLES else title,
        builder.text,
        headings=builder.headings,
        metadata={key: value for key, value in found.items() if value},
    )


def _add_paragraph(builder: TextBuilder, paragraph: Paragraph) -> None:
    text = paragraph.text.strip()
    style = str(paragraph.style.name or "") if paragraph.style is not None else ""
    heading = _HEADING_STYLE.match(style)
    if heading or style == "Title":
        builder.heading(text, int(heading.group(1)) if heading else 0)
    elif text:
        builder.add(text, "\n" if style.startswith("List") else "\n\n")


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells, last = [], None
        for cell in row.cells:
            if cell._tc is not last:  # a merged cell comes once for each column it spans
                cells.append(one_line(cell.text, limit=10_000))
            last = cell._tc
        line = " | ".join(cells).strip(" |")
        if line:
            yield line
