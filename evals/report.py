"""What a suite found: figures with their uncertainty, as JSON for machines and Markdown for people."""

from __future__ import annotations

import math
import random
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

Z95 = 1.959964
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure with its 95 % interval; proportions are fractions. `n` counts what it was measured on."""

    value: float
    low: float
    high: float
    n: int


def proportion(hits: int, n: int) -> Metric:
    """A share with Wilson's score interval."""
    if n == 0:
        return Metric(0.0, 0.0, 1.0, 0)
    share = hits / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    return Metric(share, max(0.0, centre - half), min(1.0, centre + half), n)


def mean(values: Sequence[float], seed: int = 0) -> Metric:
    """A mean with its percentile-bootstrap interval (1,000 resamples, seeded)."""
    if not values:
        return Metric(0.0, 0.0, 0.0, 0)
    rng = random.Random(seed)
    means = sorted(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]
    return Metric(statistics.fmean(values), low, high, len(values))


def quantile(values: Sequence[float], q: float, seed: int = 0) -> Metric:
    """A quantile (0-1) with its percentile-bootstrap interval."""
    if not values:
        return Metric(0.0, 0.0, 0.0, 0)
    rng = random.Random(seed)

    def at(sample: Sequence[float]) -> float:
        return sorted(sample)[min(len(sample) - 1, int(q * len(sample)))]

    found = sorted(at(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Metric(at(values), found[int(0.025 * RESAMPLES)], found[int(0.975 * RESAMPLES) - 1], len(values))


@dataclass(slots=True)
class Report:
    """One run of one suite."""

    suite: str
    data: str
    engine: str
    metrics: dict[str, Metric] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    commit: str = field(default_factory=lambda: _commit())
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)

    def as_markdown(self) -> str:
        """The report as a table."""
        lines = [
            f"# {self.suite}",
            "",
            f"engine {self.engine} · commit {self.commit} · {self.started_at} · data {self.data}",
            "",
            "| metric | value | 95 % interval | n |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {name} | {m.value:.4f} | {m.low:.4f} to {m.high:.4f} | {m.n} |" for name, m in self.metrics.items()
        ]
        return "\n".join([*lines, *(f"\n{note}" for note in self.notes)])


def read(path: Path) -> Report:
    """A report from its JSON file."""
    fields = orjson.loads(path.read_bytes())
    fields["metrics"] = {name: Metric(**metric) for name, metric in fields["metrics"].items()}
    return Report(**fields)


def compare(before: Report, after: Report) -> str:
    """Two runs side by side; a change whose intervals do not overlap is marked."""
    lines = [
        f"{before.suite} ({before.commit}, {before.engine}) and {after.suite} ({after.commit}, {after.engine})",
        "",
        "| metric | before | after | change | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in before.metrics.keys() | after.metrics.keys():
        a, b = before.metrics.get(name), after.metrics.get(name)
        if a is None or b is None:
            lines.append(f"| {name} | {a.value if a else '-'} | {b.value if b else '-'} | | only in one |")
            continue
        clear = "clear" if a.high < b.low or b.high < a.low else ""
        lines.append(f"| {name} | {a.value:.4f} | {b.value:.4f} | {b.value - a.value:+.4f} | {clear} |")
    return "\n".join([*lines[:4], *sorted(lines[4:])])


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return found.stdout.strip() or "unknown"
