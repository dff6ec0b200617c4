"""The time as the tables keep it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now(*, less: timedelta = timedelta()) -> str:
    """RFC 3339 in UTC with microseconds, `less` ago; of fixed width, so it sorts as text."""
    return (datetime.now(UTC) - less).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
