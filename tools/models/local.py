"""A transformers folder that answers on this machine, one request at a time; needs the `ml` extra."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tools.errors import NotAvailable, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from tools.models.prompt import messages_of
from tools.models.protocol import ChatChunk, ChatRequest, TokenUsage
from tools.models.settings import ChatModelSettings

if TYPE_CHECKING:
    from tools.models.local_runtime import Generation, LocalRuntime

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class LocalModel:
    """Runs in one thread of its own, which loads the weights with the first request.

    Who comes while it answers waits in line; when the line is full the request is turned away as unavailable.
    """

    tier = "local"

    def __init__(self, settings: ChatModelSettings) -> None:
        """Looks at the folder; nothing is loaded yet.

        Raises:
            NotAvailable: the `ml` extra is not installed, or `LOCAL_MODEL_PATH` is not the folder of a model.
        """
        folder = (settings.local_model_path or Path()).expanduser().resolve()
        if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
            raise NotAvailable("LOCAL_MODEL_PATH needs the `ml` extra: pip install 'zhiyin[ml]'.")
        if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            raise NotAvailable("LOCAL_MODEL_PATH is not a folder with config.json and *.safetensors.")
        self._settings = settings
        self._folder = folder
        self._threads = settings.local_threads or max(1, (os.cpu_count() or 2) // 2)
        self._thread: ThreadPoolExecutor | None = None
        self._runtime: LocalRuntime | None = None
        self._line = asyncio.Lock()
        self._in_line = 0
        self._working: set[threading.Event] = set()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._folder.name

    @property
    def is_working(self) -> bool:
        """Whether the thread is generating or loading."""
        return bool(self._working)

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """See `ChatModel`. All of it, the wait in line included, takes `upstream_total_seconds` at most."""
        if self._in_line > self._settings.local_queue:
            raise UpstreamUnavailable("The local model is busy.")
        deadline = asyncio.get_running_loop().time() + self._settings.upstream_total_seconds
        self._in_line += 1
        try:
            await _by(deadline, self._line.acquire())
            try:
                async with aclosing(self._generate(request, deadline)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            finally:
                self._line.release()
        finally:
            self._in_line -= 1

    async def close(self) -> None:
        """Stop what is being said and end the thread."""
        for stopped in self._working:
            stopped.set()
        thread, self._thread, self._runtime = self._thread, None, None
        if thread is not None:
            await asyncio.to_thread(thread.shutdown)

    async def warm_up(self) -> None:
        """Load the weights before the first request needs them. Raises UpstreamUnavailable if that fails."""
        await asyncio.wrap_future(self._executor().submit(self._loaded))

    async def _generate(self, request: ChatRequest, deadline: float) -> AsyncGenerator[ChatChunk]:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        stopped = threading.Event()

        def say(text: str) -> None:
            with suppress(RuntimeError):  # the loop may have ended while the last word was found
                loop.call_soon_threadsafe(pieces.put_nowait, text)

        def over(work: asyncio.Future[Generation]) -> None:
            self._working.discard(stopped)
            if not work.cancelled():
                work.exception()  # seen, even if nobody waits for it any more
            pieces.put_nowait(None)

        self._working.add(stopped)
        work = loop.run_in_executor(self._executor(), self._speak, request, say, stopped)
        work.add_done_callback(over)
        try:
            while (text := await _by(deadline, pieces.get())) is not None:
                yield ChatChunk(text=text)
            done = await work
        finally:
            stopped.set()
        usage = TokenUsage(done.prompt_tokens, done.completion_tokens)
        yield ChatChunk(usage=usage, finish_reason=done.finish_reason)

    def _executor(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="local-model")
        return self._thread

    def _speak(self, request: ChatRequest, say: Callable[[str], None], stopped: threading.Event) -> Generation:
        """Runs in the thread."""
        try:
            return self._loaded().generate(
                [{"role": message.role, "content": message.content} for message in messages_of(request)],
                max_tokens=min(request.max_tokens or self._settings.local_max_tokens, self._settings.local_max_tokens),
                temperature=request.temperature,
                say=say,
                stopped=stopped,
            )
        except UpstreamError:
            raise
        except Exception as error:  # torch, tokenizer and template fail in many ways
            _logger.exception("the local model failed")
            raise UpstreamUnavailable("The local model failed.") from error

    def _loaded(self) -> LocalRuntime:
        """Runs in the thread."""
        if self._runtime is None:
            # Late, because torch costs seconds and half a gigabyte.
            from tools.models.local_runtime import LocalRuntime

            try:
                self._runtime = LocalRuntime(self._folder, self._threads)
            except Exception as error:  # a broken folder fails in many ways
                _logger.exception("the local model cannot be loaded")
                raise UpstreamUnavailable("The local model cannot be loaded.") from error
        return self._runtime


async def _by(deadline: float, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise UpstreamTimeout("The local model took too long.") from None
