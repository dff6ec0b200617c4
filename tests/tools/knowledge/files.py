"""Small real files, made by the test that reads them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import docx
from pypdf import PdfReader, PdfWriter


def pdf(*pages: str, title: str = "", outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """A PDF with one page per text, its lines in Helvetica; `outline` gives titles and page indices."""
    bodies = [_page_stream(page) for page in pages]
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode())
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
    for n, body in enumerate(bodies):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {5 + 2 * n} 0 R>>".encode()
        )
        objects.append(b"<</Filter/FlateDecode/Length %d>>stream\n" % len(body) + body + b"\nendstream")
    data = _assembled(objects)
    if not title and not outline:
        return data
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.add_metadata({"/Title": title, "/CreationDate": "D:20240501120000Z"})
    for words, page in outline:
        writer.add_outline_item(title=words, page_number=page)
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    """What a pypdf writer makes of its document."""
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def encrypted(data: bytes, user_password: str) -> bytes:
    """The PDF behind a password; with an empty one only editing needs the owner's."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(user_password, "owner", algorithm="AES-256")
    return written(writer)


def _page_stream(page: str) -> bytes:
    lines = "".join(f"({line}) Tj T* " for line in page.splitlines())
    return zlib.compress(f"BT /F1 12 Tf 14 TL 72 720 Td {lines}ET".encode("cp1252"))


def _assembled(objects: list[bytes]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + body + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def word(title: str = "") -> bytes:
    """A Word document with headings, a list and a table with a merged row."""
    document = docx.Document()
    document.core_properties.title = title
    document.add_heading("Warranty", 1)
    document.add_paragraph("The pump is covered for two years.")
    document.add_heading("Exceptions", 2)
    document.add_paragraph("Seals", style="List Bullet")
    document.add_paragraph("Filters", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table.row_cells(0), ("Part", "Price"), strict=True):
        cell.text = text
    table.cell(1, 0).merge(table.cell(1, 1)).text = "on request"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def archive(members: Mapping[str, bytes]) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    """The zip file with one member put in the place of its own."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return archive({**{member: file.read(member) for member in file.namelist()}, name: content})
