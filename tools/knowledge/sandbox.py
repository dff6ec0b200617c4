"""A child process that prepares files, so that a hostile or broken one costs a child and nothing else.

The child has no environment, a memory limit, a deadline per file and no right to write files; it runs at
a lower priority, beside the server's event loop instead of under its lock. It starts with the first file
and serves many. What passes between the two is a line of JSON one way and a length with JSON the other.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import structlog

from tools.errors import StoreUnavailable
from tools.knowledge.parsed import HeadingSpan, PageSpan, ParsedDocument, ParseError
from tools.knowledge.parsing import FileType
from tools.knowledge.preparing import Prepared, PreparedChunk

log = structlog.get_logger(__name__)

GRACE_SECONDS = 5.0
"""The child ends itself at its deadline; the parent ends it this much later, should it be stopped or stuck."""
LENGTH_BYTES = 8
CHILD = "tools.knowledge.sandbox_child"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""For matrices as small as the extractor's, waking other threads costs more than they give."""


@dataclass(frozen=True, slots=True)
class Work:
    """A file to prepare; `path` is absolute. `extract`: read entities and relations out of it, too."""

    path: str
    kind: FileType
    name: str
    size: int
    overlap: int
    extract: bool = False


class Sandbox:
    """Prepares one file at a time in a child process; safe to call from several threads."""

    def __init__(self, *, memory_bytes: int, timeout_seconds: float, child: str = CHILD) -> None:
        """`memory_bytes` bounds the child's address space, `timeout_seconds` each file."""
        self._arguments = [sys.executable, "-m", child, str(memory_bytes), str(timeout_seconds)]
        self._timeout = timeout_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._closed = False

    def prepare(self, work: Work) -> Prepared:
        """Prepare a file; blocks for up to the time limit and a few seconds.

        Raises:
            ParseError: see its codes; `parse_timeout` and `too_large` when it needs more than it may have.
            StoreUnavailable: the sandbox is closed.
        """
        with self._turn:
            child = self._running()
            with self._deadline(child) as expired:
                reply = _ask(child, work)
            if reply is None:
                raise self._post_mortem(child, expired.is_set())
            answer: dict[str, Any] = orjson.loads(reply)
            if answer.get("exhausted"):
                self._end()  # memory that ran out once is in pieces
        return _result(answer, Path(work.path).name)

    def let_go(self) -> None:
        """End an idle child; the next file starts another. Does nothing while one is at work."""
        if self._turn.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._turn.release()

    def close(self) -> None:
        """End the child, at work or not, and refuse more."""
        self._closed = True
        if (child := self._child) is not None:
            child.kill()
        with self._turn:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise StoreUnavailable("The app is shutting down.")
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            self._child = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": ":".join(filter(None, sys.path)), "PYTHONUTF8": "1", **ONE_THREAD},
            )
        return self._child

    @contextlib.contextmanager
    def _deadline(self, child: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            child.kill()

        timer = threading.Timer(self._timeout + GRACE_SECONDS, expire)
        timer.daemon = True
        timer.start()
        try:
            yield expired
        finally:
            timer.cancel()

    def _post_mortem(self, child: subprocess.Popen[bytes], expired: bool) -> Exception:
        """The child died over a file: say what that says about the file."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # so that its own reason is known, not our kill
            child.wait(GRACE_SECONDS)
        self._end()
        log.warning("sandbox.died", returncode=child.returncode)
        if self._closed:
            return StoreUnavailable("The app is shutting down.")
        if expired or child.returncode == -signal.SIGALRM:
            return ParseError("parse_timeout", f"Reading the file took longer than {self._timeout:g} seconds.")
        if child.returncode == -signal.SIGKILL:
            return ParseError("too_large", "Reading the file takes more memory than it may.")
        return ParseError("broken_file", "The file brings its reader down.")

    def _end(self) -> None:
        if (child := self._child) is None:
            return
        self._child = None
        child.kill()
        with contextlib.suppress(BrokenPipeError):  # leaving closes the pipes and waits
            child.__exit__(None, None, None)


def _ask(child: subprocess.Popen[bytes], work: Work) -> bytes | None:
    """Send the work and read the reply; None when the child died over it."""
    assert child.stdin is not None  # noqa: S101
    assert child.stdout is not None  # noqa: S101
    try:
        child.stdin.write(orjson.dumps(asdict(work)) + b"\n")
        child.stdin.flush()
        length = _exactly(child.stdout, LENGTH_BYTES)
        return _exactly(child.stdout, int.from_bytes(length, "big")) if length else None
    except (OSError, ValueError):
        return None


def _exactly(stream: IO[bytes], size: int) -> bytes | None:
    data = stream.read(size)
    return data if len(data) == size else None


def _result(answer: dict[str, Any], document_id: str) -> Prepared:
    if "code" in answer:
        if answer["cause"]:
            log.warning("document.unreadable", document=document_id, code=answer["code"], cause=answer["cause"])
        raise ParseError(answer["code"], answer["message"])
    found = answer["document"]
    document = ParsedDocument(
        found["title"],
        found["text"],
        [PageSpan(**page) for page in found["pages"]],
        [HeadingSpan(**heading) for heading in found["headings"]],
        found["metadata"],
    )
    return Prepared(document, [PreparedChunk(**piece) for piece in answer["chunks"]])
