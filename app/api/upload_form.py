"""Multipart uploads received straight to disk: a file is hashed and counted as it comes, never held in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi.exceptions import RequestValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from app.errors import Malformed, UnsupportedMediaType
from tools.knowledge.uploads import StagedFile, Upload, UploadFolder

FILE_FIELDS = frozenset({"file", "files"})
TEXT_FIELDS = frozenset({"dataset_id"})
MAX_FIELDS = 100
MAX_FIELD_BYTES = 4_096
WRITE_BYTES = 256 * 1024
"""What is gathered in memory before a thread writes it."""


class UploadForm:
    """The fields and staged files of one request; files that `release` does not hand on are removed."""

    def __init__(self, folder: UploadFolder, max_file_bytes: int, max_files: int) -> None:
        """Files land in `folder`'s staging; passing either limit ends the request."""
        self.fields: dict[str, str] = {}
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._max_files = max_files
        self.uploads: list[Upload] = []
        self._to_do: list[Callable[[], object]] = []
        self._waiting_bytes = 0
        self._staged: StagedFile | None = None
        self._files = 0
        self._parts = 0
        self._header = (b"", b"")
        self._headers: dict[str, bytes] = {}
        self._field = ""
        self._is_file = False
        self._value = bytearray()
        self._ended = False

    async def receive(self, request: Request) -> None:
        """Read the whole body.

        Raises:
            UnsupportedMediaType: it is not multipart.
            Malformed: it is not what it says, ends early, or has too many parts.
            TooLarge: a file is larger than allowed; raised as soon as that is seen.
            StoreUnavailable: the disk refuses.
            RequestValidationError: a field that nobody knows, or a file in the place of one.
        """
        parser = MultipartParser(
            _boundary(request),
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": lambda data, start, end: self._on_header(data[start:end], b""),
                "on_header_value": lambda data, start, end: self._on_header(b"", data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )
        try:
            async for piece in request.stream():
                parser.write(piece)
                if self._waiting_bytes >= WRITE_BYTES:
                    await asyncio.to_thread(self._catch_up)
        except FormParserError as error:
            raise Malformed("The body is not valid multipart/form-data.") from error
        except ClientDisconnect as error:
            raise Malformed("The body ended early.") from error
        if not self._ended:
            raise Malformed("The multipart body ends early.")
        await asyncio.to_thread(self._catch_up)

    def release(self) -> list[Upload]:
        """The files in order; they are the caller's from now on."""
        uploads, self.uploads = self.uploads, []
        return uploads

    def discard(self) -> None:
        """Remove what nobody took over; blocks on the disk."""
        if self._staged is not None:
            self._staged.discard()
        for upload in self.uploads:
            upload.path.unlink(missing_ok=True)

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._max_files + MAX_FIELDS:
            raise Malformed("The form has too many parts.", code="too_many_parts")
        self._headers, self._field, self._is_file = {}, "", False
        self._value.clear()

    def _on_header(self, name: bytes, value: bytes) -> None:
        self._header = (self._header[0] + name, self._header[1] + value)

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[name.decode("latin-1").lower()] = value
        self._header = (b"", b"")

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._field = options.get(b"name", b"").decode("latin-1")
        self._is_file = b"filename" in options
        if self._field not in (FILE_FIELDS if self._is_file else TEXT_FIELDS):
            raise _wrong(self._field)
        if self._is_file:
            self._begin_file(_text(options[b"filename"]))

    def _begin_file(self, name: str) -> None:
        self._files += 1
        if self._files > self._max_files:
            raise Malformed(f"An upload holds at most {self._max_files} files.", code="too_many_files")
        self._name = name
        self._to_do.append(self._open)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._is_file:
            self._waiting_bytes += len(piece)
            self._to_do.append(partial(self._write, piece))
            return
        self._value += piece
        if len(self._value) > MAX_FIELD_BYTES:
            raise _wrong(self._field)

    def _on_part_end(self) -> None:
        if self._is_file:
            content_type = self._headers.get("content-type", b"").decode("latin-1")
            self._to_do.append(partial(self._finish, self._name, content_type))
        else:
            self.fields[self._field] = _text(bytes(self._value))

    def _on_end(self) -> None:
        self._ended = True

    def _catch_up(self) -> None:
        """Do to the disk what has been read since the last time."""
        to_do, self._to_do, self._waiting_bytes = self._to_do, [], 0
        for step in to_do:
            step()

    def _open(self) -> None:
        self._staged = self._folder.stage(self._max_file_bytes)

    def _write(self, data: bytes) -> None:
        if self._staged is not None:
            self._staged.write(data)

    def _finish(self, name: str, content_type: str) -> None:
        if self._staged is None:
            return
        upload = self._staged.finish(name, content_type)
        self._staged = None
        if name or upload.size_bytes:
            self.uploads.append(upload)
        else:
            upload.path.unlink(missing_ok=True)  # what a browser sends for a file field left empty


@asynccontextmanager
async def received(
    request: Request, folder: UploadFolder, max_file_bytes: int, max_files: int
) -> AsyncIterator[UploadForm]:
    """The form of a request, read to its end; what is not released is gone afterwards."""
    form = UploadForm(folder, max_file_bytes, max_files)
    try:
        await form.receive(request)
        yield form
    finally:
        await asyncio.to_thread(form.discard)


def missing(field: str) -> RequestValidationError:
    """The refusal of a form without a field it needs."""
    return RequestValidationError([{"type": "missing", "loc": ("body", field), "msg": "Field required"}])


def _wrong(field: str) -> RequestValidationError:
    known = field if field in FILE_FIELDS | TEXT_FIELDS else "form"
    return RequestValidationError(
        [{"type": "invalid_field", "loc": ("body", known), "msg": "The field is unknown, too long or no file"}]
    )


def _boundary(request: Request) -> bytes:
    content_type = request.headers.get("content-type", "")
    if not content_type:
        raise missing("file")
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise UnsupportedMediaType("Send multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:  # RFC 2046, 5.1.1
        raise Malformed("The multipart boundary is missing or too long.")
    return boundary


def _text(data: bytes) -> str:
    """A field or file name: UTF-8, else what Chinese Windows sends, else byte for byte."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
