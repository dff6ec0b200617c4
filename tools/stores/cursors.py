"""Opaque page cursors: the sort key of the last row a client saw (keyset pagination)."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from tools.errors import InvalidInput

MAX_CHARS = 512
_MAX_INTEGER = 2**63 - 1


def encode(*key: str | int) -> str:
    """The cursor for `key`, safe in a URL."""
    text = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode(cursor: str, *types: type[str] | type[int]) -> Sequence[str | int]:
    """The key inside `cursor`, one value for each of `types`.

    Raises:
        InvalidInput: it is not a cursor of this list.
    """
    try:
        padded = cursor[:MAX_CHARS].encode("ascii") + b"=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise _bad() from error
    if not isinstance(key, list) or [type(value) for value in key] != list(types):
        raise _bad()
    if any(isinstance(value, int) and not 0 <= value <= _MAX_INTEGER for value in key):
        raise _bad()
    return key


def _bad() -> InvalidInput:
    return InvalidInput("The cursor is not one that this list gave out.", code="invalid_cursor")
