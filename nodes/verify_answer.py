"""Hold every sentence of the answer against the passages: what carries it, verbatim, or that nothing does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

from nodes.context import TurnContext
from nodes.events import Citation, Unsupported
from tools.knowledge.grounding import Ground, Support
from tools.knowledge.protocol import Passage
from tools.knowledge.sentences import Sentence, markers, split_sentences, without_markers

INLINE_PASSAGES = 10
"""More passages than this are read off the event loop."""
NOT_A_CLAIM = ("?", "？", ":", "：")
"""Questions and lead-ins claim nothing."""


class VerifyAnswerInput(TypedDict):
    """The answer as released, the part of it (characters) that speaks of documents, and the passages it was given."""

    answer: str
    claims: NotRequired[tuple[int, int]]
    passages: NotRequired[Sequence[Passage]]


class VerifyAnswerUpdate(TypedDict, total=False):
    """`citations` carry sentences of the answer; `unsupported` are the sentences that rest on no passage."""

    citations: Sequence[Citation]
    unsupported: Sequence[Unsupported]


async def verify_answer(state: VerifyAnswerInput, context: TurnContext) -> VerifyAnswerUpdate:
    """Find the verbatim quote behind each sentence of the answer."""
    passages, answer = state.get("passages", ()), state["answer"]
    if not passages or not answer.strip():
        return {"citations": [], "unsupported": []}
    start, end = state.get("claims", (0, len(answer)))
    if len(passages) <= INLINE_PASSAGES:
        return _verified(answer[start:end], start, passages)
    return await asyncio.to_thread(_verified, answer[start:end], start, passages)


def _verified(answer: str, offset: int, passages: Sequence[Passage]) -> VerifyAnswerUpdate:
    """`offset` is where `answer` begins in all that was said."""
    ground = Ground(passages)
    citations: list[Citation] = []
    unsupported: list[Unsupported] = []
    for sentence in split_sentences(answer):
        found = list(_supports(ground, sentence, len(passages)))
        citations += [_citation(passages[support.passage], support, sentence.text) for support in found]
        if not found and _claims(sentence) and ground.can_judge(sentence.text):
            start, end = offset + sentence.start, offset + sentence.end
            unsupported.append(Unsupported(sentence=sentence.text, start=start, end=end))
    return {"citations": citations, "unsupported": unsupported}


def _supports(ground: Ground, sentence: Sentence, passages: int) -> Iterator[Support]:
    """What carries the sentence: each passage it cites that does; if none of them does, the best that does."""
    cited = [int(label) - 1 for label in markers(sentence.text) if 0 < int(label) <= passages]
    found = [support for place in cited if (support := ground.support(sentence.text, [place]))]
    if not found and (best := ground.support(sentence.text)):
        found = [best]
    yield from found


def _claims(sentence: Sentence) -> bool:
    bare = without_markers(sentence.text).strip()
    return any(character.isalnum() for character in bare) and not bare.endswith(NOT_A_CLAIM)


def _citation(passage: Passage, support: Support, sentence: str) -> Citation:
    return Citation(
        id=str(support.passage + 1),
        title=passage.title,
        document_id=passage.document_id,
        page=passage.page,
        start=support.start,
        end=support.end,
        quote=support.quote,
        score=passage.score,
        sentence=sentence,
    )
