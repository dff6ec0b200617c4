"""What reading intent and emotion costs: CPU per message, batches of 32, and waiting times under 64 turns at once.

    python -m evals.bench.understanding [--rounds 5] [--json OUT]

CPU is that of all threads of this process; the middle round counts. The messages are those of
evals/labelled/intents_en.jsonl, changed a little in each round, so that no step remembers one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from evals.data import rows
from tools.emotion.open import open_emotion_reader
from tools.emotion.protocol import EmotionReader
from tools.emotion.settings import EmotionSettings
from tools.intent.ml import MlIntentDetector, open_intent_detector
from tools.models.embedders.open import open_embedder
from tools.models.embedders.settings import EmbedderSettings
from tools.models.protocol import Embedder

LABELLED = Path(__file__).parent.parent / "labelled"
BATCH = 32
TURNS = 64
QUESTIONS_PER_TURN = 10


class Bench:
    """The parts under measurement, warm."""

    def __init__(self, emotions: EmotionReader, intents: MlIntentDetector, embedder: Embedder) -> None:
        self._emotions, self._intents, self._embedder = emotions, intents, embedder
        self._texts = [row["message"] for row in rows(LABELLED, "intents_en")]
        self._asked = 0

    async def measure(self, rounds: int) -> dict[str, float]:
        """All figures; names end in their units."""
        found = {
            "embedding_cpu_ms": await self._cpu_ms(rounds, lambda text: self._embedder.embed([text])),
            "emotion_cpu_ms": await self._cpu_ms(rounds, lambda text: self._emotions.read(text, "en")),
            "intent_over_embedding_cpu_ms": await self._cpu_ms(rounds, self._detect, before=self._embed_all),
            "both_with_embedding_cpu_ms": await self._cpu_ms(rounds, self._both),
        }
        return found | {
            "emotion_messages_per_cpu_second_at_32": await self._batched(rounds),
            "intent_p99_wait_ms_of_64_turns": await self._p99(),
        }

    def _messages(self) -> list[str]:
        """Texts that nobody has asked about yet."""
        self._asked += 1
        return [f"{text} {self._asked}" for text in self._texts]

    async def _cpu_ms(
        self,
        rounds: int,
        step: Callable[[str], Awaitable[object]],
        before: Callable[[Sequence[str]], Awaitable[object]] | None = None,
    ) -> float:
        """Milliseconds of CPU for a message, one after another."""
        spent = list[float]()
        for _ in range(rounds):
            texts = self._messages()
            if before is not None:
                await before(texts)
            start = time.process_time()
            for text in texts:
                await step(text)
            spent.append((time.process_time() - start) / len(texts))
        return 1000 * statistics.median(spent)

    async def _detect(self, text: str) -> object:
        return await self._intents.detect(text, "en")

    async def _both(self, text: str) -> object:
        return await asyncio.gather(self._detect(text), self._emotions.read(text, "en"), self._embedder.embed([text]))

    async def _embed_all(self, texts: Sequence[str]) -> None:
        """One by one: the encoder remembers what single calls asked for."""
        for text in texts:
            await self._embedder.embed([text])

    async def _batched(self, rounds: int) -> float:
        spent = list[float]()
        for _ in range(rounds):
            texts = self._messages()[:BATCH]
            start = time.process_time()
            await self._emotions.read_many(texts)
            spent.append(time.process_time() - start)
        return BATCH / statistics.median(spent)

    async def _p99(self) -> float:
        """Milliseconds that one of a hundred detections takes longer than, with 64 turns at once."""
        waits = list[float]()

        async def turn(number: int) -> None:
            for question in range(QUESTIONS_PER_TURN):
                start = time.perf_counter()
                await self._detect(f"{self._texts[(number * 7 + question) % len(self._texts)]} {number}/{question}")
                waits.append(time.perf_counter() - start)

        await asyncio.gather(*(turn(number) for number in range(TURNS)))
        return 1000 * statistics.quantiles(waits, n=100)[98]


async def run(rounds: int) -> dict[str, float]:
    """Open the parts as the app does, warm them up, measure."""
    embedder, emotions = open_embedder(EmbedderSettings(embedder_threads=1)), open_emotion_reader(EmotionSettings())
    with tempfile.TemporaryDirectory() as folder:
        intents = open_intent_detector(embedder, Path(folder))
        try:
            await intents.warm_up()
            await asyncio.gather(intents.detect("warm up", "en"), emotions.read("warm up", "en"))
            return await Bench(emotions, intents, embedder).measure(rounds)
        finally:
            await intents.close()
            await emotions.close()
            await embedder.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures = asyncio.run(run(arguments.rounds))
    for name, value in figures.items():
        print(f"{name:40} {value:8.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
