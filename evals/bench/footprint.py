"""What the app takes: CPU from start to ready, memory idle, memory after many turns.

    python -m evals.bench.footprint [--turns 10000] [--engine langgraph] [--json OUT]

The app is started as a user starts it, with its own extractive model, over a corpus of 1,000 chunks.
Start-up is measured three times on a data folder that exists already; the median is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evals.bench.turns import OURS_BODY, free_port, load, server

STARTS = 3


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    total = 0
    for one in (pid, *_children(pid)):
        status = Path(f"/proc/{one}/status").read_text()
        total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return total / 1024


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextmanager
def app(folder: Path, engine: str) -> Iterator[tuple[int, str]]:
    """The app on a free port over `folder`; gives its pid and address."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    (folder / ".env").write_text(f"COORDINATOR_ENGINE={engine}\nLOG_LEVEL=WARNING\n")
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), "--data-dir", str(folder / "var")]
    with server(command, f"{base}/health/ready", cwd=folder, path=Path.cwd()) as pid:
        yield pid, base


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--engine", default="langgraph")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fill = [sys.executable, "-m", "evals.bench.server", "--port", "0", "--data-dir", str(folder / "var")]
        subprocess.run([*fill, "--fill-only"], check=True)
        starts = []
        for _ in range(STARTS):
            with app(folder, arguments.engine) as (pid, _):
                starts.append(cpu_seconds(pid))
        figures["start to ready, CPU s"] = statistics.median(starts)
        with app(folder, arguments.engine) as (pid, base):
            time.sleep(3)
            figures["RSS idle, MB"] = resident_mb(pid)
            path = "/api/v1/chat/stream"
            load(arguments.bench.resolve(), base, path, OURS_BODY, "delta", 16, arguments.turns, pid, 1_500)
            figures[f"RSS after {arguments.turns} turns, MB"] = resident_mb(pid)
    for name, value in figures.items():
        print(f"{name:40} {value:9.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
