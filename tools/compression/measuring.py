"""What a model costs: bytes on disk, CPU time a message, resident memory of a process that has nothing else to do."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.compression.runnable import GRAPH, Runnable, Tokens
from tools.errors import NotAvailable

ROOT = Path(__file__).parents[2]
RESIDENT = "tools.compression.resident"
MESSAGES = 128
"""Messages that a round reads, in whole batches of 32."""
ROUNDS = 5
BATCHES = (1, 32)


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of the weights, and of those that are no embedding tables: tables may be shared between models."""

    total: int
    beyond_tables: int


@dataclass(frozen=True, slots=True)
class Latency:
    """CPU milliseconds a message in batches of `batch`, before and after, medians over paired rounds.

    `ratio` is the median over rounds of before / after, `lowest` and `highest` its extremes: other work on the machine
    strikes both of a pair alike.
    """

    batch: int
    before_ms: float
    after_ms: float
    ratio: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident megabytes (2^20 bytes) of a fresh process: after its imports, with the model read and used, its peak."""

    imports: float
    loaded: float
    peak: float


def size_of(folder: Path) -> Size:
    """Of the int8 graph in `folder`, else of its safetensors."""
    if (folder / GRAPH).exists():
        from tools.compression.int8 import table_bytes

        total = sum(path.stat().st_size for path in folder.glob(f"{Path(GRAPH).stem}.*"))
        return Size(total, total - table_bytes(folder / GRAPH))
    import torch

    from tools.compression.folder import load_classifier

    network = load_classifier(folder).network
    tables = sum(module.weight.numel() * 4 for module in network.modules() if isinstance(module, torch.nn.Embedding))
    total = sum(weight.numel() * 4 for weight in network.parameters())
    return Size(total, total - tables)


def latencies(before: Runnable, after: Runnable, tokens: Tokens, rounds: int = ROUNDS) -> list[Latency]:
    """Time both on the same messages in turn, on one thread, tokenising left out; the first round warms up."""
    messages = list(tokens[:MESSAGES])
    found = list[Latency]()
    for batch in BATCHES:
        runs = [messages[at : at + batch] for at in range(0, len(messages), batch)]
        times = np.array([_round(before, after, runs, turn) for turn in range(rounds + 1)])[1:]
        per_message = times * 1000 / len(messages)
        ratios = times[:, 0] / times[:, 1]
        middle = np.median(per_message, axis=0)
        found.append(
            Latency(
                batch=batch,
                before_ms=float(middle[0]),
                after_ms=float(middle[1]),
                ratio=float(np.median(ratios)),
                lowest=float(ratios.min()),
                highest=float(ratios.max()),
            )
        )
    return found


def _round(before: Runnable, after: Runnable, runs: Sequence[Tokens], turn: int) -> tuple[float, float]:
    """CPU seconds of each over all runs; who goes first changes from round to round."""
    pair = (before, after) if turn % 2 == 0 else (after, before)
    times = list[float]()
    for runnable in pair:
        started = time.process_time()
        for run in runs:
            runnable.logits(run)
        times.append(time.process_time() - started)
    return (times[0], times[1]) if turn % 2 == 0 else (times[1], times[0])


def memory_of(folder: Path, tokens: Tokens, pad: int) -> Memory:
    """Let a fresh process load what lies in `folder` and read the messages one by one.

    Raises:
        NotAvailable: the process failed, or this system does not tell what is resident.
    """
    work = json.dumps({"folder": str(folder.resolve()), "pad": pad, "tokens": [list(row) for row in tokens[:MESSAGES]]})
    # It finds the project by its working folder, and takes nothing else from here.
    child = subprocess.run([sys.executable, "-m", RESIDENT], cwd=ROOT, input=work, capture_output=True, text=True)
    if child.returncode:
        raise NotAvailable("Resident memory could not be measured: " + child.stderr.strip()[-300:])
    return Memory(**json.loads(child.stdout.splitlines()[-1]))
