"""Writes windows of the metrics to files in the log folder, for `zhiyin metrics` and whoever else reads JSON lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from app.observability.histogram import Durations
from app.observability.metrics import Metrics, Window
from app.observability.snapshot_line import METRICS_FILE, VARIANTS_FILE, SnapshotLine

log = structlog.get_logger(__name__)

MAX_BYTES = 20 * 2**20
"""Size at which a file is rotated: about a day of steady traffic."""
ROTATED = 6
"""Older files that are kept, as `.1` (the newest) to `.6`."""


class Snapshots:
    """Writes a window of the metrics every so often, while `enabled()` says so, and once at the end."""

    def __init__(
        self,
        metrics: Metrics,
        folder: Path,
        enabled: Callable[[], bool],
        probe: Callable[[], Coroutine[Any, Any, float]],
        every_seconds: float,
    ) -> None:
        """`probe` gives the share (0-1) of the built-in probe set's intents that are read right."""
        self._metrics = metrics
        self._folder = folder
        self._enabled = enabled
        self._probe = probe
        self._every = every_seconds
        self._intent_accuracy: float | None = None
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the probe is measured once, for the first snapshot."""
        self._writer = asyncio.create_task(self._write_for_ever(), name="snapshots")

    async def close(self) -> None:
        """Write what has been counted since the last snapshot."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
            await self.write(probing=False)

    async def write(self, *, probing: bool = True) -> None:
        """Write the window that ends now, if anything was counted in it. Failures are logged.

        The end does not wait for a probe that was never made.
        """
        window = self._metrics.take_window()
        if not window or not self._enabled():
            return
        try:
            if probing and self._intent_accuracy is None:
                self._intent_accuracy = await self._probe()
            await asyncio.to_thread(_append, self._folder, window, self._intent_accuracy)
        except Exception as error:  # figures are not worth a turn, or an end of the figures after these
            log.warning("snapshots.not_written", reason=f"{type(error).__name__}: {error}")

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.write()


def _append(folder: Path, window: Window, intent_accuracy: float | None) -> None:
    now = datetime.now(UTC)
    together: dict[str, Durations] = {}
    apart: dict[str, dict[str, Durations]] = {}
    for (component, variant), durations in window.items():
        together.setdefault(component, Durations()).merge(durations)
        apart.setdefault(variant, {})[component] = durations
    folder.mkdir(parents=True, exist_ok=True)
    _append_lines(folder / METRICS_FILE, [SnapshotLine.of(now, together, intent_accuracy=intent_accuracy)])
    _append_lines(folder / VARIANTS_FILE, _lines_of(now, apart))


def _lines_of(now: datetime, apart: Mapping[str, Mapping[str, Durations]]) -> list[SnapshotLine]:
    return [SnapshotLine.of(now, window, variant=variant) for variant, window in sorted(apart.items())]


def _append_lines(path: Path, lines: Iterable[SnapshotLine]) -> None:
    if path.exists() and path.stat().st_size >= MAX_BYTES:
        _rotate(path)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":  # a process died in mid-line; ours must not hang on to it
                file.write(b"\n")
        file.write(b"".join(line.as_bytes() for line in lines))


def _rotate(path: Path) -> None:
    """Count the numbers of the older files up by one; the oldest one goes."""
    for number in range(ROTATED - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))
