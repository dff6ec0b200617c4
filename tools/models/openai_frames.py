"""Server-sent events with JSON in them, as chat servers send them, decoded as the bytes come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tools.errors import UpstreamMalformed

MAX_LINE_BYTES = 2**20
"""A longer line, or a longer body that is no event stream, is refused."""
DONE = b"[DONE]"


class FrameDecoder:
    """Turns bytes, cut anywhere, into the JSON objects of `data:` lines.

    A body that is one JSON object instead, from a server that does not stream, counts as one frame. Fields other
    than `data` and comments are skipped. An event whose data is spread over several lines is not OpenAI's protocol.
    """

    def __init__(self) -> None:
        self.done = False
        """Whether `[DONE]` was read; what follows it is skipped."""
        self._rest = b""
        self._other = bytearray()
        self._framed = False

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The frames that end in `data`, those before a bad one included.

        Raises:
            UpstreamMalformed: not JSON, not UTF-8, not an object, or too long a line.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if (frame := self._frame(line)) is not None:
                yield frame
        if len(self._rest) > MAX_LINE_BYTES:
            raise UpstreamMalformed("The model's server sent an endless line.")

    def finish(self) -> list[dict[str, Any]]:
        """The frames left at the end of the body. Raises UpstreamMalformed as `feed` does."""
        line, self._rest = self._rest, b""
        last = self._frame(line)
        if last is not None or self._framed or self.done:
            return [last] if last is not None else []
        whole = bytes(self._other).strip()
        return [_parse(whole)] if whole else []

    def _frame(self, line: bytes) -> dict[str, Any] | None:
        line = line.strip()
        if self.done or not line or line.startswith(b":"):
            return None
        if not line.startswith(b"data:"):
            self._keep(line)
            return None
        self._framed = True
        content = line[5:].strip()
        if content == DONE:
            self.done = True
        return _parse(content) if content and not self.done else None

    def _keep(self, line: bytes) -> None:
        if self._framed:
            return
        self._other += line + b"\n"
        if len(self._other) > MAX_LINE_BYTES:
            raise UpstreamMalformed("The model's server did not send an event stream.")


def _parse(content: bytes) -> dict[str, Any]:
    try:
        frame = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise UpstreamMalformed("The model's server sent something that is not JSON.") from None
    if not isinstance(frame, dict):
        raise UpstreamMalformed("The model's server sent JSON that is no chat chunk.")
    return frame
