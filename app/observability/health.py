"""How the parts of the app are, and what that means for a turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Condition = Literal["ok", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part. A part that is `needed` and `down` means that no turn can be served."""

    status: Condition
    needed: bool
    detail: str = ""


def overall(parts: Mapping[str, PartHealth]) -> Condition:
    """`down` when a needed part is down, `degraded` when any part is not well, else `ok`."""
    if any(part.needed and part.status == "down" for part in parts.values()):
        return "down"
    return "ok" if all(part.status == "ok" for part in parts.values()) else "degraded"
