"""What a store promises of a user as a whole."""

from __future__ import annotations

from typing import Protocol


class UserStore(Protocol):
    """Erases users. May raise StoreUnavailable."""

    async def erase(self, tenant_id: str, user_id: str) -> None:
        """Remove all that is the user's, in one transaction: conversations, turns, moods, the choice about moods.

        A turn in another user's conversation goes with its messages, and that conversation's summary is void. Who is
        unknown, or has been erased, is erased without complaint. What runs is removed too: stop it first.
        """
        ...
