"""What is said to people in need, without asking a model: in a crisis at once, in lasting distress as an offer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from tools.models.protocol import Language


class CrisisAnswers(Protocol):
    """Knows messages that speak of suicide, self-harm or abuse, and what to say to them."""

    def answer_to(self, message: str, language: Language) -> str | None:
        """Help lines with kind words in `language`; None for a message that speaks of none of these.

        It never names a diagnosis, and promises nothing.
        """
        ...


class Handover(Protocol):
    """Offers a person to somebody whose distress lasts."""

    @property
    def look_back(self) -> int:
        """How many messages before the present one count."""
        ...

    def is_possible(self, valence: float) -> bool:
        """Whether a message of this valence can be the latest of lasting distress."""
        ...

    def is_due(self, valences: Sequence[float]) -> bool:
        """Whether the user's messages, oldest first and the present one last (-1 to 1), tell of lasting distress."""
        ...

    def offer(self, language: Language) -> str:
        """One paragraph that offers a person."""
        ...

    def was_made_in(self, answers: Iterable[str]) -> bool:
        """Whether one of these answers holds the offer, in any language."""
        ...
