"""The child's side of `communities`: run as a program, never imported by the server.

Arguments: the step of `communities_work` to do, and bytes of address space. Reads all of stdin, writes its answer to
stdout and ends.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import cast

from tools.knowledge.graph.communities_work import STEPS, Step

NICENESS = 10


def main() -> None:
    """Answer one request."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not break into the answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends us
    memory_bytes = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    answers.write(STEPS[cast(Step, sys.argv[1])](sys.stdin.buffer.read()))
    answers.flush()


if __name__ == "__main__":
    main()
