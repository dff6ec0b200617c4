"""What a store of moods promises: how each message of a user felt, kept until it or its turn is deleted.

`tenant_id` is the first argument everywhere; what belongs to another tenant does not exist. Times are RFC 3339
in UTC as `tools.stores.clock` writes them, so they compare as text. The mood of a turn is kept by
`TurnStore.append`, with the event that tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mood:
    """One message as it was felt: a GoEmotions label, valence (-1..1), arousal, intensity and confidence (0..1).

    `decided_by` names who read it. `at` is set by the store; `turn_id` is None for a message that was no turn.
    """

    primary_emotion: str
    valence: float
    arousal: float
    intensity: float
    confidence: float
    decided_by: str
    at: str = ""
    turn_id: str | None = None


class MoodStore(Protocol):
    """Moods by user. A user who opted out has none, and gets none. Every method may raise StoreUnavailable."""

    async def record(self, tenant_id: str, user_id: str, mood: Mood) -> bool:
        """Keep the mood of a message that is no turn, dated now; False, nothing kept, for a user who opted out."""
        ...

    async def between(self, tenant_id: str, user_id: str, since: str, until: str, limit: int) -> Sequence[Mood]:
        """Moods with `since <= at < until`, oldest first; of more than `limit` (at least 1) the newest."""
        ...

    async def forget(self, tenant_id: str, user_id: str) -> int:
        """Erase all of the user's moods; gives their number. Moods to come are kept as before."""
        ...

    async def opt_out(self, tenant_id: str, user_id: str) -> int:
        """Erase all of the user's moods and keep no more, in one transaction; gives the number erased."""
        ...

    async def opt_in(self, tenant_id: str, user_id: str) -> None:
        """Keep the user's moods from here on, as is done for anybody who has said nothing."""
        ...

    async def opted_out(self, tenant_id: str, user_id: str) -> bool:
        """Whether the user's moods are not kept."""
        ...
