"""Plain text in whatever encoding it comes: UTF-8, UTF-16, GBK and, failing those, the likeliest."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from tools.knowledge.parsed import MAX_CHARACTERS, ParsedDocument, ParseError, clean

SAMPLE_BYTES = 65_536
MAX_CONTROL_SHARE = 0.005
MAX_BROKEN_SHARE = 0.002

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY_STARTS = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\x7fELF", b"MZ\x90")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_OTHER_ENCODINGS = ["big5", "cp1252", "shift_jis", "euc_kr", "cp1251"]


def read_text(path: Path) -> ParsedDocument:
    """The file's text as it stands."""
    return ParsedDocument("", bounded(clean(decode(path.read_bytes()))))


def bounded(text: str) -> str:
    """`text`, unless it is longer than a document may be.

    Raises:
        ParseError: more than 20 million characters (`too_large`).
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseError("too_large", f"The document has more than {MAX_CHARACTERS} characters of text.")
    return text


def decode(data: bytes, declared: str | None = None) -> str:
    """The characters behind `data`, without a byte order mark; `declared` is the encoding the file claims.

    Raises:
        ParseError: these bytes are no text in any encoding we know (`not_text`).
    """
    if data.startswith(_BINARY_STARTS):
        raise _not_text()
    readings = (_by_mark, _utf8, _wide, lambda data: _declared(data, declared), _gbk, _likeliest)
    text = next((text for reading in readings if (text := reading(data)) is not None), None)
    if text is None or len(_CONTROLS.findall(text)) > max(1, len(text) * MAX_CONTROL_SHARE):
        raise _not_text()
    return text


def _by_mark(data: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return None


def _utf8(data: bytes) -> str | None:
    """UTF-8, with the odd broken byte forgiven."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return text if "\0" not in text and broken <= len(text) * MAX_BROKEN_SHARE else None


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, known by the NULs on one side of its ASCII characters."""
    sample = data[:SAMPLE_BYTES]
    odd, even = sample[1::2].count(0), sample[::2].count(0)
    if not odd and not even:
        return None
    try:
        return data.decode("utf-16-le" if odd > even else "utf-16-be")
    except UnicodeDecodeError:
        return None


def _declared(data: bytes, encoding: str | None) -> str | None:
    try:
        return data.decode(encoding) if encoding else None
    except (UnicodeDecodeError, LookupError):
        return None


def _gbk(data: bytes) -> str | None:
    """GBK or GB18030, when most of what is not ASCII are the everyday characters of GB 2312's first level.

    Statistical detection needs a paragraph; a price list in GBK has a few characters.
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = re.sub(r"[\x00-\x7f]+", "", text)[:SAMPLE_BYTES]
    leads = foreign.encode("gb2312", "ignore")[::2]
    everyday = sum(1 for lead in leads if lead <= 0xA3 or 0xB0 <= lead <= 0xD7)
    return text if everyday >= 0.6 * len(foreign) else None


def _likeliest(data: bytes) -> str | None:
    from charset_normalizer import from_bytes  # only for the rare file that nothing above explains

    best = from_bytes(data[:SAMPLE_BYTES], cp_isolation=_OTHER_ENCODINGS).best()
    return data.decode(best.encoding, "replace") if best else None


def _not_text() -> ParseError:
    return ParseError("not_text", "The file is not text in any known encoding.")
