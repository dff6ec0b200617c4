"""JSON lines on stderr and in the log folder: request, turn and tenant on each, never a secret.

A line is rendered where it is logged and written by a thread, so a slow disk or terminal holds up no turn.
Texts that people wrote are logged at `debug` only; that is up to those who log them.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import queue
import re
import sys
from pathlib import Path
from typing import Any, Self

import orjson
import structlog
from structlog.typing import EventDict, Processor

LOG_FILE = "app.jsonl"
MAX_BYTES = 20 * 2**20
ROTATED = 5
MAX_WAITING = 10_000
"""Lines that wait for a disk or terminal that takes none; more are dropped rather than kept in memory."""
SECRET_NAME = re.compile(r"authorization|api[_-]?key|token$|secret|password|passwd|cookie|credential", re.IGNORECASE)
SECRET_VALUE = re.compile(  # each branch begins with a letter, or `re` would take ten times as long
    r"Bearer\s+[\w\-.~+/=]{6,}"
    r"|bearer\s+[\w\-.~+/=]{6,}"
    r"|Basic\s+[A-Za-z0-9+/=]{12,}"
    r"|://[^\s/@\"\\]+:[^\s/@\"\\]+(?=@)"  # user and password in an address
    r"|sk-(?<!\wsk-)[\w\-]{8,}"  # OpenAI's keys
    r"|eyJ(?<!\weyJ)[\w\-]+\.[\w\-.]+"  # a JSON web token
)
HIDDEN = "***"
TALKATIVE = ("aiosqlite", "asyncio", "httpcore", "httpx", "openai", "sse_starlette", "watchfiles")
"""Libraries whose lines below `warning` say nothing to an operator, and at `debug` too much."""


class Logs:
    """The logging of this process from construction to `close`, which writes out what is still waiting."""

    def __init__(self, level: str, folder: Path | None, *, env: str = "development", stderr: bool = True) -> None:
        """Log at `level` and above, to stderr and (unless None) into `folder`; `env` stands on each line."""
        handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)] if stderr else []
        refused: OSError | None = None
        try:
            handlers += [_file_in(folder)] if folder is not None else []
        except OSError as error:
            refused = error
        lines: queue.Queue[logging.LogRecord] = queue.Queue(MAX_WAITING)
        self._handlers = handlers
        self._writer = logging.handlers.QueueListener(lines, *handlers)
        self._sender = _Sender(lines)
        _install(self._sender, logging.getLevelNamesMapping()[level.upper()], env)
        self._writer.start()
        if refused is not None:
            structlog.get_logger(__name__).warning("logs.no_file", reason=refused.strerror)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write out what is waiting, let go of the file, and log nothing any more."""
        logging.getLogger().removeHandler(self._sender)
        self._writer.stop()
        for handler in self._handlers:
            handler.close()


class _Sender(logging.handlers.QueueHandler):
    """Renders a line on the thread that logs it, where its context is known, and leaves it to the writer."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return logging.makeLogRecord({"msg": self.format(record), "levelno": record.levelno})

    def enqueue(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(record)


def _file_in(folder: Path) -> logging.Handler:
    folder.mkdir(parents=True, exist_ok=True)
    return logging.handlers.RotatingFileHandler(
        folder / LOG_FILE, maxBytes=MAX_BYTES, backupCount=ROTATED, encoding="utf-8"
    )


def _install(sender: logging.Handler, level: int, env: str) -> None:
    """Send structlog's lines and those of the standard library through `sender`."""

    def with_env(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["env"] = env
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_env,
    ]
    finish: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        hide_named,
        structlog.processors.JSONRenderer(serializer=_as_json),
    ]
    sender.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=finish))
    root = logging.getLogger()
    root.handlers = [sender]
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.raiseExceptions = False  # a full disk must not fill the terminal with tracebacks
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


def hide_named(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Hide the values of secrets' names, however deep they stand; numbers and nothing are no secrets."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, dict):
        return {key: _hidden(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", inner) for inner in value]
    return value


def _as_json(event: EventDict, **_: Any) -> str:
    """The line as text; what looks like a key or a token is hidden wherever it stands, tracebacks included."""
    line = orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return SECRET_VALUE.sub(HIDDEN, line)
