"""The process that memory is measured in: reads one model, runs it on messages, tells what was resident.

`python -m tools.compression.resident` takes one line of JSON (`folder`, `pad`, `tokens`) and gives one. Torch is
imported only for a model that is run by it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
"""Linux alone has it. Not `getrusage`: its peak is inherited from whoever started the process."""


def main() -> None:
    """Answer the line on standard input."""
    work = json.loads(sys.stdin.readline())
    folder = Path(work["folder"])
    from tools.compression.runnable import GRAPH, open_runnable

    if (folder / GRAPH).exists():
        import onnxruntime  # noqa: F401
    else:
        import torch  # noqa: F401

        from tools.compression import folder as _  # noqa: F401
    imports = megabytes("VmRSS")
    runnable = open_runnable(folder, work["pad"])
    for row in work["tokens"]:
        runnable.logits([row])
    told = {"imports": imports, "loaded": megabytes("VmRSS"), "peak": megabytes("VmHWM")}
    sys.stdout.write(json.dumps(told) + "\n")


def megabytes(entry: str) -> float:
    """An entry of the process's status, in units of 2^20 bytes."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{entry}:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
