"""Other Python processes for tests, told what to do on stdin and heard on stdout."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def process(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`script` with `arguments` in `sys.argv`; killed at the end if it still runs."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def line_of(child: subprocess.Popen[str]) -> str:
    """The next line it says; whatever it complained of, when it has nothing more to say."""
    assert child.stdout is not None
    assert child.stderr is not None
    line = child.stdout.readline()
    assert line, child.stderr.read()
    return line.strip()


def go_on(child: subprocess.Popen[str]) -> None:
    """Let a child that waits on `input()` go on."""
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()
