"""The app behind uvicorn: one process in the foreground, from an open socket to a drained shutdown."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.observability.logging import Logs
from app.settings import Settings
from tools.errors import ZhiyinError

SEND_BUFFER_BYTES = 65_536
UNACKNOWLEDGED_MS = 20_000
"""A peer that acknowledges nothing for this long is gone; the kernel then drops what waits for it."""
DRAIN_SECONDS = 10
"""How long requests may take to finish once the server is told to stop; the parts drain after that."""
KEEP_ALIVE_SECONDS = 20


class CannotListen(ZhiyinError):
    """The address is taken, not ours, or not to be had without more rights."""

    code = "cannot_listen"


def serve_app(app: FastAPI, settings: Settings, ready: Callable[[str], None] = lambda _url: None) -> None:
    """Serve `app` until SIGINT or SIGTERM, and log as the settings say; `ready` is told the address.

    Raises:
        CannotListen: nobody can be served at the address.
        ZhiyinError, ConfigurationError: whatever keeps the app's parts from opening.
    """
    listener = listen(settings.host, settings.port)
    with listener, Logs(settings.log_level, settings.log_dir, env=settings.env):
        config = uvicorn.Config(
            app,
            loop="uvloop" if sys.platform != "win32" else "auto",
            http="httptools",
            ws="none",
            lifespan="off",  # `_serve` does it: what fails there is for the operator, not for the log
            log_config=None,
            access_log=settings.log_level == "debug",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_serve(app, config, listener, ready))


def listen(host: str, port: int, unacknowledged_ms: int = UNACKNOWLEDGED_MS) -> socket.socket:
    """A bound socket whose connections hold little for readers that do not read, and end when those are gone.

    Raises:
        CannotListen: it is in use, say, or there is no such host.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"Cannot listen on {host}: {error.strerror}.") from error
    try:
        if sys.platform != "win32":  # there it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unacknowledged_ms)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        raise CannotListen(f"Cannot listen on {host}, port {port}: {reason}.") from error
    return listener


async def _serve(app: FastAPI, config: uvicorn.Config, listener: socket.socket, ready: Callable[[str], None]) -> None:
    server = _Server(config, lambda: ready(_url_of(listener)))
    async with app.router.lifespan_context(app):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _once_more)
        await server.serve([listener])


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()


def _once_more(number: int, _frame: FrameType | None) -> None:
    """Take the signal that uvicorn raises again after it has stopped, so that the parts can be closed.

    The next one, from an operator who will not wait for that, ends the process.
    """
    signal.signal(number, signal.SIG_DFL)


def _url_of(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    if host in {"0.0.0.0", "::"}:  # noqa: S104
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
