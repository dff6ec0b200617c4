"""One thread that encodes for everybody: texts that wait together run together.

A batch is bounded by its padded tokens, not by its texts: on a CPU padding costs more than a batch
gains, so short texts share a run and a long one has its own. Waiting calls take turns, so that a
question is not held up by the thousand chunks of an upload.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tools.errors import NotAvailable, StoreUnavailable, ZhiyinError
from tools.models.protocol import Vectors

MAX_CALLS = 1024
"""Calls that may wait; more are turned away."""
RECENT_TEXTS = 256
"""Texts of single-text calls whose vectors are kept: several steps of a turn ask for its message."""
MIN_FILL = 0.75
"""The least share of a batch that is not padding."""


class Encoder(Protocol):
    """A sentence encoder that blocks, for the use of one thread."""

    @property
    def batch_tokens(self) -> int:
        """Padded tokens that one run may hold; a single longer text still runs, alone."""
        ...

    def tokenise(self, text: str) -> list[int]:
        """Token ids, at least one, cut at the encoder's limit. Raises InvalidInput."""
        ...

    def encode(self, batch: Sequence[list[int]]) -> Vectors:
        """Rows of unit length for token lists of any lengths: (len(batch), dimension)."""
        ...


@dataclass(slots=True)
class _Call:
    """One `embed`: its texts, the rows filled so far, and which texts are still to do (the next one last)."""

    texts: list[str]
    rows: Vectors
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Vectors]
    todo: list[int]
    next_tokens: list[int] | None = None
    error: ZhiyinError | None = None

    def is_live(self) -> bool:
        """Somebody still waits for it and nothing has gone wrong."""
        return self.error is None and not self.future.cancelled()

    def fail(self, error: ZhiyinError) -> None:
        """Give up all of its texts."""
        self.error = error
        self.todo.clear()

    def resolve(self) -> None:
        """Hand the rows, or the error, to the waiter; runs in its loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.rows)
        else:
            self.future.set_exception(self.error)


@dataclass(slots=True)
class _Batch:
    """Different texts for one run, and the rows of calls that wait for each."""

    max_tokens: int
    places: dict[str, list[tuple[_Call, int]]] = field(default_factory=dict)
    tokens: list[list[int]] = field(default_factory=list)
    longest: int = 0
    total: int = 0

    def takes(self, text: str, tokens: list[int]) -> bool:
        """Whether `text` is here already or fits without too much padding; an empty batch takes any text."""
        if not self.tokens or text in self.places:
            return True
        padded = max(self.longest, len(tokens)) * (len(self.tokens) + 1)
        return padded <= self.max_tokens and self.total + len(tokens) >= MIN_FILL * padded

    def add(self, call: _Call, index: int, text: str, tokens: list[int]) -> None:
        """Let row `index` of `call` wait for `text`."""
        if text not in self.places:
            self.places[text] = []
            self.tokens.append(tokens)
            self.longest = max(self.longest, len(tokens))
            self.total += len(tokens)
        self.places[text].append((call, index))

    def is_full(self) -> bool:
        """No further text of the present length would fit."""
        return self.longest * (len(self.tokens) + 1) > self.max_tokens


class BatchingThread:
    """Loads an encoder on first use and runs it in one thread for callers in any event loop."""

    def __init__(self, load: Callable[[], Encoder], dimension: int) -> None:
        self._load = load
        self._dimension = dimension
        self._encoder: Encoder | None = None
        self._inbox: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._waiting: deque[_Call] = deque()
        self._served: _Call | None = None
        self._recent: dict[str, Vectors] = {}
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="embedder", daemon=True)
        self._thread.start()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: (len(texts), dimension).

        Raises:
            StoreUnavailable: too many calls are waiting, or `close` was called.
            InvalidInput: a text is not valid Unicode.
            NotAvailable: the encoder cannot be loaded.
        """
        if len(texts) == 1 and (known := self._recent.get(texts[0])) is not None:
            return known[np.newaxis].copy()
        rows = np.empty((len(texts), self._dimension), dtype=np.float32)
        if not texts:
            return rows
        loop = asyncio.get_running_loop()
        # Its texts are done from the end, so the shortest stands last.
        todo = sorted(range(len(texts)), key=lambda index: len(texts[index]), reverse=True)
        call = _Call(list(texts), rows, loop, loop.create_future(), todo)
        self._submit(call)
        return await call.future

    async def close(self) -> None:
        """Finish the run under way, turn away whoever waits, end the thread."""
        with self._closing:
            self._closed = True
            self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    def _submit(self, call: _Call) -> None:
        if self._inbox.qsize() + len(self._waiting) >= MAX_CALLS:
            raise StoreUnavailable("Too many texts wait to be embedded.")
        with self._closing:
            if self._closed:
                raise StoreUnavailable("The embedder is shutting down.")
            self._inbox.put(call)

    def _work(self) -> None:
        while self._receive():
            if (encoder := self._loaded()) is None:
                continue
            batch, finished = self._next_batch(encoder)
            _deliver(finished + self._run(encoder, batch))
        self._fail_waiting(StoreUnavailable("The embedder is shutting down."))

    def _receive(self) -> bool:
        """Take in calls, waiting for one while there is nothing to do; False when it is time to end."""
        while True:
            try:
                call = self._inbox.get(block=not self._waiting)
            except queue.Empty:
                return True
            if call is None:
                return False
            self._waiting.append(call)

    def _loaded(self) -> Encoder | None:
        """The encoder; None when it cannot be loaded and all waiting calls have been told so."""
        if self._encoder is None:
            try:
                self._encoder = self._load()
            except ZhiyinError as error:
                self._fail_waiting(error)
            except Exception as error:
                self._fail_waiting(_caused(NotAvailable("The embedding model cannot be loaded."), error))
        return self._encoder

    def _next_batch(self, encoder: Encoder) -> tuple[_Batch, list[_Call]]:
        """Texts of the waiting calls in turn, and the calls that need no more than this batch."""
        if self._waiting[0] is self._served:
            # Now rather than after its batch, so that it stands behind calls that came meanwhile.
            self._waiting.rotate(-1)
        batch = _Batch(encoder.batch_tokens)
        calls = [call for call in self._waiting if call.is_live()]
        for call in calls:
            if batch.is_full():
                break
            try:
                self._fill(batch, call, encoder)
            except ZhiyinError as error:
                call.fail(error)
        self._waiting = deque(call for call in calls if call.todo)
        self._served = calls[0] if calls else None
        return batch, [call for call in calls if not call.todo]

    def _fill(self, batch: _Batch, call: _Call, encoder: Encoder) -> None:
        """Move texts of `call` into the batch as long as they fit; what is known already is filled in."""
        while call.todo:
            index = call.todo[-1]
            text = call.texts[index]
            if (known := self._recent.get(text)) is not None:
                call.rows[index] = known
            else:
                tokens = call.next_tokens or encoder.tokenise(text)
                if not batch.takes(text, tokens):
                    call.next_tokens = tokens
                    return
                batch.add(call, index, text, tokens)
            call.next_tokens = None
            call.todo.pop()

    def _run(self, encoder: Encoder, batch: _Batch) -> list[_Call]:
        """Encode the batch and fill the rows that wait for it; gives the calls that failed by it."""
        if not batch.tokens:
            return []
        try:
            rows = encoder.encode(batch.tokens)
        except Exception as error:
            failed = [call for places in batch.places.values() for call, _ in places]
            for call in failed:
                call.fail(_caused(StoreUnavailable("The embedding model failed."), error))
            return failed
        for row, (text, places) in zip(rows, batch.places.items(), strict=True):
            for call, index in places:
                call.rows[index] = row
            if any(len(call.texts) == 1 for call, _ in places):
                self._remember(text, row)
        return []

    def _remember(self, text: str, row: Vectors) -> None:
        if len(self._recent) >= RECENT_TEXTS:
            del self._recent[next(iter(self._recent))]
        self._recent[text] = row.copy()

    def _fail_waiting(self, error: ZhiyinError) -> None:
        for call in self._waiting:
            call.fail(error)
        _deliver(self._waiting)
        self._waiting = deque()


def _caused(error: ZhiyinError, cause: Exception) -> ZhiyinError:
    error.__cause__ = cause
    return error


def _deliver(calls: Iterable[_Call]) -> None:
    """Wake the waiters, once per event loop; a loop that has ended has no waiters."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Call]] = defaultdict(list)
    for call in calls:
        by_loop[call.loop].append(call)
    for loop, its_calls in by_loop.items():
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, its_calls)


def _resolve(calls: Iterable[_Call]) -> None:
    for call in calls:
        call.resolve()
