"""A real server on loopback that speaks OpenAI's chat protocol, and fails in every way that servers do.

    with Upstream() as upstream:
        upstream.plays(refuses(429, {"Retry-After": "1"}), says("Hel", "lo"))
        ...  # talk to upstream.url

Each request gets the next act; the last one is played for all that follow. It runs on a thread of its own, so that
synchronous tests and whole servers can use it as well.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

Act = Callable[["Exchange"], Awaitable[None]]
DEADLINE_SECONDS = 10.0


@dataclass(slots=True)
class Received:
    """A request as the server saw it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    answered: threading.Event = field(default_factory=threading.Event)
    """Set when the act has begun to wait, or is over."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set when the client closed its side before the act was over."""


@dataclass(slots=True)
class Exchange:
    """One request being answered."""

    request: Received
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def head(self, status: int = 200, headers: dict[str, str] | None = None, *, chunked: bool = True) -> None:
        given = {"Content-Type": "text/event-stream", **(headers or {})}
        if chunked:
            given["Transfer-Encoding"] = "chunked"
        lines = [f"HTTP/1.1 {status} Because", *(f"{name}: {value}" for name, value in given.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode())

    async def raw(self, data: bytes) -> None:
        """One HTTP chunk, sent at once."""
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self.writer.drain()

    async def frame(self, data: Any) -> None:
        await self.raw(b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n")

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def hang(self) -> None:
        """Say nothing more until the client leaves."""
        self.request.answered.set()
        if await self.reader.read(1) == b"":
            self.request.left.set()

    def reset(self) -> None:
        """Cut the connection at once, without an end."""
        self.writer.transport.abort()


class Upstream:
    """The server. `url` is the base address to configure, `requests` what came in."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.url = ""
        self._acts: list[Act] = [says("Hello", " there", ".")]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream")
        self._connections: set[asyncio.Task[None]] = set()

    def plays(self, *acts: Act) -> None:
        """Play these acts, the last one for ever."""
        self._acts = list(acts)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._on_thread(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**24))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._on_thread(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_SECONDS)
        self._loop.close()

    async def left(self, request: int = -1, within_seconds: float = 1.0) -> bool:
        """Whether the client of a request hung up within the time."""
        return await asyncio.to_thread(self.requests[request].left.wait, within_seconds)

    def _on_thread(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_SECONDS)

    async def _stop(self) -> None:
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                await act(Exchange(request, reader, writer))
                request.answered.set()
                if writer.is_closing() or request.headers.get("connection") == "close":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            self.requests[-1].left.set()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._connections.discard(task)
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(first.split(" ")[1], headers, json.loads(body or b"{}"))


def piece(delta: dict[str, Any], finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One chunk as OpenAI sends it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **fields}


USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def says(*texts: str, finish: str | None = "stop", usage: bool = True, done: bool = True, role: bool = True) -> Act:
    """A good answer; parts of the protocol that servers leave out can be left out."""

    async def act(exchange: Exchange) -> None:
        exchange.head()
        if role:
            await exchange.frame(piece({"role": "assistant", "content": ""}))
        for text in texts:
            await exchange.frame(piece({"content": text}))
        if finish:
            await exchange.frame(piece({}, finish))
        if usage:
            await exchange.frame({**piece({}), "choices": [], "usage": USAGE})
        if done:
            await exchange.frame(b"[DONE]")
        await exchange.end()

    return act


def refuses(status: int, headers: dict[str, str] | None = None, body: bytes = b'{"error": {"message": "no"}}') -> Act:
    """An HTTP error."""

    async def act(exchange: Exchange) -> None:
        exchange.head(status, {"Content-Type": "application/json", **(headers or {})})
        await exchange.raw(body)
        await exchange.end()

    return act


def sends(*frames: Any, headers: dict[str, str] | None = None, raw: Iterable[bytes] = ()) -> Act:
    """Whatever the test wants: JSON or bytes as frames, then raw bytes, then a proper end."""

    async def act(exchange: Exchange) -> None:
        exchange.head(200, headers)
        for data in frames:
            await exchange.frame(data)
        for data in raw:
            await exchange.raw(data)
        await exchange.end()

    return act


def hangs(*texts: str, before_head: bool = False) -> Act:
    """Stops after `texts` and keeps the connection open."""

    async def act(exchange: Exchange) -> None:
        if not before_head:
            exchange.head()
            for text in texts:
                await exchange.frame(piece({"content": text}))
        await exchange.hang()

    return act


def resets(*texts: str, before_head: bool = False) -> Act:
    """Cuts the connection after `texts`."""

    async def act(exchange: Exchange) -> None:
        if not before_head:
            exchange.head()
            for text in texts:
                await exchange.frame(piece({"content": text}))
        exchange.reset()

    return act


def closes(*texts: str) -> Act:
    """Ends a reply that is delimited by the connection alone, with no sign that it is whole."""

    async def act(exchange: Exchange) -> None:
        exchange.head(chunked=False, headers={"Connection": "close"})
        for text in texts:
            exchange.writer.write(b"data: " + json.dumps(piece({"content": text})).encode() + b"\n\n")
        await exchange.writer.drain()
        exchange.writer.close()

    return act


def babbles(data: bytes, times: int) -> Act:
    """Sends `data` many times over, as fast as it is read."""

    async def act(exchange: Exchange) -> None:
        exchange.head()
        for _ in range(times):
            await exchange.raw(data)
        await exchange.end()

    return act
