"""The app as benchmarks run it: everything real but the model, whose answer is scripted.

    python -m evals.bench.server --port 8100 --engine workflow --data-dir DIR [--chunks 1000]

The scripted model says 44 one-character tokens without delay. Documents come from a seeded generator.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

from app.main import create_app
from app.memory import settle
from app.server import serve_app
from app.settings import Settings
from app.wiring import Replacements, open_app
from tools.models.protocol import ChatChunk, ChatRequest, TokenUsage

ANSWER = "This is a test response from the fake model."
WORDS_PER_CHUNK = 80


class ScriptedModel:
    """Says the same 44 characters to everybody, one at a time."""

    name = "scripted"
    tier = "embedded"

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """Yield the answer character by character, giving way to others once in a while as a socket would."""
        for place, character in enumerate(ANSWER):
            if place % 11 == 0:
                await asyncio.sleep(0)
            yield ChatChunk(text=character)
        yield ChatChunk(usage=TokenUsage(20, len(ANSWER)), finish_reason="stop")

    async def close(self) -> None:
        """Holds nothing."""


def corpus(chunks: int, seed: int = 20261121) -> str:
    """A Markdown text of about `chunks` sections with made-up but English-like sentences."""
    rng = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "on", "us")]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 3))) for _ in range(6_000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    parts = []
    for number in range(chunks):
        drawn = rng.choices(words, weights, k=WORDS_PER_CHUNK)
        sentences = [" ".join(drawn[at : at + 16]).capitalize() + "." for at in range(0, WORDS_PER_CHUNK, 16)]
        parts.append(f"## {drawn[0].capitalize()} {number}\n\n" + " ".join(sentences))
    return "\n\n".join(parts)


async def fill(settings: Settings, chunks: int) -> None:
    """Index the corpus unless the data folder already holds documents."""
    async with open_app(settings) as app:
        if (await app.documents.datasets("local", limit=1, cursor=None)).items:
            return
        await app.ingestor.submit("local", "default", [("corpus.md", corpus(chunks).encode())])
        await app.ingestor.idle()


def main() -> None:
    """Fill the data folder, then serve it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--engine", default="langgraph")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=1_000)
    parser.add_argument("--fill-only", action="store_true")
    arguments = parser.parse_args()
    settings = Settings.load(
        env_file=Path(os.devnull),
        environ={
            "PORT": str(arguments.port),
            "DATA_DIR": str(arguments.data_dir),
            "COORDINATOR_ENGINE": arguments.engine,
            "LOG_LEVEL": "WARNING",
        },
    )
    if arguments.fill_only:
        asyncio.run(fill(settings, arguments.chunks))
        return
    serve_app(create_app(settings, Replacements(chat_models=[ScriptedModel()]), settle), settings)


if __name__ == "__main__":
    main()
