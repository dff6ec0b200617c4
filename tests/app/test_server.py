"""The app behind a real socket: its start, its end, and readers that do not read."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.server import SEND_BUFFER_BYTES, CannotListen, listen, serve_app
from app.settings import Settings
from tools.errors import StoreUnavailable

pytestmark = pytest.mark.usefixtures("process_restored")
LOOPBACK = "127.0.0.1"


def settings(folder: Path, **fields: object) -> Settings:
    return Settings(host=LOOPBACK, port=0, data_dir=folder, log_dir=folder / "logs", **fields)  # type: ignore[arg-type]


def test_it_says_where_it_listens_serves_and_drains_on_sigterm(tmp_path: Path) -> None:
    life: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        life.append("opened")
        yield
        await asyncio.sleep(0)
        life.append("closed")

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/ping", lambda: "pong")

    def visit(url: str) -> None:
        life.append(httpx.get(f"{url}/ping", trust_env=False).text)
        os.kill(os.getpid(), signal.SIGTERM)

    visitor: list[threading.Thread] = []

    def ready(url: str) -> None:
        visitor.append(threading.Thread(target=visit, args=(url,)))
        visitor[0].start()

    serve_app(app, settings(tmp_path), ready)
    visitor[0].join()
    assert life == ["opened", '"pong"', "closed"]


def test_what_keeps_the_parts_from_opening_comes_out_as_it_is(tmp_path: Path) -> None:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        raise StoreUnavailable("The disk is gone.")
        yield

    with pytest.raises(StoreUnavailable, match="The disk is gone"):
        serve_app(FastAPI(lifespan=lifespan), settings(tmp_path))


@pytest.mark.parametrize("host", [LOOPBACK, "no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_cannot_be_had_is_named(host: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=host):
            listen(host, port)


def test_ipv6_is_an_address_too() -> None:
    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
def test_connections_hold_little_for_a_reader_that_does_not_read() -> None:
    with listen(LOOPBACK, 0, unacknowledged_ms=1234) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1234
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
async def test_a_reader_that_does_not_read_is_dropped() -> None:
    sent, dropped = 0, asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            dropped.set()

        watcher = asyncio.create_task(watch())
        while not dropped.is_set():
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            sent += 65_536
            await asyncio.sleep(0)
        await watcher

    with listen(LOOPBACK, 0, unacknowledged_ms=1_000) as listener:
        server = uvicorn.Server(uvicorn.Config(endless, lifespan="off", log_config=None, ws="none"))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            reader.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(reader, listener.getsockname())
            await loop.sock_sendall(reader, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(20):
                await dropped.wait()
        assert sent < 2**21
        server.should_exit = True
        await serving
