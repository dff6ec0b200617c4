"""The embedded language model: answers in the passages' own sentences, with no key, server or weights."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from tools.models.broad_questions import is_broad
from tools.models.extractive.meaning import weigh_by_meaning
from tools.models.extractive.overview import overview
from tools.models.extractive.questions import Question, read_question
from tools.models.extractive.ranking import Candidate, PassageTerms, rank_sentences, read_passage
from tools.models.extractive.replies import nothing_found, reply_to
from tools.models.extractive.selection import select_sentences
from tools.models.protocol import ChatChunk, ChatRequest, Embedder, TokenUsage
from tools.models.tokens import estimate_tokens
from tools.models.tone import opening_of

NAME = "zhiyin-extractive"
_PIECE = re.compile(r"\s*(?:\[[^\]\s]{1,12}\]|[\u3400-\u9fff]{1,3}[，。！？；：、]*|[^\s\u3400-\u9fff]+)\s*")
_FULL_WIDTH = r"[\u00b7\u2018-\u2026\u3000-\u9fff\uff00-\uffef]"
_HAN_WRAP = re.compile(rf"(?<={_FULL_WIDTH})\s*\n\s*(?={_FULL_WIDTH})")
_WRAP = re.compile(r"\s*\n\s*")
_TERMINAL = re.compile(r"[。！？!?….][」』”’）)\]\"']*$")
_FOOTNOTE = re.compile(r"\s*\[\d{1,3}\]")


class ExtractiveModel:
    """Quotes the sentences that answer a question, each followed by its `[label]`.

    A specific question gets 1-3 sentences, a broad one 4-6 where the passages have them; one that names nothing at all
    ("summarise these documents") an overview of the passages; small talk and the like (by `request.intent`) a ready
    reply. It has no upstream: nothing to time out, nothing to pay.
    """

    tier = "embedded"

    def __init__(self, embedder: Embedder | None = None) -> None:
        """`embedder` is asked about questions that share few words with the passages; it stays the caller's."""
        self._embedder = embedder

    @property
    def name(self) -> str:
        """`zhiyin-extractive`."""
        return NAME

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """Answer word by word (Chinese: up to three characters), letting other tasks run in between."""
        finish: Literal["stop", "length"] = "stop"
        opening, answer = await self._answer(request)
        said = ""
        for place, piece in enumerate([opening, *_pieces(answer)]):
            if request.max_tokens is not None and estimate_tokens(said + piece) > request.max_tokens:
                finish = "length"
                break
            if piece:
                said += piece
                yield ChatChunk(text=piece, aside=place == 0)
                await asyncio.sleep(0)
        usage = TokenUsage(estimate_tokens(request.message), estimate_tokens(said), counted=False)
        yield ChatChunk(usage=usage, finish_reason=finish)

    async def close(self) -> None:
        """Nothing is held."""

    async def _answer(self, request: ChatRequest) -> tuple[str, str]:
        """What is said before the answer (a paragraph, or nothing), and the answer."""
        ready = reply_to(request)
        if ready is not None:
            return "", ready
        question = read_question(request.message, request.intent, _earlier(request))
        passages: list[PassageTerms] = []
        for index, evidence in enumerate(request.evidence):
            passages.append(read_passage(index, evidence))
            await asyncio.sleep(0)
        if is_broad(request.message, asked_broadly=request.intent == "broad_question") and (said := overview(passages)):
            return _opening(request), _compose(said, broad=True)
        chosen = await self._choose(question, passages, request)
        if not chosen:
            return "", nothing_found(request)
        return _opening(request), _compose(chosen, broad=question.broad)

    async def _choose(
        self, question: Question, passages: Sequence[PassageTerms], request: ChatRequest
    ) -> list[Candidate]:
        """Sentences to quote: in the question's language if any of those is relevant, else in the other."""
        ranked = rank_sentences(question, passages)
        same = [candidate for candidate in ranked if candidate.language == request.language]
        same = await weigh_by_meaning(same, request.message, request.language, self._embedder)
        return select_sentences(same, broad=question.broad) or select_sentences(
            [candidate for candidate in ranked if candidate.language != request.language], broad=question.broad
        )


def _earlier(request: ChatRequest) -> list[str]:
    return [message.content for message in request.history if message.role == "user"]


def _opening(request: ChatRequest) -> str:
    """A word to a strong feeling, then the persona's own line; empty for neither."""
    felt = opening_of(request.tone, request.language) if request.tone else ""
    lines = filter(None, [felt, request.persona.opening_in(request.language)])
    return "".join(f"{line}\n\n" for line in lines)


def _compose(chosen: Sequence[Candidate], *, broad: bool) -> str:
    """Sentences with their marks: running text, or a list for a broad answer and where they are no full sentences."""
    quoted = [f"{_quotable(candidate.text)} [{candidate.label}]" for candidate in chosen]
    whole = all(_TERMINAL.search(candidate.text) for candidate in chosen)
    as_list = len(quoted) > 1 and (broad or not whole)
    return "\n".join(f"- {sentence}" for sentence in quoted) if as_list else " ".join(quoted)


def _quotable(sentence: str) -> str:
    """The sentence on one line, without footnote numbers of its own: they would read as citations of ours."""
    return _WRAP.sub(" ", _HAN_WRAP.sub("", _FOOTNOTE.sub("", sentence)))


def _pieces(text: str) -> Iterator[str]:
    """Cut `text` so that the pieces joined are the text again."""
    position = 0
    for match in _PIECE.finditer(text):
        yield text[position : match.end()]
        position = match.end()
    if position < len(text):
        yield text[position:]
