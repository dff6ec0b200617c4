"""How long one answer of a model's server may keep us waiting, over all of its tries."""

from __future__ import annotations

import asyncio

from tools.models.settings import ChatModelSettings

USAGE_SECONDS = 2.0
"""How long usage and `[DONE]` may follow the last word."""
CLOSING_SECONDS = 0.1
"""How long the end of the body may follow `[DONE]`: only a reply read to its end leaves a connection for the next."""


class Patience:
    """Deadlines in the event loop's time: for the first word, for the next one, for everything."""

    def __init__(self, settings: ChatModelSettings) -> None:
        """Starts now."""
        self._clock = asyncio.get_running_loop().time
        now = self._clock()
        self._idle_seconds = settings.upstream_idle_seconds
        self._all_by = now + settings.upstream_total_seconds
        self._first_word_by = min(now + settings.upstream_first_token_seconds, self._all_by)
        self._heard_at = now

    def heard(self) -> None:
        """The server has said something that counts, just now."""
        self._heard_at = self._clock()

    def first_word(self) -> float:
        """When the first word must be here."""
        return self._first_word_by

    def next_word(self) -> float:
        """When a model that has begun to speak must have gone on."""
        return min(self._heard_at + self._idle_seconds, self._all_by)

    def usage(self) -> float:
        """When what follows the last word must be here."""
        return min(self._heard_at + USAGE_SECONDS, self._all_by)

    def closing(self) -> float:
        """When the body must have ended."""
        return min(self._heard_at + CLOSING_SECONDS, self._all_by)

    def allows_pause(self, seconds: float) -> bool:
        """Whether a first word may still come in time after a pause."""
        return self._clock() + seconds < self._first_word_by
