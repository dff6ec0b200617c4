"""The entities that quoted sentences name, from what was read when their documents were indexed."""

from __future__ import annotations

from collections.abc import Sequence

from tools.knowledge.extraction.protocol import EntityType, Mention
from tools.knowledge.extraction.stored import from_json
from tools.stores.histories_protocol import HistoryStore, Quote

NOT_A_SUBJECT: frozenset[EntityType] = frozenset({"time", "metric"})
"""Types of what a sentence mentions without being about it."""


class QuotedNames:
    """Looks up mentions by the places of quotes."""

    def __init__(self, histories: HistoryStore) -> None:
        self._histories = histories

    async def names(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[Sequence[Mention]]:
        """For each quote the entities named in it, dates and figures apart; of each the first mention."""
        found: list[dict[str, Mention]] = [{} for _ in quotes]
        for place, chunk_start, data in await self._histories.extractions(tenant_id, quotes):
            quote = quotes[place]
            for mention in from_json(data).mentions:
                start, end = chunk_start + mention.start, chunk_start + mention.end
                if mention.type not in NOT_A_SUBJECT and quote.start <= start and end <= quote.end:
                    found[place].setdefault(mention.norm, mention)
        return [list(names.values()) for names in found]
