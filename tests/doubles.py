"""Small parts that keep a Protocol and are predictable: for tests of other things than those parts."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Sequence

import numpy as np

from tools.errors import InvalidInput, StoreUnavailable, UpstreamError
from tools.models.protocol import ChatChunk, ChatRequest, TokenUsage, Vectors


class HashingEmbedder:
    """An embedder of words: texts that share words (or Han characters) are near, and nothing is learnt."""

    name = "hashing"
    dimension = 256
    languages = frozenset({"en", "zh"})

    def __init__(self) -> None:
        self.texts: list[str] = []
        """All texts it was asked for, in order."""
        self._closed = False

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Signed word counts over `dimension` buckets."""
        if self._closed:
            raise StoreUnavailable("The embedder is shutting down.")
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            await asyncio.sleep(0)
            self.texts.append(text)
            self._count(text[:4000].lower(), row)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def _count(self, text: str, row: Vectors) -> None:
        if re.search("[\ud800-\udfff]", text):
            raise InvalidInput("A text to embed is not valid Unicode.")
        for word in re.findall(r"[㐀-鿿]|[^\W㐀-鿿]+", text) or [""]:
            value = zlib.crc32(word.encode())
            row[value % self.dimension] += 1 if value & 1 << 16 else -1
        if not row.any():
            row[0] = 1

    async def close(self) -> None:
        """Refuse from here on."""
        self._closed = True


class ScriptedChatModel:
    """A chat model that says what it is told to, piece by piece.

    `gates` are waited for one by one, each before the piece of its place; `failure` is raised after the last piece.
    """

    tier = "embedded"

    def __init__(
        self,
        *pieces: str,
        name: str = "scripted",
        gates: Sequence[asyncio.Event] = (),
        failure: UpstreamError | None = None,
    ) -> None:
        self.name = name
        self.requests: list[ChatRequest] = []
        """All requests it was asked, in order."""
        self.listeners = 0
        """Streams that are open now."""
        self._pieces = pieces
        self._gates = gates
        self._failure = failure

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """The pieces, then an ending or the failure."""
        self.requests.append(request)
        self.listeners += 1
        try:
            for place, piece in enumerate(self._pieces):
                if place < len(self._gates):
                    await self._gates[place].wait()
                await asyncio.sleep(0)
                yield ChatChunk(text=piece)
            if self._failure is not None:
                raise self._failure
            yield ChatChunk(usage=TokenUsage(10, len(self._pieces)), finish_reason="stop")
        finally:
            self.listeners -= 1

    async def close(self) -> None:
        """Holds nothing."""
