"""Ranges of days, as clients write them and as search compares them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tools.errors import InvalidInput

OPEN_END = ".."
EVER = (date.min.toordinal(), date.max.toordinal())
"""The range that every day is in."""


def date_range(text: Any) -> tuple[int, int]:
    """The days of `2024-01-01/2025-01-01` as ordinals, both included; `..` leaves an end open, None leaves both.

    Raises:
        InvalidInput: not two dates, or the second before the first.
    """
    if text is None:
        return EVER
    try:
        first, last = str(text).split("/")
        days = _day(first, EVER[0]), _day(last, EVER[1])
    except ValueError:
        days = (1, 0)
    if days[0] > days[1]:
        raise InvalidInput("A date range is two dates in order, as in 2024-01-01/2025-01-01.")
    return days


def day_of(text: str) -> int:
    """The ordinal of an RFC 3339 time or date; of the first day there is where it is neither."""
    try:
        return date.fromisoformat(text[:10]).toordinal()
    except ValueError:
        return EVER[0]


def _day(text: str, end: int) -> int:
    return end if text == OPEN_END else datetime.strptime(text, "%Y-%m-%d").date().toordinal()
