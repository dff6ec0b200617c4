"""Words that stand before any model is asked: a refusal, or help in a crisis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """An answer that needs no document and no model, and how the turn ends on it."""

    text: str
    finish_reason: Literal["stop", "refused"]
