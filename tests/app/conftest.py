"""What tests of the app's edges share."""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import Iterator

import pytest
import structlog
from sse_starlette.sse import AppStatus

from app.observability.logging import TALKATIVE


@pytest.fixture
def process_restored() -> Iterator[None]:
    """Undo what a command does to the process that it thinks is its own."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in signals.items():
        signal.signal(number, handler)
    AppStatus.should_exit = False  # sse-starlette's note that a server was told to stop
    gc.enable()
    root.handlers, root.level, logging.raiseExceptions = handlers, level, raising
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
