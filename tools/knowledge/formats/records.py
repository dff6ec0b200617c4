"""CSV and JSON as records that read on their own: every value stands beside its name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.knowledge.formats.plain import decode
from tools.knowledge.parsed import ParsedDocument, ParseError, TextBuilder, clean, one_line

SNIFFED_CHARACTERS = 16_384
MAX_CELL_CHARACTERS = 10_000_000
MAX_DEPTH = 200
_TITLE_KEYS = ("title", "name", "标题", "名称")


def read_csv(path: Path) -> ParsedDocument:
    """One block per row, `column: value; column: value`; a file without a header has values alone.

    Raises:
        ParseError: `not_text`, or `broken_file` when no rows can be made out.
    """
    text = clean(decode(path.read_bytes()))
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    builder = TextBuilder()
    try:
        rows = csv.reader(io.StringIO(text, newline=""), _dialect(text[:SNIFFED_CHARACTERS]))
        header: list[str] | None = None
        for number, row in enumerate(row for row in rows if any(cell.strip() for cell in row)):
            if number == 0 and _is_header(row):
                header = [one_line(cell) for cell in row]
                continue
            builder.add(_line(row, header))
        if header and not builder.text:
            builder.add("; ".join(header))
    except csv.Error as error:
        raise ParseError("broken_file", "The CSV file has a row that cannot be read.") from error
    return ParsedDocument("", builder.text)


def _dialect(sample: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(sample, delimiters=",;\t|")
    except csv.Error:
        return csv.excel


def _is_header(row: list[str]) -> bool:
    """A first row of distinct words, none of them a number, names the columns."""
    cells = [cell.strip() for cell in row]
    named = [cell for cell in cells if cell]
    return len(named) > 1 and len(set(named)) == len(named) and not any(map(_is_number, named))


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "", 1).strip("+-%$€£¥ ").isdecimal()


def _line(row: list[str], header: list[str] | None) -> str:
    cells = [" ".join(cell.split()) for cell in row]
    if header is None:
        return "; ".join(cell for cell in cells if cell)
    names = header + [""] * (len(cells) - len(header))
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell)


def read_json(path: Path) -> ParsedDocument:
    """One block per element of an outer list, one line per value with the path that leads to it.

    Numbers stay as the file writes them. A file of one JSON value per line is read as a list.

    Raises:
        ParseError: `not_text`, or `broken_file` when it is no JSON or nested deeper than 200 levels.
    """
    value = _load(decode(path.read_bytes()))
    builder = TextBuilder()
    for record in value if isinstance(value, list) else [value]:
        lines = [f"{name}: {words}" if name else words for name, words in _leaves(record)]
        builder.add("\n".join(lines))
    named: dict[str, Any] = value if isinstance(value, dict) else {}
    titles = (named[key] for key in _TITLE_KEYS if isinstance(named.get(key), str))
    return ParsedDocument(next(titles, ""), builder.text)


def _load(text: str) -> Any:
    try:
        try:
            return _value(text)
        except json.JSONDecodeError:
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) < 2:
                raise
            return [_value(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise ParseError("broken_file", "The file is not valid JSON.") from error


def _value(text: str) -> Any:
    """Parsed with numbers left as text: a figure that is quoted must be the figure that was written."""
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _leaves(value: Any) -> Iterator[tuple[str, str]]:
    """Every scalar with its dotted path; lists of scalars become one line."""
    stack: list[tuple[str, Any, int]] = [("", value, 0)]
    while stack:
        name, item, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise ParseError("broken_file", "The JSON is nested too deeply.")
        if isinstance(item, dict):
            stack.extend((_joined(name, key), child, depth + 1) for key, child in reversed(item.items()))
        elif isinstance(item, list) and any(isinstance(child, dict | list) for child in item):
            numbered = list(enumerate(item, 1))
            stack.extend((_joined(name, str(number)), child, depth + 1) for number, child in reversed(numbered))
        elif words := _words(item):
            yield name, words


def _joined(path: str, key: str) -> str:
    return f"{path}.{one_line(key)}" if path else one_line(key)


def _words(item: Any) -> str:
    match item:
        case None:
            return ""
        case bool():
            return "true" if item else "false"
        case list():
            return ", ".join(filter(None, map(_words, item)))
        case _:
            return str(item).strip()
