"""The child's side of `tools.knowledge.sandbox`: run as a program, never imported by the server."""

from __future__ import annotations

import os
import resource
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import orjson

from tools.knowledge.parsed import ParseError
from tools.knowledge.preparing import prepare

LENGTH_BYTES = 8
NICENESS = 5


def main() -> None:
    """Answer requests from stdin until it closes. Arguments: memory limit in bytes, seconds per file."""
    memory_bytes, timeout_seconds = int(sys.argv[1]), float(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not break into the answers
    _confine(memory_bytes)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_REAL, timeout_seconds)
        answer = _answer(orjson.loads(line))
        answers.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)


def _confine(memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends us
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the deadline ends the process, whatever it is doing
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    warnings.simplefilter("ignore")


def _answer(request: dict[str, Any]) -> bytes:
    try:
        request["path"] = Path(request["path"])
        return orjson.dumps(prepare(**request))
    except ParseError as error:
        return _failure(error.code, error.message)
    except MemoryError:
        return _failure("too_large", "Reading the file takes more memory than it may.", exhausted=True)
    except Exception as error:  # whatever a parser makes of a broken file, the others go on
        return _failure("broken_file", "The file is damaged and cannot be read.", type(error).__name__)


def _failure(code: str, message: str, cause: str = "", *, exhausted: bool = False) -> bytes:
    return orjson.dumps({"code": code, "message": message, "cause": cause, "exhausted": exhausted})


if __name__ == "__main__":
    main()
