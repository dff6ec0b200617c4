"""What tests of the app's edges share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from app.observability.logging import TALKATIVE


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """Undo what `Logs` does to the process."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers, root.level, logging.raiseExceptions = handlers, level, raising
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
