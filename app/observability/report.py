"""What the snapshots of the last hours come to, per component and per variant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from app.observability.histogram import Durations
from app.observability.snapshot_line import METRICS_FILE, VARIANTS_FILE, SnapshotLine
from app.observability.verdict import accuracy_warning, warning_of


@dataclass(slots=True)
class MetricsReport:
    """Durations by component, and by variant and component; the newest intent accuracy, if any."""

    components: dict[str, Durations] = field(default_factory=dict[str, Durations])
    variants: dict[str, dict[str, Durations]] = field(default_factory=dict[str, dict[str, Durations]])
    intent_accuracy: float | None = None

    def warnings(self) -> list[str]:
        """What an operator should look at."""
        found = [f"{name}: {warning}" for name, d in self.components.items() if (warning := warning_of(name, d))]
        for variant, components in self.variants.items():
            found += [
                f"{variant}, {name}: {warning}" for name, d in components.items() if (warning := warning_of(name, d))
            ]
        if self.intent_accuracy is not None and (warning := accuracy_warning(self.intent_accuracy)):
            found.append(warning)
        return found


def read_report(folder: Path, hours: float) -> MetricsReport:
    """Add up the snapshots of the last `hours`; lines that cannot be read are passed over."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    report = MetricsReport()
    for line in _lines(folder, METRICS_FILE, since):
        _merge(report.components, line)
        if line.probe is not None:
            report.intent_accuracy = line.probe.intent_accuracy
    for line in _lines(folder, VARIANTS_FILE, since):
        if line.variant is not None:
            _merge(report.variants.setdefault(line.variant, {}), line)
    return report


def _merge(into: dict[str, Durations], line: SnapshotLine) -> None:
    for component, figures in line.components.items():
        into.setdefault(component, Durations()).merge(figures.durations())


def _lines(folder: Path, name: str, since: datetime) -> Iterator[SnapshotLine]:
    """The lines of a file and of its older ones, the oldest first."""
    for path in [*sorted(folder.glob(f"{name}.[0-9]"), reverse=True), folder / name]:
        for raw in _raw_lines(path, since):
            try:
                line = SnapshotLine.model_validate_json(raw)
            except ValidationError:
                continue
            if line.timestamp >= since:
                yield line


def _raw_lines(path: Path, since: datetime) -> Iterator[bytes]:
    try:
        if path.stat().st_mtime < since.timestamp():
            return
        with path.open("rb") as file:
            yield from file
    except FileNotFoundError:  # rotated away just now, or never written
        return
