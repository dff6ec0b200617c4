from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from tools.errors import InvalidInput, NotAvailable, StoreUnavailable
from tools.models.embedders import batching
from tools.models.embedders.batching import BatchingThread, Encoder
from tools.models.protocol import Vectors

DEADLINE = 10


class GatedEncoder:
    """Encodes a text as (its length, 0), one token per character; each run waits until `gate` is open."""

    batch_tokens = 8

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.running = threading.Event()
        self.runs: list[list[int]] = []

    def tokenise(self, text: str) -> list[int]:
        if text == "bad":
            raise InvalidInput("bad")
        return [1] * len(text)

    def encode(self, batch: Sequence[list[int]]) -> Vectors:
        self.running.set()
        assert self.gate.wait(DEADLINE)
        self.runs.append([len(tokens) for tokens in batch])
        if 13 in self.runs[-1]:
            raise RuntimeError("out of memory")
        return np.array([[len(tokens), 0] for tokens in batch], dtype=np.float32)


@pytest.fixture
def encoder() -> GatedEncoder:
    return GatedEncoder()


@pytest.fixture
def batches(encoder: GatedEncoder) -> Iterator[BatchingThread]:
    thread = BatchingThread(lambda: encoder, dimension=2)
    yield thread
    encoder.gate.set()
    asyncio.run(thread.close())


async def _hold(encoder: GatedEncoder, batches: BatchingThread) -> asyncio.Task[Vectors]:
    """Start a run that lasts until the gate opens."""
    encoder.gate.clear()
    encoder.running.clear()
    held = asyncio.ensure_future(batches.embed(["held"]))
    assert await asyncio.to_thread(encoder.running.wait, DEADLINE)
    return held


async def _asked(*calls: asyncio.Future[Vectors]) -> tuple[asyncio.Future[Vectors], ...]:
    """The calls, once they stand in the queue."""
    await asyncio.sleep(0)
    return calls


async def test_calls_that_wait_together_run_together(encoder: GatedEncoder, batches: BatchingThread) -> None:
    held = await _hold(encoder, batches)
    calls = await _asked(*(asyncio.ensure_future(batches.embed([text])) for text in ("aa", "bb", "cc", "dd", "ee")))
    encoder.gate.set()
    rows = await asyncio.gather(*calls)
    await held
    assert [row[0, 0] for row in rows] == [2] * 5
    assert encoder.runs == [[4], [2, 2, 2, 2], [2]]


async def test_a_batch_is_bounded_by_its_padded_tokens(encoder: GatedEncoder, batches: BatchingThread) -> None:
    rows = await batches.embed(["a" * 20, "b" * 3, "c" * 4, "d" * 4, "e"])
    assert rows[:, 0].tolist() == [20, 3, 4, 4, 1]
    assert encoder.runs == [[1], [3, 4], [4], [20]]


async def test_a_question_waits_for_no_more_than_the_run_under_way(
    encoder: GatedEncoder, batches: BatchingThread
) -> None:
    encoder.gate.clear()
    upload = asyncio.ensure_future(batches.embed([f"{number:08}" for number in range(50)]))
    assert await asyncio.to_thread(encoder.running.wait, DEADLINE)
    (question,) = await _asked(asyncio.ensure_future(batches.embed(["why"])))
    encoder.gate.set()
    await question
    assert encoder.runs[:2] == [[8], [3]]
    assert (await upload)[:, 0].tolist() == [8] * 50


async def test_the_same_text_is_encoded_once(encoder: GatedEncoder, batches: BatchingThread) -> None:
    held = await _hold(encoder, batches)
    calls = await _asked(*(asyncio.ensure_future(batches.embed(["same"])) for _ in range(3)))
    encoder.gate.set()
    await asyncio.gather(held, *calls)
    await batches.embed(["same"])
    assert encoder.runs == [[4], [4]]


async def test_only_so_many_texts_are_remembered(encoder: GatedEncoder, batches: BatchingThread) -> None:
    for number in range(batching.RECENT_TEXTS + 1):
        await batches.embed([f"{number:04}"])
    await batches.embed(["0001"])
    await batches.embed(["0000"])
    assert len(encoder.runs) == batching.RECENT_TEXTS + 2


async def test_a_cancelled_call_costs_nothing(encoder: GatedEncoder, batches: BatchingThread) -> None:
    held = await _hold(encoder, batches)
    (call,) = await _asked(asyncio.ensure_future(batches.embed(["aaaaaa", "bbbbbbb"])))
    call.cancel()
    await _asked()
    encoder.gate.set()
    await held
    await batches.embed(["cc"])
    assert encoder.runs == [[4], [2]]


async def test_too_many_calls_are_turned_away(
    encoder: GatedEncoder, batches: BatchingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MAX_CALLS", 3)
    held = await _hold(encoder, batches)
    waiting = await _asked(*(asyncio.ensure_future(batches.embed([text])) for text in "abc"))
    with pytest.raises(StoreUnavailable):
        await batches.embed(["d"])
    encoder.gate.set()
    await asyncio.gather(held, *waiting)


async def test_a_failed_run_fails_its_own_calls_only(encoder: GatedEncoder, batches: BatchingThread) -> None:
    held = await _hold(encoder, batches)
    failing, fine = await _asked(
        asyncio.ensure_future(batches.embed(["a" * 13, "b" * 20])), asyncio.ensure_future(batches.embed(["cc"]))
    )
    encoder.gate.set()
    with pytest.raises(StoreUnavailable):
        await failing
    assert (await fine)[0, 0] == 2
    assert (await batches.embed(["ddd"]))[0, 0] == 3
    assert [20] not in encoder.runs
    await held


async def test_a_bad_text_fails_its_own_call_only(batches: BatchingThread) -> None:
    bad, fine = await asyncio.gather(batches.embed(["bad", "a"]), batches.embed(["bb"]), return_exceptions=True)
    assert isinstance(bad, InvalidInput)
    assert isinstance(fine, np.ndarray)


async def test_who_waits_at_the_close_is_told(encoder: GatedEncoder, batches: BatchingThread) -> None:
    held = await _hold(encoder, batches)
    (waiting,) = await _asked(asyncio.ensure_future(batches.embed(["aa"])))
    closing = asyncio.ensure_future(batches.close())
    await _asked()
    encoder.gate.set()
    await closing
    with pytest.raises(StoreUnavailable):
        await waiting
    assert (await held)[0, 0] == 4


async def test_an_encoder_that_cannot_be_loaded_is_not_available() -> None:
    def load() -> Encoder:
        raise OSError("no such file: /secret/place")

    thread = BatchingThread(load, dimension=2)
    with pytest.raises(NotAvailable) as refused:
        await thread.embed(["a"])
    assert "secret" not in refused.value.message
    await thread.close()


def test_one_thread_serves_several_event_loops(batches: BatchingThread) -> None:
    outcomes: list[Vectors] = []

    async def ask(text: str) -> None:
        outcomes.append(await batches.embed([text]))

    threads = [threading.Thread(target=asyncio.run, args=(ask("a" * length),)) for length in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(rows[0, 0] for rows in outcomes) == [1, 2, 3]
