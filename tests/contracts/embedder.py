"""What every sentence encoder keeps, whatever it runs on."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest

from tools.errors import InvalidInput, StoreUnavailable
from tools.models.protocol import Embedder

BATCH_TOLERANCE = 1e-2
"""How far (1 - cosine) a vector may move with its batch: int8 scales, where texts share a run, are the batch's."""
LOOP_STALL_SECONDS = 0.05
"""The longest the event loop may be held up; one run of the largest batch takes several times that."""

SENTENCES = (
    "The pump is under warranty for two years.",
    "Who may sign the lease?",
    "水泵的保修期是两年。",
    "x",
    "Sales fell in spring because two suppliers could not deliver, and prices rose in the summer after that.",
)


class EmbedderContract:
    """Subclass it and give a fixture `embedder`; close it after the test with `asyncio.run(embedder.close())`."""

    async def test_vectors_have_the_stated_shape_and_type(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(SENTENCES)
        assert vectors.shape == (len(SENTENCES), embedder.dimension)
        assert vectors.dtype == np.float32

    async def test_vectors_have_unit_length(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(SENTENCES)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)

    async def test_rows_stand_in_the_order_of_the_texts(self, embedder: Embedder) -> None:
        forwards = await embedder.embed(SENTENCES)
        backwards = await embedder.embed(SENTENCES[::-1])
        cosines = forwards @ backwards[::-1].T
        assert (cosines.argmax(axis=1) == np.arange(len(SENTENCES))).all()
        assert (cosines.diagonal() >= 1 - BATCH_TOLERANCE).all()

    async def test_a_vector_hardly_depends_on_its_neighbours(self, embedder: Embedder) -> None:
        together = await embedder.embed(SENTENCES)
        alone = np.concatenate([await embedder.embed([text]) for text in SENTENCES])
        assert ((together * alone).sum(axis=1) >= 1 - BATCH_TOLERANCE).all()

    async def test_the_same_call_gives_the_same_vectors(self, embedder: Embedder) -> None:
        np.testing.assert_array_equal(await embedder.embed(SENTENCES), await embedder.embed(SENTENCES))

    async def test_no_texts_give_no_rows(self, embedder: Embedder) -> None:
        assert (await embedder.embed([])).shape == (0, embedder.dimension)

    @pytest.mark.parametrize("text", ["", " \n\t", "\x00", "🙂", "long words " * 200_000, "长" * 1_000_000])
    async def test_odd_texts_have_a_vector(self, embedder: Embedder, text: str) -> None:
        (vector,) = await asyncio.wait_for(embedder.embed([text]), 10)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)

    async def test_half_a_character_is_refused_and_others_are_served(self, embedder: Embedder) -> None:
        bad, good = await asyncio.gather(
            embedder.embed(["\ud83d"]), embedder.embed(["A whole sentence."]), return_exceptions=True
        )
        assert isinstance(bad, InvalidInput)
        assert isinstance(good, np.ndarray)

    async def test_what_a_caller_does_to_its_vectors_is_its_own_affair(self, embedder: Embedder) -> None:
        first = await embedder.embed([SENTENCES[0]])
        kept = first.copy()
        first[:] = 0
        np.testing.assert_array_equal(await embedder.embed([SENTENCES[0]]), kept)

    async def test_concurrent_callers_get_their_own_rows(self, embedder: Embedder) -> None:
        texts = [[f"{word} number {count}" for count in range(3)] for word in ("apple", "river", "lamp", "stone")]
        expected = [await embedder.embed(group) for group in texts]
        got = await asyncio.gather(*(embedder.embed(group) for group in texts * 4))
        for vectors, reference in zip(got, expected * 4, strict=True):
            assert ((vectors * reference).sum(axis=1) >= 1 - BATCH_TOLERANCE).all()

    async def test_the_event_loop_is_not_blocked(self, embedder: Embedder) -> None:
        await embedder.embed(["warm up"])
        work = asyncio.ensure_future(embedder.embed([f"{number} " + "many words " * 100 for number in range(40)]))
        gaps, last = [], time.perf_counter()
        while not work.done():
            await asyncio.sleep(0)
            gaps.append(time.perf_counter() - last)
            last = time.perf_counter()
        await work
        assert np.percentile(gaps, 99) < LOOP_STALL_SECONDS

    async def test_a_cancelled_caller_leaves_the_others_alone(self, embedder: Embedder) -> None:
        tasks = [asyncio.ensure_future(embedder.embed([f"caller {number}", "and more"])) for number in range(8)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(outcomes[3], asyncio.CancelledError)
        assert all(isinstance(outcome, np.ndarray) for place, outcome in enumerate(outcomes) if place != 3)

    async def test_a_closed_embedder_refuses_and_leaves_no_thread(self, embedder: Embedder) -> None:
        before = threading.active_count()
        await embedder.embed(["once"])
        await embedder.close()
        await embedder.close()
        assert threading.active_count() <= before + 1  # `to_thread` keeps a worker of its own
        with pytest.raises(StoreUnavailable):
            await embedder.embed(["again"])

    async def test_it_knows_its_languages_and_has_a_name(self, embedder: Embedder) -> None:
        assert embedder.languages <= {"en", "zh"}
        assert embedder.languages
        assert embedder.name.strip() == embedder.name != ""
